"""The task of trends and rankings: sleeps until the next query is due and has it decided.

Each turn is one decision, committed like a request. Does not know: what queries find.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
import trio

from cgrcore import rankings, trends
from cgrcore.errors import CgrError
from cgrcore.queries import next_due_at, run_due, schedule_configured
from cgrcore.world import World
from cgrserver.services.attempts import Complete, at_once

__all__ = ["QueriesTask"]

log = structlog.get_logger()

#: The longest sleep: the clock of the machine may be set meanwhile.
LONGEST_SLEEP_S = 60

#: How long to wait after a decision that could not be made or committed.
RETRY_S = 1

Decide = Callable[[str, Callable[[World], Any]], Any]

#: Section of the configuration, table of profiles, table of the schedule, the query.
_SUBJECTS: tuple[tuple[str, str, str, Callable[[World, Any], None]], ...] = (
    ("trends", "trend_profiles", "scheduled_trends", trends.query),
    ("rankings", "ranking_profiles", "scheduled_rankings", rankings.query),
)


class QueriesTask:
    """Runs the queries that are due, until cancelled. `clock_ns` is the time of day."""

    def __init__(self, world: World, decide: Decide, clock_ns: Callable[[], int], complete: Complete = at_once) -> None:
        self._world = world
        self._decide = decide
        self._clock_ns = clock_ns
        self._complete = complete
        self._changed = trio.Event()
        self._subjects = [subject for subject in _SUBJECTS if world.settings[subject[0]]["enabled"]]
        world.parts["wake_queries"] = self.wake

    def wake(self) -> None:
        """Look at the schedule again: it has changed."""
        self._changed.set()

    async def run(self) -> None:
        """Schedule what the configuration names, then query what is due as long as the server lives."""
        for section, profiles, schedule, _ in self._subjects:
            named = partial(schedule_configured, profiles_table=profiles, schedule_table=schedule, section=section)
            self._try(f"{section}: schedule", named)
        while True:
            self._changed = trio.Event()
            with trio.move_on_after(self._wait_s() if await self._complete(self.run_due) else RETRY_S):
                await self._changed.wait()

    def _wait_s(self) -> float:
        due_at = self.next_due_at()
        wait_s = LONGEST_SLEEP_S if due_at is None else (due_at - self._clock_ns()) / 10**9
        return max(0.0, min(wait_s, LONGEST_SLEEP_S))

    def next_due_at(self) -> int | None:
        """Return when the next query is due, None for none."""
        found = (next_due_at(self._world, schedule) for _, _, schedule, _ in self._subjects)
        return min((at for at in found if at is not None), default=None)

    def run_due(self) -> bool:
        """Have a turn of queries decided that are due. Return False when that failed."""
        is_done = True
        for section, profiles, schedule, query in self._subjects:
            due_at = next_due_at(self._world, schedule)
            if due_at is not None and due_at <= self._clock_ns():
                turn = partial(run_due, profiles_table=profiles, schedule_table=schedule, query=query)
                is_done &= self._try(f"{section}: query", turn)
        return is_done

    def _try(self, reason: str, decide: Callable[[World], Any]) -> bool:
        try:
            self._decide(reason, decide)
        except CgrError as error:
            log.error("queries", doing=reason, why=str(error))
            return False
        return True
