"""SessionSv1.ProcessEvent and GetCost: an event taken through the steps that its flags name.

A flag is `*step:sub:values`; flags of the same step add up. Without `*derived_reply` a step sees the event as it came
(`*raw` in the reply), with it every run that chargers derive.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from cgrcore.attributes import process as process_attributes
from cgrcore.cdrs import StoredCdrs, configured, process_events, switches_for
from cgrcore.chargers import runs_of
from cgrcore.errors import BadRequest, CgrError, NotFound, PartiallyExecuted, Refused
from cgrcore.event import CgrEvent, copy_of, text_of, time_of, usage_of
from cgrcore.money import number_from_nano
from cgrcore.rating import Call, CallCost, EventCost, quote
from cgrcore.sessions import UNLIMITED, authorise, default_usage, initiate, prefixed, terminate, update
from cgrcore.timing import ZERO_AT, Moment
from cgrcore.world import World
from cgrserver.rpc.methods.cdrs import fetch_event
from cgrserver.rpc.methods.sessions import (
    EventArgs,
    RoutesAsked,
    attributes_of,
    need_chargers,
    need_connection,
    observers,
    routes_of,
    subsystem,
)
from cgrserver.rpc.methods.stir import PREFIX, authenticated, check_of, identity_of, signed_identity
from cgrserver.rpc.registry import method

__all__: list[str] = []

RAW = "*raw"
DERIVED = "*derived_reply"


class ProcessEventArgs(EventArgs):
    Flags: list[str] | None = None
    Limit: int | None = None
    Offset: int | None = None
    MaxItems: int | None = None


class Flags:
    """The flags of an event: for each step its sub-flags, for each of these its values."""

    def __init__(self, flags: Iterable[str]) -> None:
        self._steps: dict[str, dict[str, list[str]]] = {}
        self._off: set[str] = set()
        for flag in flags:
            step, _, rest = flag.partition(":")
            subs = self._steps.setdefault(step, {})
            if rest == "false":
                self._off.add(step)
            elif rest:
                sub, _, values = rest.partition(":")
                subs.setdefault(sub, []).extend(value for value in values.split("&") if value)

    def has(self, step: str, sub: str = "") -> bool:
        """True when the step is named (and not switched off), or its sub-flag is."""
        if not sub:
            return step in self._steps and step not in self._off
        return sub in self._steps.get(step, ())

    def values(self, step: str, sub: str) -> list[str]:
        return self._steps.get(step, {}).get(sub, [])

    def subs(self, step: str) -> list[str]:
        """Return the sub-flags of a step as flags of their own, with their values."""
        return [f"{sub}:{'&'.join(values)}" if values else sub for sub, values in self._steps.get(step, {}).items()]


class Fetched(msgspec.Struct):
    """What a decision on an event needs from outside: stored CDRs; a signed identity, or why one is not believed."""

    stored: StoredCdrs
    identity: str = ""
    disbelief: str = ""


async def _fetch(store: Any, world: World, args: ProcessEventArgs) -> Fetched:
    flags, options = Flags(args.Flags or ()), args.APIOpts or {}
    fetched = Fetched(await fetch_event(store, world, args))
    if flags.has("*stir_authenticate"):
        fetched.disbelief = await authenticated(world, check_of(options))
    elif flags.has("*stir_initiate"):
        fetched.identity = await signed_identity(world, identity_of(args.Event or {}, options))
    return fetched


@method("SessionSv1.ProcessEvent", fetch=_fetch)
def process_event(world: World, args: ProcessEventArgs, fetched: Fetched) -> dict[str, Any]:
    """Take an event through the steps that its flags name."""
    event = args.event(world)
    return _Processing(world, args, copy_of(event), fetched).reply()


class _Processing:
    """The way of one event. What fails in a step that does not decide is remembered, and told at the end."""

    def __init__(self, world: World, args: ProcessEventArgs, event: CgrEvent, fetched: Fetched) -> None:
        self._world = world
        self._args = args
        self._flags = Flags(args.Flags or ())
        self._events = {RAW: event}
        self._stored = fetched.stored
        self._fetched = fetched
        self._reply: dict[str, Any] = {}
        self._is_partial = False

    def reply(self) -> dict[str, Any]:
        flags = self._flags
        if flags.has("*chargers"):
            self._derive()
        if flags.has("*attributes"):
            self._attributes()
        if flags.has("*routes"):
            asked = self._routes_asked()
            self._reply["RouteProfiles"] = self._each("*routes", lambda event: routes_of(self._world, event, asked))
        self._observe()
        if self._fetched.disbelief:
            raise Refused(f"{PREFIX}: {self._fetched.disbelief}")
        if self._fetched.identity:
            self._reply["STIRIdentity"] = self._each("*stir_initiate", lambda event: self._fetched.identity)
        for step, name, label, key in (
            ("*resources", "resources", "Resources", "ResourceAllocation"),
            ("*ips", "ips", "IPs", "AllocatedIP"),
        ):
            self._allocate(step, name, label, key)
        if flags.has("*rals"):
            self._rals()
        if flags.has("*cdrs"):
            self._cdrs()
        if self._is_partial:
            raise PartiallyExecuted
        return self._reply

    def _derive(self) -> None:
        need_chargers(self._world)
        try:
            runs = runs_of(self._world, self._events[RAW])
        except CgrError as error:
            raise prefixed("CHARGERS_ERROR", error) from None
        for run in runs:
            if run.run_id != RAW:
                self._events[run.run_id] = run.event

    def _each(self, step: str, ask: Callable[[CgrEvent], Any]) -> dict[str, Any]:
        """Ask for the event, or for each derived one, and return the answers by run."""
        runs = self._events if self._flags.has(step, DERIVED) else {RAW: self._events[RAW]}
        return {run_id: ask(event) for run_id, event in runs.items()}

    def _attributes(self) -> None:
        need_connection(self._world, "attributes")
        found = {}
        runs = self._events if self._flags.has("*attributes", DERIVED) else {RAW: self._events[RAW]}
        for run_id, event in list(runs.items()):
            try:
                altered = process_attributes(
                    self._world, event, context="*sessions", profile_ids=self._flags.values("*attributes", "*ids")
                )
            except NotFound:
                continue
            except CgrError as error:
                self._fail(prefixed("ATTRIBUTES_ERROR", error))
                continue
            self._events[run_id] = altered.event
            found[run_id] = altered.as_wire()
        if found:
            self._reply["Attributes"] = found

    def _routes_asked(self) -> RoutesAsked:
        """Return what the flags say of routes; `*event_cost` is the cost that the event itself would have."""
        flags, args = self._flags, self._args
        costs = flags.values("*routes", "*maxcost")
        return RoutesAsked(
            RoutesMaxCost="*event_cost" if flags.has("*routes", "*event_cost") else costs[0] if costs else "",
            RoutesIgnoreErrors=flags.has("*routes", "*ignore_errors"),
            Limit=args.Limit,
            Offset=args.Offset,
        )

    def _observe(self) -> None:
        for step, part, key in (("*thresholds", "thresholds", "ThresholdIDs"), ("*stats", "stats", "StatQueueIDs")):
            if self._flags.has(step):
                ids = self._flags.values(step, "*ids")
                try:
                    self._reply[key] = self._each(step, partial(_observed, self._world, part, ids))
                except CgrError as error:
                    self._fail(error)

    def _allocate(self, step: str, name: str, label: str, key: str) -> None:
        for action in ("authorize", "allocate", "release"):
            if not self._flags.has(step, f"*{action}"):
                continue
            try:
                answers = self._each(step, partial(_asked, self._world, name, label, action))
            except CgrError as error:
                self._fail(error)
            else:
                self._reply[key] = answers
            return

    def _rals(self) -> None:
        flags = self._flags
        if flags.has("*rals", "*cost"):
            self._reply["Cost"] = self._each("*rals", self._cost)
        is_forced = flags.has("*rals", "*fd")
        event = self._events[RAW]
        if flags.has("*rals", "*authorize"):
            self._reply["MaxUsage"] = self._granted(authorise(self._world, event))
        elif flags.has("*rals", "*initiate"):
            self._reply["MaxUsage"] = self._granted(initiate(self._world, event, is_forced=is_forced))
        elif flags.has("*rals", "*update"):
            self._reply["MaxUsage"] = self._granted(
                update(self._world, event, is_forced=is_forced, charged_runs=self._charged_runs())
            )
        elif flags.has("*rals", "*terminate"):
            terminate(self._world, event, self._charged_runs())

    def _charged_runs(self) -> set[str]:
        """Return the runs of the event's call that were charged before, as the store has it."""
        return {run_id for _, run_id in (*self._stored.cdrs, *self._stored.session_costs)}

    def _granted(self, granted: dict[str, int]) -> dict[str, int]:
        """Return what may be used: by the event as a whole, and by each run when asked for."""
        if UNLIMITED in granted.values() and self._flags.has("*rals", "*initiate"):
            granted = dict.fromkeys(granted, default_usage(self._world, text_of(self._events[RAW].event.get("ToR"))))
        least = min(granted.values())
        if not self._flags.has("*rals", DERIVED):
            return {RAW: least}
        return {**granted, RAW: least}

    def _cost(self, event: CgrEvent) -> Any:
        try:
            return number_from_nano(quote_event(self._world, event).cost_nano)
        except CgrError as error:
            raise prefixed("RALS_ERROR", error) from None

    def _cdrs(self) -> None:
        need_connection(self._world, "cdrs")
        event = self._events[RAW]
        switches = switches_for(configured(self._world), event.options, self._flags.subs("*cdrs"))
        try:
            process_events(self._world, [event], switches, self._stored)
        except CgrError as error:
            self._fail(error)

    def _fail(self, error: CgrError) -> None:
        if self._flags.has("*blocker_error"):
            raise error
        self._is_partial = True


def _observed(world: World, part: str, ids: list[str], event: CgrEvent) -> list[str] | None:
    return observers(world, part, event, ids)


def _asked(world: World, name: str, label: str, action: str, event: CgrEvent) -> Any:
    return subsystem(world, name, label, event, action)


def quote_event(world: World, event: CgrEvent) -> CallCost:
    """Return what an event would cost; usage that cannot be read is none. Raises as `quote`."""
    fields = event.event
    general = world.settings["general"]
    account = text_of(fields.get("Account"))
    start = time_of(fields.get("AnswerTime"), world.now_at) or time_of(fields.get("SetupTime"), world.now_at)
    start = start or Moment(ZERO_AT, 0)
    tor = text_of(fields.get("ToR"))
    call = Call(
        tenant=event.tenant,
        category=text_of(fields.get("Category")) or general["default_category"],
        subject=text_of(fields.get("Subject")) or account,
        account=account,
        destination=text_of(fields.get("Destination")),
        tor=tor,
        start_at=start.at,
        offset_s=start.offset_s,
        usage_ns=_readable_usage(fields.get("Usage")),
    )
    return quote(world, call)


def _readable_usage(value: Any) -> int:
    try:
        return usage_of(value) or 0
    except BadRequest:
        return 0


@method("SessionSv1.GetCost")
def get_cost(world: World, args: ProcessEventArgs) -> dict[str, Any]:
    """Say what an event would cost, by the tariff alone."""
    if args.Event is None and not (args.Tenant or args.ID):
        raise BadRequest("MANDATORY_IE_MISSING: [CGREvent]")
    event = args.event(world)
    reply: dict[str, Any] = {"Attributes": None}
    if Flags(args.Flags or ()).has("*attributes"):
        event = attributes_of(world, event, Flags(args.Flags or ()).values("*attributes", "*ids") or None, reply)
    cost = EventCost.from_call_cost(quote_event(world, event), event.id, text_of(event.event.get("RunID")))
    reply["EventCost"] = cost.as_wire(is_fresh=True)
    return reply
