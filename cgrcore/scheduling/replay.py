"""Running plans out of turn: one plan now, or every plan as it would have run between two instants.

Rules: what fails ends the replay with its error, and what ran before stays. A plan run for an account makes the
account.
"""

from cgrcore.accounting import edit_account
from cgrcore.actions.run import run_for_accounts
from cgrcore.errors import CgrError, NotFound
from cgrcore.scheduling.due import time_zone
from cgrcore.scheduling.next_run import next_run
from cgrcore.scheduling.plans import is_asap
from cgrcore.scheduling.records import ActionPlan, ActionTiming
from cgrcore.timing import SECOND_NS
from cgrcore.world import World

__all__ = ["replay_plan", "replay_plans_for", "replay_time"]


def replay_plan(world: World, plan_id: str) -> None:
    """Run every timing of a plan now, `*asap` ones excepted, for its accounts. Raises NotFound for an unknown plan."""
    plan = _require(world, plan_id)
    for timing in _by_weight(plan):
        if not is_asap(timing):
            _run(world, timing, list(plan.account_ids or ()))


def replay_plans_for(world: World, plan_ids: list[str], account_id: str) -> None:
    """Run every timing of the plans now, `*asap` ones as well, for one account, which is made when missing."""
    edit_account(world, account_id)
    for plan_id in plan_ids:
        for timing in _by_weight(_require(world, plan_id)):
            _run(world, timing, [account_id])


def replay_time(world: World, start_at: int, end_at: int) -> None:
    """Run every timing of every plan each time it is due after `start_at`, up to and including `end_at`, in order."""
    plans = world.state.table("action_plans")
    zone = time_zone(world)
    queue: list[tuple[int, int, ActionTiming, ActionPlan]] = []
    for plan in [plans.records[plan_id] for plan_id in plans]:
        for timing in plan.timings:
            if timing.timing is None or is_asap(timing):
                continue
            due_at = next_run(timing.timing, start_at, zone)
            if due_at is not None and due_at <= end_at:
                queue.append((due_at, -timing.weight_nano, timing, plan))
    while queue:
        queue.sort(key=lambda item: item[:2])
        due_at, weight, timing, plan = queue.pop(0)
        _run(world, timing, list(plan.account_ids or ()))
        assert timing.timing is not None
        following_at = next_run(timing.timing, due_at + SECOND_NS, zone)
        if following_at is not None and following_at <= end_at:
            queue.append((following_at, weight, timing, plan))


def _require(world: World, plan_id: str) -> ActionPlan:
    found: ActionPlan | None = world.state.table("action_plans").get(plan_id)
    if found is None:
        raise _kept(NotFound(subject="action_plans", subject_id=plan_id))
    return found


def _by_weight(plan: ActionPlan) -> list[ActionTiming]:
    return sorted(plan.timings, key=lambda timing: -timing.weight_nano)


def _run(world: World, timing: ActionTiming, account_ids: list[str]) -> None:
    try:
        run_for_accounts(world, timing.actions_id, account_ids, extra=timing.extra_data)
    except CgrError as error:
        raise _kept(error) from error


def _kept(error: CgrError) -> CgrError:
    """Return the error as one that leaves what was done before it."""
    error.keeps_changes = True
    return error
