"""SessionSv1: the life of a call, asked for step by step.

Flags in the arguments say which subsystems a call goes through; the reply holds what was asked for
(`general.rpc_compat` "current") or every key that version 0.10 had, null where nothing was asked ("v0.10").
"""

from collections.abc import Callable
from typing import Any

import msgspec

from cgrcore.attributes import process as process_attributes
from cgrcore.errors import BadRequest, CgrError, NotFound, PartiallyExecuted, Refused, kept, mandatory_missing
from cgrcore.event import CgrEvent, new_event
from cgrcore.money import number_from_nano
from cgrcore.sessions import (
    authorise,
    begin_policy,
    cgrid_of,
    end_policy,
    find_active,
    initiate,
    is_known,
    is_policy,
    message,
    prefixed,
    record_failed_start,
    renew_policy,
    terminate,
    update,
)
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method

__all__ = [
    "EventArgs",
    "RoutesAsked",
    "attributes_of",
    "need_chargers",
    "need_connection",
    "observers",
    "routes_of",
    "subsystem",
]

#: What subsystems are called when they are not connected.
NAMES = {
    "attributes": "AttributeS",
    "cdrs": "CDRs",
    "ips": "IPs",
    "resources": "ResourceS",
    "routes": "RouteS",
    "stats": "StatS",
    "thresholds": "ThresholdS",
}


class EventArgs(Args):
    """The envelope of an event, its fields at the top level."""

    Tenant: str = ""
    ID: str = ""
    Time: str | None = None
    Event: dict[str, Any] | None = None
    APIOpts: dict[str, Any] | None = None
    ForceDuration: bool = False
    GetAttributes: bool = False
    AttributeIDs: list[str] | None = None
    ProcessThresholds: bool = False
    ThresholdIDs: list[str] | None = None
    ProcessStats: bool = False
    StatIDs: list[str] | None = None

    def event(self, world: World) -> CgrEvent:
        """Return the event, with the defaults of the envelope. Raises BadRequest for a missing one."""
        if self.Event is None:
            raise mandatory_missing(("Event",) if self.Tenant or self.ID or self.Time else ("CGREvent",))
        return new_event(world, self.Tenant, self.ID, self.Time, self.Event, self.APIOpts)


class AuthorizeArgs(EventArgs):
    AuthorizeIP: bool = False
    AuthorizeResources: bool = False
    GetMaxUsage: bool = False
    GetRoutes: bool = False
    RoutesMaxCost: str = ""
    RoutesIgnoreErrors: bool = False
    GetSuppliers: bool = False
    SuppliersMaxCost: str = ""
    SuppliersIgnoreErrors: bool = False
    Limit: int | None = None
    Offset: int | None = None
    MaxItems: int | None = None


class InitiateArgs(EventArgs):
    AllocateIP: bool = False
    AllocateResources: bool = False
    InitSession: bool = False


class UpdateArgs(EventArgs):
    UpdateSession: bool = False


class TerminateArgs(EventArgs):
    TerminateSession: bool = False
    ReleaseIP: bool = False
    ReleaseResources: bool = False


class MessageArgs(EventArgs):
    AllocateIP: bool = False
    AllocateResources: bool = False
    Debit: bool = False
    GetRoutes: bool = False
    RoutesMaxCost: str = ""
    RoutesIgnoreErrors: bool = False
    Limit: int | None = None
    Offset: int | None = None
    MaxItems: int | None = None


def _is_v010(world: World) -> bool:
    return bool(world.settings["general"]["rpc_compat"] == "v0.10")


#: The keys that version 0.10 answered, asked for or not.
AUTHORIZE_KEYS = ("Attributes", "ResourceAllocation", "MaxUsage", "Suppliers", "ThresholdIDs", "StatQueueIDs")
INITIATE_KEYS = ("Attributes", "ResourceAllocation", "MaxUsage", "ThresholdIDs", "StatQueueIDs")
UPDATE_KEYS = ("Attributes", "MaxUsage")


def _shape(world: World, reply: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    if not _is_v010(world):
        return reply
    return {key: reply.get("RouteProfiles" if key == "Suppliers" else key) for key in keys}


def _need(is_any_asked: bool) -> None:
    if not is_any_asked:
        raise mandatory_missing(("Subsystems",))


def _altered_event(world: World, args: EventArgs, event: CgrEvent, reply: dict[str, Any]) -> CgrEvent:
    return attributes_of(world, event, args.AttributeIDs, reply) if args.GetAttributes else event


def _started(world: World, event: CgrEvent, start: Callable[[], dict[str, int]], usage_ns: int | None = None) -> int:
    """Start something for an event and return what it may use.

    When that is refused, its end and its CDR are still known, with `usage_ns` as its usage if given.
    """
    try:
        return min(start().values())
    except CgrError as error:
        if not str(error).startswith("RALS_ERROR"):
            raise
        world.state.undo()
        record_failed_start(world, event, usage_ns)
        raise kept(error) from None


def _need_origin(event: CgrEvent) -> None:
    if not event.event.get("OriginID"):
        raise mandatory_missing(("OriginID",))


def attributes_of(world: World, event: CgrEvent, profile_ids: list[str] | None, reply: dict[str, Any]) -> CgrEvent:
    """Return the event as attributes alter it, noting in the reply how. Without a profile it stays as it is."""
    need_connection(world, "attributes")
    options = {**event.options, "*subsys": "*sessions", "*attrProfileIDs": profile_ids}
    asked = CgrEvent(
        event.tenant, event.id, event.at, event.event, {**options, "*context": "*sessions", **event.options}
    )
    try:
        altered = process_attributes(world, asked)
    except NotFound:
        return event
    except CgrError as error:
        raise prefixed("ATTRIBUTES_ERROR", error) from None
    if "*context" not in event.options:
        altered.event.options.pop("*context", None)
    reply["Attributes"] = altered.as_wire()
    return altered.event


def need_connection(world: World, name: str) -> None:
    """Raise BadRequest NOT_CONNECTED for a subsystem that sessions are not configured to ask."""
    if not world.settings["sessions"][f"{name}_conns"]:
        raise BadRequest(f"NOT_CONNECTED: {NAMES[name]}")


def need_chargers(world: World) -> None:
    """Raise Refused when sessions are not configured to ask chargers, without which there are no runs."""
    if not world.settings["sessions"]["chargers_conns"]:
        raise Refused("ChargerS is disabled")


class RoutesAsked(msgspec.Struct, frozen=True):
    """What is asked of routes, besides the options of the event."""

    RoutesMaxCost: str = ""
    RoutesIgnoreErrors: bool = False
    Limit: int | None = None
    Offset: int | None = None


def routes_of(world: World, event: CgrEvent, asked: Any) -> Any:
    """Return the routes for an event, whose usage is the average call duration if the event tells one (`ACD`)."""
    duration = event.event.get("ACD")
    if duration is not None:
        event = msgspec.structs.replace(event, event={**event.event, "Usage": duration})
    return subsystem(world, "routes", "Routes", event, asked)


def subsystem(world: World, name: str, label: str, event: CgrEvent, *args: Any) -> Any:
    """Ask a subsystem about the event. Errors carry its label; one that is not configured is NOT_CONNECTED."""
    need_connection(world, name)
    ask = world.parts.get(f"{name}_for_sessions")
    try:
        if ask is None:
            raise NotFound(subject=name)
        return ask(world, event, *args)
    except CgrError as error:
        raise prefixed(f"{label.upper()}_ERROR", error) from None


def observers(world: World, part: str, event: CgrEvent, ids: list[str]) -> list[str] | None:
    """Let thresholds or statistics see the event; return the ids of those that did, None when none matched."""
    need_connection(world, part)
    observe = world.parts.get(f"{part}_process_event")
    if observe is None:
        return None
    try:
        seen: list[str] = observe(world, event, ids)
    except NotFound:
        return None
    return seen


def _observe(world: World, args: EventArgs, event: CgrEvent, reply: dict[str, Any], failure_prefix: str = "") -> None:
    """Let thresholds and then statistics see the event. Raises PartiallyExecuted when one of them failed.

    With a prefix, a failure of thresholds is told at once under that prefix, and statistics do not see the event.
    """
    failure: PartiallyExecuted | None = None
    for part, key, is_asked, ids in (
        ("thresholds", "ThresholdIDs", args.ProcessThresholds, args.ThresholdIDs),
        ("stats", "StatQueueIDs", args.ProcessStats, args.StatIDs),
    ):
        if is_asked:
            try:
                reply[key] = observers(world, part, event, ids or [])
            except CgrError as error:
                if failure_prefix and part == "thresholds":
                    raise kept(prefixed(failure_prefix, error)) from None
                failure = PartiallyExecuted()
    if failure is not None:
        raise failure


def _authorize(world: World, args: AuthorizeArgs) -> dict[str, Any]:
    event = args.event(world)
    _need(
        args.GetMaxUsage
        or args.GetAttributes
        or args.AuthorizeResources
        or args.AuthorizeIP
        or args.GetRoutes
        or args.GetSuppliers
    )
    reply: dict[str, Any] = {}
    event = _altered_event(world, args, event, reply)
    if args.GetMaxUsage:
        need_chargers(world)
        reply["MaxUsage"] = min(authorise(world, event).values())
    if args.AuthorizeResources:
        reply["ResourceAllocation"] = subsystem(world, "resources", "Resources", event, "authorize")
    if args.AuthorizeIP:
        reply["AllocatedIP"] = subsystem(world, "ips", "IPs", event, "authorize")
    if args.GetRoutes or args.GetSuppliers:
        reply["RouteProfiles"] = routes_of(world, event, args)
    _observe(world, args, event, reply)
    return reply


@method("SessionSv1.AuthorizeEvent")
def authorize_event(world: World, args: AuthorizeArgs) -> dict[str, Any]:
    """Say whether an event may begin and for how long, reserving nothing."""
    return _shape(world, _authorize(world, args), AUTHORIZE_KEYS)


@method("SessionSv1.AuthorizeEventWithDigest")
def authorize_event_with_digest(world: World, args: AuthorizeArgs) -> dict[str, Any]:
    """AuthorizeEvent with short texts in its reply, and MaxUsage in seconds."""
    reply = _digest(world, _authorize(world, args))
    return {**reply, "RoutesDigest": None}


@method("SessionSv1.InitiateSession")
def initiate_session(world: World, args: InitiateArgs) -> dict[str, Any]:
    """Begin a session and reserve its first slice."""
    return _shape(world, _initiate(world, args), INITIATE_KEYS)


@method("SessionSv1.InitiateSessionWithDigest")
def initiate_session_with_digest(world: World, args: InitiateArgs) -> dict[str, Any]:
    """InitiateSession with short texts in its reply, and MaxUsage in seconds."""
    return _digest(world, _initiate(world, args))


def _initiate(world: World, args: InitiateArgs) -> dict[str, Any]:
    event = args.event(world)
    is_sy = is_policy(event.event)
    _need(args.GetAttributes or args.AllocateResources or args.AllocateIP or args.InitSession or is_sy)
    reply: dict[str, Any] = {}
    event = _altered_event(world, args, event, reply)
    if args.AllocateResources:
        _need_origin(event)
        reply["ResourceAllocation"] = subsystem(world, "resources", "Resources", event, "allocate")
    if args.AllocateIP:
        _need_origin(event)
        reply["AllocatedIP"] = subsystem(world, "ips", "IPs", event, "allocate")
    if is_sy or args.InitSession:
        need_chargers(world)
    if is_sy:
        begin_policy(world, event)
    elif args.InitSession:
        reply["MaxUsage"] = _started(world, event, lambda: initiate(world, event, is_forced=args.ForceDuration))
    _observe(world, args, event, reply)
    return reply


#: What is asked of the store for a call whose session is at hand.
_NO_RUNS: frozenset[str] = frozenset()


def _fetch_charged(store: Any, world: World, args: UpdateArgs | TerminateArgs) -> Any:
    """Return the runs of an unknown call that were charged: whose CDRs have come, or whose cost is kept for those."""
    is_asked = args.UpdateSession if isinstance(args, UpdateArgs) else args.TerminateSession
    if not is_asked or not args.Event or is_policy(args.Event) or is_known(world, args.Event):
        return _NO_RUNS
    return _charged_runs(store, cgrid_of(args.Event))


async def _charged_runs(store: Any, cgrid: str) -> frozenset[str]:
    cdrs, costs = await store.find_calls([cgrid])
    return frozenset(row.run_id for row in (*cdrs, *costs))


@method("SessionSv1.UpdateSession", fetch=_fetch_charged)
def update_session(world: World, args: UpdateArgs, charged_runs: frozenset[str]) -> dict[str, Any]:
    """Reserve the next slice of a session."""
    event = args.event(world)
    is_sy = is_policy(event.event)
    _need(args.GetAttributes or args.UpdateSession or is_sy)
    reply: dict[str, Any] = {}
    event = _altered_event(world, args, event, reply)
    if is_sy:
        renew_policy(world, event)
    elif args.UpdateSession:
        if find_active(world, event.event) is None:
            reply["MaxUsage"] = _started(
                world,
                event,
                lambda: update(world, event, is_forced=args.ForceDuration, charged_runs=charged_runs),
            )
        else:
            reply["MaxUsage"] = min(update(world, event, is_forced=args.ForceDuration).values())
    _observe(world, args, event, reply, "THRESHOLDS_ERROR")
    return _shape(world, reply, UPDATE_KEYS)


@method("SessionSv1.TerminateSession", fetch=_fetch_charged)
def terminate_session(world: World, args: TerminateArgs, charged_runs: frozenset[str]) -> str:
    """End a session and settle its final usage; without one, charge what its CDRs did not."""
    event = args.event(world)
    is_sy = is_policy(event.event)
    _need(args.TerminateSession or args.ReleaseResources or args.ReleaseIP or is_sy)
    _need_origin(event)
    if is_sy:
        end_policy(world, event)
    elif args.TerminateSession:
        terminate(world, event, charged_runs)
    if args.ReleaseResources:
        subsystem(world, "resources", "Resources", event, "release")
    if args.ReleaseIP:
        subsystem(world, "ips", "IPs", event, "release")
    _observe(world, args, event, {})
    return "OK"


@method("SessionSv1.ProcessMessage")
def process_message(world: World, args: MessageArgs) -> dict[str, Any]:
    """Charge an event that has no duration of its own, such as a text message."""
    event = args.event(world)
    reply: dict[str, Any] = {}
    event = _altered_event(world, args, event, reply)
    if args.AllocateResources:
        _need_origin(event)
        reply["ResourceAllocation"] = subsystem(world, "resources", "Resources", event, "allocate")
    if args.AllocateIP:
        _need_origin(event)
        reply["AllocatedIP"] = subsystem(world, "ips", "IPs", event, "allocate")
    if args.GetRoutes:
        reply["RouteProfiles"] = routes_of(world, event, args)
    if args.Debit:
        need_chargers(world)
        reply["MaxUsage"] = _started(world, event, lambda: message(world, event, is_forced=args.ForceDuration), 0)
    _observe(world, args, event, reply)
    return reply


def _digest(world: World, reply: dict[str, Any]) -> dict[str, Any]:
    """Return a reply's digest: usage in seconds, lists as texts."""
    usage_ns = reply.get("MaxUsage")
    general = world.settings["general"]
    separator = general["digest_separator"]

    def joined(key: str) -> str | None:
        return separator.join(reply[key] or ()) if key in reply else None

    attributes = reply.get("Attributes")
    return {
        "AttributesDigest": None if attributes is None else _altered(attributes, separator, general["digest_equal"]),
        "AllocatedIP": reply.get("AllocatedIP"),
        "ResourceAllocation": reply.get("ResourceAllocation"),
        "MaxUsage": None if usage_ns is None else number_from_nano(usage_ns),
        "Thresholds": joined("ThresholdIDs"),
        "StatQueues": joined("StatQueueIDs"),
    }


def _altered(attributes: dict[str, Any], separator: str, equal: str) -> str:
    """Return the fields that attributes altered, as "name:value" texts."""
    names = sorted({name.removeprefix("*req.") for name in attributes.get("AlteredFields") or []})
    event = attributes.get("Event") or {}
    return separator.join(f"{name}{equal}{event[name]}" for name in names if name in event)
