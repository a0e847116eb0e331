"""Correcting what a call cost after it was paid: the difference is moved, the rest stays as it was.

Rules: the money balance that paid last takes the difference back, or pays it as far as it has money; the rest, and all
when it is gone, is the account's default balance's, into debt if need be. The cost keeps a step for each balance that
moved, so what is given back later is what was paid in all. Does not know: why the price is another one, CDRs.
"""

import msgspec

from cgrcore.accounting.change import settle
from cgrcore.accounting.charge import announce, default_source
from cgrcore.accounting.counting import Used, count_used
from cgrcore.accounting.records import Account, Balance
from cgrcore.accounting.wire import account_state
from cgrcore.rating import EventCost
from cgrcore.rating.eventcost import Payer, Step
from cgrcore.world import World

__all__ = ["correct_cost", "is_paid_otherwise"]

MONETARY = "*monetary"


def is_paid_otherwise(cost: EventCost) -> bool:
    """Tell whether units paid for some of it, or money at a rate of its own: then the tariff's price is not all."""
    payers = [step.payer for charge in cost.charges for step in charge.steps if step.payer is not None]
    return any(payer.unit_uuid != "" or payer.money_interval is not None for payer in payers)


def correct_cost(world: World, cost: EventCost, account_id: str, difference_nano: int) -> EventCost:
    """Move the difference to what was paid (below zero: back to the account), and return the cost with it.

    `account_id` pays when the account that did is gone. The cost must have charges. Raises NotFound without either.
    """
    payer = _last_payer(cost)
    accounts = world.state.table("accounts")
    owner_id = payer.account_id if payer is not None and payer.account_id in accounts else account_id
    account: Account = accounts.edit(owner_id)
    initial = account.values()
    paid_last = None if payer is None else account.find(MONETARY, payer.money_uuid)
    steps = []
    for balance, amount_nano in _shares(world, account, paid_last, difference_nano):
        balance.value_nano -= amount_nano
        steps.append(Step(0, amount_nano, 1, Payer(account.id, money_uuid=balance.uuid)))
        if account.unit_counters:
            count_used(world, account, [Used(MONETARY, amount_nano, "", "", balance)])
    settle(world, account)
    announce(world, account)
    correction = msgspec.structs.replace(cost.charges[-1], steps=steps, count=1)
    corrected = msgspec.structs.replace(cost, charges=[*cost.charges, correction])
    return corrected.with_account(account_state(account, initial))


def _last_payer(cost: EventCost) -> Payer | None:
    for charge in reversed(cost.charges):
        for step in reversed(charge.steps):
            if step.payer is not None and step.payer.money_uuid:
                return step.payer
    return None


def _shares(
    world: World, account: Account, paid_last: Balance | None, difference_nano: int
) -> list[tuple[Balance, int]]:
    """Return which balances the difference is of, and how much of each."""
    if paid_last is not None and difference_nano < 0:
        return [(paid_last, difference_nano)]
    first_nano = 0 if paid_last is None else min(max(paid_last.value_nano, 0), difference_nano)
    shares = [(paid_last, first_nano)] if paid_last is not None and first_nano else []
    if first_nano != difference_nano:
        shares.append((default_source(world, account).balance, difference_nano - first_nano))
    return shares
