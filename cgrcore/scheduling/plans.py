"""Action plans and who is attached to them.

Rules: a plan names its accounts and an account its plans, and both are changed together, except by
`set_plan` with accounts of its own, which names them in the plan only, as SetActionPlanAccounts always did. What a plan
runs `*asap` becomes a task of the account that is attached. Does not know: when tasks run, what accounts are.
"""

from collections.abc import Iterable

from cgrcore.errors import NotFound
from cgrcore.scheduling.records import AccountPlans, ActionPlan, ActionTiming, Task
from cgrcore.scheduling.texts import ASAP
from cgrcore.world import World

__all__ = [
    "attach_plans",
    "detach_account",
    "is_asap",
    "plans_of",
    "queue_asap",
    "remove_plan",
    "remove_timings",
    "replace_plan",
    "set_plan",
]


def plans_of(world: World, account_id: str) -> tuple[ActionPlan, ...]:
    """Return the plans that an account is attached to."""
    found = world.state.table("account_action_plans").get(account_id)
    plans = world.state.table("action_plans")
    ids: tuple[str, ...] = found.plan_ids if found else ()
    return tuple(plan for plan in map(plans.get, ids) if plan is not None)


def is_asap(timing: ActionTiming) -> bool:
    """Tell whether the timing is run when an account is attached, rather than at a time."""
    return timing.timing is not None and timing.timing.start_time == ASAP


def set_plan(
    world: World, plan_id: str, timings: Iterable[ActionTiming], account_ids: Iterable[str] | None = None
) -> ActionPlan:
    """Store a plan in place of the one with that id, whose accounts are detached; its `*asap` timings become tasks."""
    _forget_accounts(world, plan_id)
    accounts = None if account_ids is None else dict.fromkeys(account_ids, True)
    plan = ActionPlan(plan_id, tuple(timings), accounts)
    world.state.table("action_plans").put(plan_id, plan)
    for account_id in accounts or ():
        queue_asap(world, plan, account_id)
    return plan


def replace_plan(world: World, plan: ActionPlan) -> None:
    """Store a plan with its accounts as they are, the accounts' own lists included."""
    _forget_accounts(world, plan.id)
    accounts = None if plan.account_ids is None else dict(plan.account_ids)
    world.state.table("action_plans").put(plan.id, ActionPlan(plan.id, plan.timings, accounts))
    for account_id in accounts or ():
        _list_plan(world, account_id, plan.id)


def remove_plan(world: World, plan_id: str) -> None:
    """Remove a plan and detach its accounts. Nothing happens when there is none."""
    _forget_accounts(world, plan_id)
    world.state.table("action_plans").remove(plan_id)


def attach_plans(world: World, account_id: str, plan_ids: Iterable[str], *, overwrite: bool, with_asap: bool) -> None:
    """Attach an account to plans. With `overwrite` it is detached from all others.

    With `with_asap` (APIerSv1.SetAccount) it is attached to each plan, and what a plan runs `*asap` is queued only
    when the account was not attached yet. Without (APIerSv2.SetAccount) it is queued each time, and a plan of nothing
    but `*asap` timings does not keep the account. Raises NotFound for an unknown plan.
    """
    wanted = list(dict.fromkeys(plan_ids))
    plans = [_require(world, plan_id) for plan_id in wanted]
    attached = {plan.id for plan in plans_of(world, account_id)}
    if overwrite:
        for plan_id in sorted(attached.difference(wanted)):
            _detach(world, account_id, plan_id)
    for plan in plans:
        if with_asap and plan.id in attached:
            continue
        queue_asap(world, plan, account_id)
        if with_asap or not all(is_asap(timing) for timing in plan.timings):
            _add_account(world, plan, account_id)
            _list_plan(world, account_id, plan.id)


def detach_account(world: World, account_id: str) -> None:
    """Detach an account from all its plans."""
    for plan in plans_of(world, account_id):
        _detach(world, account_id, plan.id)
    world.state.table("account_action_plans").remove(account_id)


def remove_timings(world: World, plan_id: str, timing_uuid: str, account_id: str) -> None:
    """Remove from a plan one timing, or one account, or else (neither given) all: then the plan goes. Raises NotFound.

    A timing that is not in the plan and an account that is not attached change nothing.
    """
    plan = _require(world, plan_id)
    if timing_uuid:
        rest = tuple(timing for timing in plan.timings if timing.uuid != timing_uuid)
        if rest:
            accounts = None if plan.account_ids is None else dict(plan.account_ids)
            world.state.table("action_plans").put(plan_id, ActionPlan(plan_id, rest, accounts))
        else:
            remove_plan(world, plan_id)
    elif account_id:
        _detach(world, account_id, plan_id)
    else:
        remove_plan(world, plan_id)


def queue_asap(world: World, plan: ActionPlan, account_id: str) -> None:
    """Queue a task for each timing of the plan that is to run as soon as possible, the heaviest first."""
    tasks = world.state.table("tasks")
    for timing in sorted(plan.timings, key=lambda timing: -timing.weight_nano):
        if is_asap(timing):
            uuid = world.new_id()
            tasks.put(uuid, Task(uuid, account_id, timing.actions_id, world.now_at, len(tasks)))


def _require(world: World, plan_id: str) -> ActionPlan:
    found: ActionPlan | None = world.state.table("action_plans").get(plan_id)
    if found is None:
        raise NotFound(subject="action_plans", subject_id=plan_id)
    return found


def _add_account(world: World, plan: ActionPlan, account_id: str) -> None:
    """Name an account in a plan. The accounts of a plan that this decision put are its own, and grow in place.

    So a tariff plan that attaches a hundred thousand accounts copies no list a hundred thousand times.
    """
    if plan.account_ids is not None and ("action_plans", plan.id) in world.state.effects.before:
        plan.account_ids[account_id] = True
    else:
        _put_accounts(world, plan, {**(plan.account_ids or {}), account_id: True})


def _put_accounts(world: World, plan: ActionPlan, account_ids: dict[str, bool]) -> None:
    world.state.table("action_plans").put(plan.id, ActionPlan(plan.id, plan.timings, account_ids))


def _detach(world: World, account_id: str, plan_id: str) -> None:
    plan = world.state.table("action_plans").get(plan_id)
    if plan is not None and account_id in (plan.account_ids or ()):
        _put_accounts(world, plan, {other: True for other in plan.account_ids if other != account_id})
    _unlist_plan(world, account_id, plan_id)


def _forget_accounts(world: World, plan_id: str) -> None:
    plan = world.state.table("action_plans").get(plan_id)
    for account_id in (plan.account_ids or ()) if plan is not None else ():
        _unlist_plan(world, account_id, plan_id)


def _list_plan(world: World, account_id: str, plan_id: str) -> None:
    table = world.state.table("account_action_plans")
    found = table.get(account_id)
    ids: tuple[str, ...] = found.plan_ids if found else ()
    if plan_id not in ids:
        table.put(account_id, AccountPlans(account_id, (*ids, plan_id)))


def _unlist_plan(world: World, account_id: str, plan_id: str) -> None:
    table = world.state.table("account_action_plans")
    found = table.get(account_id)
    if found is None or plan_id not in found.plan_ids:
        return
    rest = tuple(other for other in found.plan_ids if other != plan_id)
    if rest:
        table.put(account_id, AccountPlans(account_id, rest))
    else:
        table.remove(account_id)
