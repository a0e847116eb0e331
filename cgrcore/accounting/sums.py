"""Charging a sum that was agreed for a call (`*directdebit`), whatever the tariff says it costs.

Rules: the money balances that the tariff's price would be taken from pay the sum: each what it holds, the last of them
all that is left, into debt if need be. Does not know: how the sum came to be.
"""

from cgrcore._fast.debits import Debit
from cgrcore.accounting.change import settle
from cgrcore.accounting.charge import account_of, announce, charge, default_source
from cgrcore.accounting.costs import call_cost
from cgrcore.accounting.records import Account, Balance
from cgrcore.accounting.wire import account_state
from cgrcore.errors import BadRequest
from cgrcore.rating import AccountState, Call, CallCost, check_usage, tariff_of
from cgrcore.world import World

__all__ = ["debit_monetary"]


def debit_monetary(world: World, call: Call, cost_nano: int) -> CallCost:
    """Charge a sum for a call. Return the call's cost by the tariff, with the account as the sum left it.

    Raises BadRequest for a negative sum; other errors as `debit`, and then nothing is charged.
    """
    if cost_nano < 0:
        raise BadRequest(f"negative cost: {cost_nano} nano")
    tariff = tariff_of(world)
    check_usage(tariff, call)
    planned = charge(world, call, account_of(world, call), is_dry_run=True, may_go_negative=True)
    cost = call_cost(tariff, planned)
    cost.account_state = _pay(world, planned, cost_nano)
    return cost


def _pay(world: World, planned: Debit, cost_nano: int) -> AccountState:
    account: Account = world.state.table("accounts").edit(planned.account.id)
    initial = account.values()
    if cost_nano:
        _take(_payers(world, account, planned), cost_nano)
        settle(world, account)
        announce(world, account)
    return account_state(account, initial)


def _payers(world: World, account: Account, planned: Debit) -> list[Balance]:
    """Return the account's money balances that were to pay, in that order; the default one when none was."""
    uuids = dict.fromkeys(
        payment.money.uuid
        for part in planned.parts
        for payment in part.payments
        if payment.money is not None and payment.account_id == account.id
    )
    found = [balance for balance in (account.find("*monetary", uuid) for uuid in uuids) if balance is not None]
    if len(found) < len(uuids) or not found:
        found.append(default_source(world, account).balance)
    return found


def _take(payers: list[Balance], cost_nano: int) -> None:
    for balance in payers[:-1]:
        paid_nano = min(max(balance.value_nano, 0), cost_nano)
        balance.value_nano -= paid_nano
        cost_nano -= paid_nano
    payers[-1].value_nano -= cost_nano
