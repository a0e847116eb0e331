"""Charging a slice of a session: as `max_debit` does, told as the cost that a session keeps.

Nearly every slice is one span of the tariff that money pays in full: its cost is written down at once. All others are
first a call's cost, whose spans may be folded. Does not know: sessions.
"""

from typing import NamedTuple

from cgrcore._fast.debits import Debit
from cgrcore.accounting.debit import cost_of, debit_affordable, plainly_paid
from cgrcore.accounting.wire import account_state
from cgrcore.rating import Call, EventCost
from cgrcore.rating.eventcost import Charge as CostCharge
from cgrcore.rating.eventcost import Payer, Step
from cgrcore.world import World

__all__ = ["Slice", "charge_slice"]


class Slice(NamedTuple):
    """What was charged: the usage paid for (ns), what it cost, and the whole cost (None: nothing was rated)."""

    usage_ns: int
    cost_nano: int
    cost: EventCost | None


def charge_slice(world: World, call: Call, cgrid: str, run_id: str, *, is_forced: bool) -> Slice:
    """Charge as much of a call as the account can pay for; the names are those the cost goes under.

    With `is_forced`, less than all is an error. Errors as `max_debit`.
    """
    done = plainly_paid(world, call)
    if done is None:
        cost = debit_affordable(world, call, is_forced=is_forced)
    else:
        slice_ = _money_slice(done, cgrid, run_id)
        if slice_ is not None:
            return slice_
        cost = cost_of(world, done)
    kept = EventCost.from_call_cost(cost, cgrid, run_id) if cost.spans else None
    return Slice(cost.usage_ns, cost.cost_nano, kept)


def _money_slice(done: Debit, cgrid: str, run_id: str) -> Slice | None:
    """Return the slice that is one span paid by money alone, None for any other."""
    parts = done.parts
    if len(parts) != 1:
        return None
    part = parts[0]
    span = part.span
    if part.free_units is not None or span is None:
        return None
    steps = []
    total_nano = 0
    for payment in part.payments:
        money = payment.money
        if money is None or payment.unit is not None:
            return None
        cost_nano, count = payment.cost_nano, payment.count
        interval = span.interval if payment.money_subject else None
        payer = Payer(payment.account_id, money_uuid=money.uuid, money_interval=interval)
        steps.append(Step(payment.usage_ns, cost_nano, count, payer))
        total_nano += cost_nano * count
    charge = CostCharge(
        span.interval,
        span.matched_subject,
        span.matched_prefix,
        span.matched_destination_id,
        span.rating_plan_id,
        steps,
    )
    state = account_state(done.account, done.initial())
    cost = EventCost(cgrid, run_id, part.start_at, done.call.offset_s, [charge], state)
    return Slice(part.end_at - part.start_at, total_nano, cost)
