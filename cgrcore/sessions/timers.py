"""When sessions need attention by themselves: silence that ends them, debits the server makes.

A heap of instants, each session in it at most once; an entry that has become stale is put back for its true instant
when it comes up. Derived from the session table, so it is rebuilt after a restart and never stored.
"""

import heapq
import zlib

from cgrcore.sessions.records import Session
from cgrcore.timing import ZERO_AT
from cgrcore.world import World

__all__ = ["SessionTimers", "due_at", "spread", "timers_of"]


class SessionTimers:
    """The instants at which sessions are due. `next_at` is the earliest, None when there is none."""

    __slots__ = ("_heap", "_scheduled")

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._scheduled: dict[str, int] = {}

    @property
    def next_at(self) -> int | None:
        return self._heap[0][0] if self._heap else None

    def watch(self, session: Session) -> None:
        """Note the session's next due instant, unless it is watched for an earlier one."""
        at = due_at(session)
        if at is None or self._scheduled.get(session.cgrid, at + 1) <= at:
            return
        self._scheduled[session.cgrid] = at
        heapq.heappush(self._heap, (at, session.cgrid))

    def pop_due(self, now_at: int) -> list[str]:
        """Remove and return the CGRIDs that were noted for `now_at` or before."""
        due = []
        while self._heap and self._heap[0][0] <= now_at:
            at, cgrid = heapq.heappop(self._heap)
            if self._scheduled.get(cgrid) == at:
                del self._scheduled[cgrid]
                due.append(cgrid)
        return due


def due_at(session: Session) -> int | None:
    """Return when the session needs attention next, None when it does not."""
    instants = [session.expires_at, session.ends_at] + [run.next_debit_at for run in session.runs]
    return min((at for at in instants if at != ZERO_AT), default=None)


def timers_of(world: World) -> SessionTimers:
    """Return the timers of the world's active sessions, built from the table on first use."""
    timers: SessionTimers | None = world.parts.get("session_timers")
    if timers is None:
        timers = world.parts["session_timers"] = SessionTimers()
        for session in world.state.table("sessions").records.values():
            timers.watch(session)
    return timers


def spread(cgrid: str, limit_ns: int) -> int:
    """Return a duration below the limit, always the same for a session: what befalls many does so one after another."""
    return zlib.crc32(cgrid.encode()) * limit_ns >> 32 if limit_ns > 0 else 0
