"""The call detail record (CDR): what is kept of every run of every call, its fields and their forms on the wire.

Rules: a CDR is named by `cgrid` and `run_id`; the store keeps one row for each such pair. `cost_nano` is None when the
run is not rated or its rating failed, and the wire shows that as -1; a cost of 0 is a cost. `order_id` and the
two instants of storing are given by the store. Does not know: how a CDR is rated, where it is stored.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import sha1
from typing import Any

import msgspec

from cgrcore.errors import BadRequest
from cgrcore.money import NANO, nano_from_number, number_from_nano, parse_nano
from cgrcore.rating.eventcost import EventCost
from cgrcore.state import KEY_LIMIT
from cgrcore.timing import ZERO_AT, Moment, format_duration, format_time, parse_duration, parse_time
from cgrcore.world import World

__all__ = ["DEFAULT_RUN", "Cdr", "SessionCost", "cdr_from_event"]

DEFAULT_RUN = "*default"
NEVER = Moment(ZERO_AT, 0)
NOT_RATED_NANO = -NANO

#: What an event calls the fields of a CDR; every other key of an event is an extra field.
MAIN_FIELDS = frozenset(
    (
        *("CGRID", "RunID", "OrderID", "OriginHost", "Source", "OriginID", "ToR", "RequestType", "Tenant", "Category"),
        *("Account", "Subject", "Destination", "SetupTime", "AnswerTime", "Usage", "Cost", "CostDetails", "CostSource"),
        *("ExtraInfo", "ExtraFields", "Partial", "PreRated", "Rated"),
    )
)

#: What 64 bits hold.
INT64 = 2**63

_decode_json = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_encode_json = msgspec.json.Encoder(decimal_format="number").encode


class Cdr(msgspec.Struct, frozen=True, kw_only=True):
    """One CDR. `usage_ns` counts nanoseconds for *voice, units of its ToR otherwise."""

    cgrid: str
    run_id: str = DEFAULT_RUN
    order_id: int = 0
    origin_host: str = ""
    source: str = ""
    origin_id: str = ""
    tor: str = "*voice"
    request_type: str = ""
    tenant: str = ""
    category: str = ""
    account: str = ""
    subject: str = ""
    destination: str = ""
    setup_time: Moment = NEVER
    answer_time: Moment = NEVER
    usage_ns: int = 0
    extra_fields: dict[str, str] = {}
    extra_info: str = ""
    is_partial: bool = False
    is_prerated: bool = False
    cost_source: str = ""
    cost_nano: int | None = None
    cost_details: EventCost | None = None
    created_at: int = 0
    updated_at: int = 0

    def wire_cost(self) -> int | Decimal:
        """Return the cost as the wire shows it, -1 when there is none."""
        return -1 if self.cost_nano is None else number_from_nano(self.cost_nano)

    def as_wire(self, new_id: Callable[[], str]) -> dict[str, Any]:
        """Return the record as CDRsV1.GetCDRs shows it. `new_id` names the parts of its cost."""
        return {
            **self._identity(),
            "SetupTime": format_time(*self.setup_time),
            "AnswerTime": format_time(*self.answer_time),
            "Usage": self.usage_ns,
            "ExtraFields": self.extra_fields,
            "ExtraInfo": self.extra_info,
            "Partial": self.is_partial,
            "PreRated": self.is_prerated,
            "CostSource": self.cost_source,
            "Cost": self.wire_cost(),
            "CostDetails": None if self.cost_details is None else self.cost_details.as_wire(new_id),
        }

    def as_external(self, new_id: Callable[[], str]) -> dict[str, Any]:
        """Return the record as APIerSv2.GetCDRs shows it: instants, usage and cost details are texts."""
        details = None if self.cost_details is None else self.cost_details.as_wire(new_id)
        return {
            **self._identity(),
            "SetupTime": format_time(*self.setup_time),
            "AnswerTime": format_time(*self.answer_time),
            "Usage": format_duration(self.usage_ns) if self.tor == "*voice" else str(self.usage_ns),
            "ExtraFields": self.extra_fields,
            "CostSource": self.cost_source,
            "Cost": self.wire_cost(),
            "CostDetails": _encode_json(details).decode(),
            "ExtraInfo": self.extra_info,
            "PreRated": self.is_prerated,
        }

    def _identity(self) -> dict[str, Any]:
        return {
            "CGRID": self.cgrid,
            "RunID": self.run_id,
            "OrderID": self.order_id,
            "OriginHost": self.origin_host,
            "Source": self.source,
            "OriginID": self.origin_id,
            "ToR": self.tor,
            "RequestType": self.request_type,
            "Tenant": self.tenant,
            "Category": self.category,
            "Account": self.account,
            "Subject": self.subject,
            "Destination": self.destination,
        }


class SessionCost(msgspec.Struct, frozen=True, kw_only=True):
    """What a session cost, kept for the CDR that comes later. Named by `cgrid` and `run_id`."""

    cgrid: str
    run_id: str = DEFAULT_RUN
    origin_host: str = ""
    origin_id: str = ""
    cost_source: str = ""
    usage_ns: int = 0
    cost_details: EventCost | None = None
    created_at: int = 0


def cdr_from_event(world: World, tenant: str, event: Mapping[str, Any]) -> Cdr:
    """Return the CDR an event describes, its gaps filled by the configured defaults.

    Keys that are no field of a CDR become extra fields, as text. The cost of given cost details stands above a given
    cost. Raises BadRequest for a usage, an instant or a cost that cannot be read.
    """
    general = world.settings.get("general", {})
    given = _Given(event, world.now_at, str(general.get("default_timezone") or "UTC"))
    origin_id, origin_host = given.name("OriginID"), given.text("OriginHost")
    account = given.name("Account")
    details = given.cost_details()
    return Cdr(
        cgrid=given.name("CGRID", KEY_LIMIT // 2) or sha1((origin_id + origin_host).encode()).hexdigest(),
        run_id=given.name("RunID", KEY_LIMIT // 2) or DEFAULT_RUN,
        order_id=given.whole("OrderID"),
        origin_host=origin_host,
        source=given.text("Source"),
        origin_id=origin_id,
        tor=given.text("ToR") or "*voice",
        request_type=given.text("RequestType") or str(general.get("default_request_type") or "*rated"),
        tenant=given.text("Tenant") or world.tenant(tenant),
        category=given.text("Category") or str(general.get("default_category") or "call"),
        account=account,
        subject=given.text("Subject") or account,
        destination=given.text("Destination"),
        setup_time=given.moment("SetupTime"),
        answer_time=given.moment("AnswerTime"),
        usage_ns=given.whole("Usage"),
        extra_fields=given.extra_fields(),
        extra_info=given.text("ExtraInfo"),
        is_partial=given.flag("Partial"),
        is_prerated=given.flag("PreRated"),
        cost_source=given.text("CostSource"),
        cost_nano=given.cost_nano() if details is None else details.cost_nano,
        cost_details=details,
    )


class _Given:
    """The values of an event, read as the kinds that a CDR has."""

    __slots__ = ("event", "now_at", "zone")

    def __init__(self, event: Mapping[str, Any], now_at: int, zone: str) -> None:
        self.event = event
        self.now_at = now_at
        self.zone = "UTC" if zone == "Local" else zone

    def text(self, key: str) -> str:
        value = self.event.get(key, "")
        return value if type(value) is str else _as_text(value)

    def name(self, key: str, limit: int = KEY_LIMIT) -> str:
        """Return a text that CDRs are found by."""
        value = self.event.get(key, "")
        text = value if type(value) is str else _as_text(value)
        if len(text) > limit:
            raise BadRequest(f"{key} is too long: {len(text)} characters")
        return text

    def flag(self, key: str) -> bool:
        value = self.event.get(key)
        return value is True or value == "true"

    def moment(self, key: str) -> Moment:
        value = self.event.get(key)
        if isinstance(value, Moment):
            return value
        if value is None or value == "":
            return NEVER
        return parse_time(_as_text(value), self.now_at, self.zone)

    def whole(self, key: str) -> int:
        """Return a number of units or, from a text such as "1m0s", of nanoseconds."""
        value = self.event.get(key)
        if type(value) is int and -INT64 <= value < INT64:
            return value
        if value is None or value == "":
            return 0
        if isinstance(value, str):
            value = parse_duration(value)
        if not isinstance(value, int | Decimal) or not -INT64 <= value < INT64:
            raise BadRequest(f"expected a whole number in {key}, got {value!r}")
        return int(value)

    def cost_nano(self) -> int | None:
        value = self.event.get("Cost")
        if value is None or value == "":
            return None
        amount_nano = parse_nano(value) if isinstance(value, str) else nano_from_number(value)
        return None if amount_nano == NOT_RATED_NANO else amount_nano

    def cost_details(self) -> EventCost | None:
        value = self.event.get("CostDetails")
        if not value or value == "null":
            return None
        if isinstance(value, EventCost):
            return value
        try:
            document = _decode_json(value) if isinstance(value, str) else msgspec.convert(value, dict[str, Any])
            return EventCost.from_wire(document)
        except (msgspec.MsgspecError, LookupError, TypeError, ValueError, AttributeError):
            raise BadRequest("the cost details are not those of an event") from None

    def extra_fields(self) -> dict[str, str]:
        given = self.event.get("ExtraFields")
        fields = {key: _as_text(value) for key, value in given.items()} if isinstance(given, Mapping) else {}
        for key, value in self.event.items():
            if key not in MAIN_FIELDS:
                fields[key] = _as_text(value)
        return fields


def _as_text(value: Any) -> str:
    """Return a value of an event as the text that an extra field holds."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict | list):
        return _encode_json(value).decode()
    return str(value)
