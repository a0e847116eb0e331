"""Loading a plan: its objects become records, which replace those in force, all or none, in the open decision.

Rules: with a mistake anywhere nothing changes. Accounts that the plan sets up keep their balances; what their action
plan runs at once becomes tasks. Does not know: where the plan came from, when tasks run.
"""

from typing import Any

import msgspec

from cgrcore.accounting import Account, account_id_of
from cgrcore.actions.attach import set_triggers
from cgrcore.scheduling.plans import attach_plans, remove_plan, replace_plan
from cgrcore.tariffplan.accounts import (
    build_action_plans,
    build_action_sets,
    build_shared_groups,
    build_trigger_groups,
    check_account_actions,
)
from cgrcore.tariffplan.mistakes import Mistake, PlanRefused
from cgrcore.tariffplan.rating import build_destinations, build_plans, build_rating_profiles, profile_id_of
from cgrcore.tariffplan.read import Plan
from cgrcore.tariffplan.records import TpAccountActions
from cgrcore.tariffplan.refer import Building
from cgrcore.tariffplan.sanity import is_sound
from cgrcore.tariffplan.served import SERVED, build_profiles
from cgrcore.tariffplan.staying import without_search_for_cycles
from cgrcore.tariffplan.timings import build_timings
from cgrcore.world import World

__all__ = ["Loadable", "build", "load", "set_up_account", "unload"]

#: Tables that a plan's records are put into as they are.
_PLAIN = (
    "destinations",
    "timings",
    "rating_plans",
    "rating_profiles",
    "shared_groups",
    "actions",
    "action_triggers",
)


class Loadable(msgspec.Struct):
    """The records of a plan by table, then by key, and the accounts it sets up."""

    records: dict[str, dict[str, Any]]
    accounts: list[TpAccountActions]


def build(world: World, plan: Plan) -> Loadable:
    """Return the records of a plan. Raises PlanRefused with all that is wrong with it; nothing in force is changed."""
    building = Building(world, plan)
    build_timings(building)
    records: dict[str, dict[str, Any]] = {
        "destinations": build_destinations(building),
        "timings": building.timings,
        "rating_plans": build_plans(building),
        "rating_profiles": build_rating_profiles(building),
        "shared_groups": build_shared_groups(building),
        "actions": build_action_sets(building),
        "action_plans": build_action_plans(building),
        "action_triggers": build_trigger_groups(building),
    }
    check_account_actions(building)
    records.update(build_profiles(building))
    if plan.mistakes or building.mistakes:
        raise PlanRefused([*plan.mistakes, *building.mistakes])
    return Loadable(records, list(building.items("account_actions").values()))


@without_search_for_cycles()
def load(world: World, plan: Plan, *, must_be_sound: bool = False) -> Loadable:
    """Load a plan.

    Raises PlanRefused, with `must_be_sound` also `invalid data` for one that is doubtful; then nothing changes.
    """
    loadable = build(world, plan)
    if must_be_sound and not is_sound(loadable.records["rating_plans"]):
        raise PlanRefused([Mistake("invalid data")])
    keepers = {served.table: served.keep for served in SERVED.values() if served.keep is not None}
    for name, records in loadable.records.items():
        keep = replace_plan if name == "action_plans" else keepers.get(name)
        if keep is None:
            # What stays as it is need not be written, nor compiled again.
            world.state.table(name).load(records)
            continue
        for record in records.values():
            keep(world, record)
    world.state.table("accounts").need([account_id_of(item.Tenant, item.Account) for item in loadable.accounts])
    for item in loadable.accounts:
        set_up_account(world, item, with_asap=False)
    return loadable


def set_up_account(world: World, item: TpAccountActions, *, with_asap: bool) -> None:
    """Create or change an account as the plan says; balances it has are kept. Raises NotFound for what it names and
    is not there.

    `with_asap`: it is attached to a plan of nothing but `*asap` as well, as when it is loaded alone.
    """
    account_id = account_id_of(item.Tenant, item.Account)
    accounts = world.state.table("accounts")
    if account_id not in accounts:
        accounts.put(account_id, Account(account_id))
    account: Account = accounts.edit(account_id)
    account.allow_negative = item.AllowNegative
    account.is_disabled = item.Disabled
    set_triggers(world, account, [item.ActionTriggersId] if item.ActionTriggersId else [], overwrite=True)
    if item.ActionPlanId:
        attach_plans(world, account_id, [item.ActionPlanId], overwrite=True, with_asap=with_asap)


def unload(world: World, plan: Plan) -> None:
    """Remove from force the records that a plan names. Accounts that it set up stay, with what they hold."""
    tables = {name: name for name in _PLAIN if name != "rating_profiles"}
    tables.update({name: served.table for name, served in SERVED.items()})
    for name, table in tables.items():
        for key in plan.objects[name]:
            world.state.table(table).remove(key)
    for item in plan.objects["rating_profiles"].values():
        world.state.table("rating_profiles").remove(profile_id_of(world, item))
    for plan_id in plan.objects["action_plans"]:
        remove_plan(world, plan_id)
