"""CDRsV1 and CDRsV2: taking in, rating and rerating call detail records; SessionSv1.ProcessCDR."""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from cgrcore.accounting import refund_rounding
from cgrcore.cdrs import (
    Processed,
    StoredCdrs,
    Switches,
    as_charged,
    configured,
    event_of,
    is_piece,
    keep_piece,
    process_events,
    process_session_cdr,
    session_of_cdr,
    switches_for,
    whole_event,
)
from cgrcore.cdrs.prefixed import PREFIX, ended_by_prefix
from cgrcore.cdrs.records import SessionCost
from cgrcore.errors import BadRequest, CgrError, Conflict, NotFound, PartiallyExecuted, mandatory_missing, server_error
from cgrcore.event import CgrEvent, new_event, usage_of
from cgrcore.rating import EventCost
from cgrcore.sessions import cgrid_of
from cgrcore.timing import format_time, parse_duration, parse_time
from cgrcore.world import World
from cgrserver.rpc.methods.cdr_queries import CdrFilterArgs
from cgrserver.rpc.methods.responder import CdrCallArgs
from cgrserver.rpc.methods.sessions import EventArgs
from cgrserver.rpc.registry import Args, method


class CdrEventArgs(Args):
    """An event and the flags that say how its CDR is processed."""

    Flags: list[str] | None = None
    Tenant: str = ""
    ID: str = ""
    Time: str | None = None
    Event: dict[str, Any] | None = None
    APIOpts: dict[str, Any] | None = None

    def event(self, world: World) -> CgrEvent:
        if self.Event is None:
            raise CgrError("PARTIALLY_EXECUTED")
        return new_event(world, self.Tenant, self.ID, self.Time, dict(self.Event), self.APIOpts)


class CdrEventsArgs(Args):
    Flags: list[str] | None = None
    CGREvents: list[CdrEventArgs] | None = None
    APIOpts: dict[str, Any] | None = None


def fetch_event(store: Any, world: World, args: Any) -> Awaitable[StoredCdrs]:
    """Return what the store holds of the event's call."""
    return _fetch(store, world, [args.Event or {}])


def _fetch_events(store: Any, world: World, args: CdrEventsArgs) -> Awaitable[StoredCdrs]:
    return _fetch(store, world, [item.Event or {} for item in args.CGREvents or []])


async def _fetch(store: Any, world: World, events: list[dict[str, Any]]) -> StoredCdrs:
    """Return what the store holds of the events' calls, and of those whose OriginIDs begin as an event says."""
    cgrids = {cgrid_of(event) for event in events}
    for event in events:
        prefix, host = str(event.get(PREFIX) or ""), str(event.get("OriginHost") or "")
        if prefix:
            costs = await store.find_session_costs(origin_host=host, origin_id_prefix=prefix)
            cgrids.update((cost.cgrid for cost in costs), ended_by_prefix(world, host, prefix))
    cdrs, costs = await store.find_calls(sorted(cgrids))
    return StoredCdrs(
        {(cdr.cgrid, cdr.run_id): cdr for cdr in cdrs}, {(cost.cgrid, cost.run_id): cost for cost in costs}
    )


@method("CDRsV1.ProcessEvent", fetch=fetch_event)
def process_event(world: World, args: CdrEventArgs, stored: StoredCdrs) -> str:
    """Process one event into CDRs: alter, fork, rate, store."""
    _process(world, args, stored, configured(world))
    return "OK"


@method("CDRsV2.ProcessEvent", fetch=fetch_event)
def process_event_v2(world: World, args: CdrEventArgs, stored: StoredCdrs) -> list[dict[str, Any]]:
    """Process one event into CDRs and return them, with their costs: they do not wait in the rating queue."""
    processed = _process(world, args, stored, msgspec.structs.replace(configured(world), queue=False))
    return [{"Flags": i.flags, "Event": i.event_as_wire(world.new_id)} for i in processed]


def _process(world: World, args: CdrEventArgs, stored: StoredCdrs, base: Switches) -> list[Processed]:
    events = _whole(world, [args])
    options = events[0].options if events else {}
    return process_events(world, events, switches_for(base, options, args.Flags or []), stored)


def _whole(world: World, items: Sequence[CdrEventArgs]) -> list[CgrEvent]:
    """Return the events that are to become CDRs now; interim records are kept for their last one."""
    found = []
    for item in items:
        event = item.event(world)
        if is_piece(event):
            keep_piece(world, event)
        else:
            found.append(whole_event(world, event))
    return found


@method("CDRsV1.ProcessEvents", fetch=_fetch_events)
def process_many(world: World, args: CdrEventsArgs, stored: StoredCdrs) -> str:
    """Process events into CDRs together: all of them or none."""
    events = _whole(world, args.CGREvents or [])
    process_events(world, events, switches_for(configured(world), args.APIOpts or {}, args.Flags or []), stored)
    return "OK"


class RateArgs(CdrFilterArgs):
    Flags: list[str] | None = None


#: Stored CDRs that are taken again in one decision. More of them are several, between which others have their turn.
AGAIN_AT_ONCE = 100


def _to_rate(world: World, args: RateArgs) -> Switches:
    base = msgspec.structs.replace(configured(world), rals=True)
    return switches_for(base, args.APIOpts or {}, args.Flags or [])


def _to_reprocess(world: World, args: RateArgs) -> Switches:
    chosen = switches_for(Switches(reprocess=True), args.APIOpts or {}, args.Flags or [])
    return msgspec.structs.replace(chosen, reprocess=True)


Choose = Callable[[World, RateArgs], Switches]


async def _all_but_the_last(store: Any, world: World, args: RateArgs, choose: Choose) -> StoredCdrs:
    """Take all but the last hundred of the stored CDRs again, each hundred durably; return these last ones.

    The first error ends it: what was done before stands.
    """
    if args.Limit == 0:  # at most none
        return StoredCdrs()
    found = await store.find_cdrs(args.filter(world))
    perform = world.parts.get("perform")
    if len(found) <= AGAIN_AT_ONCE or perform is None:
        return StoredCdrs({(cdr.cgrid, cdr.run_id): cdr for cdr in found}, {})
    keys = [(cdr.cgrid, cdr.run_id) for cdr in found]
    parts = [keys[start : start + AGAIN_AT_ONCE] for start in range(0, len(keys), AGAIN_AT_ONCE)]
    for part in parts[:-1]:
        again = partial(_again_if_there, args=args, switches=choose(world, args))
        await perform("CDRs again", again, partial(_as_they_are, store, part))
    return await _as_they_are(store, parts[-1])


async def _as_they_are(store: Any, keys: list[tuple[str, str]]) -> StoredCdrs:
    """Return CDRs that were found a while ago, in their order, as they are now; those that are gone are left out."""
    cdrs, _ = await store.find_calls(sorted({cgrid for cgrid, _ in keys}))
    known = {(cdr.cgrid, cdr.run_id): cdr for cdr in cdrs}
    return StoredCdrs({key: known[key] for key in keys if key in known}, {})


@method("CDRsV1.RateCDRs", fetch=partial(_all_but_the_last, choose=_to_rate), is_long=True)
def rate_cdrs(world: World, args: RateArgs, stored: StoredCdrs) -> str:
    """Rate stored CDRs again. Without *rerate, a CDR that is stored already is refused."""
    return _again(world, args, stored, _to_rate(world, args))


@method("CDRsV1.ReprocessCDRs", fetch=partial(_all_but_the_last, choose=_to_reprocess), is_long=True)
def reprocess_cdrs(world: World, args: RateArgs, stored: StoredCdrs) -> str:
    """Take stored CDRs through the steps that the flags name, and no others."""
    return _again(world, args, stored, _to_reprocess(world, args))


def _again(world: World, args: RateArgs, stored: StoredCdrs, switches: Switches) -> str:
    """Process stored CDRs, each for itself: it is a run already and is not forked again."""
    if not stored.cdrs:
        raise NotFound(subject="cdr")
    single = msgspec.structs.replace(switches, chargers=False)
    stored = as_charged(world, stored)
    for cdr in stored.cdrs.values():
        fields = {**event_of(cdr, world.new_id), "CostDetails": cdr.cost_details}
        event = new_event(world, cdr.tenant, "", None, fields, args.APIOpts)
        try:
            process_events(world, [event], single, stored)
        except PartiallyExecuted:
            raise
        except CgrError as error:
            raise server_error(error) from None
    return "OK"


def _again_if_there(world: World, stored: StoredCdrs, args: RateArgs, switches: Switches) -> None:
    if stored.cdrs:
        _again(world, args, stored, switches)


def _fetch_session_cdr(store: Any, world: World, args: EventArgs) -> Any:
    """What the store holds of the call; nothing is fetched when its session is at hand."""
    if args.Event is None or session_of_cdr(world, args.Event) is not None:
        return StoredCdrs()
    return _fetch(store, world, [args.Event])


@method("SessionSv1.ProcessCDR", fetch=_fetch_session_cdr)
def process_session(world: World, args: EventArgs, stored: StoredCdrs) -> str:
    """Write the CDRs of a session, one for each run; of a call without session, as CDRsV1.ProcessEvent."""
    if args.Event is None:
        raise mandatory_missing(("Event",))
    process_session_cdr(world, args.event(world), stored)
    return "OK"


# --- CDRs as records --------------------------------------------------------------------------------------------------


class ExternalCdrArgs(Args):
    """A CDR whose instants, usage and cost details are texts."""

    CGRID: str = ""
    RunID: str = ""
    OrderID: int = 0
    OriginHost: str = ""
    Source: str = ""
    OriginID: str = ""
    ToR: str = ""
    RequestType: str = ""
    Tenant: str = ""
    Category: str = ""
    Account: str = ""
    Subject: str = ""
    Destination: str = ""
    SetupTime: str = ""
    AnswerTime: str = ""
    Usage: str = ""
    ExtraFields: dict[str, str] | None = None
    CostSource: str = ""
    Cost: Decimal = Decimal(0)
    CostDetails: str = ""
    ExtraInfo: str = ""
    PreRated: bool = False
    APIOpts: dict[str, Any] | None = None


def _fetch_record(store: Any, world: World, args: Any) -> Awaitable[StoredCdrs]:
    return _fetch(store, world, [_fields(args)])


def _fields(args: Any) -> dict[str, Any]:
    """Return the fields of a CDR given as a record, as an event has them."""
    fields = {
        name: getattr(args, name)
        for name in args.__struct_fields__
        if name not in ("ExtraFields", "APIOpts", "OrderID")
    }
    given = {name: value for name, value in fields.items() if value or name == "Cost"}
    return {**(args.ExtraFields or {}), **given}


@method("CDRsV1.ProcessCDR", fetch=_fetch_record)
def process_cdr(world: World, args: CdrCallArgs, stored: StoredCdrs) -> str:
    """Take in a CDR that is a record already. One that says it is rated is stored as it is."""
    return _process_record(world, args, stored)


@method("CDRsV1.ProcessExternalCDR", fetch=_fetch_record)
def process_external_cdr(world: World, args: ExternalCdrArgs, stored: StoredCdrs) -> str:
    """Take in a CDR whose fields are texts."""
    parse_duration(args.Usage)
    for text in (args.SetupTime, args.AnswerTime):
        parse_time(text, world.now_at)
    return _process_record(world, args, stored)


def _process_record(world: World, args: Any, stored: StoredCdrs) -> str:
    event = new_event(world, args.Tenant, "", None, _fields(args), args.APIOpts)
    base = configured(world)
    switches = msgspec.structs.replace(base, rals=not args.PreRated, chargers=base.chargers and not args.PreRated)
    process_events(world, [event], switches_for(switches, event.options, ()), stored)
    return "OK"


# --- costs of sessions ------------------------------------------------------------------------------------------------


class SessionCostArgs(Args):
    Cost: dict[str, Any] | None = None
    CheckDuplicate: bool = False
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


async def _fetch_cost(store: Any, world: World, args: SessionCostArgs) -> bool:
    """Say whether the store has a cost of that name."""
    cost = args.Cost or {}
    _, costs = await store.find_calls([cost.get("CGRID") or ""])
    return any(kept.run_id == (cost.get("RunID") or "") for kept in costs)


@method("CDRsV1.StoreSessionCost", fetch=_fetch_cost)
def store_session_cost(world: World, args: SessionCostArgs, is_known: bool) -> str:
    """Keep what a session cost, for the CDR that comes later."""
    return _keep_cost(world, args, is_known, lambda cost: cost)


@method("CDRsV2.StoreSessionCost", fetch=_fetch_cost)
def store_session_cost_rounded(world: World, args: SessionCostArgs, is_known: bool) -> str:
    """Round what a session cost, charge or give back the difference, and keep it for the CDR that comes later."""
    return _keep_cost(world, args, is_known, lambda cost: refund_rounding(world, cost))


def _keep_cost(world: World, args: SessionCostArgs, is_known: bool, finish: Callable[[EventCost], EventCost]) -> str:
    if args.Cost is None:
        raise mandatory_missing(("Cost",))
    cost = args.Cost
    if not cost.get("CGRID"):
        raise BadRequest("mandatory information missing: CGRID")
    if args.CheckDuplicate and is_known:
        raise Conflict("SERVER_ERROR: EXISTS", subject="session cost", subject_id=cost["CGRID"])
    details = cost.get("CostDetails")
    kept = SessionCost(
        cgrid=cost["CGRID"],
        run_id=cost.get("RunID") or "",
        origin_host=cost.get("OriginHost") or "",
        origin_id=cost.get("OriginID") or "",
        cost_source=cost.get("CostSource") or "",
        usage_ns=usage_of(cost.get("Usage")) or 0,
        cost_details=None if details is None else finish(EventCost.from_wire(details)),
    )
    world.state.effects.rows.append(("session_costs", "insert", kept))
    return "OK"


# --- the rating queue -------------------------------------------------------------------------------------------------


class QueueArgs(Args):
    Tenant: str = ""


@method("RatingQueueSv1.GetStatus")
def get_queue_status(world: World, args: QueueArgs) -> dict[str, Any]:
    """Return how many CDRs wait to be charged, how many may, and since when the first does (empty when none does)."""
    waiting = world.state.table("rating_queue").records.values()
    since_at = min((it.queued_at for it in waiting), default=None)
    return {
        "Waiting": len(waiting),
        "Limit": world.settings["cdrs"]["rating_queue"],
        "Since": "" if since_at is None else format_time(since_at),
    }
