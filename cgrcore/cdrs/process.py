"""What happens to a CDR that comes in: alter, fork into runs, refund, rate, store, tell others.

One call is one decision: either all runs are charged and stored, or nothing has happened. A CDR is taken once
(CGRID and RunID name it); a CDR of a call that had a session takes the session's cost and charges nothing.
Does not know: where CDRs are stored; it is given what the store holds of the calls concerned.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import msgspec

from cgrcore.accounting import refund_increments
from cgrcore.attributes import process as process_attributes
from cgrcore.cdrs.changed import CHANGED, as_changed, note_change
from cgrcore.cdrs.charge import ACCOUNTABLE, PAID_BY_SESSION, charge_cdr
from cgrcore.cdrs.prefixed import cdrs_of_prefix
from cgrcore.cdrs.processed import Audience, Processed, observe
from cgrcore.cdrs.queue import check_room, take_out, wait
from cgrcore.cdrs.records import Cdr, SessionCost, cdr_from_event
from cgrcore.cdrs.switches import Switches
from cgrcore.chargers import runs_of
from cgrcore.errors import BadRequest, CgrError, Conflict, NotFound, mandatory_missing
from cgrcore.event import CgrEvent
from cgrcore.sessions import active_sessions, cgrid_of, closed_sessions, end
from cgrcore.world import World

__all__ = ["StoredCdrs", "as_charged", "process_events"]


class StoredCdrs(msgspec.Struct):
    """What the store holds of the calls at hand: CDRs and session costs by (CGRID, RunID)."""

    cdrs: dict[tuple[str, str], Cdr] = {}
    session_costs: dict[tuple[str, str], SessionCost] = {}


def as_charged(world: World, stored: StoredCdrs) -> StoredCdrs:
    """Return what the store holds as it will once it has what was charged or changed while it was read."""
    if not len(world.state.table(CHANGED)):
        return stored
    cdrs = {key: as_changed(world, cdr) for key, cdr in stored.cdrs.items()}
    return StoredCdrs(cdrs, stored.session_costs)


def process_events(world: World, events: Iterable[CgrEvent], switches: Switches, stored: StoredCdrs) -> list[Processed]:
    """Process events together and return their CDRs.

    Raises Conflict EXISTS for a CDR that came before, CgrError PARTIALLY_EXECUTED when a step before rating fails,
    Unavailable RATING_QUEUE_FULL when its charge would have to wait and cannot, PartiallyExecuted when exporters,
    thresholds or statistics failed and all else is done.
    """
    is_queued = switches.queue and not switches.reprocess and world.settings["cdrs"]["rating_queue"] > 0
    if is_queued:
        check_room(world)
    if switches.reprocess:
        stored = as_charged(world, stored)
    runs: list[CgrEvent] = []
    for event in events:
        runs.extend(_runs(world, event, switches))
    if not switches.reprocess:
        _take_once(world, runs, stored)
    prepared = [_prepare(world, run, switches, stored) for run in runs]
    processed = [each for item in prepared for each in cdrs_of_prefix(world, item, stored.session_costs)]
    if switches.reprocess and (switches.rals or switches.refund):
        for item in processed:
            if take_out(world, item.cdr.cgrid, item.cdr.run_id) and switches.refund:
                item.flags.append("*refund")  # of a charge that was still to come
    if switches.refund:
        for item in processed:
            _refund(world, item, stored, is_rerated=switches.rerate)
    if switches.rals:
        for item in processed:
            _rate(world, item, stored, is_queued=is_queued)
    if switches.store:
        for item in processed:
            _store(world, item, switches, stored)
    audience = Audience(switches.export, switches.thresholds, switches.stats)
    charged = processed
    if is_queued:
        charged = [item for item in processed if not item.is_waiting]
        for item in processed:
            if item.is_waiting:
                wait(world, item, audience, is_stored=switches.store)
    observe(world, charged, audience)
    return processed


def _runs(world: World, event: CgrEvent, switches: Switches) -> list[CgrEvent]:
    options = dict(event.options)
    if switches.attributes:
        options.setdefault("*context", "*cdrs")
        event = msgspec.structs.replace(event, options=options)
        try:
            event = process_attributes(world, event).event
        except NotFound:
            pass
        except CgrError:
            raise _partially() from None
    if not switches.chargers:
        return [event]
    try:
        return [run.event for run in runs_of(world, event)]
    except CgrError:
        raise _partially() from None


def _partially() -> CgrError:
    return CgrError("PARTIALLY_EXECUTED")


def _take_once(world: World, runs: list[CgrEvent], stored: StoredCdrs) -> None:
    """Remember the runs as taken. Raises Conflict for one that was taken before."""
    taken = world.state.table("cdr_ids")
    for run in runs:
        cgrid, run_id = _identity(run)
        run.event["CGRID"] = cgrid
        key = f"{cgrid}:{run_id}"
        if key in taken or (cgrid, run_id) in stored.cdrs:
            raise Conflict("EXISTS", subject="cdr", subject_id=key)
        taken.put(key, world.now_at)


def _identity(run: CgrEvent) -> tuple[str, str]:
    return str(run.event.get("CGRID") or cgrid_of(run.event)), str(run.event.get("RunID") or "*default")


def _prepare(world: World, run: CgrEvent, switches: Switches, stored: StoredCdrs) -> Processed:
    """Make the CDR of a run, with the cost it is to be refunded by."""
    fields = dict(run.event)
    if fields.get("RequestType") == "*directdebit" and fields.get("Cost") is None:
        raise mandatory_missing(("Cost",))
    if switches.refund:
        known = stored.cdrs.get(_identity(run))
        if known is not None and (fields.get("RunID") or fields.get("CostDetails")):
            fields["CostDetails"] = known.cost_details  # whatever the event says: what is stored was not refunded yet
        elif not fields.get("CostDetails"):
            raise _partially()
    try:
        cdr = cdr_from_event(world, run.tenant, fields)
        if cdr.request_type == "*directdebit":  # the sum that is told, not that of the details
            told = cdr_from_event(world, run.tenant, {**fields, "CostDetails": None})
            cdr = msgspec.structs.replace(cdr, cost_nano=told.cost_nano)
    except BadRequest:
        raise _partially() from None
    if cdr.usage_ns < 0:
        cdr = msgspec.structs.replace(cdr, usage_ns=0)
    return Processed(cdr, run, [])


def _refund(world: World, item: Processed, stored: StoredCdrs, *, is_rerated: bool) -> None:
    """Give back what the CDR cost whoever paid it. The cost of what nobody paid is dropped when it is to be rerated."""
    cdr = item.cdr
    known = stored.cdrs.get((cdr.cgrid, cdr.run_id))
    paid_as = cdr.request_type if known is None else known.request_type
    if paid_as in ACCOUNTABLE and cdr.cost_details is not None:
        refund_increments(world, cdr.cost_details, cdr.tor)
        _forget_session_cost(world, cdr, stored)
        item.flags.append("*refund")
    if item.flags or (is_rerated and paid_as not in ACCOUNTABLE):
        told_nano = cdr.cost_nano if cdr.request_type == "*directdebit" else None
        item.cdr = msgspec.structs.replace(cdr, cost_details=None, cost_nano=told_nano, cost_source="")


def _forget_session_cost(world: World, cdr: Cdr, stored: StoredCdrs) -> None:
    """Forget what the CDR's session cost: it was given back, so no CDR may take it any more."""
    closed = closed_sessions(world)
    if cdr.cgrid in closed:
        for run in closed.edit(cdr.cgrid).runs:
            if run.run_id == cdr.run_id:
                run.cost = None
    kept = stored.session_costs.get((cdr.cgrid, cdr.run_id))
    if kept is not None:
        world.state.effects.rows.append(("session_costs", "delete", kept))


def _rate(world: World, item: Processed, stored: StoredCdrs, *, is_queued: bool) -> None:
    """Give the CDR its cost, or have it wait. What cannot be rated keeps the reason in ExtraInfo and no cost."""
    cdr = item.cdr
    if cdr.request_type == "*none" or _is_debited(cdr, stored):
        return
    if cdr.request_type not in ACCOUNTABLE:
        cdr = msgspec.structs.replace(cdr, cost_details=None)
    if cdr.cost_details is not None and cdr.usage_ns <= cdr.cost_details.usage_ns:
        cost_nano = cdr.cost_details.cost_nano
        item.cdr = cdr if cdr.cost_nano == cost_nano else msgspec.structs.replace(cdr, cost_nano=cost_nano)
        return
    if cdr.cost_details is not None:
        refund_increments(world, cdr.cost_details, cdr.tor)
    taken = None if item.flags else _session_cost(world, cdr, stored)
    if taken is None and is_queued and cdr.cost_details is None:
        item.is_waiting = True
        item.cdr = cdr if cdr.request_type == "*directdebit" else msgspec.structs.replace(cdr, cost_nano=None)
    else:
        item.cdr = taken or charge_cdr(world, cdr)


def _is_debited(cdr: Cdr, stored: StoredCdrs) -> bool:
    """True for a sum that was debited when the CDR came first: it is given back by nobody, and taken once."""
    if cdr.request_type != "*directdebit":
        return False
    known = stored.cdrs.get((cdr.cgrid, cdr.run_id))
    return known is not None and known.request_type == cdr.request_type and known.cost_nano == cdr.cost_nano


def _session_cost(world: World, cdr: Cdr, stored: StoredCdrs) -> Cdr | None:
    """Return the CDR with the cost of its session, None when it had none. One that is under way has ended by that."""
    if cdr.cost_details is not None or cdr.request_type not in PAID_BY_SESSION:
        return None
    if cdr.cgrid in active_sessions(world):
        with suppress(CgrError):  # it is closed all the same, with what could be charged
            end(world, active_sessions(world).edit(cdr.cgrid), usage_ns=cdr.usage_ns)
    ended = closed_sessions(world).get(cdr.cgrid)
    cost = None
    if ended is not None and not ended.is_failed:
        cost = next((run.cost for run in ended.runs if run.run_id == cdr.run_id), None)
    if cost is None:
        kept = stored.session_costs.get((cdr.cgrid, cdr.run_id))
        if kept is None or kept.cost_details is None:
            return None
        cost = kept.cost_details
        if cdr.usage_ns not in (cost.usage_ns, kept.usage_ns):
            refund_increments(world, cost, cdr.tor)
            return msgspec.structs.replace(charge_cdr(world, cdr), cost_source="CDRs")
    return msgspec.structs.replace(cdr, cost_details=cost, cost_nano=cost.cost_nano, cost_source="*sessions")


def _store(world: World, item: Processed, switches: Switches, stored: StoredCdrs) -> None:
    """Note the CDR for the store: a new row, or the row of before when it was rerated or refunded."""
    cdr: Any = item.cdr
    exists = (cdr.cgrid, cdr.run_id) in stored.cdrs
    if exists and not (switches.rerate or item.flags):
        raise Conflict("EXISTS", subject="cdr", subject_id=f"{cdr.cgrid}:{cdr.run_id}")
    world.state.effects.rows.append(("cdrs", "update" if exists else "insert", cdr))
    if exists:
        note_change(world, cdr)
