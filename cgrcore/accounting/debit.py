"""What callers ask of an account: charge a call, charge what it can pay for, tell how long it can pay, charge a sum.

Rules: a debit is made whole or not at all; a dry run works on copies. Does not know: sessions, CDRs, who asks.
"""

import msgspec

from cgrcore._fast import debits
from cgrcore._fast.debits import Debit
from cgrcore.accounting.charge import account_of, charge, rules_of
from cgrcore.accounting.costs import call_cost
from cgrcore.accounting.rounding import round_spans
from cgrcore.accounting.wire import account_state
from cgrcore.errors import Refused
from cgrcore.rating import Call, CallCost, check_usage, quote, tariff_of
from cgrcore.world import World

__all__ = ["UNLIMITED_NS", "cost_of", "debit", "debit_affordable", "max_debit", "max_usage", "plainly_paid"]

#: The maximum usage of an account that may go into debt.
UNLIMITED_NS = -1


def debit(
    world: World,
    call: Call,
    *,
    is_dry_run: bool = False,
    may_go_negative: bool = True,
    perform_rounding: bool = False,
) -> CallCost:
    """Charge a call and return its cost, with what each balance paid and the account's summary.

    What no balance covers goes to the default balance, below zero, if it `may_go_negative`; else it is left out of the
    cost. With `perform_rounding` each span paid by money is rounded as its rate says. Raises Refused ACCOUNT_NOT_FOUND,
    ACCOUNT_DISABLED, INSUFFICIENT_CREDIT_BALANCE_BLOCKER, MAX_USAGE_EXCEEDED, BadRequest for negative usage, and what
    rating raises; then nothing is charged.
    """
    tariff = tariff_of(world)
    check_usage(tariff, call)
    account = account_of(world, call)
    if call.usage_ns == 0:
        cost = quote(world, call)
        cost.account_state = account_state(account)
        return cost
    done = charge(world, call, account, is_dry_run=is_dry_run, may_go_negative=may_go_negative)
    return cost_of(world, done, perform_rounding=perform_rounding, is_dry_run=is_dry_run)


def cost_of(world: World, done: Debit, *, perform_rounding: bool = False, is_dry_run: bool = False) -> CallCost:
    """Return the cost of a call that was charged, rounded if asked for, and the account as it is then."""
    cost = call_cost(tariff_of(world), done)
    initial = done.initial()
    if perform_rounding:
        round_spans(world, cost, done.account, is_dry_run=is_dry_run)
    cost.account_state = account_state(done.account, initial)
    return cost


def max_usage(world: World, call: Call) -> int:
    """Return how long the account can pay for a call, at most its usage (ns); UNLIMITED_NS when it may go into debt.

    0 when the connect fee cannot be paid. Errors as `debit`.
    """
    try:
        found = debits.max_usage(world.parts.get("debit_rules") or rules_of(world), call)
    except OverflowError:
        check_usage(tariff_of(world), call)
        raise
    if found is not None:
        return found
    done = charge(world, _indexed(call), is_dry_run=True, may_go_negative=False)
    return 0 if done.is_fee_owed else min(call.usage_ns, _paid_ns(done))


def _indexed(call: Call) -> Call:
    """Return the call with a usage index of at least its usage: slots count from the start of all that was asked."""
    if call.duration_index_ns >= call.usage_ns:
        return call
    return msgspec.structs.replace(call, duration_index_ns=call.usage_ns)


def _paid_ns(done: Debit) -> int:
    """Return the usage that was paid, up to the first span that is dearer than the call's maximum rate."""
    call = done.call
    total_ns = 0
    for part in done.parts:
        if call.max_rate_nano > 0 and call.max_rate_unit_ns > 0 and part.span is not None:
            start_ns = max(part.duration_index_ns - (part.end_at - part.start_at), 0)
            slots = [slot for slot in part.span.interval.rating.rates if slot.group_start_ns <= start_ns]
            if slots and slots[-1].value_nano * call.max_rate_unit_ns > call.max_rate_nano * slots[-1].unit_ns:
                break
        total_ns += sum(payment.usage_ns * payment.count for payment in part.payments)
    return total_ns


def max_debit(
    world: World,
    call: Call,
    *,
    is_forced: bool = False,
    may_go_negative: bool = True,
    perform_rounding: bool = False,
) -> CallCost:
    """Charge as much of a call as the account can pay for, and return the cost of that.

    With `is_forced`, an account that cannot pay for all raises Refused INSUFFICIENT_CREDIT. Other errors as `debit`.
    """
    done = plainly_paid(world, call)
    if done is not None:
        return cost_of(world, done, perform_rounding=perform_rounding)
    return debit_affordable(
        world, call, is_forced=is_forced, may_go_negative=may_go_negative, perform_rounding=perform_rounding
    )


def plainly_paid(world: World, call: Call) -> Debit | None:
    """Charge a call that the account can plainly pay in full; None when that is not plain, and nothing is charged.

    Errors as `max_debit`.
    """
    try:
        return debits.charge_covered(world.parts.get("debit_rules") or rules_of(world), call)
    except OverflowError:  # a usage beyond 64 bits is beyond every limit
        check_usage(tariff_of(world), call)
        raise


def debit_affordable(
    world: World, call: Call, *, is_forced: bool, may_go_negative: bool = True, perform_rounding: bool = False
) -> CallCost:
    """Charge as `max_debit` a call that was not `plainly_paid`."""
    account = account_of(world, call)
    if call.usage_ns > 0:
        if not account.allow_negative:
            call = _indexed(call)
        paid_ns = max_usage(world, call)
        if is_forced and paid_ns != UNLIMITED_NS and paid_ns < call.usage_ns:
            raise Refused("INSUFFICIENT_CREDIT", subject="accounts", subject_id=account.id)
        if paid_ns == 0:
            cost = CallCost(call.category, call.tenant, call.subject, call.account, call.destination, call.tor)
            cost.account_state = account_state(account)
            return cost
        if paid_ns != UNLIMITED_NS:
            index_ns = call.duration_index_ns - (call.usage_ns - paid_ns)
            call = msgspec.structs.replace(call, usage_ns=paid_ns, duration_index_ns=index_ns)
    return debit(world, call, may_go_negative=may_go_negative, perform_rounding=perform_rounding)
