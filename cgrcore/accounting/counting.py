"""What a charge used, told to the counters of the accounts that paid.

Does not know: counters, triggers. Those stand above accounting and register themselves as `world.parts["count_units"]`.
"""

from collections.abc import Iterable

import msgspec

from cgrcore._fast.payments import Part
from cgrcore.accounting.records import Account, Balance
from cgrcore.rating import Call
from cgrcore.world import World

__all__ = ["Used", "count_usage", "count_used"]

CONNECT = "*event_connect"
MONETARY = "*monetary"


class Used(msgspec.Struct, frozen=True):
    """An amount of one kind that was used: units under the type of record, money under `*monetary`, a connection.

    `first_nano` is the first step in which the amount came; `balance` the one that paid.
    """

    kind: str
    amount_nano: int
    category: str
    destination: str
    balance: Balance | None = None
    first_nano: int | None = None


def count_usage(world: World, call: Call, accounts: Iterable[Account], parts: list[Part]) -> None:
    """Count what was paid, for each account that has counters."""
    for account in accounts:
        if account.unit_counters:
            count_used(world, account, list(_used(call, account.id, parts)))


def _used(call: Call, account_id: str, parts: list[Part]) -> Iterable[Used]:
    for part in parts:
        for payment in part.payments:
            if payment.account_id != account_id:
                continue
            if payment.unit is not None:
                amount_nano = payment.unit_amount_nano
                yield _of(call, call.tor or "*voice", amount_nano, payment.count, payment.unit)
            if payment.money is not None:
                yield _of(call, MONETARY, payment.cost_nano, payment.count, payment.money)
                if payment.usage_ns == 0:
                    yield Used(CONNECT, 10**9, call.category, call.destination, payment.money)


def _of(call: Call, kind: str, amount_nano: int, count: int, balance: Balance) -> Used:
    return Used(kind, amount_nano * count, call.category, call.destination, balance, amount_nano)


def count_used(world: World, account: Account, used: list[Used]) -> None:
    """Hand amounts to the counters, negative ones for what was given back."""
    count_units = world.parts.get("count_units")
    if count_units is not None and used:
        count_units(world, account, used)
