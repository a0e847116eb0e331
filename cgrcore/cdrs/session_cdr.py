"""The CDRs of a session: what was reserved and used becomes the record of each run.

Everything comes from the session: its usage, its cost, the event that began it. A CDR that arrives while the session
is active ends it with the CDR's usage. What the CDR's event says otherwise is ignored.
"""

from typing import Any

import msgspec

from cgrcore.cdrs.process import StoredCdrs, process_events
from cgrcore.cdrs.processed import Processed
from cgrcore.cdrs.switches import configured, switches_for
from cgrcore.errors import CgrError, PartiallyExecuted
from cgrcore.event import CgrEvent
from cgrcore.sessions import (
    Session,
    SessionRun,
    active_sessions,
    cgrid_of,
    closed_sessions,
    end_by_cdr,
    is_policy,
    relocate,
)
from cgrcore.world import World

__all__ = ["process_ended_session", "process_session_cdr", "session_of_cdr"]

#: The session only granted usage; the money is asked for with the CDR.
RATED_BY_CDR = frozenset(("*postpaid", "*pseudoprepaid", "*rated", "postpaid", "pseudoprepaid", "rated"))


def session_of_cdr(world: World, event: dict[str, Any]) -> Session | None:
    """Return the session, active or closed, whose CDR the event announces; None when there is none."""
    cgrid = cgrid_of(event)
    for sessions in (active_sessions(world), closed_sessions(world)):
        if cgrid in sessions:
            return sessions.get(cgrid)
    initial = event.get("InitialOriginID")
    if not initial:
        return None
    former = cgrid_of({"OriginID": initial, "OriginHost": event.get("OriginHost")})
    return active_sessions(world).get(former)


def process_session_cdr(world: World, event: CgrEvent, stored: StoredCdrs) -> None:
    """Write the CDRs that the event announces. Raises PartiallyExecuted when they were written before.

    Without a session the event itself is processed, with rating.
    """
    cgrid = cgrid_of(event.event)
    active = active_sessions(world)
    if cgrid not in active and cgrid not in closed_sessions(world):
        relocate(world, active, event.event, cgrid)
    if cgrid in active and not is_policy(active.require(cgrid).event):
        end_by_cdr(world, active.edit(cgrid), event)
    if cgrid in closed_sessions(world):
        session = closed_sessions(world).edit(cgrid)
        if session.awaits_usage:
            end_by_cdr(world, session, event)
        process_ended_session(world, session)
        return
    fields = dict(event.event)
    fields.setdefault("Source", "*sessions")
    event = msgspec.structs.replace(event, event=fields)
    process_events(world, [event], switches_for(configured(world), event.options, ["*rals"]), stored)


def process_ended_session(world: World, session: Session) -> list[Processed]:
    """Write one CDR for each run of a session that has ended, once. A Sy session has none.

    None waits for its charge: a queue that is full cannot have the session end later.
    """
    if is_policy(session.event):
        return []
    if session.has_cdr:
        raise PartiallyExecuted
    session = closed_sessions(world).edit(session.cgrid)
    session.has_cdr = True
    processed = []
    is_partial = False
    for run in session.runs:
        flags = ["*chargers:false", "*attributes:false", "*queue:false"]
        if run.request_type in RATED_BY_CDR:
            flags.append("*rals:true")
        event = CgrEvent(tenant=session.tenant, id=world.new_id(), at=None, event=_cdr_event(run), options={})
        try:
            processed += process_events(world, [event], switches_for(configured(world), {}, flags), StoredCdrs())
        except PartiallyExecuted:
            is_partial = True
        except CgrError:
            raise PartiallyExecuted from None
    if is_partial:
        raise PartiallyExecuted
    return processed


def _cdr_event(run: SessionRun) -> dict[str, Any]:
    event = dict(run.event)
    if run.cost is not None:
        event["CostDetails"] = run.cost
        event["Cost"] = run.cost.cost_nano
        event["CostSource"] = "*sessions"
    return event
