"""What a debit tells afterwards: the call's cost, span by span, with the balances that paid, and the account's summary.

Does not know: how the balances were chosen.
"""

from cgrcore._fast.debits import Debit
from cgrcore._fast.payments import Part, Payment
from cgrcore.accounting.records import Balance
from cgrcore.accounting.selection import matching_prefix
from cgrcore.rating import (
    Call,
    CallCost,
    CostSpan,
    Increment,
    Paid,
    PaidMoney,
    PaidUnit,
    PlanRate,
    Rate,
    Rating,
    Tariff,
    compressed,
)

__all__ = ["call_cost", "matched_units"]


def call_cost(tariff: Tariff, done: Debit) -> CallCost:
    """Return the cost of a call that was charged."""
    call = done.call
    cost = CallCost(call.category, call.tenant, call.subject, call.account, call.destination, call.tor)
    parts = done.parts
    if parts:
        cost.spans = compressed([_span(tariff, call, part) for part in parts])
        cost.cost_nano = sum(span.cost_nano for span in cost.spans)
        cost.rated_usage_ns = sum(span.usage_ns for span in cost.spans)
    return cost


def _span(tariff: Tariff, call: Call, part: Part) -> CostSpan:
    increments = [_increment(call, part, payment) for payment in part.payments]
    cost_nano = sum(increment.cost_nano * increment.count for increment in increments)
    span, units = part.span, part.free_units
    if units is not None:
        interval, matched = matched_units(tariff, units, call.destination, part.increment_ns)
    else:
        interval = span.interval
        matched = (span.matched_subject, span.matched_prefix, span.matched_destination_id, span.rating_plan_id)
    return CostSpan(
        part.start_at,
        part.end_at,
        call.offset_s,
        cost_nano,
        part.duration_index_ns,
        interval,
        increments,
        *matched,
    )


def matched_units(
    tariff: Tariff, units: Balance, destination: str, step_ns: int
) -> tuple[PlanRate, tuple[str, str, str, str]]:
    """Return what stands for the rate and the match (subject, prefix, destination id, plan) where free units paid."""
    prefix, destination_id = matching_prefix(tariff, units.destination_ids, destination)
    step = Rate(0, 0, step_ns, step_ns)
    return PlanRate(None, Rating(rates=(step,))), (units.uuid, prefix, destination_id, "*none")


def _increment(call: Call, part: Part, payment: Payment) -> Increment:
    unit = money = None
    if payment.unit is not None:
        unit = PaidUnit(
            payment.unit.uuid,
            payment.unit.id,
            payment.unit_value_nano,
            call.destination,
            payment.unit_amount_nano,
            payment.factor_nano,
            call.category,
            call.tor,
            part.span.interval if payment.unit_subject else None,
        )
    if payment.money is not None:
        interval = part.span.interval if payment.money_subject else None
        money = PaidMoney(payment.money.uuid, payment.money.id, payment.money_value_nano, interval)
    return Increment(payment.usage_ns, payment.cost_nano, payment.count, Paid(payment.account_id, unit, money))
