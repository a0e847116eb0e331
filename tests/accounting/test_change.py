"""Changing balances by filter: which are meant, what a new one gets, transfers."""

import pytest

from cgrcore.accounting import (
    Balance,
    BalanceFilter,
    Reset,
    Transfer,
    change_balances,
    matches,
    remove_balances,
    set_balance,
    transfer_balance,
)
from cgrcore.actions import ValueFormula
from cgrcore.errors import BadRequest, NotFound, Refused
from cgrcore.world import World
from tests.accounting.small_world import NOW_AT, balance, make_account, money, values

MONEY = BalanceFilter(type="*monetary")


@pytest.mark.parametrize(
    ("wanted", "is_meant"),
    [
        (BalanceFilter(), True),
        (BalanceFilter(type="*voice"), False),
        (BalanceFilter(id="m"), True),
        (BalanceFilter(id="other"), False),
        (BalanceFilter(id="m", weight_nano=1), True),
        (BalanceFilter(weight_nano=1), False),
        (BalanceFilter(weight_nano=10), True),
        (BalanceFilter(destination_ids={"A": True}), True),
        (BalanceFilter(destination_ids={"A": True, "B": True}), True),
        (BalanceFilter(destination_ids={"C": True}), False),
        (BalanceFilter(destination_ids={}), True),
        (BalanceFilter(rating_subject="gold"), False),
        (BalanceFilter(is_blocker=True), False),
        (BalanceFilter(expires_at=5), False),
    ],
)
def test_a_filter_means_what_its_fields_say(wanted: BalanceFilter, is_meant: bool) -> None:
    found = Balance("", "m", "*monetary", weight_nano=10, destination_ids={"A": True, "B": True})
    assert matches(wanted, found) is is_meant


def test_a_topup_without_id_adds_to_every_balance_it_means(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "a", 1), balance(world, "*monetary", "b", 2))
    change_balances(world, account, MONEY, -money(5))
    assert values(account) == {"a": "6", "b": "7"}


def test_a_topup_of_nothing_makes_a_balance_with_empty_sets(world: World) -> None:
    account = make_account(world)
    made = change_balances(world, account, BalanceFilter(type="*monetary", id="new"), -money(5))[0]
    assert (made.value_nano, made.destination_ids, made.categories, made.factors) == (money(5), {}, {}, None)


def test_a_default_balance_is_always_bare(world: World) -> None:
    account = make_account(world)
    wanted = BalanceFilter(type="*monetary", id="*default", weight_nano=7, categories={"call": True})
    made = change_balances(world, account, wanted, -money(5))[0]
    assert (made.weight_nano, made.categories) == (0, None)


def test_resetting_starts_from_zero(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "a", 9), balance(world, "*monetary", "b", -9))
    change_balances(world, account, MONEY, -money(5), reset=Reset.NEGATIVE)
    assert values(account) == {"a": "14", "b": "5"}
    change_balances(world, account, MONEY, -money(5), reset=Reset.ALWAYS)
    assert values(account) == {"a": "5", "b": "5"}


def test_amounts_are_rounded_to_the_systems_decimals(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "a", 0))
    change_balances(world, account, MONEY, -money("0.123456"))
    assert values(account) == {"a": "0.12346"}


def test_a_balance_that_expired_is_gone_after_any_change(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "old", 1, expires_at=NOW_AT - 1))
    change_balances(world, account, BalanceFilter(type="*voice"), -1)
    assert list(values(account)) == [""]


def test_setting_a_value_takes_it_as_it_is(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "a", 9))
    set_balance(world, account, BalanceFilter(type="*monetary", id="a", value=ValueFormula(money("0.1234567"))))
    assert values(account) == {"a": "0.1234567"}


def test_setting_an_unknown_uuid_is_an_error(world: World) -> None:
    account = make_account(world)
    with pytest.raises(NotFound, match="cannot find balance with uuid: <u>"):
        set_balance(world, account, BalanceFilter(type="*monetary", uuid="u"))


def test_a_balance_is_not_made_without_a_type(world: World) -> None:
    account = make_account(world)
    with pytest.raises(BadRequest, match="missing balance type"):
        set_balance(world, account, BalanceFilter(id="x"))


def test_a_type_whose_last_balance_is_removed_stays_with_none(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "a", 9))
    remove_balances(world, account, BalanceFilter(type="*monetary", id="a"))
    assert account.balances == {"*monetary": None}


def test_removing_nothing_is_an_error(world: World) -> None:
    account = make_account(world)
    with pytest.raises(NotFound):
        remove_balances(world, account, MONEY)


def test_a_transfer_conserves_money(world: World) -> None:
    giver = make_account(world, balance(world, "*monetary", "a", 9), name="x")
    taker = make_account(world, name="y")
    transfer_balance(world, giver, taker, Transfer("a", "b", money(4)))
    assert (values(giver), values(taker)) == ({"a": "5"}, {"b": "4"})


def test_a_transfer_to_a_reference_value_moves_what_is_missing(world: World) -> None:
    giver = make_account(world, balance(world, "*monetary", "a", 9), name="x")
    taker = make_account(world, balance(world, "*monetary", "b", 1), name="y")
    transfer_balance(world, giver, taker, Transfer("a", "b", reference_nano=money(4)))
    assert (values(giver), values(taker)) == ({"a": "6"}, {"b": "4"})


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (Transfer("", "b", 1), "source balance ID is missing"),
        (Transfer("nope", "b", 1), "source balance not found or expired"),
        (Transfer("a", "b", 0), "transfer amount is missing or 0"),
        (Transfer("a", "b", 10**10), 'insufficient credits in source balance "a" .* for transfer of 10 units'),
    ],
)
def test_a_transfer_that_cannot_be_made_says_why(world: World, order: Transfer, text: str) -> None:
    giver = make_account(world, balance(world, "*monetary", "a", 9), name="x")
    with pytest.raises(Refused, match=text):
        transfer_balance(world, giver, giver, order)
