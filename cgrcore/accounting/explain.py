"""Why a call is paid as it is: a dry run that says of every balance what it paid, or why it was passed over.

Does not know: how to word it for an operator beyond one line a balance.
"""

import msgspec

from cgrcore._fast.debits import Debit
from cgrcore.accounting.activity import is_balance_active_at
from cgrcore.accounting.charge import account_of, charge, zero_increment_of
from cgrcore.accounting.debit import max_usage
from cgrcore.accounting.records import DEFAULT_ID, Account, Balance
from cgrcore.accounting.selection import Wanted, precision_of, reason_against
from cgrcore.errors import CgrError
from cgrcore.rating import Call, Tariff, check_usage, tariff_of
from cgrcore.world import World

__all__ = ["BalanceVerdict", "Explanation", "explain"]

MONETARY = "*monetary"
GENERIC = "*generic"


class BalanceVerdict(msgspec.Struct, frozen=True):
    """What became of one balance. `paid_ns` is the usage it paid for (ns or units), `paid_nano` what it gave."""

    account_id: str
    type: str
    id: str
    uuid: str
    reason: str
    before_nano: int
    after_nano: int
    paid_ns: int = 0

    @property
    def is_used(self) -> bool:
        return self.before_nano != self.after_nano or self.paid_ns > 0


class Explanation(msgspec.Struct, frozen=True):
    """How a call would be charged: the verdict on each balance in the order they were tried, then those passed over.

    `max_usage_ns` is what an authorisation would grant (-1: without limit), `cost_nano` what a debit of the whole call
    would cost; `refusal` is the error that ended it, empty when it would succeed.
    """

    verdicts: tuple[BalanceVerdict, ...]
    max_usage_ns: int = 0
    cost_nano: int = 0
    refusal: str = ""


def explain(world: World, call: Call) -> Explanation:
    """Return how the call would be authorised and debited now. Nothing changes.

    Raises Refused ACCOUNT_NOT_FOUND, ACCOUNT_DISABLED: then there is nothing to explain.
    """
    account = account_of(world, call)
    tariff = tariff_of(world)
    done: Debit | None = None
    granted_ns, cost_nano, refusal = 0, 0, ""
    try:
        check_usage(tariff, call)
        done = charge(world, call, account, is_dry_run=True, may_go_negative=True)
        cost_nano = sum(payment.cost_nano * payment.count for part in done.parts for payment in part.payments)
        refusal = "INSUFFICIENT_CREDIT_BALANCE_BLOCKER" if done.is_blocked else ""
    except CgrError as error:
        refusal = str(error)
    try:
        granted_ns = max_usage(world, call)
    except CgrError as error:
        refusal = refusal or str(error)
    verdicts = [*_used(account, done), *_passed_over(world, tariff, call, account, done)]
    return Explanation(tuple(verdicts), granted_ns, cost_nano, refusal)


def _used(account: Account, done: Debit | None) -> list[BalanceVerdict]:
    """Return the verdicts on those that paid, in the order they first did."""
    paid_ns: dict[Balance, int] = {}
    owners: dict[Balance, str] = {}
    gave_nano: dict[Balance, int] = {}
    for part in done.parts if done is not None else ():
        for payment in part.payments:
            for balance, amount_nano in (
                (payment.unit, payment.unit_amount_nano),
                (payment.money, payment.cost_nano),
            ):
                if balance is None:
                    continue
                owners.setdefault(balance, payment.account_id)
                paid_ns[balance] = paid_ns.get(balance, 0) + payment.usage_ns * payment.count
                gave_nano[balance] = gave_nano.get(balance, 0) + amount_nano * payment.count
    return [
        BalanceVerdict(
            owner,
            balance.type,
            balance.id,
            balance.uuid,
            _how(balance, account, owner),
            balance.value_nano + gave_nano[balance],
            balance.value_nano,
            paid_ns[balance],
        )
        for balance, owner in owners.items()
    ]


def _how(balance: Balance, account: Account, owner: str) -> str:
    if balance.id == DEFAULT_ID and balance.value_nano < 0:
        return "took what no other balance could pay, into debt"
    shared = "" if owner == account.id else ", through a shared group"
    if balance.type == MONETARY:
        return f"paid the price{shared}"
    if balance.rating_subject and zero_increment_of(balance.rating_subject) < 0:
        return f"gave units, priced as {balance.rating_subject}{shared}"
    return f"gave units{shared}"


def _passed_over(
    world: World, tariff: Tariff, call: Call, account: Account, done: Debit | None
) -> list[BalanceVerdict]:
    used: set[str] = set()
    for part in done.parts if done is not None else ():
        for payment in part.payments:
            used.update(it.uuid for it in (payment.unit, payment.money) if it is not None)
    return [
        BalanceVerdict(
            account.id,
            kind,
            balance.id,
            balance.uuid,
            _why_not(tariff, call, balance, done),
            balance.value_nano,
            balance.value_nano,
        )
        for kind, group in account.balances.items()
        for balance in group or ()
        if balance.uuid not in used
    ]


def _why_not(tariff: Tariff, call: Call, balance: Balance, done: Debit | None) -> str:
    tor = call.tor or "*voice"
    if balance.type not in (tor, GENERIC, MONETARY):
        return f"holds {balance.type}, the call uses {tor}"
    wanted = Wanted(balance.type, call.destination, call.category, call.start_at)
    reason = reason_against(balance, wanted)
    if reason:
        return reason
    if precision_of(tariff, balance.destination_ids, call.destination) is None:
        return "other destination"
    if not is_balance_active_at(balance, call.start_at, call.offset_s):
        return "not active at this time"
    if balance.value_nano <= 0:
        return "empty"
    if done is None:
        return "the call was refused before it was asked"
    if balance.shared_groups:
        return "its shared group puts others first"
    return "not needed, or too little for one increment"
