"""Loading one object of a stored plan with what it needs: a destination, a rating plan, a rating profile, a shared
group, the actions of accounts.

Rules: as for whole plans, all or nothing; missing parts are told in the words these methods have for them.
"""

from typing import Any

import msgspec

from cgrcore.errors import BadRequest, NotFound
from cgrcore.scheduling import ActionPlan
from cgrcore.scheduling.plans import replace_plan
from cgrcore.tariffplan.accounts import build_action_plans, build_action_sets, build_shared_group, build_trigger_groups
from cgrcore.tariffplan.kinds import KINDS, Kind
from cgrcore.tariffplan.load import set_up_account
from cgrcore.tariffplan.mistakes import PlanRefused
from cgrcore.tariffplan.rating import RatingTexts, build_destination, build_plans, build_rating_profiles
from cgrcore.tariffplan.read import Plan
from cgrcore.tariffplan.records import TpAccountActions, TpRatingProfile
from cgrcore.tariffplan.refer import Building
from cgrcore.tariffplan.rows import Defaults
from cgrcore.tariffplan.store import find_item, items_of_plan
from cgrcore.tariffplan.timings import build_timings
from cgrcore.world import World

__all__ = [
    "load_account_actions",
    "load_destination",
    "load_rating_plans",
    "load_rating_profiles",
    "load_shared_group",
]

_KINDS = {kind.name: kind for kind in KINDS}

_TEXTS = RatingTexts(
    no_rate='no Rates profile with id "{}": NOT_FOUND',
    no_timing='no timing with id "{}": NOT_FOUND',
    no_destination_rate='no DestinationRates profile with id "{}": NOT_FOUND',
)


def load_destination(world: World, tpid: str, destination_id: str) -> None:
    """Load a destination, or all of the plan when no id is given. Raises NotFound when there is none."""
    for item in _chosen(world, "destinations", tpid, destination_id):
        world.state.table("destinations").put(item.ID, build_destination(item))


def load_shared_group(world: World, tpid: str, group_id: str) -> None:
    """Load a shared group, or all of the plan when no id is given. Raises NotFound when there is none."""
    building = Building(world, Plan(Defaults(world.tenant(""), tpid)))
    for item in _chosen(world, "shared_groups", tpid, group_id):
        world.state.table("shared_groups").put(item.ID, build_shared_group(building, item))


def load_rating_plans(world: World, tpid: str, plan_id: str) -> None:
    """Load a rating plan with its destinations, or all of the plan when no id is given.

    Raises NotFound when there is none, PlanRefused when a part of it is missing.
    """
    plan = Plan(Defaults(world.tenant(""), tpid))
    plan.objects["rating_plans"] = {item.ID: item for item in _chosen(world, "rating_plans", tpid, plan_id)}
    wanted = {b.DestinationRatesId for p in plan.objects["rating_plans"].values() for b in p.RatingPlanBindings or ()}
    stored = items_of_plan(world, _KINDS["destination_rates"], tpid)
    plan.objects["destination_rates"] = {key: item for key, item in stored.items() if key in wanted}
    places = {b.DestinationId for d in plan.objects["destination_rates"].values() for b in d.DestinationRates or ()}
    for name in ("timings", "rates", "destinations"):
        plan.objects[name] = items_of_plan(world, _KINDS[name], tpid)
    building = Building(world, plan)
    build_timings(building)
    plans = build_plans(building, _TEXTS)
    _refuse(building)
    for item_id, item in plan.objects["destinations"].items():
        if item_id in places:
            world.state.table("destinations").put(item_id, build_destination(item))
    for item_id, record in plans.items():
        world.state.table("rating_plans").put(item_id, record)


def load_rating_profiles(world: World, wanted: TpRatingProfile) -> None:
    """Load the rating profiles of a plan that have the fields given (empty: any).

    Raises BadRequest when there is none.
    """
    found = _matching(world, "rating_profiles", wanted, ("LoadId", "Tenant", "Category", "Subject"))
    if not found:
        fields = " ".join((wanted.TPid, wanted.LoadId, wanted.Tenant, wanted.Category, wanted.Subject))
        raise BadRequest(f"no RatingProfile for filter &{{{fields} []}}, error: NOT_FOUND")
    plan = Plan(Defaults(world.tenant(""), wanted.TPid))
    plan.objects["rating_profiles"] = found
    building = Building(world, plan)
    profiles = build_rating_profiles(building)
    _refuse(building)
    for key, record in profiles.items():
        world.state.table("rating_profiles").put(key, record)


def load_account_actions(world: World, wanted: TpAccountActions) -> None:
    """Load the account actions of a plan that have the fields given (empty: any), with their plans, actions and
    triggers.

    Raises BadRequest when there are none or they name what does not exist, PlanRefused for parts that cannot be read.
    """
    found = _matching(world, "account_actions", wanted, ("LoadId", "Tenant", "Account"))
    if not found:
        raise BadRequest(f"NOT_FOUND: &{{{_go_fields(wanted)}}}")
    plan = Plan(Defaults(world.tenant(""), wanted.TPid))
    plan.objects["account_actions"] = found
    _take(world, plan, "action_plans", {item.ActionPlanId for item in found.values()})
    _take(world, plan, "action_triggers", {item.ActionTriggersId for item in found.values()})
    sets = {line.ActionsId for item in plan.objects["action_plans"].values() for line in item.ActionPlan or ()}
    sets |= {line.ActionsId for item in plan.objects["action_triggers"].values() for line in item.ActionTriggers or ()}
    _take(world, plan, "actions", sets)
    plan.objects["timings"] = items_of_plan(world, _KINDS["timings"], wanted.TPid)
    for item in found.values():
        _require(world, plan, "action_plans", item.ActionPlanId, "ActionPlan")
        _require(world, plan, "action_triggers", item.ActionTriggersId, "ActionTriggers")
    building = Building(world, plan)
    build_timings(building)
    records: dict[str, dict[str, Any]] = {"actions": build_action_sets(building)}
    action_plans = {key: _without_years(plan) for key, plan in build_action_plans(building).items()}
    records["action_triggers"] = build_trigger_groups(building, are_times_checked=False)
    _refuse(building)
    for name, items in records.items():
        for key, record in items.items():
            world.state.table(name).put(key, record)
    for action_plan in action_plans.values():
        replace_plan(world, action_plan)
    for item in found.values():
        set_up_account(world, item, with_asap=True)


def _without_years(plan: ActionPlan) -> ActionPlan:
    """Return the plan with none for the years of timings that name none, as this method has always shown them."""
    timings = [
        msgspec.structs.replace(line, timing=msgspec.structs.replace(line.timing, years=line.timing.years or None))
        for line in plan.timings
        if line.timing is not None
    ]
    return ActionPlan(plan.id, tuple(timings), plan.account_ids)


def _chosen(world: World, name: str, tpid: str, item_id: str) -> list[Any]:
    kind = _KINDS[name]
    found = [find_item(world, kind, tpid, item_id)] if item_id else list(items_of_plan(world, kind, tpid).values())
    if not found:
        raise NotFound(subject=kind.table, subject_id=tpid)
    return found


def _matching(world: World, name: str, wanted: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    def matches(item: Any) -> bool:
        return all(getattr(wanted, field) in ("", getattr(item, field)) for field in fields)

    items = items_of_plan(world, _KINDS[name], wanted.TPid)
    return {key: item for key, item in items.items() if matches(item)}


def _take(world: World, plan: Plan, name: str, wanted: set[str]) -> None:
    """Take the objects of those ids from the store into the plan."""
    kind: Kind = _KINDS[name]
    stored = items_of_plan(world, kind, plan.defaults.tpid)
    plan.objects[name] = {key: item for key, item in stored.items() if key in wanted}


def _require(world: World, plan: Plan, name: str, item_id: str, what: str) -> None:
    if item_id and item_id not in plan.objects[name] and item_id not in world.state.table(name).records:
        raise BadRequest(f"NOT_FOUND ({what}): {item_id}")


def _refuse(building: Building) -> None:
    if building.mistakes:
        raise PlanRefused(building.mistakes)


def _go_fields(item: TpAccountActions) -> str:
    """Return the fields as Go prints a struct."""
    values = ((field, getattr(item, field)) for field in item.__struct_fields__)
    return " ".join(f"{field}:{str(value).lower() if isinstance(value, bool) else value}" for field, value in values)
