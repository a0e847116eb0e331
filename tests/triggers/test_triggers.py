"""Triggers of an account: when they fire, and what they leave."""

from typing import Any

import pytest

from cgrcore.accounting import Account, Balance, BalanceFilter, change_balances
from cgrcore.accounting.counting import Used
from cgrcore.actions import Action, ActionSet, ActionTrigger
from cgrcore.actions.attach import add_triggers, keep_triggers, set_triggers
from cgrcore.actions.counters import count_units
from cgrcore.actions.run import run_actions
from cgrcore.actions.triggers import evaluate_triggers
from cgrcore.errors import NotFound
from cgrcore.money import NANO, parse_nano
from cgrcore.timing import MINUTE_NS
from cgrcore.world import World
from tests.actions.conftest import ACCOUNT_ID, make_world, step

MONEY = BalanceFilter(type="*monetary")


@pytest.fixture
def world() -> World:
    world = make_world()
    define(world, "BONUS", step("*topup", 1, type="*sms", id="S"))
    define(world, "DISABLE", step("*disable_account"))
    return world


def define(world: World, set_id: str, *actions: Action) -> None:
    world.state.table("actions").put(set_id, ActionSet(set_id, actions))


@pytest.fixture
def account(world: World) -> Account:
    made = Account(ACCOUNT_ID, {"*monetary": [Balance("m-1", "MAIN", "*monetary", 10 * NANO)]})
    world.state.table("accounts").put(ACCOUNT_ID, made)
    return made


def trigger(kind: str, threshold: int, actions_id: str = "BONUS", weight: int = 10, **fields: Any) -> ActionTrigger:
    return ActionTrigger(
        "GROUP",
        fields.pop("unique_id", kind),
        threshold_type=kind,
        threshold_nano=threshold * NANO,
        actions_id=actions_id,
        weight_nano=weight * NANO,
        balance=fields.pop("balance", MONEY),
        **fields,
    )


def spend(world: World, account: Account, amount: int) -> None:
    change_balances(world, account, BalanceFilter(type="*monetary", id="MAIN"), amount * NANO)


def bonus_of(account: Account) -> int:
    group = account.balances.get("*sms")
    return group[0].value_nano // NANO if group else 0


def test_it_fires_when_a_balance_reaches_its_lower_threshold(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*min_balance", 5)])
    spend(world, account, 4)
    assert bonus_of(account) == 0
    spend(world, account, 1)
    assert bonus_of(account) == 1


def test_it_fires_when_a_balance_reaches_its_upper_threshold(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*max_balance", 12)])
    spend(world, account, -2)
    assert bonus_of(account) == 1


def test_once_executed_it_rests(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*min_balance", 5)])
    spend(world, account, 6)
    spend(world, account, 1)
    assert bonus_of(account) == 1


def test_a_recurrent_one_fires_again(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*min_balance", 5, is_recurrent=True)])
    spend(world, account, 6)
    spend(world, account, 1)
    assert bonus_of(account) == 2


def test_a_recurrent_one_sleeps_first(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*min_balance", 5, is_recurrent=True, min_sleep_ns=MINUTE_NS)])
    spend(world, account, 6)
    world.now_at += MINUTE_NS - 1
    spend(world, account, 1)
    assert bonus_of(account) == 1
    world.now_at += 1
    spend(world, account, 1)
    assert bonus_of(account) == 2


def test_it_waits_for_its_activation(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*min_balance", 5, activates_at=world.now_at + 1)])
    spend(world, account, 6)
    assert bonus_of(account) == 0


def test_an_expired_one_is_removed(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*min_balance", 5, expires_at=world.now_at - 1)])
    spend(world, account, 6)
    assert (bonus_of(account), account.triggers) == (0, ())


def test_without_a_type_it_means_no_balance(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*min_balance", 5, balance=BalanceFilter())])
    spend(world, account, 6)
    assert bonus_of(account) == 0


def test_it_fires_for_each_balance_it_means(world: World, account: Account) -> None:
    account.balances["*monetary"] = [*(account.balances["*monetary"] or []), Balance("m-2", "B", "*monetary", NANO)]
    add_triggers(account, [trigger("*min_balance", 5)])
    spend(world, account, 6)
    assert bonus_of(account) == 2


def test_what_triggers_do_triggers_nothing(world: World, account: Account) -> None:
    watched = trigger("*max_balance", 1, "DISABLE", weight=30, balance=BalanceFilter(type="*sms"))
    add_triggers(account, [trigger("*min_balance", 5), watched])
    spend(world, account, 6)
    assert (bonus_of(account), account.is_disabled) == (1, False)
    spend(world, account, 0)
    assert account.is_disabled


def test_the_heaviest_goes_first(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*min_balance", 5), trigger("*min_balance", 5, "DISABLE", 20, unique_id="X")])
    spend(world, account, 6)
    assert (account.is_disabled, bonus_of(account)) == (True, 0)


def test_a_missing_set_leaves_it_ready(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*min_balance", 5, "NONE")])
    spend(world, account, 6)
    assert (account.triggers[0].is_executed, account.triggers[0].last_executed_at) == (False, world.now_at)


def test_a_failing_action_stops_its_set_and_undoes_nothing(world: World, account: Account) -> None:
    define(world, "BAD", step("*topup", 1, weight=20, type="*sms", id="S"), step("*no_such_action"))
    add_triggers(account, [trigger("*min_balance", 5, "BAD")])
    spend(world, account, 6)
    assert (bonus_of(account), account.triggers[0].is_executed) == (1, True)


def test_reset_triggers_makes_them_ready_and_fires_them(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*min_balance", 5)])
    spend(world, account, 6)
    define(world, "RESET", step("*reset_triggers", extra_parameters='{"GroupID":"GROUP"}'))
    run_actions(world, "RESET", ACCOUNT_ID)
    assert bonus_of(account) == 2


def use(world: World, account: Account, money: str, destination: str = "") -> None:
    balance = (account.balances["*monetary"] or [])[0]
    used = Used("*monetary", parse_nano(money), "call", destination, balance, parse_nano("0.01"))
    count_units(world, account, [used])
    evaluate_triggers(world, account)


def test_counters_exist_as_soon_as_a_trigger_needs_them(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*max_event_counter", 1)])
    assert account.unit_counters is not None
    assert account.unit_counters["*monetary"][0].counters[0].value_nano == 0


def test_a_counter_fires_when_it_is_full(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*max_event_counter", 1)])
    use(world, account, "0.6")
    assert bonus_of(account) == 0
    use(world, account, "0.4")
    assert bonus_of(account) == 1


def test_a_lower_bound_is_looked_at_from_the_first_step_on(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*min_event_counter", 1)])
    use(world, account, "5")
    assert bonus_of(account) == 1


def test_counts_survive_a_change_of_other_triggers(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*max_event_counter", 9)])
    use(world, account, "2")
    add_triggers(account, [trigger("*max_event_counter", 7, unique_id="OTHER")])
    assert account.unit_counters is not None
    assert [it.value_nano for it in account.unit_counters["*monetary"][0].counters] == [2 * NANO, 0]


def test_without_triggers_there_are_no_counters(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*max_event_counter", 9)])
    keep_triggers(account, lambda _: False)
    assert account.unit_counters is None


def test_a_category_that_the_filter_lacks_is_not_counted(world: World, account: Account) -> None:
    wanted = BalanceFilter(type="*monetary", categories={"sms": True})
    add_triggers(account, [trigger("*max_event_counter", 1, balance=wanted)])
    use(world, account, "2")
    assert bonus_of(account) == 0


def test_a_burst_of_calls_trips_a_trigger_that_disables_the_account(world: World, account: Account) -> None:
    add_triggers(account, [trigger("*max_event_counter", 3, "DISABLE")])
    calls = 0
    while not account.is_disabled:
        use(world, account, "0.25")
        calls += 1
    assert calls == 12


def test_an_unknown_group_is_not_found(world: World, account: Account) -> None:
    with pytest.raises(NotFound):
        set_triggers(world, account, ["NONE"], overwrite=False)
