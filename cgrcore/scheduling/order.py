"""Which run is due first, and which tasks wait longest: kept in order, so that no run of thousands has to sort them.

Rules: what is kept follows from the tables and is made again when they changed otherwise. Runs of one instant go by
weight, then in the order they were scheduled; tasks in the order they were queued. Does not know: what a run does.
"""

from heapq import heapify, heappop, heappush

from cgrcore.scheduling.records import ScheduledRun, Task
from cgrcore.timing import ZERO_AT
from cgrcore.world import World

__all__ = ["first_run", "forget_order", "put_run", "tasks_in_order"]

RUNS = "scheduled_runs"


class _Runs:
    """Runs by (instant, lightness, place); those that are out of date are passed over. `version` is the table's."""

    __slots__ = ("heap", "place", "version")

    def __init__(self, world: World) -> None:
        table = world.state.table(RUNS)
        self.version = table.version
        self.heap = [
            (run.due_at, -run.weight_nano, place, uuid)
            for place, (uuid, run) in enumerate(table.records.items())
            if run.due_at != ZERO_AT
        ]
        self.place = len(table.records)
        heapify(self.heap)


def _runs(world: World) -> _Runs:
    kept: _Runs | None = world.parts.get("runs_in_order")
    if kept is None or kept.version != world.state.table(RUNS).version:
        kept = world.parts["runs_in_order"] = _Runs(world)
    return kept


def first_run(world: World) -> ScheduledRun | None:
    """Return the run that comes first, None when none is ahead."""
    heap, records = _runs(world).heap, world.state.table(RUNS).records
    while heap:
        due_at, _, _, uuid = heap[0]
        run: ScheduledRun | None = records.get(uuid)
        if run is not None and run.due_at == due_at:
            return run
        heappop(heap)
    return None


def put_run(world: World, run: ScheduledRun) -> None:
    """Schedule a run in place of the one with the same uuid."""
    kept, table = _runs(world), world.state.table(RUNS)
    table.put(run.uuid, run)
    if run.due_at != ZERO_AT:
        kept.place += 1
        heappush(kept.heap, (run.due_at, -run.weight_nano, kept.place, run.uuid))
    kept.version = table.version


def forget_order(world: World) -> None:
    """Have the tasks put in order anew: some may have been queued since, at the same instant."""
    world.parts.pop("tasks_in_order", None)


def tasks_in_order(world: World, until_at: int) -> list[str]:
    """Return the uuids of the tasks queued until an instant, the first one last. Those that are done are left out.

    The list is the caller's to shorten at its end, and goes on from there until `until_at` moves or `forget_order`.
    """
    table = world.state.table("tasks")
    kept: tuple[int, list[str]] | None = world.parts.get("tasks_in_order")
    if kept is None or kept[0] != until_at:
        tasks: list[Task] = [task for task in table.records.values() if task.queued_at <= until_at]
        tasks.sort(key=lambda task: (task.queued_at, task.place), reverse=True)
        kept = world.parts["tasks_in_order"] = (until_at, [task.uuid for task in tasks])
    uuids = kept[1]
    while uuids and uuids[-1] not in table.records:
        uuids.pop()
    return uuids
