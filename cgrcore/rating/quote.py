"""The price of a call that nobody pays for: what it would cost.

Does not know: accounts.
"""

from cgrcore.errors import BadRequest, CgrError, Refused
from cgrcore.money import Rounding, round_nano
from cgrcore.rating.callcost import CallCost, CostSpan, Increment, Paid, compressed
from cgrcore.rating.calls import Call, Span
from cgrcore.rating.compile import ANY, Tariff, tariff_of
from cgrcore.rating.lookup import rating_infos
from cgrcore.rating.records import Activation, RatingProfile
from cgrcore.rating.split import rate
from cgrcore.timing import ZERO_AT
from cgrcore.world import World

__all__ = ["check_usage", "cost_span", "longest_rounding", "quote", "quote_by_tariff", "quote_on_plan", "rate_call"]


def check_usage(tariff: Tariff, call: Call) -> None:
    """Raise Refused MAX_USAGE_EXCEEDED above the limit for the type of record, BadRequest for negative usage."""
    if call.usage_ns < 0:
        raise BadRequest(f"negative usage: {call.usage_ns}")
    limits = tariff.max_usage_ns
    limit_ns = limits.get(call.tor, limits.get("*any"))
    if limit_ns is not None and call.usage_ns > limit_ns:
        raise Refused("MAX_USAGE_EXCEEDED", subject="usage", subject_id=str(call.usage_ns))


def rate_call(world: World, call: Call) -> list[Span]:
    """Return the call's priced spans under the tariff in force. Raises Refused as `rate` and `check_usage`."""
    tariff = tariff_of(world)
    check_usage(tariff, call)
    return rate(tariff, call)


def cost_span(span: Span, offset_s: int, paid: Paid | None = None) -> CostSpan:
    """Return a priced span as a part of a cost, all of it paid by the same."""
    increments = []
    if span.increment_count:
        increments.append(Increment(span.increment_ns, span.increment_cost_nano, span.increment_count, paid))
    return CostSpan(
        span.start_at,
        span.end_at,
        offset_s,
        span.cost_nano,
        span.duration_index_ns,
        span.interval,
        increments,
        span.matched_subject,
        span.matched_prefix,
        span.matched_destination_id,
        span.rating_plan_id,
    )


def longest_rounding(spans: list[CostSpan]) -> tuple[int, Rounding]:
    """Return the decimals and mode of the first span with the most decimals; none are no rounding."""
    decimals, mode = 0, Rounding.NONE
    for span in spans:
        if span.interval is not None and span.interval.rating.rounding_decimals > decimals:
            decimals = span.interval.rating.rounding_decimals
            mode = Rounding.of(span.interval.rating.rounding_method)
    return decimals, mode


def quote(world: World, call: Call) -> CallCost:
    """Return what the call costs. Usage 0 costs nothing, rated or not.

    The cost is rounded as the tariff says and, with MaxCost and *free, capped; the spans are exact.
    Raises Refused as `rate_call`.
    """
    return quote_by_tariff(tariff_of(world), call)


def quote_by_tariff(tariff: Tariff, call: Call) -> CallCost:
    """Return what `quote` does, under this tariff."""
    check_usage(tariff, call)
    return _quote(tariff, call)


def _quote(tariff: Tariff, call: Call) -> CallCost:
    cost = CallCost(call.category, call.tenant, call.subject, call.account, call.destination, call.tor)
    if call.usage_ns == 0:
        cost.spans = _unused(tariff, call)
        return cost
    cost.destination = call.destination or ANY
    cost.tor = call.tor or "*voice"
    spans = [cost_span(span, call.offset_s) for span in rate(tariff, call)]
    has_fee = call.is_first and _fee_nano(spans[0]) != 0
    if has_fee:
        _charge_connect_fee(spans[0])
    spans = compressed(spans)
    if call.is_first and not has_fee:
        _charge_connect_fee(spans[0])
    if spans[-1].end_at == call.end_at:
        spans[-1].end_offset_s = call.end_offset_s
    total_nano = sum(span.cost_nano for span in spans)
    for span in spans:
        rating = span.interval.rating if span.interval is not None else None
        if rating is not None and rating.max_cost_strategy == "*free" and rating.max_cost_nano > 0:
            total_nano = min(total_nano, rating.max_cost_nano)
    cost.spans = spans
    cost.cost_nano = round_nano(total_nano, *longest_rounding(spans))
    cost.rated_usage_ns = sum(span.usage_ns for span in spans)
    return cost


def _fee_nano(span: CostSpan) -> int:
    return span.interval.rating.connect_fee_nano if span.interval is not None else 0


def _charge_connect_fee(span: CostSpan) -> None:
    """Put the connect fee in front of the first span, be it 0. It is paid once: a span that pays one is not folded."""
    fee_nano = _fee_nano(span)
    span.increments.insert(0, Increment(0, fee_nano, 1, None))
    span.cost_nano += fee_nano


def _unused(tariff: Tariff, call: Call) -> list[CostSpan] | None:
    """Return the span of a call without usage: where it would be rated, None when nowhere."""
    zone = tariff.zone_of(call.tenant)
    try:
        info = rating_infos(tariff, call if zone is None else zone.place(call))[0]
    except CgrError:
        return None
    matched = (info.subject, info.prefix, info.destination_id, info.plan_id)
    return [CostSpan(call.start_at, call.start_at, call.offset_s, 0, 0, None, [], *matched, count=0)]


def quote_on_plan(world: World, call: Call, plan_id: str) -> CallCost:
    """Return what the call costs by that plan alone; an unknown plan covers nothing. Raises as `quote`."""
    tariff = tariff_of(world)
    check_usage(tariff, call)
    key = f"*out:{call.tenant}:{call.category}:{call.subject}"
    profile = RatingProfile(key, (Activation(ZERO_AT, plan_id),))
    return _quote(tariff.with_profile(profile), call)
