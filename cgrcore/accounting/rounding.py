"""Rounding what a call cost to the decimals of its rates, once it has ended: the difference is charged or given back.

Rules: each span by its own rate; spans whose first increment units paid, or that began for nothing, stay as they are.
"""

import msgspec

from cgrcore.accounting.change import settle
from cgrcore.accounting.records import Account
from cgrcore.money import Rounding, round_nano
from cgrcore.rating import CallCost, CostSpan, Increment, Rating
from cgrcore.world import World

__all__ = ["refund_rounding_increments", "round_spans", "rounded", "rounded_cost"]

MONETARY = "*monetary"


def rounded(cost: CallCost) -> list[Increment]:
    """Round a cost's spans and return what is to be charged for it (negative: given back), as increments."""
    corrections = []
    spans = []
    for span in cost.spans or ():
        correction = _correction(span)
        if correction is not None:
            if span.count > 1:
                spans.append(_without_last(span))
            span.round_increment = correction
            span.cost_nano += correction.cost_nano
            cost.cost_nano += correction.cost_nano
            corrections.append(correction)
        spans.append(span)
    if corrections:
        cost.spans = spans
    return corrections


def _without_last(span: CostSpan) -> CostSpan:
    """Make the last of equal spans stand alone, since the correction is made once; return those before it."""
    usage_ns, cost_nano = span.usage_ns // span.count, span.cost_nano // span.count
    before = msgspec.structs.replace(
        span,
        count=span.count - 1,
        end_at=span.end_at - usage_ns,
        cost_nano=span.cost_nano - cost_nano,
        duration_index_ns=span.duration_index_ns - usage_ns,
    )
    span.count, span.start_at, span.cost_nano = 1, before.end_at, cost_nano
    return before


def rounded_cost(rating: Rating, cost_nano: int) -> int:
    """Return a cost rounded as a rate says."""
    return round_nano(cost_nano, rating.rounding_decimals, Rounding.of(rating.rounding_method))


def _correction(span: CostSpan) -> Increment | None:
    first = span.increments[0] if span.increments else None
    if first is None or first.paid is None or first.paid.money is None or first.cost_nano == 0 or span.interval is None:
        return None
    difference_nano = rounded_cost(span.interval.rating, span.cost_nano) - span.cost_nano
    return Increment(0, difference_nano, 1, first.paid) if difference_nano else None


def round_spans(world: World, cost: CallCost, account: Account, *, is_dry_run: bool) -> None:
    """Round a cost that was just charged, and charge the difference. A dry run changes only the copy of the account."""
    corrections = rounded(cost)
    if is_dry_run:
        for correction in corrections:
            assert correction.paid is not None and correction.paid.money is not None
            balance = account.find(MONETARY, correction.paid.money.uuid)
            if balance is not None:
                balance.value_nano -= correction.cost_nano
    else:
        refund_rounding_increments(world, corrections)


def refund_rounding_increments(world: World, corrections: list[Increment]) -> list[str]:
    """Charge corrections to the balances that they name, and return the ids of the accounts that changed.

    Costs are charged once, whatever the count. An account or balance that is gone is skipped.
    """
    table = world.state.table("accounts")
    touched: dict[str, Account] = {}
    for correction in corrections:
        paid = correction.paid
        if paid is None or paid.account_id not in table:
            continue
        account: Account = touched.setdefault(paid.account_id, table.edit(paid.account_id))
        balance = None if paid.money is None else account.find(MONETARY, paid.money.uuid)
        if balance is not None:
            balance.value_nano -= correction.cost_nano
    for account in touched.values():
        settle(world, account)
    return list(touched)
