"""What a call would have taken from an account under a tariff: what a correction is to leave behind.

Rules: a debit rounds and caps each part of a call, a quote the whole, so the price of a rerating is not always what was
paid at the same tariff; this is, to the last digit. The account is made up, has money and nothing else, and is left as
it was. Does not know: who really paid, units.
"""

import msgspec

from cgrcore.accounting import Account, Balance, account_id_of, debit, refund_rounding
from cgrcore.errors import CgrError
from cgrcore.rating import Call, EventCost, quote_by_tariff
from cgrserver.rerating.rating import Plan, defaults_of, tariff_from

__all__ = ["Debits"]

MONETARY = "*monetary"

#: More than any call costs.
_CREDIT_NANO = 10**27

#: The name of the account; a plan's own accounts are not asked.
_NAME = "*rerated"


class Debits:
    """Debits under a tariff, none of which stays. For one thread. `defaults` are those of the plan's settings."""

    def __init__(self, plan: Plan) -> None:
        """Load the plan. Raises BadRequest for one with mistakes."""
        self._world, self._tariff = tariff_from(plan)
        self.defaults = defaults_of(self._world)

    def price_nano(self, call: Call) -> int | None:
        """Return what the call costs whom it costs nothing, None when it cannot be rated."""
        try:
            price: int = quote_by_tariff(self._tariff, call).cost_nano
        except CgrError:
            return None
        return price

    def cost_nano(self, call: Call, *, by_session: bool = False) -> int | None:
        """Return what the call would take, None when it cannot be rated.

        A session rounds once it has ended, what followed each other at one rate together.
        """
        world = self._world
        account_id = account_id_of(call.tenant, _NAME)
        accounts = world.state.table("accounts")
        if account_id not in accounts:
            balance = Balance("credit", "credit", MONETARY, _CREDIT_NANO)
            accounts.put(account_id, Account(account_id, balances={MONETARY: [balance]}))
            world.state.take()
        world.state.begin("rerate")
        try:
            paid = debit(world, msgspec.structs.replace(call, account=_NAME), perform_rounding=not by_session)
            cost = EventCost.from_call_cost(paid)
            if by_session:
                cost = refund_rounding(world, msgspec.structs.replace(cost, charges=[]).merge(cost))
        except CgrError:
            return None
        finally:
            world.state.rollback()
        cost_nano: int = cost.cost_nano
        return cost_nano
