"""The tasks of sessions: ending silent ones, making the debits the server makes itself, forgetting what is over.

Each session's turn is one decision of its own, committed like a request. What a client must be told is told after the
commit. Does not know: how a session is charged.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import structlog
import trio

from cgrcore.cdrs import forget_closed, forget_taken, process_ended_session
from cgrcore.errors import CgrError, Unavailable
from cgrcore.sessions import (
    Session,
    active_sessions,
    auto_debit,
    end,
    end_silent,
    timers_of,
)
from cgrcore.timing import ZERO_AT
from cgrcore.world import World
from cgrserver.services.attempts import Complete, at_once

__all__ = ["SessionTimersTask", "forget_what_is_over"]

log = structlog.get_logger()

#: The longest sleep between looks at the clock: a new session may be due earlier than those that were known.
LOOK_S = 0.02

Decide = Callable[[str, Callable[[World], Any]], Any]


class SessionTimersTask:
    """Runs what sessions are due for. `tell` tells a session's client that it was ended, with the cause."""

    def __init__(
        self,
        world: World,
        decide: Decide,
        clock_ns: Callable[[], int],
        tell: Callable[[Session, str], None],
        complete: Complete = at_once,
    ) -> None:
        self._world = world
        self._decide = decide
        self._clock_ns = clock_ns
        self._tell = tell
        self._complete = complete
        self._ending: dict[str, str] = {}

    async def run(self) -> None:
        """Work until cancelled; a session's turn is never cut in the middle."""
        while True:
            now_at = self._clock_ns()
            for cgrid in timers_of(self._world).pop_due(now_at):
                await self._complete(partial(self._turn, cgrid, now_at))
            await trio.sleep(LOOK_S)

    def run_due(self, now_at: int) -> None:
        """Give every session that is due at `now_at` its turn, all accounts being in memory."""
        for cgrid in timers_of(self._world).pop_due(now_at):
            self._turn(cgrid, now_at)

    def _turn(self, cgrid: str, now_at: int) -> None:
        self._do_due(cgrid, now_at)
        session = active_sessions(self._world).records.get(cgrid)
        if session is not None:
            timers_of(self._world).watch(session)

    def _do_due(self, cgrid: str, now_at: int) -> None:
        session = active_sessions(self._world).records.get(cgrid)
        if session is None:
            self._ending.pop(cgrid, None)
            return
        if cgrid in self._ending:
            self._end(cgrid, self._ending[cgrid])
            return
        if session.expires_at != ZERO_AT and session.expires_at <= now_at:
            ended = self._try("session ended by silence", lambda world: _end_silent(world, cgrid))
            if ended is not None:
                self._tell(ended, "SESSION_TIMEOUT")
            return
        for run_id in [run.run_id for run in session.runs if ZERO_AT < run.next_debit_at <= now_at]:
            self._debit(cgrid, run_id)

    def _debit(self, cgrid: str, run_id: str) -> None:
        try:
            made = self._decide("session debit", lambda world: auto_debit(world, cgrid, run_id))
        except Unavailable as error:  # the store is away: the debit is made once it is back
            log.warning("a session's debit waits", cgrid=cgrid, run=run_id, error=str(error))
            return
        except CgrError as error:
            cause = "UNAUTHORIZED_DESTINATION" if "UNAUTHORIZED_DESTINATION" in str(error) else "SERVER_ERROR"
            log.warning("session debit failed, ending the session", cgrid=cgrid, run=run_id, error=str(error))
            self._end(cgrid, cause)
            return
        if made is not None:
            _, granted_ns = made
            if granted_ns <= 0:
                self._end(cgrid, "INSUFFICIENT_CREDIT")

    def _end(self, cgrid: str, cause: str) -> None:
        self._ending[cgrid] = cause  # should the turn be taken again
        ended = self._try("session ended", lambda world: _end_reserved(world, cgrid))
        del self._ending[cgrid]
        if ended is not None:
            self._tell(ended, cause)

    def _try(self, reason: str, function: Callable[[World], Any]) -> Any:
        try:
            return self._decide(reason, function)
        except CgrError as error:
            log.error("a session's turn failed", reason=reason, error=str(error))
            return None


def _end_silent(world: World, cgrid: str) -> Session | None:
    session = active_sessions(world).get(cgrid)
    with _over_all_the_same(cgrid):
        session = end_silent(world, cgrid)
    if session is not None:
        with _over_all_the_same(cgrid):
            process_ended_session(world, session)
    return session


def _end_reserved(world: World, cgrid: str) -> Session | None:
    if cgrid not in active_sessions(world):
        return None
    session = active_sessions(world).edit(cgrid)
    with _over_all_the_same(cgrid):
        end(world, session)
    with _over_all_the_same(cgrid):
        process_ended_session(world, session)
    return session


@contextmanager
def _over_all_the_same(cgrid: str) -> Iterator[None]:
    """Log an error that keeps what was done: the session is over, and its client must be told of that."""
    try:
        yield
    except CgrError as error:
        if not error.keeps_changes:
            raise
        log.error("a session ended with an error", cgrid=cgrid, error=str(error))


async def forget_what_is_over(
    decide: Decide, clock_ns: Callable[[], int], closed_ttl_ns: int, taken_ttl_ns: int
) -> None:
    """Forget closed sessions and identities of CDRs whose time has passed, now and then, until cancelled."""
    while True:
        with suppress(Unavailable):  # the store is away: they are forgotten later
            decide("forget closed sessions", lambda world: forget_closed(world, clock_ns() - closed_ttl_ns))
            decide("forget taken CDRs", lambda world: forget_taken(world, clock_ns() - taken_ttl_ns))
        await trio.sleep(1)
