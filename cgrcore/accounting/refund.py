"""Giving back what increments took, and charging what rounding adds: by the balances that the increments name.

Rules: an increment names its account and the balances that paid it; what is gone is skipped. Units come back as their
usage times the factor, in whole increments; money as the cost. Does not know: how much of a call is to be given back.
"""

from collections.abc import Iterable

import msgspec

from cgrcore.accounting.change import settle
from cgrcore.accounting.counting import Used, count_used
from cgrcore.accounting.records import Account, Balance
from cgrcore.accounting.rounding import refund_rounding_increments, rounded_cost
from cgrcore.money import NANO, div_ceil
from cgrcore.rating import EventCost, Increment, Paid, PaidMoney
from cgrcore.rating.eventcost import Charge, Step
from cgrcore.world import World

__all__ = ["refund_increments", "refund_listed", "refund_rounding"]

MONETARY = "*monetary"

#: With a factor, consumed units are rounded up to five decimals: one step in nano.
FACTOR_STEP = 10_000


def refund_increments(world: World, cost: EventCost, tor: str) -> list[str]:
    """Give back everything a cost took, and return the ids of the accounts that changed."""
    return refund_listed(world, cost.increments(), tor)


def refund_listed(world: World, increments: Iterable[Increment], tor: str) -> list[str]:
    """Give back what increments took, and return the ids of the accounts they name. `tor` is the type of units."""
    table = world.state.table("accounts")
    touched: dict[str, Account] = {}
    used: dict[str, list[Used]] = {}
    kind = tor or "*voice"
    for increment in increments:
        paid = increment.paid
        if paid is None or paid.account_id not in table:
            continue
        account = touched.get(paid.account_id)
        if account is None:
            account = touched[paid.account_id] = table.edit(paid.account_id)
        counts = used.setdefault(account.id, [])
        unit = None if paid.unit is None else _find_units(account, kind, paid.unit.uuid)
        if unit is not None and paid.unit is not None:
            amount_nano = _units_nano(increment.usage_ns, paid.unit.factor_nano) * increment.count
            unit.value_nano += amount_nano
            counts.append(Used(kind, -amount_nano, paid.unit.category, paid.unit.destination, unit))
        money = None if paid.money is None else account.find(MONETARY, paid.money.uuid)
        if money is not None:
            amount_nano = increment.cost_nano * increment.count
            money.value_nano += amount_nano
            counts.append(Used(MONETARY, -amount_nano, "", "", money))
    for account in touched.values():
        if account.unit_counters:
            count_used(world, account, used[account.id])
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
    charges: list[Charge] = []
    corrections: list[Increment] = []
    for charge in cost.charges:
        correction = _correction(charge)
        if correction is None:
            charges.append(charge)
            continue
        corrections.append(correction)
        if charge.count > 1:
            charges.append(msgspec.structs.replace(charge, count=charge.count - 1))
        step = Step(0, correction.cost_nano, 1, charge.steps[0].payer, is_rounding=True)
        charges.append(msgspec.structs.replace(charge, count=1, steps=[*charge.steps, step]))
    if not corrections:
        return cost
    refund_rounding_increments(world, corrections)
    return msgspec.structs.replace(cost, charges=charges)


def _correction(charge: Charge) -> Increment | None:
    """Return what rounding adds to a charge (all its equal spans together), None for one that units paid."""
    first = charge.steps[0] if charge.steps else None
    if first is None or first.payer is None or not first.payer.money_uuid or first.cost_nano == 0:
        return None
    if charge.interval is None or any(step.is_rounding for step in charge.steps):
        return None
    total_nano = charge.cost_nano * charge.count
    difference_nano = rounded_cost(charge.interval.rating, total_nano) - total_nano
    paid = Paid(first.payer.account_id, None, PaidMoney(first.payer.money_uuid, "", 0))
    return Increment(0, difference_nano, 1, paid) if difference_nano else None
