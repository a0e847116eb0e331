"""Debits: which balances pay, in what order, how far, and what is told of it."""

import msgspec
import pytest

from cgrcore.accounting import SharedGroup, Sharing, debit, debit_monetary, max_debit, max_usage
from cgrcore.errors import BadRequest, Refused
from cgrcore.rating import Timing
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import balance, call, make_account, money, values

WEIGHT = 10**9


def test_money_pays_by_the_second(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "1"))
    cost = debit(world, call(42))
    assert (cost.cost_nano, values(account)) == (money("0.42"), {"m": "0.58"})


def test_the_summary_tells_values_before_and_after(world: World) -> None:
    make_account(world, balance(world, "*monetary", "m", "1"))
    state = debit(world, call(42)).account_state
    assert state is not None
    line = state.balances[0]
    assert (line.initial, str(line.value)) == (1, "0.58")


def test_units_go_before_money(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "1"), balance(world, "*voice", "u", 40 * SECOND_NS))
    debit(world, call(60))
    assert values(account) == {"u": "0", "m": "0.8"}


def test_generic_units_pay_for_every_type_of_record(world: World) -> None:
    account = make_account(world, balance(world, "*generic", "g", 40 * SECOND_NS))
    debit(world, call(10))
    assert values(account) == {"g": str(30 * SECOND_NS)}


def test_the_heavier_balance_pays_first(world: World) -> None:
    account = make_account(
        world,
        balance(world, "*monetary", "light", "1"),
        balance(world, "*monetary", "heavy", "0.3", weight_nano=WEIGHT),
    )
    debit(world, call(60))
    assert values(account) == {"light": "0.7", "heavy": "0"}


def test_the_longer_prefix_beats_weight(world: World) -> None:
    account = make_account(
        world,
        balance(world, "*monetary", "heavy", "5", weight_nano=WEIGHT, destination_ids={"DST_49": True}),
        balance(world, "*monetary", "exact", "5", destination_ids={"DST_4930": True}),
    )
    debit(world, call(60, "49301"))
    assert values(account) == {"heavy": "5", "exact": "4.76"}


def test_an_excluded_destination_matches_all_others(world: World) -> None:
    account = make_account(
        world,
        balance(world, "*monetary", "plain", "5", weight_nano=WEIGHT),
        balance(world, "*monetary", "but_53", "5", destination_ids={"DST_53": False}),
    )
    debit(world, call(60))
    debit(world, call(60, "531"), may_go_negative=False)
    assert values(account) == {"plain": "5", "but_53": "4.4"}


def test_categories_choose(world: World) -> None:
    account = make_account(
        world,
        balance(world, "*monetary", "sms", "5", weight_nano=WEIGHT, categories={"sms": True}),
        balance(world, "*monetary", "any", "5"),
    )
    debit(world, call(60))
    assert values(account) == {"sms": "5", "any": "4.4"}


def test_a_disabled_or_expired_balance_does_not_pay(world: World) -> None:
    account = make_account(
        world,
        balance(world, "*monetary", "off", "5", weight_nano=2 * WEIGHT, is_disabled=True),
        balance(world, "*monetary", "old", "5", weight_nano=WEIGHT, expires_at=call(1).start_at - 1),
        balance(world, "*monetary", "good", "5"),
    )
    debit(world, call(60))
    assert values(account) == {"off": "5", "good": "4.4"}


def test_timings_are_looked_at_when_the_balance_pays(world: World) -> None:
    evening = Timing("EVENING", start_time="19:00:00")
    account = make_account(
        world,
        balance(
            world, "*monetary", "evening", "5", weight_nano=WEIGHT, timings=(evening,), timing_ids={"EVENING": True}
        ),
        balance(world, "*monetary", "always", "5"),
    )
    debit(world, call(60))
    assert values(account) == {"evening": "5", "always": "4.4"}


def test_an_excluded_timing_forbids(world: World) -> None:
    morning = Timing("MORNING", start_time="08:00:00")
    account = make_account(
        world,
        balance(
            world, "*monetary", "not_am", "5", weight_nano=WEIGHT, timings=(morning,), timing_ids={"MORNING": False}
        ),
        balance(world, "*monetary", "always", "5"),
    )
    debit(world, call(60))
    assert values(account) == {"not_am": "5", "always": "4.4"}


def test_a_rating_subject_of_a_balance_prices_what_it_pays(world: World) -> None:
    account = make_account(
        world,
        balance(world, "*voice", "r", 30 * SECOND_NS, rating_subject="gold"),
        balance(world, "*monetary", "m", "1"),
    )
    cost = debit(world, call(60))
    assert values(account) == {"r": "0", "m": "0.55"}
    assert cost.spans is not None
    paid = cost.spans[0].increments[0].paid
    assert paid is not None and paid.unit is not None and paid.unit.interval is not None


def test_a_factor_multiplies_the_units_of_those_that_name_it(world: World) -> None:
    account = make_account(world, balance(world, "*voice", "u", 90 * SECOND_NS, factors={"x": 2 * 10**9}))
    debit(world, msgspec.structs.replace(call(20), extra_fields={"BalanceFactorID": "x"}))
    debit(world, call(20))
    assert values(account) == {"u": str(30 * SECOND_NS)}


def test_what_nobody_pays_goes_into_debt(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "0.1"))
    debit(world, call(60))
    assert values(account) == {"m": "0", "*default": "-0.5"}


def test_debt_can_be_denied(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "0.1"))
    assert debit(world, call(60), may_go_negative=False).cost_nano == money("0.1")
    assert values(account) == {"m": "0"}


def test_what_costs_nothing_needs_no_balance(world: World) -> None:
    account = make_account(world)
    cost = debit(world, call(60, "498001"))
    assert (cost.cost_nano, cost.rated_usage_ns, values(account)) == (0, 60 * SECOND_NS, {})


def test_a_blocker_that_cannot_pay_all_refuses_and_nothing_is_paid(world: World) -> None:
    account = make_account(
        world,
        balance(world, "*monetary", "blk", "0.1", is_blocker=True, weight_nano=WEIGHT),
        balance(world, "*monetary", "rest", "9"),
    )
    with pytest.raises(Refused, match="INSUFFICIENT_CREDIT_BALANCE_BLOCKER"):
        debit(world, call(60))
    assert values(account) == {"blk": "0.1", "rest": "9"}


def test_a_blocker_limits_what_is_granted(world: World) -> None:
    make_account(
        world,
        balance(world, "*monetary", "blk", "0.1", is_blocker=True, weight_nano=WEIGHT),
        balance(world, "*monetary", "rest", "9"),
    )
    assert max_usage(world, call(60)) == 10 * SECOND_NS


def test_the_connect_fee_is_paid_whole_by_the_first_that_has_it(world: World) -> None:
    account = make_account(
        world,
        balance(world, "*monetary", "a", "0.04", weight_nano=WEIGHT),
        balance(world, "*monetary", "b", "1"),
    )
    debit(world, call(60, "491511"))
    assert values(account) == {"a": "0.04", "b": "0.83"}


def test_without_credit_for_the_connect_fee_nothing_is_granted(world: World) -> None:
    make_account(world, balance(world, "*monetary", "a", "0.04"))
    assert max_usage(world, call(60, "491511")) == 0


def test_the_connect_fee_is_charged_with_the_first_slice_only(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "1"))
    debit(world, msgspec.structs.replace(call(60, "491511"), is_first=False))
    assert values(account) == {"m": "0.88"}


def test_a_cap_that_disconnects_limits_what_is_granted_not_what_is_charged(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "100"))
    assert max_usage(world, call(600, "499001")) == 240 * SECOND_NS
    debit(world, call(300, "499001"))
    assert values(account) == {"m": "83.5"}


def test_beyond_a_free_cap_the_call_goes_on_for_nothing(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "100"))
    cost = debit(world, call(420, "531"))
    assert values(account) == {"m": "82"}
    assert cost.spans is not None
    assert [(it.cost_nano, it.count) for it in cost.spans[0].increments] == [(money("6"), 3), (0, 4)]


def test_an_account_that_may_go_negative_is_unlimited(world: World) -> None:
    make_account(world, allow_negative=True)
    assert max_usage(world, call(60)) == -1


def test_max_debit_charges_what_can_be_paid(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "0.25"))
    cost = max_debit(world, call(60))
    assert (cost.rated_usage_ns, values(account)) == (25 * SECOND_NS, {"m": "0"})


def test_a_forced_max_debit_is_all_or_nothing(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "0.25"))
    with pytest.raises(Refused, match="INSUFFICIENT_CREDIT"):
        max_debit(world, call(60), is_forced=True)
    assert values(account) == {"m": "0.25"}


def test_rounding_charges_the_difference_to_who_paid_first(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "1"))
    cost = debit(world, call(47, "401"), perform_rounding=True)
    assert (cost.cost_nano, values(account)) == (money("0.02"), {"m": "0.98"})
    assert cost.spans is not None and cost.spans[0].round_increment is not None
    assert cost.spans[0].round_increment.cost_nano == money("0.0008")


def test_a_dry_run_changes_nothing(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "0.1"))
    cost = debit(world, call(60), is_dry_run=True, perform_rounding=True)
    assert cost.cost_nano == money("0.6")
    assert values(account) == {"m": "0.1"}
    assert not world.state.take()


def test_an_agreed_sum_is_taken_from_who_would_have_paid(world: World) -> None:
    account = make_account(
        world, balance(world, "*monetary", "a", "1", weight_nano=WEIGHT), balance(world, "*monetary", "b", "2")
    )
    debit_monetary(world, call(45), money("1.4"))
    assert values(account) == {"a": "-0.4", "b": "2"}


def test_an_agreed_sum_rolls_to_the_next_payer(world: World) -> None:
    account = make_account(
        world, balance(world, "*monetary", "a", "0.1", weight_nano=WEIGHT), balance(world, "*monetary", "b", "2")
    )
    debit_monetary(world, call(45), money("1"))
    assert values(account) == {"a": "0", "b": "1.1"}


def test_an_unknown_account_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="ACCOUNT_NOT_FOUND"):
        debit(world, call(60))


def test_a_disabled_account_is_refused(world: World) -> None:
    make_account(world).is_disabled = True
    with pytest.raises(Refused, match="ACCOUNT_DISABLED"):
        max_usage(world, call(60))


def test_negative_usage_is_an_error(world: World) -> None:
    make_account(world)
    with pytest.raises(BadRequest):
        debit(world, call(-1))


def test_a_day_long_call_of_nanosecond_units_is_paid_at_once(world: World) -> None:
    account = make_account(world, balance(world, "*voice", "u", 10**15, rating_subject="*zero5ns"))
    debit(world, call(86_400))
    assert values(account) == {"u": str(10**15 - 86_400 * SECOND_NS)}


@pytest.mark.parametrize(
    ("strategy", "order"),
    [
        ("*lowest", ["b", "a", "c"]),
        ("*highest", ["c", "a", "b"]),
        ("*mine_lowest", ["a", "b", "c"]),
        ("*mine_highest", ["a", "c", "b"]),
    ],
)
def test_a_shared_group_pays_in_the_order_of_its_strategy(world: World, strategy: str, order: list[str]) -> None:
    groups = {"G": True}
    accounts = [
        make_account(world, balance(world, "*monetary", name, value, shared_groups=groups), name=name)
        for name, value in (("a", "2"), ("b", "1"), ("c", "3"))
    ]
    group = SharedGroup("G", {"*any": Sharing(strategy)}, {account.id: True for account in accounts})
    world.state.table("shared_groups").put("G", group)
    cost = debit(world, call(600, name="a"))
    payers = [
        increment.paid.account_id.partition(":")[2]
        for span in cost.spans or ()
        for increment in span.increments
        if increment.paid is not None
    ]
    assert payers == order


def test_a_shared_group_that_is_random_depends_on_nothing_but_fresh_ids(world: World) -> None:
    groups = {"G": True}
    accounts = [
        make_account(world, balance(world, "*monetary", name, "1", shared_groups=groups), name=name) for name in "abc"
    ]
    group = SharedGroup("G", {"*any": Sharing("*random")}, {account.id: True for account in accounts})
    world.state.table("shared_groups").put("G", group)
    assert max_usage(world, call(600, name="a")) == 300 * SECOND_NS


def test_a_disabled_member_pays_for_nobody(world: World) -> None:
    groups = {"G": True}
    make_account(world, balance(world, "*monetary", "a", "1", shared_groups=groups), name="a")
    other = make_account(world, balance(world, "*monetary", "b", "1", shared_groups=groups), name="b")
    other.is_disabled = True
    members = {"cgrates.org:a": True, "cgrates.org:b": True}
    world.state.table("shared_groups").put("G", SharedGroup("G", None, members))
    assert max_usage(world, call(600, name="a")) == 100 * SECOND_NS


def test_a_maximum_debit_that_pays_nothing_leaves_no_trace(world: World) -> None:
    account = make_account(world, balance(world, "*voice", "r", 30 * SECOND_NS, rating_subject="gold"))
    assert max_debit(world, call(60)).spans is None
    assert account.balances.keys() == {"*voice"}
    assert values(account) == {"r": str(30 * SECOND_NS)}


def test_a_maximum_debit_takes_a_connect_fee_of_a_smaller_slice_too(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "0.2"))
    cost = max_debit(world, call(300, "491511"))
    assert (cost.rated_usage_ns, values(account)) == (90 * SECOND_NS, {"m": "0"})
