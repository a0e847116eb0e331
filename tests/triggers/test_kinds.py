"""Every kind of trigger fires for what it watches, at its threshold, and not before."""

import pytest

from cgrcore.accounting import Account, Balance, BalanceFilter, change_balances
from cgrcore.accounting.counting import Used
from cgrcore.actions.attach import add_triggers
from cgrcore.actions.counters import count_units
from cgrcore.actions.triggers import evaluate_triggers
from cgrcore.money import NANO, parse_nano
from cgrcore.timing import MINUTE_NS
from cgrcore.world import World
from tests.triggers.test_triggers import account, bonus_of, spend, trigger, world

__all__ = ["account", "world"]


def use(world: World, account: Account, amount: str, kind: str = "*monetary") -> None:
    """Count what a call used of the account's first balance."""
    balance = (account.balances["*monetary"] or [])[0]
    count_units(world, account, [Used(kind, parse_nano(amount), "call", "49", balance, parse_nano("0.01"))])
    evaluate_triggers(world, account)


@pytest.mark.parametrize(
    ("kind", "threshold", "amounts", "fired"),
    [
        ("*max_event_counter", 2, ["1.5", "0.5"], [0, 1]),
        ("*max_balance_counter", 2, ["1.5", "0.5"], [0, 1]),
        ("*min_event_counter", 2, ["5", "1"], [1, 1]),
        ("*min_balance_counter", 2, ["5", "1"], [1, 1]),
    ],
)
def test_a_counter_fires_at_its_threshold(
    world: World, account: Account, kind: str, threshold: int, amounts: list[str], fired: list[int]
) -> None:
    add_triggers(account, [trigger(kind, threshold)])
    found = []
    for amount in amounts:
        use(world, account, amount)
        found.append(bonus_of(account))
    assert found == fired


@pytest.mark.parametrize(
    ("kind", "threshold", "spent", "fired"),
    [("*min_balance", 4, [5, 1], [0, 1]), ("*max_balance", 12, [-1, -1], [0, 1])],
)
def test_a_balance_fires_at_its_threshold(
    world: World, account: Account, kind: str, threshold: int, spent: list[int], fired: list[int]
) -> None:
    add_triggers(account, [trigger(kind, threshold)])
    found = []
    for amount in spent:
        spend(world, account, amount)
        found.append(bonus_of(account))
    assert found == fired


def test_a_balance_that_expires_fires_and_goes(world: World, account: Account) -> None:
    expiring = Balance("m-2", "SOON", "*monetary", NANO, expires_at=world.now_at + MINUTE_NS)
    account.balances["*monetary"] = [*(account.balances["*monetary"] or []), expiring]
    add_triggers(account, [trigger("*balance_expired", 0)])
    evaluate_triggers(world, account)
    assert bonus_of(account) == 0
    world.now_at += 2 * MINUTE_NS
    evaluate_triggers(world, account)
    assert bonus_of(account) == 1
    assert [balance.id for balance in account.balances["*monetary"] or []] == ["MAIN"]


def test_a_kind_that_does_not_exist_is_passed_over(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*max_voice", 0)])
    spend(world, account, 1)
    assert bonus_of(account) == 0


def test_what_is_counted_for_one_balance_is_not_for_another(world: World, account: Account) -> None:
    wanted = BalanceFilter(type="*monetary", destination_ids={"DST_FAR": True})
    add_triggers(account, [trigger("*max_balance_counter", 1, balance=wanted)])
    use(world, account, "5")
    assert bonus_of(account) == 0


def test_a_top_up_fires_an_upper_threshold(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*max_balance", 15)])
    change_balances(world, account, BalanceFilter(type="*monetary", id="MAIN"), -5 * NANO)
    assert bonus_of(account) == 1
