"""A debit in the plainest way: one increment after the other, in exact fractions.

The model knows accounts whose balances any call may use (no destinations, categories, groups, timings): what the kernel
of `cgrcore/_fast/debits.pyx` computes in closed form for them is walked here. Prices come as the spans of rating.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

__all__ = ["Blocked", "ModelBalance", "Paid", "charge"]

NANO = 10**9


@dataclass
class ModelBalance:
    """A balance: `value` in units or money; `step_ns` of free units (None: rated)."""

    name: str
    value: Fraction
    weight: int = 0
    step_ns: int | None = None
    factor: Fraction = Fraction(1)
    is_blocker: bool = False


@dataclass
class Paid:
    """One increment: its usage and cost, and the names of the balances that gave units and money."""

    usage_ns: int
    cost: Fraction
    unit: str | None = None
    money: str | None = None


class Blocked(Exception):
    """A blocker could not pay all."""


@dataclass
class Run:
    """One debit under way."""

    units: list[ModelBalance]
    money: list[ModelBalance]
    rate: Callable[[int, int, int], list[Any]]
    start_at: int
    end_at: int
    index_ns: int
    is_first: bool
    is_dry: bool
    so_far: Fraction = Fraction(0)
    paid: list[Paid] = field(default_factory=list)
    debt: Fraction = Fraction(0)
    is_fee_owed: bool = False
    is_capped: bool = False
    is_begun: bool = False

    def spans(self) -> list[Any]:
        self.index_ns = max(self.index_ns, self.end_at - self.start_at)
        return self.rate(self.start_at, self.end_at - self.start_at, self.index_ns)


def charge(run: Run, *, may_go_negative: bool) -> Run:
    """Charge the call: balances first, debt last. Raises Blocked."""
    if not _from_balances(run) and run.start_at < run.end_at:
        _into_debt(run, may_go_negative)
    return run


def _from_balances(run: Run) -> bool:
    progress = True
    while progress:
        progress = False
        for balances, pay in ((run.units, _pay_units), (run.money, _pay_money)):
            again = True
            while again:
                again = False
                for balance in sorted(balances, key=lambda it: -it.weight):
                    if pay(run, balance):
                        again = progress = run.is_begun = True
                        if run.start_at >= run.end_at:
                            return True
                    if run.is_capped and run.is_dry:
                        return True
                    if balance.is_blocker:
                        if run.is_dry:
                            return True
                        raise Blocked
    return False


def _pay_units(run: Run, balance: ModelBalance) -> bool:
    if balance.value <= 0 or balance.step_ns is None:
        return False
    amount = balance.step_ns * balance.factor
    if balance.factor != 1:
        amount = Fraction(ceil(amount * 10**5), 10**5)
    began_at = run.start_at
    while run.start_at < run.end_at and balance.value >= amount:
        balance.value -= amount
        run.paid.append(Paid(balance.step_ns, Fraction(0), unit=balance.name))
        run.start_at += balance.step_ns
    return run.start_at > began_at


def _pay_money(run: Run, balance: ModelBalance) -> bool:
    if balance.value <= 0:
        return False
    spans = run.spans()
    has_fee = False
    if run.is_first and not run.is_begun:
        fee = Fraction(spans[0].interval.rating.connect_fee_nano, NANO)
        for payer in sorted(run.money, key=lambda it: -it.weight):
            if payer.value >= fee:
                payer.value -= fee
                break
            if payer.is_blocker:
                return False
        else:
            payer = None
            run.debt += fee
            run.is_fee_owed = fee > 0
        if fee > 0:
            has_fee = True
            run.paid.append(Paid(0, fee, money=payer.name if payer else "*default"))
    began_at = run.start_at
    for span in spans:
        rating = span.interval.rating
        for _ in range(span.increment_count):
            cost = Fraction(span.increment_cost_nano, NANO)
            if rating.max_cost_strategy and run.so_far >= Fraction(rating.max_cost_nano, NANO):
                if rating.max_cost_strategy == "*free":
                    cost = Fraction(0)
                elif run.is_dry:
                    run.is_capped = True
                    return has_fee or run.start_at > began_at
            if balance.value < cost:
                return has_fee or run.start_at > began_at
            balance.value -= cost
            run.so_far += cost
            run.paid.append(Paid(span.increment_ns, cost, money=balance.name))
            run.start_at += span.increment_ns
    return True


def _into_debt(run: Run, may_go_negative: bool) -> None:
    spans = run.spans()
    fee = Fraction(spans[0].interval.rating.connect_fee_nano, NANO) if run.is_first else Fraction(0)
    total = sum((Fraction(span.increment_cost_nano, NANO) * span.increment_count for span in spans), fee)
    if total and not may_go_negative:
        return
    if fee and not run.is_begun:
        payer = next((it for it in sorted(run.money, key=lambda it: -it.weight) if it.value >= fee), None)
        if payer is None:
            run.debt += fee
        else:
            payer.value -= fee
        run.paid.append(Paid(0, fee, money=payer.name if payer else "*default"))
    for span in spans:
        for _ in range(span.increment_count):
            cost = Fraction(span.increment_cost_nano, NANO)
            run.debt += cost
            run.paid.append(Paid(span.increment_ns, cost, money="*default" if total else None))
            run.start_at += span.increment_ns
