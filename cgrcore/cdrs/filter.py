"""Which CDRs are meant, in which order and how many: the filter of every CDR query.

Rules: all conditions hold together; a range is half-open; a CDR without a cost counts as one of -1, as the wire
shows it. Equal keys are ordered by `order_id`, so that pages never overlap. `CdrFilter.select` is the meaning; stores
that translate a filter to SQL are tested against it.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.cdrs.records import NOT_RATED_NANO, Cdr
from cgrcore.errors import BadRequest
from cgrcore.money import nano_from_number, parse_nano
from cgrcore.timing import parse_duration, parse_time

__all__ = ["EXISTS", "CdrFilter", "Range", "filter_from_legacy", "filter_from_wire", "filter_of_internal"]

#: The value of an extra field's condition that asks for the field's presence only.
EXISTS = "*exists"

#: Lists of the wire's filter (each with a `Not` twin) and the field of a CDR they speak about.
LISTS = {
    "CGRIDs": "cgrid",
    "RunIDs": "run_id",
    "OriginIDs": "origin_id",
    "OriginHosts": "origin_host",
    "Sources": "source",
    "ToRs": "tor",
    "RequestTypes": "request_type",
    "Tenants": "tenant",
    "Categories": "category",
    "Accounts": "account",
    "Subjects": "subject",
}

#: Ranges of instants on the wire, without their `Start` and `End`.
INSTANTS = {"SetupTime": "setup_at", "AnswerTime": "answer_at", "CreatedAt": "created_at", "UpdatedAt": "updated_at"}

ORDERS = {
    "OrderID": "order_id",
    "AnswerTime": "answer_at",
    "SetupTime": "setup_at",
    "Usage": "usage_ns",
    "Cost": "cost_nano",
}

#: How the fields that ranges and orders speak about are read from a CDR.
NUMBERS: dict[str, Callable[[Cdr], int]] = {
    "order_id": lambda cdr: cdr.order_id,
    "setup_at": lambda cdr: cdr.setup_time.at,
    "answer_at": lambda cdr: cdr.answer_time.at,
    "created_at": lambda cdr: cdr.created_at,
    "updated_at": lambda cdr: cdr.updated_at,
    "usage_ns": lambda cdr: cdr.usage_ns,
    "cost_nano": lambda cdr: NOT_RATED_NANO if cdr.cost_nano is None else cdr.cost_nano,
}

LEGACY_LISTS = {
    "CgrIds": "CGRIDs",
    "MediationRunIds": "RunIDs",
    "TORs": "ToRs",
    "CdrHosts": "OriginHosts",
    "CdrSources": "Sources",
    "ReqTypes": "RequestTypes",
    "Tenants": "Tenants",
    "Categories": "Categories",
    "Accounts": "Accounts",
    "Subjects": "Subjects",
    "DestinationPrefixes": "DestinationPrefixes",
}


class Range(msgspec.Struct, frozen=True):
    """start <= value < end; None is open."""

    start: int | None = None
    end: int | None = None

    def holds(self, value: int) -> bool:
        return (self.start is None or value >= self.start) and (self.end is None or value < self.end)


#: The costs of CDRs without a cost.
NOT_RATED = Range(NOT_RATED_NANO, NOT_RATED_NANO + 1)


class CdrFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions on CDRs. An empty filter means all of them, by `order_id`.

    `among` and `not_among` map a field of Cdr to the values accepted or refused; `costs` likewise for the cost, -1 unit
    meaning none; `ranges` maps a key of `NUMBERS` to its range. `limit` 0 is no limit.
    """

    among: dict[str, tuple[str, ...]] = {}
    not_among: dict[str, tuple[str, ...]] = {}
    costs: tuple[int, ...] = ()
    not_costs: tuple[int, ...] = ()
    destination_prefixes: tuple[str, ...] = ()
    not_destination_prefixes: tuple[str, ...] = ()
    extra_fields: dict[str, str] = {}
    not_extra_fields: dict[str, str] = {}
    ranges: dict[str, Range] = {}
    order_by: str = "order_id"
    is_descending: bool = False
    limit: int = 0
    offset: int = 0

    def matches(self, cdr: Cdr) -> bool:
        """Tell whether every condition holds for the CDR."""
        cost = NUMBERS["cost_nano"](cdr)
        return (
            all(getattr(cdr, field) in values for field, values in self.among.items())
            and not any(getattr(cdr, field) in values for field, values in self.not_among.items())
            and (not self.costs or cost in self.costs)
            and cost not in self.not_costs
            and (not self.destination_prefixes or cdr.destination.startswith(self.destination_prefixes))
            and not (self.not_destination_prefixes and cdr.destination.startswith(self.not_destination_prefixes))
            and all(_has(cdr, key, value) for key, value in self.extra_fields.items())
            and not any(_has(cdr, key, value) for key, value in self.not_extra_fields.items())
            and all(wanted.holds(NUMBERS[field](cdr)) for field, wanted in self.ranges.items())
        )

    def select(self, cdrs: Iterable[Cdr]) -> list[Cdr]:
        """Return the page of matching CDRs, in order."""
        found = sorted((cdr for cdr in cdrs if self.matches(cdr)), key=NUMBERS["order_id"])
        if self.order_by != "order_id" or self.is_descending:
            found.sort(key=NUMBERS[self.order_by], reverse=self.is_descending)
        return found[self.offset : self.offset + self.limit if self.limit else None]


def _has(cdr: Cdr, key: str, value: str) -> bool:
    return key in cdr.extra_fields if value == EXISTS else cdr.extra_fields.get(key) == value


def filter_from_wire(fields: Mapping[str, Any], now_at: int, zone: str = "UTC") -> CdrFilter:
    """Return the filter that the fields of an RPCCDRsFilter describe. Absent and empty fields are no condition.

    Raises BadRequest for an order by an unknown field, an instant, duration or number that cannot be read.
    """
    extra = fields.get("ExtraArgs") or {}
    order_by, _, direction = str(fields.get("OrderBy") or "OrderID").partition(";")
    if order_by not in ORDERS:
        raise BadRequest(f"Invalid value : {order_by}")
    return CdrFilter(
        among={field: tuple(fields[name]) for name, field in LISTS.items() if fields.get(name)},
        not_among={field: tuple(fields[f"Not{name}"]) for name, field in LISTS.items() if fields.get(f"Not{name}")},
        costs=tuple(_nano(cost) for cost in fields.get("Costs") or ()),
        not_costs=tuple(_nano(cost) for cost in fields.get("NotCosts") or ()),
        destination_prefixes=tuple(fields.get("DestinationPrefixes") or ()),
        not_destination_prefixes=tuple(fields.get("NotDestinationPrefixes") or ()),
        extra_fields=dict(fields.get("ExtraFields") or {}),
        not_extra_fields=dict(fields.get("NotExtraFields") or {}),
        ranges=_ranges(fields, extra, now_at, zone),
        order_by=ORDERS[order_by],
        is_descending=direction == "desc",
        limit=max(fields.get("Limit") or 0, 0),
        offset=max(fields.get("Offset") or 0, 0),
    )


def filter_of_internal(fields: Mapping[str, Any], now_at: int, zone: str = "UTC") -> CdrFilter:
    """Return what CGRateS's own store in memory finds for the same fields; its SQL stores follow `filter_from_wire`.

    There MaxUsage and AnswerTimeEnd include their bound, SetupTimeEnd is a start too, a MaxCost of -1 asks for what was
    rated, and when a CDR was stored is not looked at. Errors as `filter_from_wire`.
    """
    criteria = filter_from_wire(fields, now_at, zone)
    ranges = {field: wanted for field, wanted in criteria.ranges.items() if field not in ("created_at", "updated_at")}
    for field in ("usage_ns", "answer_at"):
        wanted = ranges.get(field)
        if wanted is not None and wanted.end is not None:
            ranges[field] = Range(wanted.start, wanted.end + 1)
    setup = ranges.get("setup_at")
    if setup is not None:
        ranges["setup_at"] = Range(max(bound for bound in (setup.start, setup.end) if bound is not None))
    if ranges.get("cost_nano") == NOT_RATED:
        ranges["cost_nano"] = Range(0)
    return msgspec.structs.replace(criteria, ranges=ranges)


def filter_from_legacy(fields: Mapping[str, Any], now_at: int, zone: str = "UTC") -> CdrFilter:
    """Return the filter that the fields of the older AttrGetCdrs describe. Errors as `filter_from_wire`."""
    modern: dict[str, Any] = {name: fields.get(old) for old, name in LEGACY_LISTS.items()}
    modern["AnswerTimeStart"], modern["AnswerTimeEnd"] = fields.get("TimeStart"), fields.get("TimeEnd")
    modern["ExtraArgs"] = {"OrderIDStart": fields.get("OrderIdStart"), "OrderIDEnd": fields.get("OrderIdEnd")}
    if fields.get("SkipErrors"):
        modern["ExtraArgs"] |= {"MinCost": 0}
    if fields.get("SkipRated"):
        modern["ExtraArgs"] |= {"MinCost": None, "MaxCost": -1}
    modern |= {name: fields.get(name) for name in ("OrderBy", "Limit", "Offset")}
    return filter_from_wire(modern, now_at, zone)


def _ranges(fields: Mapping[str, Any], extra: Mapping[str, Any], now_at: int, zone: str) -> dict[str, Range]:
    ranges = {
        "usage_ns": Range(*(parse_duration(text) if text else None for text in _pair(fields, "MinUsage", "MaxUsage"))),
        "order_id": Range(*(None if i is None else _whole(i) for i in _pair(extra, "OrderIDStart", "OrderIDEnd"))),
        "cost_nano": _costs(*_pair(extra, "MinCost", "MaxCost")),
    }
    for name, field in INSTANTS.items():
        texts = _pair(fields, f"{name}Start", f"{name}End")
        ranges[field] = Range(*(parse_time(text, now_at, zone).at if text else None for text in texts))
    return {field: wanted for field, wanted in ranges.items() if wanted != Range()}


def _costs(low: int | Decimal | str | None, high: int | Decimal | str | None) -> Range:
    """Return the range of costs. A highest cost of -1 asks for what was not rated, with a lowest of 0 for what was."""
    start_nano = None if low is None else _nano(low)
    end_nano = None if high is None else _nano(high)
    if end_nano == NOT_RATED_NANO and start_nano is None:
        return NOT_RATED
    if end_nano == NOT_RATED_NANO and start_nano == 0:
        return Range(0)
    return Range(start_nano, end_nano)


def _pair(fields: Mapping[str, Any], low: str, high: str) -> tuple[Any, Any]:
    return fields.get(low), fields.get(high)


def _whole(number: int | Decimal | str) -> int:
    try:
        return int(number)
    except (ValueError, TypeError, OverflowError):
        raise BadRequest(f"expected a whole number, got {number!r}") from None


def _nano(number: int | Decimal | str) -> int:
    return parse_nano(number) if isinstance(number, str) else nano_from_number(number)
