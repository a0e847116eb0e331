"""The tasks of sessions: ending silent ones, making the debits the server makes itself, forgetting what is over.

Each session's turn is a few decisions of its own, committed like requests. What a client must be told is told after the
decision. A session without credit is ended by its client if that is connected, else here. Does not know: how a session
is charged, how clients are reached.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Protocol

import structlog
import trio

from cgrcore.cdrs import forget_closed, forget_taken, process_ended_session
from cgrcore.errors import CgrError, Unavailable
from cgrcore.sessions import (
    Session,
    active_sessions,
    auto_debit,
    end_silent,
    end_stale,
    schedule_end,
    stale_sessions,
    timers_of,
)
from cgrcore.timing import SECOND_NS, ZERO_AT
from cgrcore.world import World
from cgrserver.services.attempts import Complete, at_once
from cgrserver.services.session_clients import KnownCalls, SessionClients

__all__ = ["SessionTimersTask", "SyncTask", "end_for_client", "end_unknown", "forget_what_is_over"]

log = structlog.get_logger()

#: The longest sleep between looks at the clock: a new session may be due earlier than those that were known.
LOOK_S = 0.02

#: Between decisions that forget what is over: its commit holds up those of requests, so these have their turn.
FORGET_PAUSE_S = 0.01

#: A clock that gains more than this between two looks was set forward.
CLOCK_SET_S = 2.0

Decide = Callable[[str, Callable[[World], Any]], Any]


class Told(Protocol):
    """Who speaks to the clients of sessions; see `SessionClients`."""

    longest_end_ns: int

    def can_ask(self, session: Session) -> bool: ...

    def tell_ended(self, session: Session, told: dict[str, Any], tenant: str = "") -> None: ...

    def warn(self, session: Session) -> None: ...

    def ask_to_end(self, session: Session, cause: str, give_up: Callable[[], object]) -> None: ...


class SessionTimersTask:
    """Runs what sessions are due for."""

    def __init__(
        self,
        world: World,
        decide: Decide,
        clock_ns: Callable[[], int],
        clients: Told,
        complete: Complete = at_once,
    ) -> None:
        self._world = world
        self._decide = decide
        self._clock_ns = clock_ns
        self._clients = clients
        self._complete = complete
        self._why_away = ""
        self._ending: dict[str, str] = {}  # why, for turns that are taken again

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
        if session.ends_at != ZERO_AT and session.ends_at <= now_at:
            log.warning("a client did not end a session that it was asked to end", cgrid=cgrid)
            self._end(cgrid, "FORCED_DISCONNECT")
            return
        if session.expires_at != ZERO_AT and session.expires_at <= now_at:
            self._try(
                "session ended by silence",
                lambda world: self._told(world, _end_silent(world, cgrid), "SESSION_TIMEOUT"),
            )
            return
        for run_id in [run.run_id for run in session.runs if ZERO_AT < run.next_debit_at <= now_at]:
            self._debit(cgrid, run_id)

    def _debit(self, cgrid: str, run_id: str) -> None:
        try:
            made = self._decide("session debit", lambda world: self._debited(world, auto_debit(world, cgrid, run_id)))
        except Unavailable as error:  # the store is away: the debit is made once it is back
            self._wait(error)
            return
        except CgrError as error:
            cause = "UNAUTHORIZED_DESTINATION" if "UNAUTHORIZED_DESTINATION" in str(error) else "SERVER_ERROR"
            log.warning("session debit failed, ending the session", cgrid=cgrid, run=run_id, error=str(error))
            self._disconnect(cgrid, cause)
            return
        self._why_away = ""
        if made is not None and made[1] <= 0:
            self._disconnect(cgrid, "INSUFFICIENT_CREDIT")

    def _debited(self, world: World, made: tuple[Session, int] | None) -> tuple[Session, int] | None:
        """Warn the client when little was granted. A limit of a whole interval is none: it would be passed always."""
        if made is not None:
            session, granted_ns = made
            low_ns = int(world.settings["sessions"]["min_dur_low_balance"])
            if 0 < granted_ns <= low_ns < session.debit_interval_ns:
                _afterwards(world, self._clients.warn, session)
        return made

    def _told(self, world: World, ended: Session | None, cause: str) -> Session | None:
        """Have the client of a session that was ended told so."""
        if ended is not None:
            _afterwards(world, self._clients.tell_ended, ended, {"DisconnectCause": cause}, ended.tenant)
        return ended

    def _disconnect(self, cgrid: str, cause: str) -> None:
        """Let the session's client end it, which knows what was used; without one end it."""
        session = active_sessions(self._world).records.get(cgrid)
        if session is None:
            return
        if not self._clients.can_ask(session):
            self._end(cgrid, cause)
            return
        at = self._clock_ns() + self._clients.longest_end_ns

        def ask(world: World) -> None:
            if schedule_end(world, cgrid, at):
                _afterwards(world, self._clients.ask_to_end, session, cause, lambda: self._hasten(cgrid))

        self._try("session to be ended", ask)

    def _hasten(self, cgrid: str) -> None:
        """The client will not end the session: it ends now."""
        self._try("session to be ended", lambda world: schedule_end(world, cgrid, self._clock_ns()))

    def _end(self, cgrid: str, cause: str) -> None:
        self._ending[cgrid] = cause
        self._try("session ended", lambda world: self._told(world, end_for_client(world, cgrid), cause))
        del self._ending[cgrid]

    def _try(self, reason: str, function: Callable[[World], Any]) -> Any:
        try:
            made = self._decide(reason, function)
        except Unavailable as error:
            self._wait(error)
            return None
        except CgrError as error:
            log.error("a session's turn failed", reason=reason, error=str(error))
            return None
        self._why_away = ""
        return made

    def _wait(self, error: Unavailable) -> None:
        """Say that the store is away: once, not for every session at every look."""
        if str(error) != self._why_away:
            self._why_away = str(error)
            log.warning("what sessions are due for waits", error=str(error))


def _afterwards(world: World, call: Callable[..., None], *args: Any) -> None:
    """Make a call once what is decided is durable: clients act on what they are told."""
    world.state.effects.after.append(partial(call, *args))


def _end_silent(world: World, cgrid: str) -> Session | None:
    session = active_sessions(world).get(cgrid)
    with _over_all_the_same(cgrid):
        session = end_silent(world, cgrid)
    if session is not None:
        with _over_all_the_same(cgrid):
            process_ended_session(world, session)
    return session


def end_for_client(world: World, cgrid: str, extra_limit_ns: int = 0) -> Session | None:
    """End a session without its client, and write its CDRs; return it, None when it is gone. See `end_stale`."""
    session = active_sessions(world).get(cgrid)
    if session is None:
        return None
    with _over_all_the_same(cgrid):
        end_stale(world, cgrid, extra_limit_ns)
    with _over_all_the_same(cgrid):
        process_ended_session(world, session)
    return session


def end_unknown(world: World, known: KnownCalls, clients: SessionClients | None) -> None:
    """End the sessions that no client knows, and have their clients told."""
    extra_limit_ns = int(world.settings["sessions"]["stale_chan_max_extra_usage"])
    for cgrid in stale_sessions(world, known.cgrids, known.unanswered):
        session = end_for_client(world, cgrid, extra_limit_ns)
        if session is not None and clients is not None:
            _afterwards(world, clients.tell_ended, session, {"DisconnectCause": "FORCED_DISCONNECT"}, session.tenant)


class SyncTask:
    """Asks clients now and then which sessions they have, and ends the others."""

    def __init__(
        self, decide: Decide, clients: SessionClients, interval_s: float, complete: Complete = at_once
    ) -> None:
        self._decide = decide
        self._clients = clients
        self._interval_s = interval_s
        self._complete = complete

    async def run(self) -> None:
        """Synchronise until cancelled."""
        while True:
            await trio.sleep(self._interval_s)
            await self.run_once()

    async def run_once(self) -> None:
        """Synchronise once. Where no client is connected nobody can be asked, and sessions go on."""
        if not len(self._clients):
            log.warning("no client is connected that could tell its sessions, they go on")
            return
        known = await self._clients.ask_for_calls()
        try:
            await self._complete(
                partial(self._decide, "sessions synchronised", lambda world: end_unknown(world, known, self._clients))
            )
        except CgrError as error:
            log.error("sessions could not be synchronised", error=str(error))


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
    """Forget closed sessions and identities of CDRs whose time has passed, some at a time, until cancelled.

    Nothing is forgotten before its time has passed since the start and since the clock was set forward: requests that
    were on their way then may come only now.
    """
    offset_s = clock_ns() / SECOND_NS - trio.current_time()
    sure_since = trio.current_time()
    while True:
        offset_s, before_s = clock_ns() / SECOND_NS - trio.current_time(), offset_s
        if offset_s - before_s > CLOCK_SET_S:
            sure_since = trio.current_time()
        sure_ns = (trio.current_time() - sure_since) * SECOND_NS
        with suppress(Unavailable):  # the store is away: they are forgotten later
            while sure_ns >= closed_ttl_ns and decide(
                "forget closed sessions", lambda world: forget_closed(world, clock_ns() - closed_ttl_ns)
            ):
                await trio.sleep(FORGET_PAUSE_S)
            while sure_ns >= taken_ttl_ns and decide(
                "forget taken CDRs", lambda world: forget_taken(world, clock_ns() - taken_ttl_ns)
            ):
                await trio.sleep(FORGET_PAUSE_S)
        await trio.sleep(1)
