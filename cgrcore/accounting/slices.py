"""Charging a slice of a session: as much as the account can pay for, or all that was used, told as a session's cost.

Nearly every slice is paid by one balance alone: its cost is written down at once. All others are first a call's cost,
whose spans may be folded. Does not know: sessions.
"""

import msgspec

from cgrcore._fast.debits import Debit
from cgrcore.accounting.cause import name_call
from cgrcore.accounting.charge import account_of, charge
from cgrcore.accounting.costs import matched_units
from cgrcore.accounting.debit import cost_of, debit, debit_affordable, plainly_paid
from cgrcore.accounting.refund import refund_rounding
from cgrcore.accounting.wire import account_state
from cgrcore.money import number_from_nano
from cgrcore.rating import Call, CallCost, EventCost, check_usage, tariff_of
from cgrcore.rating.eventcost import Charge, Payer, Step
from cgrcore.world import World

__all__ = ["Slice", "charge_rated", "charge_rest", "charge_slice"]


class Slice(msgspec.Struct, frozen=True, gc=False):
    """What was charged: the usage paid for (ns), what it cost, and the whole cost (None: nothing was rated)."""

    usage_ns: int
    cost_nano: int
    cost: EventCost | None


def charge_slice(world: World, call: Call, cgrid: str, run_id: str, *, is_forced: bool) -> Slice:
    """Charge as much of a call as the account can pay for; the names are those the cost goes under.

    With `is_forced`, less than all is an error. Errors as `max_debit`.
    """
    name_call(world, cgrid)
    done = plainly_paid(world, call)
    if done is None:
        return _slice_of(debit_affordable(world, call, is_forced=is_forced), cgrid, run_id)
    return _paid_by_one(world, done, cgrid, run_id) or _slice_of(cost_of(world, done), cgrid, run_id)


def charge_rest(world: World, call: Call, cgrid: str, run_id: str) -> Slice:
    """Charge a call, into debt if need be; the names are those the cost goes under. Errors as `debit`."""
    name_call(world, cgrid)
    check_usage(tariff_of(world), call)
    if call.usage_ns == 0:
        cost = debit(world, call)
    else:
        done = charge(world, call, account_of(world, call), is_dry_run=False, may_go_negative=True)
        paid = _paid_by_one(world, done, cgrid, run_id)
        if paid is not None:
            return paid
        cost = cost_of(world, done)
    return Slice(cost.usage_ns, cost.cost_nano, EventCost.from_call_cost(cost, cgrid, run_id))


def charge_rated(world: World, call: Call, cgrid: str, run_id: str) -> EventCost:
    """Charge a call that has ended, into debt if need be, rounded as its rates say; return what it cost.

    The names are those the cost goes under. Errors as `debit`.
    """
    name_call(world, cgrid)
    check_usage(tariff_of(world), call)
    if call.usage_ns == 0:
        return EventCost.from_call_cost(debit(world, call, perform_rounding=True), cgrid, run_id)
    done = charge(world, call, account_of(world, call), is_dry_run=False, may_go_negative=True)
    paid = _paid_by_one(world, done, cgrid, run_id)
    if paid is None or paid.cost is None:
        return EventCost.from_call_cost(cost_of(world, done, perform_rounding=True), cgrid, run_id)
    initial = done.initial()
    cost = refund_rounding(world, paid.cost)
    if cost is not paid.cost:
        cost.account = account_state(done.account, initial)
    return cost


def _slice_of(cost: CallCost, cgrid: str, run_id: str) -> Slice:
    kept = EventCost.from_call_cost(cost, cgrid, run_id) if cost.spans else None
    return Slice(cost.usage_ns, cost.cost_nano, kept)


def _paid_by_one(world: World, done: Debit, cgrid: str, run_id: str) -> Slice | None:
    """Return the slice that one balance paid, None for any other."""
    only = done.only()
    if only is None:
        return None
    balance, is_unit, terms, step_ns, each_nano, count, fee_nano, factor_nano, start_at, end_at = only
    call, account = done.call, done.account
    total_nano = fee_nano
    if is_unit:
        consumed, factor = number_from_nano(each_nano), number_from_nano(factor_nano)
        steps = [Step(step_ns, 0, count, Payer(account.id, balance.uuid, consumed, factor))]
        interval, matched = matched_units(tariff_of(world), balance, call.destination, step_ns)
        cost_charge = Charge(interval, *matched, steps)
    else:
        assert terms is not None
        payer = Payer(account.id, "", 0, 1, None, balance.uuid)
        steps = [Step(step_ns, each_nano, count, payer)]
        if fee_nano:
            steps.insert(0, Step(0, fee_nano, 1, payer))
        total_nano += each_nano * count
        cost_charge = Charge(
            terms.interval,
            terms.matched_subject,
            terms.matched_prefix,
            terms.matched_destination_id,
            terms.rating_plan_id,
            steps,
        )
    cost = EventCost(cgrid, run_id, start_at, call.offset_s, [cost_charge], account_state(account, done.initial()))
    return Slice(end_at - start_at, total_nano, cost)
