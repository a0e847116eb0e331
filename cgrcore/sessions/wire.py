"""Sessions as they go from one node to another, which stands by with them.

Rules: what is sent is the whole session; what comes replaces what was known of it. A session that is charged here is
given up for one of another node only when that was heard of later. Does not know: nodes, when a session is sent.
"""

from decimal import Decimal
from typing import Any

from cgrcore.errors import BadRequest, Conflict, NotFound
from cgrcore.event import time_of, usage_of
from cgrcore.money import nano_from_number, number_from_nano
from cgrcore.rating import EventCost
from cgrcore.sessions.finding import active_sessions, passive_sessions
from cgrcore.sessions.lifecycle import new_run
from cgrcore.sessions.records import Session, SessionRun
from cgrcore.timing import ZERO_AT, format_time
from cgrcore.world import World

__all__ = ["forget", "session_as_wire", "session_from_wire", "stand_by"]


def session_as_wire(session: Session) -> dict[str, Any]:
    """Return a session as SessionSv1.SetPassiveSession takes it."""
    return {
        "CGRID": session.cgrid,
        "Tenant": session.tenant,
        "ResourceID": session.event.get("OriginID") or "",
        "ClientConnID": session.connection_id,
        "EventStart": session.event,
        "DebitInterval": session.debit_interval_ns,
        "Chargeable": session.is_chargeable,
        "SRuns": [_run_as_wire(session, run) for run in session.runs],
        "OptsStart": session.options,
        "UpdatedAt": format_time(session.updated_at),
    }


def _run_as_wire(session: Session, run: SessionRun) -> dict[str, Any]:
    def text(name: str) -> str:
        return str(run.event.get(name) or "")

    return {
        "Event": run.event,
        "CD": {
            "Category": text("Category"),
            "Tenant": session.tenant,
            "Subject": text("Subject") or text("Account"),
            "Account": text("Account"),
            "Destination": text("Destination"),
            "ToR": text("ToR"),
            "TimeStart": format_time(run.start.at, run.start.offset_s),
            "TimeEnd": format_time(run.end_at, run.start.offset_s),
            "LoopIndex": run.slices,
            "DurationIndex": run.usage_index_ns,
            "MaxCostSoFar": number_from_nano(run.max_cost_so_far_nano),
            "RunID": run.run_id,
        },
        "EventCost": None if run.cost is None else run.cost.as_wire(),
        "ExtraDuration": run.reserve_ns,
        "LastUsage": run.last_usage_ns,
        "TotalUsage": run.total_usage_ns,
        "NextAutoDebit": None if run.next_debit_at == ZERO_AT else format_time(run.next_debit_at),
    }


def session_from_wire(world: World, document: dict[str, Any]) -> Session:
    """Return the session that another node sent. Raises BadRequest for what cannot be read."""
    event = dict(document["EventStart"])
    updated = time_of(document.get("UpdatedAt") or None, world.now_at)
    try:
        runs = [_run_from_wire(world, str(document["CGRID"]), run) for run in document.get("SRuns") or ()]
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise BadRequest(f"not the runs of a session: {error}") from None
    return Session(
        cgrid=str(document["CGRID"]),
        tenant=world.tenant(str(document.get("Tenant") or "")),
        event=event,
        options=dict(document.get("OptsStart") or {}),
        runs=runs,
        debit_interval_ns=int(document.get("DebitInterval") or 0),
        is_chargeable=bool(document.get("Chargeable", True)),
        updated_at=world.now_at if updated is None else updated.at,
    )


def _run_from_wire(world: World, cgrid: str, document: dict[str, Any]) -> SessionRun:
    event, call = dict(document["Event"]), dict(document.get("CD") or {})
    run = new_run(world, cgrid, str(event.get("RunID") or call.get("RunID") or "*default"), event, None)
    start = time_of(call.get("TimeStart"), world.now_at)
    if start is not None and run.start.at == ZERO_AT:
        run.start = start
    end = time_of(call.get("TimeEnd"), world.now_at)
    run.end_at = run.start.at if end is None else end.at
    run.slices = int(call.get("LoopIndex") or 0)
    run.usage_index_ns = usage_of(call.get("DurationIndex")) or 0
    run.max_cost_so_far_nano = nano_from_number(call.get("MaxCostSoFar") or Decimal(0))
    cost = document.get("EventCost")
    run.cost = None if cost is None else EventCost.from_wire(cost)
    run.reserve_ns = usage_of(document.get("ExtraDuration")) or 0
    run.last_usage_ns = usage_of(document.get("LastUsage")) or 0
    run.total_usage_ns = usage_of(document.get("TotalUsage")) or 0
    debit = time_of(document.get("NextAutoDebit"), world.now_at)
    run.next_debit_at = ZERO_AT if debit is None else debit.at
    return run


def forget(world: World, cgrid: str, ended_at: int | None) -> None:
    """Forget a session that has ended on another node. Raises NotFound when this node does not stand by with it.

    One that this node thinks it charges, and heard of before `ended_at`, was taken over there meanwhile.
    """
    here = active_sessions(world).get(cgrid)
    if here is not None and ended_at is not None and here.updated_at <= ended_at:
        active_sessions(world).remove(cgrid)
    elif passive_sessions(world).remove(cgrid) is None:
        raise NotFound(subject="session", subject_id=cgrid)


def stand_by(world: World, session: Session) -> None:
    """Keep a session that another node charges. Raises Conflict when this node charges it and heard of it later."""
    here = active_sessions(world).get(session.cgrid)
    if here is not None:
        if here.updated_at > session.updated_at:
            raise Conflict("EXISTS", subject="session", subject_id=session.cgrid)
        active_sessions(world).remove(session.cgrid)
    passive_sessions(world).put(session.cgrid, session)
