"""What a call cost, span by span, with who paid each increment: the answer of quotes and debits.

Rules: equal neighbours are folded (`count`), so the size of a cost does not grow with the length of a call. Does not
know: how a price is found or a balance chosen.
"""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.money import number_from_nano
from cgrcore.rating.accountstate import AccountState
from cgrcore.rating.records import PlanRate, Rating
from cgrcore.timing import SECOND_NS, format_time

__all__ = [
    "CallCost",
    "CostSpan",
    "Increment",
    "Paid",
    "PaidMoney",
    "PaidUnit",
    "compressed",
    "rates_as_wire",
    "rating_as_wire",
]


class PaidMoney(msgspec.Struct, gc=False):
    """A money balance that paid; `value_nano` is what it held afterwards, `interval` the rate of its own subject."""

    uuid: str
    id: str
    value_nano: int
    interval: PlanRate | None = None

    def as_wire(self) -> dict[str, Any]:
        return {
            "UUID": self.uuid,
            "ID": self.id,
            "Value": number_from_nano(self.value_nano),
            "RateInterval": _interval_as_wire(self.interval),
        }


class PaidUnit(msgspec.Struct, gc=False):
    """A unit balance that gave `consumed_nano` for each increment; `value_nano` is what it held afterwards."""

    uuid: str
    id: str
    value_nano: int
    destination: str
    consumed_nano: int
    factor_nano: int
    category: str
    tor: str
    interval: PlanRate | None = None

    def as_wire(self) -> dict[str, Any]:
        return {
            "UUID": self.uuid,
            "ID": self.id,
            "Value": number_from_nano(self.value_nano),
            "DestinationID": self.destination,
            "Consumed": number_from_nano(self.consumed_nano),
            "Factor": number_from_nano(self.factor_nano),
            "Category": self.category,
            "ToR": self.tor,
            "RateInterval": _interval_as_wire(self.interval),
        }


class Paid(msgspec.Struct, gc=False):
    """Who paid an increment: units, money, or both; the account that owns the balances."""

    account_id: str = ""
    unit: PaidUnit | None = None
    money: PaidMoney | None = None


class Increment(msgspec.Struct, gc=False):
    """`count` steps of `usage_ns`, each `cost_nano`. A connect fee has no usage."""

    usage_ns: int
    cost_nano: int
    count: int = 1
    paid: Paid | None = None

    def as_wire(self) -> dict[str, Any]:
        paid = self.paid
        return {
            "Duration": self.usage_ns,
            "Cost": number_from_nano(self.cost_nano),
            "BalanceInfo": {
                "Unit": None if paid is None or paid.unit is None else paid.unit.as_wire(),
                "Monetary": None if paid is None or paid.money is None else paid.money.as_wire(),
                "AccountID": "" if paid is None else paid.account_id,
            },
            "CompressFactor": self.count,
        }


class CostSpan(msgspec.Struct, gc=False):
    """A span of one price with its increments. `count` equal spans in a row are one; `cost_nano` is that of all.

    A span without usage has the count 0. `duration_index_ns` is the usage of the whole call at the span's end,
    `end_offset_s` the clock of its end where it is not that of its start, `round_increment` what rounding added or
    gave back.
    """

    start_at: int
    end_at: int
    offset_s: int
    cost_nano: int
    duration_index_ns: int
    interval: PlanRate | None
    increments: list[Increment]
    matched_subject: str
    matched_prefix: str
    matched_destination_id: str
    rating_plan_id: str
    round_increment: Increment | None = None
    count: int = 1
    end_offset_s: int | None = None

    @property
    def usage_ns(self) -> int:
        return self.end_at - self.start_at

    def as_wire(self) -> dict[str, Any]:
        return {
            "TimeStart": format_time(self.start_at, self.offset_s),
            "TimeEnd": format_time(self.end_at, self.offset_s if self.end_offset_s is None else self.end_offset_s),
            "Cost": number_from_nano(self.cost_nano),
            "RateInterval": _interval_as_wire(self.interval),
            "DurationIndex": self.duration_index_ns,
            "Increments": [increment.as_wire() for increment in self.increments] if self.count else None,
            "RoundIncrement": None if self.round_increment is None else self.round_increment.as_wire(),
            "MatchedSubject": self.matched_subject,
            "MatchedPrefix": self.matched_prefix,
            "MatchedDestId": self.matched_destination_id,
            "RatingPlanId": self.rating_plan_id,
            "CompressFactor": self.count,
        }


class CallCost(msgspec.Struct, gc=False):
    """The cost of a call. `account_state` is the account as the debit left it."""

    category: str
    tenant: str
    subject: str
    account: str
    destination: str
    tor: str
    cost_nano: int = 0
    spans: list[CostSpan] | None = None
    rated_usage_ns: int = 0
    account_state: AccountState | None = None

    @property
    def usage_ns(self) -> int:
        """How long the spans are together."""
        return sum(span.usage_ns for span in self.spans or ())

    def as_wire(self) -> dict[str, Any]:
        return {
            "Category": self.category,
            "Tenant": self.tenant,
            "Subject": self.subject,
            "Account": self.account,
            "Destination": self.destination,
            "ToR": self.tor,
            "Cost": number_from_nano(self.cost_nano),
            "Timespans": None if self.spans is None else [span.as_wire() for span in self.spans],
            "RatedUsage": self.rated_usage_ns,
            "AccountSummary": None if self.account_state is None else self.account_state.as_wire(),
        }


def compressed(spans: list[CostSpan]) -> list[CostSpan]:
    """Return the spans with equal neighbours folded: same price, length, payers, match and plan."""
    folded: list[CostSpan] = []
    for span in spans:
        last = folded[-1] if folded else None
        if last is not None and _is_alike(last, span):
            last.count += 1
            last.cost_nano += span.cost_nano
            last.end_at = span.end_at
            last.duration_index_ns = span.duration_index_ns
            # Alike but for what the payers held afterwards, which is told as it is at the end.
            last.increments = span.increments
        else:
            folded.append(span)
    return folded


def _is_alike(last: CostSpan, span: CostSpan) -> bool:
    return (
        last.interval == span.interval
        and last.usage_ns == span.usage_ns * last.count
        and last.cost_nano == span.cost_nano * last.count
        and last.matched_subject == span.matched_subject
        and last.matched_prefix == span.matched_prefix
        and last.matched_destination_id == span.matched_destination_id
        and last.rating_plan_id == span.rating_plan_id
        and last.round_increment == span.round_increment
        and _is_same_charge(last.increments, span.increments)
    )


def _is_same_charge(left: list[Increment], right: list[Increment]) -> bool:
    if len(left) != len(right):
        return False
    return all(
        a.usage_ns == b.usage_ns and a.cost_nano == b.cost_nano and a.count == b.count and same_payer(a.paid, b.paid)
        for a, b in zip(left, right, strict=True)
    )


def same_payer(left: Paid | None, right: Paid | None) -> bool:
    """True when the same balances paid the same way; what they held afterwards does not count."""
    if left is None or right is None:
        return left is right
    return (
        left.account_id == right.account_id
        and _unit_key(left.unit) == _unit_key(right.unit)
        and _money_key(left.money) == _money_key(right.money)
    )


def _unit_key(unit: PaidUnit | None) -> tuple[Any, ...] | None:
    return None if unit is None else (unit.uuid, unit.consumed_nano, unit.factor_nano, unit.interval)


def _money_key(money: PaidMoney | None) -> tuple[Any, ...] | None:
    return None if money is None else (money.uuid, money.interval)


def _interval_as_wire(interval: PlanRate | None) -> dict[str, Any] | None:
    if interval is None:
        return None
    return {
        "Timing": None if interval.timing is None else {**interval.timing.as_wire(), "EndTime": ""},
        "Rating": rating_as_wire(interval.rating),
        "Weight": number_from_nano(interval.weight_nano),
    }


def rating_as_wire(rating: Rating) -> dict[str, Any]:
    return {
        "ConnectFee": number_from_nano(rating.connect_fee_nano),
        "RoundingMethod": rating.rounding_method,
        "RoundingDecimals": rating.rounding_decimals,
        "MaxCost": number_from_nano(rating.max_cost_nano),
        "MaxCostStrategy": rating.max_cost_strategy,
        "Rates": rates_as_wire(rating),
    }


def rates_as_wire(rating: Rating) -> list[dict[str, int | Decimal]]:
    return [
        {
            "GroupIntervalStart": rate.group_start_ns,
            "Value": number_from_nano(rate.value_nano),
            "RateIncrement": rate.increment_ns or SECOND_NS,
            "RateUnit": rate.unit_ns or SECOND_NS,
        }
        for rate in rating.rates
    ]
