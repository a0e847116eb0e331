"""Why a call costs what it does: the quote again, with every step that led to it.

Rules: an explanation ends in the cost that `quote` gives, and refuses what that refuses; its parts are those the call
is really cut into, not folded. Does not know: accounts, how it is shown.
"""

from typing import Any

import msgspec

from cgrcore.errors import Corrupt
from cgrcore.money import format_nano, number_from_nano, round_nano
from cgrcore.rating.callcost import rates_as_wire
from cgrcore.rating.calls import Call, Span
from cgrcore.rating.compile import Tariff
from cgrcore.rating.lookup import RatingInfo, rating_infos
from cgrcore.rating.quote import longest_rounding, quote_by_tariff
from cgrcore.rating.records import PlanRate, Rate
from cgrcore.rating.split import rate
from cgrcore.timing import SECOND_NS, ZERO_AT, format_duration, format_time

__all__ = ["Quote", "QuotePart", "explain_quote"]


class QuotePart(msgspec.Struct, frozen=True):
    """A part of the call with one price: `increment_count` steps of the slot's increment, each `increment_cost_nano`.

    `offset_s` is the clock its hours were read on, `activated_at` when its plan came into force (ns UTC), `slot` the
    slot of the rate (None: free, the first slot begins later). What it costs without rounding is
    `usage_ns * slot.value_nano / slot.unit_ns`.
    """

    start_at: int
    end_at: int
    offset_s: int
    profile_id: str
    activated_at: int
    plan_id: str
    prefix: str
    destination_id: str
    rate: PlanRate
    slot: Rate | None
    increment_count: int
    increment_cost_nano: int

    @property
    def usage_ns(self) -> int:
        return self.end_at - self.start_at

    @property
    def cost_nano(self) -> int:
        return self.increment_count * self.increment_cost_nano

    def as_wire(self) -> dict[str, Any]:
        timing, slot = self.rate.timing, self.slot
        return {
            "StartTime": format_time(self.start_at, self.offset_s),
            "EndTime": format_time(self.end_at, self.offset_s),
            "Usage": self.usage_ns,
            "RatingProfileID": self.profile_id,
            "ActivationTime": format_time(self.activated_at),
            "RatingPlanID": self.plan_id,
            "MatchedPrefix": self.prefix,
            "DestinationID": self.destination_id,
            "Timing": None if timing is None else timing.as_wire(),
            "Weight": number_from_nano(self.rate.weight_nano),
            "Rates": rates_as_wire(self.rate.rating),
            "GroupIntervalStart": None if slot is None else slot.group_start_ns,
            "Increment": None if slot is None else slot.increment_ns,
            "IncrementCount": self.increment_count,
            "IncrementCost": number_from_nano(self.increment_cost_nano),
            "Cost": number_from_nano(self.cost_nano),
        }


class Quote(msgspec.Struct, frozen=True):
    """What a call costs, and why: fee and parts, their sum, the cap, the rounding.

    `cap_nano` is MaxCost where it was reached (None elsewhere); rounding goes to `rounding_decimals` by the word
    `rounding_method`, not at all with 0. A call without usage has no parts and costs nothing.
    """

    call: Call
    cost_nano: int
    connect_fee_nano: int = 0
    parts: tuple[QuotePart, ...] = ()
    cap_nano: int | None = None
    rounding_method: str = ""
    rounding_decimals: int = 0

    @property
    def sum_nano(self) -> int:
        """Fee and parts, before cap and rounding."""
        return self.connect_fee_nano + sum(part.cost_nano for part in self.parts)

    def as_wire(self) -> dict[str, Any]:
        """Return the quote as values that JSON has: durations in ns, amounts int or Decimal."""
        call = self.call
        return {
            "Tenant": call.tenant,
            "Category": call.category,
            "Subject": call.subject,
            "Destination": call.destination,
            "ToR": call.tor,
            "AnswerTime": format_time(call.start_at, call.offset_s),
            "Usage": call.usage_ns,
            "ConnectFee": number_from_nano(self.connect_fee_nano),
            "Parts": [part.as_wire() for part in self.parts],
            "Sum": number_from_nano(self.sum_nano),
            "MaxCost": None if self.cap_nano is None else number_from_nano(self.cap_nano),
            "RoundingMethod": self.rounding_method,
            "RoundingDecimals": self.rounding_decimals,
            "Cost": number_from_nano(self.cost_nano),
        }

    def lines(self) -> list[tuple[str, str, str]]:
        """Return the steps as (step, what holds, amount), all of it text; the amount may be empty."""
        found: list[tuple[str, str, str]] = []
        is_voice = self.call.is_voice
        before: QuotePart | None = None
        for part in self.parts:
            found += _reasons(self.call, part, before)
            if before is None:
                found.append(("connect fee", "once", format_nano(self.connect_fee_nano)))
            found.append(_charge(part, is_voice=is_voice, is_only=len(self.parts) == 1))
            before = part
        found.append(("sum", "", format_nano(self.sum_nano)))
        if self.cap_nano is not None:
            found.append(("max cost", "*free beyond it", format_nano(self.cap_nano)))
        if self.rounding_decimals:
            to = f"{self.rounding_method or 'none'} to {self.rounding_decimals} decimals"
            found.append(("rounding", to, format_nano(self.cost_nano)))
        found.append(("cost", "", format_nano(self.cost_nano)))
        return found

    def __str__(self) -> str:
        width = max(len(step) for step, _, _ in self.lines())
        middle = max(len(holds) for _, holds, _ in self.lines())
        return "\n".join(
            f"{step:<{width}}  {holds:<{middle}}  {amount:>12}".rstrip() for step, holds, amount in self.lines()
        )


def _reasons(call: Call, part: QuotePart, before: QuotePart | None) -> list[tuple[str, str, str]]:
    """Return what chose the price of a part, as far as it is other than before."""
    found = []
    if before is None or before.profile_id != part.profile_id:
        own = f"*out:{call.tenant}:{call.category}:{call.subject}"
        found.append(("profile", part.profile_id + ("" if part.profile_id == own else f" instead of {own}"), ""))
    if before is None or (before.plan_id, before.activated_at) != (part.plan_id, part.activated_at):
        since = "always" if part.activated_at == ZERO_AT else f"since {format_time(part.activated_at)}"
        found.append(("plan", f"{part.plan_id} {since}", ""))
    if before is None or (before.prefix, before.destination_id) != (part.prefix, part.destination_id):
        found.append(("prefix", f"{part.prefix} of destination {part.destination_id}", ""))
    if before is None or before.rate is not part.rate:
        timing = part.rate.timing
        hours = "at all hours" if timing is None else f"timing {timing.id or '(without a name)'} {_hours(part.rate)}"
        found.append(("rate", f"{hours}, weight {format_nano(part.rate.weight_nano)}", ""))
    return found


def _hours(rate: PlanRate) -> str:
    timing = rate.timing
    assert timing is not None
    days = [
        f"{what} {','.join(map(str, values))}"
        for what, values in (
            ("years", timing.years),
            ("months", timing.months),
            ("days", timing.month_days),
            ("week days", timing.week_days),
        )
        if values
    ]
    return " ".join([*days, f"from {timing.start_time or '00:00:00'}"])


def _charge(part: QuotePart, *, is_voice: bool, is_only: bool) -> tuple[str, str, str]:
    """Return the line of a part's price."""
    length = _usage(part.usage_ns, is_voice=is_voice)
    when = "" if is_only else f"{format_time(part.start_at, part.offset_s)}: "
    slot = part.slot
    if slot is None:
        return "part", f"{when}{length} before the first slot: free", format_nano(0)
    price = f"{format_nano(slot.value_nano)} a {_usage(slot.unit_ns, is_voice=is_voice)}"
    increment = _usage(slot.increment_ns, is_voice=is_voice)
    step = f"{part.increment_count} x {increment} at {format_nano(part.increment_cost_nano)}"
    start = _usage(slot.group_start_ns, is_voice=is_voice)
    return "part", f"{when}{length} in the slot from {start}: {price}, {step}", format_nano(part.cost_nano)


def _usage(usage_ns: int, *, is_voice: bool) -> str:
    return format_duration(usage_ns) if is_voice else f"{usage_ns:,}"


def explain_quote(tariff: Tariff, call: Call) -> Quote:
    """Return what the call costs under the tariff, and why. Raises as `quote`."""
    cost = quote_by_tariff(tariff, call)
    if call.usage_ns == 0:
        return Quote(call, 0)
    zone = tariff.zone_of(call.tenant)
    infos = rating_infos(tariff, call if zone is None else zone.place(call))
    parts = []
    for span in rate(tariff, call):
        offset_s = call.offset_s if zone is None else zone.offset_at(span.start_at)
        parts.append(_part(span, offset_s, infos, call.start_at))
    spans = cost.spans or []
    fee_nano = spans[0].increments[0].cost_nano if call.is_first else 0
    decimals, mode = longest_rounding(spans)
    sum_nano = fee_nano + sum(part.cost_nano for part in parts)
    caps = [
        part.rate.rating.max_cost_nano
        for part in parts
        if part.rate.rating.max_cost_strategy == "*free" and 0 < part.rate.rating.max_cost_nano < sum_nano
    ]
    cap_nano = min(caps, default=None)
    found = Quote(call, cost.cost_nano, fee_nano, tuple(parts), cap_nano, mode.value, decimals)
    if round_nano(sum_nano if cap_nano is None else cap_nano, decimals, mode) != cost.cost_nano:
        raise Corrupt("the parts of a quote do not add up to its cost")
    return found


def _part(span: Span, offset_s: int, infos: list[RatingInfo], start_at: int) -> QuotePart:
    assert span.interval is not None
    matched = (span.matched_subject, span.rating_plan_id, span.matched_destination_id)
    activations = [it.activation_at for it in infos if (it.subject, it.plan_id, it.destination_id) == matched]
    begun = [at for at in activations if at <= start_at]
    return QuotePart(
        span.start_at,
        span.end_at,
        offset_s,
        span.matched_subject,
        max(begun) if begun else min(activations),
        span.rating_plan_id,
        span.matched_prefix,
        span.matched_destination_id,
        span.interval,
        _slot_at(span.interval, max(0, span.duration_index_ns - span.usage_ns)),
        span.increment_count,
        span.increment_cost_nano,
    )


def _slot_at(interval: PlanRate, usage_ns: int) -> Rate | None:
    """Return the slot that holds at this usage with its gaps filled, None before the first."""
    begun = [it for it in interval.rating.rates if it.group_start_ns <= usage_ns]
    if not begun:
        return None
    slot = max(begun, key=lambda it: it.group_start_ns)
    return msgspec.structs.replace(slot, increment_ns=slot.increment_ns or SECOND_NS, unit_ns=slot.unit_ns or SECOND_NS)
