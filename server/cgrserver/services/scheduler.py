"""The scheduler's task: sleeps until the next run is due and has it decided, run after run.

Each run is one decision, committed like a request, so it happens once. What is missed by a stop is a matter of
configuration (`cgrcore.scheduling.due`). Does not know: plans, timings, actions.
"""

from collections.abc import Callable
from typing import Any

import structlog
import trio

from cgrcore.errors import CgrError, Unavailable
from cgrcore.scheduling.due import load_schedule, next_due_at, run_due
from cgrcore.world import World
from cgrserver.services.attempts import Complete, at_once

__all__ = ["SchedulerTask"]

log = structlog.get_logger()

#: The longest sleep: the clock of the machine may be set meanwhile.
LONGEST_SLEEP_S = 60

#: How long to wait after a decision that could not be made or committed.
RETRY_S = 1

Decide = Callable[[str, Callable[[World], Any]], Any]


class SchedulerTask:
    """Runs what is due, until cancelled; a run is never cut in the middle. `clock_ns` is the time of day."""

    def __init__(self, world: World, decide: Decide, clock_ns: Callable[[], int], complete: Complete = at_once) -> None:
        self._world = world
        self._decide = decide
        self._clock_ns = clock_ns
        self._complete = complete
        self._changed = trio.Event()
        self._refusal: CgrError | None = None
        world.parts["wake_scheduler"] = self.wake

    def wake(self) -> None:
        """Look at the schedule again: it has changed."""
        self._changed.set()

    async def run(self) -> None:
        """Load the schedule, then run what is due as long as the server lives."""
        while await self._complete(self._load) is False:
            await trio.sleep(RETRY_S)
        while True:
            if await self._complete(self.run_due):
                await trio.sleep(0)  # let requests in between the parts of a run
                continue
            if self._refusal is not None:
                await trio.sleep(RETRY_S)
                continue
            due_at = next_due_at(self._world)
            wait_s = LONGEST_SLEEP_S if due_at is None else (due_at - self._clock_ns()) / 10**9
            self._changed = trio.Event()
            with trio.move_on_after(max(0.0, min(wait_s, LONGEST_SLEEP_S))):
                await self._changed.wait()

    def run_due(self) -> bool:
        """Have one run that is due decided, if there is one. Return whether there was."""
        due_at = next_due_at(self._world)
        if due_at is None or due_at > self._clock_ns():
            return False
        return bool(self._try("scheduler: run", run_due))

    def _load(self) -> bool:
        self._try("scheduler: load", load_schedule)
        return not isinstance(self._refusal, Unavailable)

    def _try(self, reason: str, decide: Callable[[World], Any]) -> Any:
        self._refusal = None
        try:
            return self._decide(reason, decide)
        except CgrError as error:
            self._refusal = error
            log.error("scheduler", doing=reason, why=str(error), next_try_s=RETRY_S)
            return None
