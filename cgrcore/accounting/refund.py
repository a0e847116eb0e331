"""Giving back what increments took, and charging what rounding adds: by the balances that the increments name.

Rules: an increment names its account and the balances that paid it; what is gone is skipped. Units come back as their
usage times the factor, in whole increments; money as the cost. Does not know: how much of a call is to be given back.
"""

from collections.abc import Iterable

import msgspec

from cgrcore.accounting.cause import name_call
from cgrcore.accounting.change import settle
from cgrcore.accounting.counting import Used, count_used
from cgrcore.accounting.records import Account, Balance
from cgrcore.accounting.rounding import refund_rounding_increments, rounded_cost
from cgrcore.money import NANO, div_ceil, is_rounded, nano_from_number
from cgrcore.rating import EventCost, Increment, Paid, PaidMoney
from cgrcore.rating.eventcost import Charge, Step
from cgrcore.world import World

__all__ = ["refund_increments", "refund_listed", "refund_rounding"]

MONETARY = "*monetary"

#: With a factor, consumed units are rounded up to five decimals: one step in nano.
FACTOR_STEP = 10_000


class _Taken(msgspec.Struct, frozen=True, gc=False):
    """What an account gave, to be given back: `count` times the units of `usage_ns`, the money `cost_nano`, or both."""

    account_id: str
    usage_ns: int
    cost_nano: int
    count: int
    unit_uuid: str
    factor_nano: int
    money_uuid: str
    category: str = ""
    destination: str = ""


def refund_increments(world: World, cost: EventCost, tor: str) -> list[str]:
    """Give back everything a cost took, and return the ids of the accounts that changed."""
    name_call(world, cost.cgrid)
    taken = []
    for charge in cost.charges:
        for step in charge.steps:
            payer = step.payer
            if payer is not None:
                factor_nano = nano_from_number(payer.factor) if payer.unit_uuid else NANO
                taken.append(
                    _Taken(
                        payer.account_id,
                        step.usage_ns,
                        step.cost_nano,
                        step.count * charge.count,
                        payer.unit_uuid,
                        factor_nano,
                        payer.money_uuid,
                    )
                )
    return _give_back(world, taken, tor)


def refund_listed(world: World, increments: Iterable[Increment], tor: str) -> list[str]:
    """Give back what increments took, and return the ids of the accounts they name. `tor` is the type of units."""
    taken = []
    for increment in increments:
        paid = increment.paid
        if paid is not None:
            unit, money = paid.unit, paid.money
            taken.append(
                _Taken(
                    paid.account_id,
                    increment.usage_ns,
                    increment.cost_nano,
                    increment.count,
                    "" if unit is None else unit.uuid,
                    NANO if unit is None else unit.factor_nano,
                    "" if money is None else money.uuid,
                    "" if unit is None else unit.category,
                    "" if unit is None else unit.destination,
                )
            )
    return _give_back(world, taken, tor)


def _give_back(world: World, taken: list[_Taken], tor: str) -> list[str]:
    table = world.state.table("accounts")
    touched: dict[str, Account] = {}
    used: dict[str, list[Used]] = {}
    kind = tor or "*voice"
    for it in taken:
        account = touched.get(it.account_id)
        if account is None:
            if it.account_id not in table:
                continue
            account = touched[it.account_id] = table.edit(it.account_id)
        unit = _find_units(account, kind, it.unit_uuid) if it.unit_uuid else None
        money = account.find(MONETARY, it.money_uuid) if it.money_uuid else None
        units_nano = cost_nano = 0
        if unit is not None:
            units_nano = _units_nano(it.usage_ns, it.factor_nano) * it.count
            unit.value_nano += units_nano
        if money is not None:
            cost_nano = it.cost_nano * it.count
            money.value_nano += cost_nano
        if account.unit_counters:
            counts = used.setdefault(account.id, [])
            if unit is not None:
                counts.append(Used(kind, -units_nano, it.category, it.destination, unit))
            if money is not None:
                counts.append(Used(MONETARY, -cost_nano, "", "", money))
    for account in touched.values():
        if account.unit_counters:
            count_used(world, account, used.get(account.id, []))
        settle(world, account)
    return list(touched)


def _units_nano(usage_ns: int, factor_nano: int) -> int:
    amount_nano = usage_ns * factor_nano
    return amount_nano if factor_nano == NANO else div_ceil(amount_nano, FACTOR_STEP) * FACTOR_STEP


def _find_units(account: Account, kind: str, uuid: str) -> Balance | None:
    """Return the balance that gave units: of the type of record, else of any type but money (`*generic`)."""
    found = account.find(kind, uuid)
    if found is not None:
        return found
    for other in account.balances:
        if other not in (kind, MONETARY):
            found = account.find(other, uuid)
            if found is not None:
                return found
    return None


def refund_rounding(world: World, cost: EventCost) -> EventCost:
    """Round a finished cost, charge or give back the difference, and return the cost as it is then."""
    corrections = [_correction(charge) for charge in cost.charges]
    if not any(corrections):
        return cost
    charges: list[Charge] = []
    for charge, correction in zip(cost.charges, corrections, strict=True):
        if correction is None:
            charges.append(charge)
            continue
        if charge.count > 1:
            charges.append(msgspec.structs.replace(charge, count=charge.count - 1))
        step = Step(0, correction.cost_nano, 1, charge.steps[0].payer, is_rounding=True)
        charges.append(msgspec.structs.replace(charge, count=1, steps=[*charge.steps, step]))
    refund_rounding_increments(world, [correction for correction in corrections if correction is not None])
    return msgspec.structs.replace(cost, charges=charges)


def _correction(charge: Charge) -> Increment | None:
    """Return what rounding adds to a charge (all its equal spans together), None for one that units paid."""
    first = charge.steps[0] if charge.steps else None
    if first is None or first.payer is None or not first.payer.money_uuid or first.cost_nano == 0:
        return None
    if charge.interval is None:
        return None
    total_nano = 0
    for step in charge.steps:
        if step.is_rounding:
            return None
        total_nano += step.cost_nano * step.count
    total_nano *= charge.count
    rating = charge.interval.rating
    if is_rounded(total_nano, rating.rounding_decimals):
        return None
    difference_nano = rounded_cost(rating, total_nano) - total_nano
    if difference_nano == 0:
        return None
    paid = Paid(first.payer.account_id, None, PaidMoney(first.payer.money_uuid, "", 0))
    return Increment(0, difference_nano, 1, paid)
