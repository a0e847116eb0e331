"""The scheduler as decisions: loading what the plans want, running what is due, replaying a stretch of time.

Rules: a reload runs the waiting tasks and writes down the next run of every timing; what was not reloaded does not
run. A run, its effects and its next time are one decision, so a run happens once, whatever is cut off. A plan with
many accounts is run some at a time, each part a decision. A run missed while nothing was running is made up for once
or skipped, as configured. Accounts detached since the reload are left out. Does not know: clocks; the server's task
sleeps until `next_due_at`.
"""

from collections.abc import Iterable

import msgspec

from cgrcore.actions.run import run_actions, run_for_accounts, sorted_actions
from cgrcore.actions.steps import STEPS
from cgrcore.errors import BadRequest, CgrError
from cgrcore.filters import Scope, passes_in
from cgrcore.scheduling.next_run import next_run
from cgrcore.scheduling.order import first_run, forget_order, put_run, tasks_in_order
from cgrcore.scheduling.plans import is_asap
from cgrcore.scheduling.records import ActionPlan, ActionTiming, DueTasks, ScheduledAccounts, ScheduledRun, Task
from cgrcore.timing import SECOND_NS, ZERO_AT, parse_duration
from cgrcore.world import World

__all__ = [
    "load_schedule",
    "next_due_at",
    "reload_schedule",
    "run_due",
    "scheduled_accounts",
    "scheduled_runs",
    "time_zone",
]

#: How many accounts of a plan, or tasks, are run in one decision: some milliseconds' worth, so that calls do not wait.
ACCOUNTS_AT_ONCE = 200

#: The key of the one record of the table "due_tasks".
TASKS = "tasks"


def time_zone(world: World) -> str:
    """Return the zone in which timings are read."""
    return str(world.settings["general"].get("default_timezone") or "UTC")


def scheduled_runs(world: World) -> list[ScheduledRun]:
    """Return the runs ahead in the order they will come: by time, the heaviest first."""
    runs = world.state.table("scheduled_runs")
    ahead = (runs.records[uuid] for uuid in runs)
    return sorted((run for run in ahead if run.due_at != ZERO_AT), key=_order)


def scheduled_accounts(world: World, uuid: str) -> tuple[str, ...]:
    """Return the accounts of a run ahead, as of the last reload."""
    found: ScheduledAccounts | None = world.state.table("scheduled_accounts").get(uuid)
    return found.account_ids if found is not None else ()


def _order(run: ScheduledRun) -> tuple[int, int]:
    return run.due_at, -run.weight_nano


def next_due_at(world: World) -> int | None:
    """Return when the next run is due, None when nothing is scheduled. Tasks that are left of a reload are due."""
    waiting: DueTasks | None = world.state.table("due_tasks").get(TASKS)
    if waiting is not None:
        return waiting.until_at
    run = first_run(world)
    return None if run is None else run.due_at


def load_schedule(world: World) -> None:
    """Load the schedule when the server starts.

    Runs that fell due while it was down are left out, or made up for, as `schedulers.catch_up` says. Waiting tasks run.
    """
    if _catch_up(world) == "*none":
        for run in scheduled_runs(world):
            if run.due_at <= world.now_at and not run.done_count:
                _forget(world, run.uuid)
    reload_schedule(world)


def reload_schedule(world: World) -> None:
    """Run the waiting tasks and schedule every timing of every plan. Runs that are due already stay due.

    More tasks than are run at once are due then, and run before anything else.
    """
    forget_order(world)
    _run_tasks(world, world.now_at)
    plans, table = world.state.table("action_plans"), world.state.table("scheduled_runs")
    wanted: set[str] = set()
    for plan_id in plans:
        plan = plans.records[plan_id]
        for timing in plan.timings:
            scheduled = _scheduled(world, plan, timing, table.get(timing.uuid))
            if scheduled is None:
                continue
            wanted.add(timing.uuid)
            if table.get(timing.uuid) != scheduled:
                table.put(timing.uuid, scheduled)
            if not scheduled.done_count:
                _keep_accounts(world, timing.uuid, tuple(plan.account_ids or ()))
    for uuid in [uuid for uuid in table if uuid not in wanted]:
        _forget(world, uuid)
    wake = world.parts.get("wake_scheduler")
    if wake is not None:
        world.state.effects.after.append(wake)


def _catch_up(world: World) -> str:
    """Return what becomes of runs that were missed: `*none`, `*once` for each timing, `*all`."""
    return str(world.settings.get("schedulers", {}).get("catch_up") or "*none")


def _scheduled(world: World, plan: ActionPlan, timing: ActionTiming, known: ScheduledRun | None) -> ScheduledRun | None:
    if timing.timing is None or is_asap(timing):
        return None
    if known is not None and (known.done_count or ZERO_AT < known.due_at <= world.now_at):
        return known
    if timing.timing.start_time.startswith("+"):
        due_at = _due_once(world, timing.timing.start_time) if known is None else known.due_at
    else:
        due_at = next_run(timing.timing, world.now_at, time_zone(world))
    if due_at is None:
        return None
    return ScheduledRun(timing.uuid, plan.id, timing.actions_id, due_at, timing.weight_nano)


def _keep_accounts(world: World, uuid: str, account_ids: tuple[str, ...]) -> None:
    if scheduled_accounts(world, uuid) != account_ids:
        world.state.table("scheduled_accounts").put(uuid, ScheduledAccounts(account_ids))


def _forget(world: World, uuid: str) -> None:
    world.state.table("scheduled_runs").remove(uuid)
    world.state.table("scheduled_accounts").remove(uuid)


def _due_once(world: World, text: str) -> int | None:
    try:
        return world.now_at + parse_duration(text[1:])
    except BadRequest:
        return None


def _run_tasks(world: World, until_at: int) -> None:
    """Run tasks that were queued until an instant, as many as are run at once, in their order; the rest is due then."""
    tasks = world.state.table("tasks")
    uuids = tasks_in_order(world, until_at)
    part: list[Task] = []
    for place in range(len(uuids) - 1, -1, -1):
        task = tasks.get(uuids[place])
        if task is not None and _is_wanted(world, task):
            part.append(task)
        else:
            del uuids[place]  # what the filters stop waits for another reload
        if len(part) == ACCOUNTS_AT_ONCE:
            world.state.table("due_tasks").put(TASKS, DueTasks(until_at))
            break
    else:
        world.state.table("due_tasks").remove(TASKS)
    world.state.table("accounts").need([task.account_id for task in part if task.account_id])
    for task in part:
        tasks.remove(task.uuid)
        try:
            run_actions(world, task.actions_id, task.account_id or None)
        except CgrError as error:
            _note(world, f"task {task.uuid} of account {task.account_id}: {error}")


def _is_wanted(world: World, task: Task) -> bool:
    """Tell whether the filters of the scheduler let a task pass. Filters that cannot be read let nothing pass."""
    filter_ids = world.settings.get("schedulers", {}).get("filters") or ()
    if not filter_ids:
        return True
    tenant = world.tenant(task.account_id.partition(":")[0])
    fields = {"UUID": task.uuid, "AccountID": task.account_id, "ActionsID": task.actions_id}
    try:
        return passes_in(Scope(world, {"*act": fields, "*req": fields, "*tenant": tenant}), tenant, filter_ids)
    except CgrError as error:
        _note(world, f"filters of the scheduler: {error}")
        return False


def run_due(world: World) -> bool:
    """Run the first run that is due, or a part of it. Return whether more may be due now."""
    waiting: DueTasks | None = world.state.table("due_tasks").get(TASKS)
    if waiting is not None:
        _run_tasks(world, waiting.until_at)
        return True
    due = first_run(world)
    if due is None or due.due_at > world.now_at:
        return False
    timing, plan = _timing_of(world, due)
    if timing is None or plan is None:
        _forget(world, due.uuid)
        return True
    upto = due.done_count + ACCOUNTS_AT_ONCE
    attached = plan.account_ids or {}
    account_ids = scheduled_accounts(world, due.uuid)
    part = [account_id for account_id in account_ids[due.done_count : upto] if account_id in attached]
    if part or not account_ids:
        _run_timing(world, timing, part)
    if upto < len(account_ids):
        put_run(world, msgspec.structs.replace(due, done_count=upto))
    else:
        _schedule_again(world, plan, timing, due)
    return True


def _timing_of(world: World, run: ScheduledRun) -> tuple[ActionTiming | None, ActionPlan | None]:
    plan: ActionPlan | None = world.state.table("action_plans").get(run.plan_id)
    for timing in plan.timings if plan is not None else ():
        if timing.uuid == run.uuid:
            return timing, plan
    return None, plan


def _run_timing(world: World, timing: ActionTiming, account_ids: Iterable[str]) -> None:
    world.state.table("accounts").need(account_ids)
    wanted = [it for it in account_ids if _is_wanted(world, Task(timing.uuid, it, timing.actions_id))]
    if account_ids and not wanted:
        return
    try:
        run_for_accounts(world, timing.actions_id, wanted, extra=timing.extra_data)
    except CgrError as error:
        _note(world, f"action set {timing.actions_id}: {error}")


def _schedule_again(world: World, plan: ActionPlan, timing: ActionTiming, due: ScheduledRun) -> None:
    """Schedule the run after this one, from now on; when all are made up for, from when it was due.

    What comes once is over; a set with an unknown action too.
    """
    assert timing.timing is not None
    actions = sorted_actions(world, timing.actions_id) or ()
    is_once = timing.timing.start_time.startswith("+")
    next_at = None
    if not is_once and all(action.type in STEPS for action in actions):
        after_at = due.due_at if _catch_up(world) == "*all" else max(world.now_at, due.due_at)
        next_at = next_run(timing.timing, after_at // SECOND_NS * SECOND_NS, time_zone(world))
    if next_at is None and not is_once:
        _forget(world, due.uuid)
        return
    following = msgspec.structs.replace(due, due_at=ZERO_AT if next_at is None else next_at, done_count=0)
    put_run(world, following)


def _note(world: World, text: str) -> None:
    note = world.parts.get("note")
    if note is not None:
        note(text)
