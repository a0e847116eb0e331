"""Whether indexes agree with what they are of: of profiles, filters, destinations and the plans of accounts.

All but the list of profiles' indexes, from which an operator may remove some, follows from the records themselves.
"""

from collections.abc import Callable
from typing import Any

from cgrcore.filters import index_health
from cgrcore.world import World
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []


class HealthArgs(Args):
    """How CGRateS caches what it compares; nothing is cached here."""

    IndexCacheLimit: int = 0
    IndexCacheTTL: int = 0
    IndexCacheStaticTTL: bool = False
    ObjectCacheLimit: int = 0
    ObjectCacheTTL: int = 0
    ObjectCacheStaticTTL: bool = False
    FilterCacheLimit: int = 0
    FilterCacheTTL: int = 0
    FilterCacheStaticTTL: bool = False


def _declare(name: str, item_type: str) -> Callable[[World, HealthArgs], dict[str, Any]]:
    def health(world: World, args: HealthArgs) -> dict[str, Any]:
        return index_health(world, item_type)

    health.__doc__ = f"Return what is missing in the list of indexes of {item_type[1:]} profiles, of all tenants."
    return method(f"APIerSv1.{name}", args=HealthArgs, aliases=apier_names(name))(health)


for _item_type, _word in {
    "*attributes": "Attributes",
    "*chargers": "Chargers",
    "*dispatchers": "Dispatchers",
    "*resources": "Resources",
    "*routes": "Routes",
    "*stats": "Stats",
    "*thresholds": "Thresholds",
}.items():
    _declare(f"Get{_word}IndexesHealth", _item_type)


@method("APIerSv1.GetReverseFilterHealth", aliases=apier_names("GetReverseFilterHealth"))
def get_reverse_filter_health(world: World, args: HealthArgs) -> dict[str, Any]:
    """Return nothing: which profiles use a filter is read from the profiles."""
    return {}


@method("APIerSv1.GetReverseDestinationsIndexHealth", aliases=apier_names("GetReverseDestinationsIndexHealth"))
def get_reverse_destinations_health(world: World, args: HealthArgs) -> dict[str, Any]:
    """Return nothing in either list: which destinations have a prefix is compiled from the destinations."""
    return {"MissingReverseDestinations": {}, "BrokenReferences": {}}


@method("APIerSv1.GetAccountActionPlansIndexHealth", aliases=apier_names("GetAccountActionPlansIndexHealth"))
def get_account_action_plans_health(world: World, args: HealthArgs) -> dict[str, Any]:
    """Return, by account, the plans that name it and are not listed with it, and those listed that do not name it."""
    plans, listed = world.state.table("action_plans"), world.state.table("account_action_plans")
    missing: dict[str, list[str]] = {}
    for plan_id in sorted(plans):
        for account_id in plans.records[plan_id].account_ids or ():
            known = listed.records.get(account_id)
            if known is None or plan_id not in known.plan_ids:
                missing.setdefault(account_id, []).append(plan_id)
    broken: dict[str, list[str]] = {}
    for account_id in sorted(listed):
        for plan_id in listed.records[account_id].plan_ids:
            plan = plans.records.get(plan_id)
            if plan is None or account_id not in (plan.account_ids or ()):
                broken.setdefault(account_id, []).append(plan_id)
    return {"MissingAccountActionPlans": missing, "BrokenReferences": broken}
