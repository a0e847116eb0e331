"""Steering sessions from outside: listing, disconnecting, standing by, silent ones, debits the server makes itself.

Each function is one decision, or one per session. Does not know: clients' connections; what a client must be told is
returned to the caller.
"""

from collections.abc import Collection
from contextlib import suppress
from typing import Any

from cgrcore.errors import CgrError, NotFound
from cgrcore.event import CgrEvent, duration_option
from cgrcore.sessions.charging import DEBITED, reserve_slice
from cgrcore.sessions.finding import active_sessions, matching_runs, note_change, passive_sessions
from cgrcore.sessions.lifecycle import change, end
from cgrcore.sessions.records import Session, SessionRun
from cgrcore.sessions.timers import spread, timers_of
from cgrcore.state import Table
from cgrcore.timing import ZERO_AT
from cgrcore.world import World

__all__ = [
    "activate",
    "alter",
    "auto_debit",
    "count_runs",
    "deactivate",
    "disconnect",
    "end_silent",
    "end_stale",
    "list_runs",
    "schedule_end",
    "stale_sessions",
]


def list_runs(
    world: World,
    sessions: Table[Session],
    tenant: str,
    filters: list[str],
    limit: int | None,
    offset: int | None = None,
) -> list[tuple[Session, SessionRun]]:
    """Return the runs that pass the filters, in order of CGRID. Raises NotFound when there is none."""
    found = list(matching_runs(world, sessions, tenant, filters))
    found = found[offset or 0 :]
    if limit is not None and limit > 0:
        found = found[:limit]
    if not found:
        raise NotFound
    return found


def count_runs(world: World, sessions: Table[Session], tenant: str, filters: list[str]) -> int:
    """Return how many runs pass the filters."""
    return sum(1 for _ in matching_runs(world, sessions, tenant, filters))


def _sessions_matching(world: World, tenant: str, filters: list[str], limit: int | None) -> list[Session]:
    found: dict[str, Session] = {}
    for session, _ in matching_runs(world, active_sessions(world), tenant, filters):
        found[session.cgrid] = session
    if not found:
        raise NotFound
    keys = list(found)[: limit if limit and limit > 0 else None]
    return [active_sessions(world).edit(key) for key in keys]


def disconnect(world: World, tenant: str, filters: list[str], limit: int | None) -> tuple[list[Session], bool]:
    """End the sessions that pass the filters with the usage reserved; return them, and whether all was charged.

    One whose charge fails has ended all the same, with what was charged until then, and keeps no other from ending.
    Raises NotFound.
    """
    ended = _sessions_matching(world, tenant, filters, limit)
    is_whole = True
    for session in ended:
        try:
            _end_for_client(world, session)
        except CgrError:
            is_whole = False
    return ended, is_whole


def _end_for_client(world: World, session: Session, usage_ns: int | None = None, used_ns: int | None = None) -> None:
    """End a session whose client will not give back what it allocated. Raises as `end`."""
    try:
        end(world, session, usage_ns=usage_ns, last_used_ns=used_ns)
    finally:
        _release(world, session)


def _release(world: World, session: Session) -> None:
    """Give back the resources and addresses that were allocated for a session."""
    options = {**session.options, "*rsUsageID": session.event.get("OriginID")}
    for name in ("resources", "ips"):
        release = world.parts.get(f"{name}_for_sessions")
        if release is not None and world.settings["sessions"].get(f"{name}_conns"):
            with suppress(CgrError):  # nothing was allocated
                release(world, CgrEvent(session.tenant, world.new_id(), None, session.event, options), "release")


def end_stale(world: World, cgrid: str, extra_limit_ns: int = 0) -> Session | None:
    """End a session without its client, and return it; None when it is gone. Raises as `end`.

    A part of `extra_limit_ns` is charged beyond the reservation: it may have gone on for a while.
    """
    if cgrid not in active_sessions(world):
        return None
    session = active_sessions(world).edit(cgrid)
    extra_ns = spread(cgrid, extra_limit_ns)
    if extra_ns > 0:
        _reserve_more(world, session, extra_ns, None)
    _end_for_client(world, session)
    return session


def stale_sessions(world: World, known: Collection[str], unanswered: Collection[str] = ()) -> list[str]:
    """Return the CGRIDs of active sessions that no client knows, in order.

    `known` are those that clients told; sessions of the connections in `unanswered`, which told nothing, may well live.
    """
    sessions = active_sessions(world)
    return [it for it in sorted(sessions) if it not in known and sessions.records[it].connection_id not in unanswered]


def schedule_end(world: World, cgrid: str, at: int) -> bool:
    """Charge a session no more and end it at an instant, unless its client ends it before.

    Returns False when it is gone, or ends earlier already.
    """
    session = active_sessions(world).get(cgrid)
    if session is None or ZERO_AT < session.ends_at <= at:
        return False
    session = active_sessions(world).edit(cgrid)
    session.ends_at = at
    for run in session.runs:
        run.next_debit_at = ZERO_AT
    timers_of(world).watch(session)
    return True


def alter(
    world: World, tenant: str, filters: list[str], limit: int | None, event: dict[str, Any], options: dict[str, Any]
) -> list[Session]:
    """Give the sessions that pass the filters new fields and options, and return them. Raises NotFound."""
    altered = _sessions_matching(world, tenant, filters, limit)
    for session in altered:
        change(world, session, CgrEvent(tenant=session.tenant, id="", at=None, event=event, options=options))
    return altered


def deactivate(world: World, ids: list[str]) -> list[str]:
    """Let active sessions (all, when no id is given) stand by; return the ids that were not found."""
    return _move(active_sessions(world), passive_sessions(world), ids)


def activate(world: World, ids: list[str]) -> list[str]:
    """Take over sessions that stand by (all, when no id is given); return the ids that were not found.

    What they are due for is done from now on: silence, debits.
    """
    chosen = ids or list(passive_sessions(world))
    missing = _move(passive_sessions(world), active_sessions(world), chosen)
    for cgrid in chosen:
        session = active_sessions(world).get(cgrid)
        if session is not None:
            timers_of(world).watch(session)
    return missing


def _move(source: Table[Session], target: Table[Session], ids: list[str]) -> list[str]:
    missing = []
    for cgrid in ids or list(source):
        session = source.remove(cgrid)
        if session is None:
            missing.append(cgrid)
        else:
            target.put(cgrid, session)
    return missing


def end_silent(world: World, cgrid: str) -> Session | None:
    """End a session nobody has spoken of for its time to live; return it, None when it is gone or spoke since.

    The silent time counts as used: what the options or the configuration say, else the time to live itself.
    """
    session = active_sessions(world).get(cgrid)
    if session is None or session.expires_at == ZERO_AT or session.expires_at > world.now_at:
        return None
    session = active_sessions(world).edit(cgrid)
    section = world.settings["sessions"]
    options = session.options

    def chosen(option: str, key: str) -> int | None:
        value = duration_option(options, option, section.get(key) or None)
        return None if value is None else int(value)

    silence_ns = chosen("*sessionsTTLLastUsage", "session_last_usage")
    last_used_ns = chosen("*sessionsTTLLastUsed", "session_ttl_last_used")
    usage_ns = chosen("*sessionsTTLUsage", "session_ttl_usage")
    if silence_ns is None:
        silence_ns = chosen("*sessionsTTL", "session_ttl") or 0
    _reserve_more(world, session, silence_ns, last_used_ns)
    _end_for_client(world, session, usage_ns, last_used_ns)
    return session


def _reserve_more(world: World, session: Session, usage_ns: int, last_used_ns: int | None) -> None:
    """Reserve usage that nobody asked for, as far as it can be paid."""
    for run in session.runs:
        if run.request_type in DEBITED:
            with suppress(CgrError):
                reserve_slice(world, session, run, usage_ns, last_used_ns, is_forced=False)


def auto_debit(world: World, cgrid: str, run_id: str) -> tuple[Session, int] | None:
    """Make the next debit of a run the server debits by itself; return its session and what was granted (ns).

    None when the session or its run is gone, or nothing is due. Raises CgrError as `reserve_slice`.
    """
    session = active_sessions(world).get(cgrid)
    if session is None or session.debit_interval_ns <= 0:
        return None
    session = active_sessions(world).edit(cgrid)
    for run in session.runs:
        if run.run_id == run_id and ZERO_AT < run.next_debit_at <= world.now_at:
            granted_ns = reserve_slice(world, session, run, session.debit_interval_ns, None, is_forced=False)
            run.next_debit_at = world.now_at + granted_ns
            timers_of(world).watch(session)
            note_change(world, cgrid)
            return session, granted_ns
    return None
