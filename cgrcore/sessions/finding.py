"""Finding sessions: by their event, by filters; moving them between active, passive and closed; relocation.

A session is named by its CGRID, the hash of OriginID and OriginHost unless the event carries one.
"""

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from typing import Any

from cgrcore.event import CgrEvent
from cgrcore.filters import passes
from cgrcore.sessions.records import Session, SessionRun
from cgrcore.state import KEY_LIMIT, Table
from cgrcore.world import World

__all__ = [
    "active_sessions",
    "candidates",
    "cgrid_of",
    "closed_sessions",
    "find_active",
    "is_known",
    "matching_runs",
    "note_change",
    "passive_sessions",
    "relocate",
]

#: Names of calls kept at hand: those of which requests come one after the other.
MAX_HASHED = 4096


def active_sessions(world: World) -> Table[Session]:
    return world.state.table("sessions")


def passive_sessions(world: World) -> Table[Session]:
    return world.state.table("passive_sessions")


def closed_sessions(world: World) -> Table[Session]:
    return world.state.table("closed_sessions")


def cgrid_of(event: dict[str, Any]) -> str:
    """Return the event's CGRID: its own, or the SHA1 of OriginID followed by OriginHost, in hex."""
    given = event.get("CGRID")
    if given:
        return str(given)
    origin = f"{event.get('OriginID') or ''}{event.get('OriginHost') or ''}"
    return _known(origin) if len(origin) <= KEY_LIMIT else _hashed(origin)


def _hashed(origin: str) -> str:
    return hashlib.sha1(origin.encode(), usedforsecurity=False).hexdigest()


_known = lru_cache(maxsize=MAX_HASHED)(_hashed)


def find_active(world: World, event: dict[str, Any]) -> Session | None:
    """Return the active session the event belongs to, ready to be changed, or None.

    A passive session is activated; one that began under `InitialOriginID` is moved to the event's identity.
    """
    cgrid = cgrid_of(event)
    sessions = active_sessions(world)
    if cgrid in sessions:
        return sessions.edit(cgrid)
    standing_by = passive_sessions(world).remove(cgrid)
    if standing_by is not None:
        session = standing_by.copy()  # the other comes back when the decision is undone
        sessions.put(cgrid, session)
        return session
    return relocate(world, active_sessions(world), event, cgrid)


def note_change(world: World, cgrid: str) -> None:
    """Have the nodes that stand by told of a session, once its change is committed (`replicate_session`)."""
    replicate = world.parts.get("replicate_session")
    if replicate is not None:
        world.state.effects.after.append(partial(replicate, cgrid))


def is_known(world: World, event: dict[str, Any]) -> bool:
    """Return whether the event's session is active, standing by or over, under this or its former name."""
    tables = (active_sessions(world), closed_sessions(world), passive_sessions(world))
    cgrid = cgrid_of(event)
    if any(cgrid in sessions for sessions in tables):
        return True
    initial = event.get("InitialOriginID")
    return bool(initial) and cgrid_of({"OriginID": initial, "OriginHost": event.get("OriginHost")}) in tables[0]


def relocate(world: World, sessions: Table[Session], event: dict[str, Any], cgrid: str) -> Session | None:
    """Give the session that began as the event's `InitialOriginID` the event's identity, and return it."""
    initial = event.get("InitialOriginID")
    if not initial:
        return None
    former = cgrid_of({"OriginID": initial, "OriginHost": event.get("OriginHost")})
    found = sessions.get(former)
    if found is None:
        return None
    session = found.copy()
    sessions.remove(former)
    session.cgrid = cgrid
    session.event["CGRID"] = cgrid
    session.event["OriginID"] = event.get("OriginID")
    for run in session.runs:
        run.event["CGRID"] = cgrid
        run.event["OriginID"] = event.get("OriginID")
        if run.cost is not None:
            run.cost = run.cost.renamed(cgrid)
    sessions.put(cgrid, session)
    note_change(world, former)
    return session


def matching_runs(
    world: World, sessions: Table[Session], tenant: str, filter_ids: list[str], keys: Iterable[str] | None = None
) -> Iterator[tuple[Session, SessionRun]]:
    """Yield the sessions' runs that pass all filters, by CGRID. Raises NotFound for a filter that does not exist.

    Of `keys` (all candidates without) those are left out that are gone.
    """
    for key in candidates(sessions, filter_ids) if keys is None else keys:
        session = sessions.records.get(key)
        for run in session.runs if session is not None else ():
            assert session is not None
            event = CgrEvent(tenant=session.tenant, id="", at=None, event=run.event, options=session.options)
            if not filter_ids or passes(world, tenant, filter_ids, event):
                yield session, run


def candidates(sessions: Table[Session], filter_ids: list[str]) -> list[str]:
    """Return the CGRIDs of the sessions that may pass the filters, in order."""
    wanted = _only_origin(filter_ids)
    # Iterated as a table, not through its records: the reply waits when one of them is not committed yet.
    return (
        sorted(sessions) if wanted is None else [key for key in sessions if _has_origin(sessions.records[key], wanted)]
    )


def _only_origin(filter_ids: list[str]) -> str | None:
    """Return the OriginID that an inline filter asks for, None when none does."""
    prefix = "*string:~*req.OriginID:"
    for filter_id in filter_ids:
        if filter_id.startswith(prefix) and "|" not in filter_id:
            return filter_id[len(prefix) :]
    return None


def _has_origin(session: Session, origin_id: str) -> bool:
    return any(run.event.get("OriginID") == origin_id for run in session.runs)
