"""Giving back, rounding at the end, explaining."""

from cgrcore.accounting import debit, explain, refund_increments, refund_listed, refund_rounding
from cgrcore.rating import EventCost, Increment, Paid, PaidMoney
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import balance, call, make_account, money, values

WEIGHT = 10**9


def test_what_was_not_used_is_given_back(world: World) -> None:
    account = make_account(world, balance(world, "*voice", "u", 30 * SECOND_NS), balance(world, "*monetary", "m", "1"))
    cost = EventCost.from_call_cost(debit(world, call(60)))
    _, surplus = cost.trim(20 * SECOND_NS)
    assert surplus is not None
    refund_increments(world, surplus, "*voice")
    assert values(account) == {"u": str(10 * SECOND_NS), "m": "1"}


def test_generic_units_are_given_back_too(world: World) -> None:
    account = make_account(world, balance(world, "*generic", "g", 30 * SECOND_NS))
    cost = EventCost.from_call_cost(debit(world, call(30)))
    refund_increments(world, cost, "*voice")
    assert values(account) == {"g": str(30 * SECOND_NS)}


def test_a_refund_to_what_is_gone_is_skipped(world: World) -> None:
    paid = Paid("cgrates.org:nobody", None, PaidMoney("u", "m", 0))
    assert refund_listed(world, [Increment(1, 5, 1, paid)], "*voice") == []


def test_a_finished_cost_is_rounded_once(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "1"))
    cost = EventCost.from_call_cost(debit(world, call(47, "401")))
    rounded = refund_rounding(world, cost)
    assert (rounded.cost_nano, values(account)) == (money("0.02"), {"m": "0.98"})
    assert refund_rounding(world, rounded) == rounded


def test_rounding_is_part_of_what_a_refund_gives_back(world: World) -> None:
    account = make_account(world, balance(world, "*monetary", "m", "1"))
    cost = EventCost.from_call_cost(debit(world, call(47, "401"), perform_rounding=True))
    refund_increments(world, cost, "*voice")
    assert values(account) == {"m": "1"}


def test_an_explanation_says_of_each_balance_why(world: World) -> None:
    account = make_account(
        world,
        balance(world, "*voice", "u", 30 * SECOND_NS),
        balance(world, "*monetary", "off", "1", is_disabled=True),
        balance(world, "*monetary", "far", "1", destination_ids={"DST_53": True}),
        balance(world, "*monetary", "m", "1"),
        balance(world, "*sms", "s", "1"),
    )
    found = explain(world, call(60))
    assert {it.id: it.reason for it in found.verdicts} == {
        "u": "gave units",
        "m": "paid the price",
        "off": "disabled",
        "far": "other destination",
        "s": "holds *sms, the call uses *voice",
    }
    assert (found.cost_nano, found.max_usage_ns, found.refusal) == (money("0.3"), 60 * SECOND_NS, "")
    assert values(account)["m"] == "1"


def test_an_explanation_names_what_refuses(world: World) -> None:
    make_account(
        world,
        balance(world, "*monetary", "blk", "0.1", is_blocker=True, weight_nano=WEIGHT),
        balance(world, "*monetary", "rest", "9"),
    )
    found = explain(world, call(60))
    assert (found.refusal, found.max_usage_ns) == ("INSUFFICIENT_CREDIT_BALANCE_BLOCKER", 10 * SECOND_NS)
