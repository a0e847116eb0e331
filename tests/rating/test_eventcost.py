"""The cost of an event: kept, shown, read back, merged, trimmed; nothing is lost on the way."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.errors import CgrError
from cgrcore.rating import CallCost, CostSpan, EventCost, Increment, Paid, PaidMoney, PaidUnit, pause_cost, quote
from cgrcore.timing import SECOND_NS
from tests.rating.random_tariffs import make_call, make_model, make_world
from tests.rating.small_tariffs import at, call, hours, rating, slot, world_of

START_AT = at("2024-03-04T10:00:00Z")
RATES = (hours(rating(slot("0.6", step_s=1))), hours(rating(slot("1.2", step_s=1), fee="0.1"), "08:00:00"))
PAYERS = (
    None,
    Paid("t:1001", None, PaidMoney("m1", "main", 7 * 10**9)),
    Paid("t:1001", None, PaidMoney("m2", "other", 0, RATES[0])),
    Paid("t:1001", PaidUnit("u1", "free", 0, "", 10**9, 10**9, "", "*voice"), None),
    Paid("t:1001", PaidUnit("u2", "", 0, "", 2 * 10**9, 15 * 10**8, "", "*voice"), PaidMoney("m1", "main", 0)),
)

increments = st.builds(
    Increment,
    st.sampled_from([SECOND_NS, 30 * SECOND_NS, 7]),
    st.sampled_from([0, 10**7, 123_450_000]),
    st.integers(1, 90),
    st.sampled_from(PAYERS),
)


@st.composite
def event_costs(draw: st.DrawFn) -> EventCost:
    spans: list[CostSpan] = []
    now_at = START_AT
    for number in range(draw(st.integers(1, 4))):
        steps = draw(st.lists(increments, min_size=1, max_size=3))
        if number == 0 and draw(st.booleans()):
            steps.insert(0, Increment(0, 10**8, 1, PAYERS[1]))
        usage_ns = sum(step.usage_ns * step.count for step in steps)
        rate = draw(st.sampled_from(RATES))
        span = CostSpan(
            now_at, now_at + usage_ns, 3600, 0, now_at + usage_ns - START_AT, rate, steps, "s", "44", "D44", "P"
        )
        if draw(st.booleans()):
            span.round_increment = Increment(0, -(10**4), 1, PAYERS[1])
        spans.append(span)
        now_at += usage_ns
    return EventCost.from_call_cost(CallCost("call", "t", "s", "1001", "4420", "*voice", 0, spans), "cgrid", "*default")


def _sums(*costs: EventCost | None) -> tuple[int, int]:
    """Return the usage and the exact cost of some costs together."""
    charges = [charge for cost in costs if cost is not None for charge in cost.charges]
    return (
        sum(charge.usage_ns * charge.count for charge in charges),
        sum(charge.cost_nano * charge.count for charge in charges),
    )


@given(event_costs())
def test_a_cost_is_read_back_as_it_was_kept(cost: EventCost) -> None:
    assert EventCost.decode(cost.encode()) == cost


@given(event_costs())
def test_a_cost_that_is_read_from_the_wire_shows_itself_alike(cost: EventCost) -> None:
    wire = cost.as_wire()
    assert EventCost.from_wire(wire).as_wire() == wire


@given(event_costs(), st.integers(-5, 400), st.sampled_from([1, SECOND_NS]))
def test_trimming_loses_nothing(cost: EventCost, usage: int, unit_ns: int) -> None:
    kept, rest = cost.trim(usage * unit_ns)
    assert _sums(kept, rest) == _sums(cost)


@given(event_costs(), st.integers(1, 400))
def test_what_is_kept_covers_the_usage_in_less_than_one_increment_more(cost: EventCost, usage_s: int) -> None:
    usage_ns = min(usage_s * SECOND_NS, cost.usage_ns)
    kept, _ = cost.trim(usage_ns)
    assert usage_ns <= kept.usage_ns < usage_ns + 30 * SECOND_NS


@given(event_costs(), st.integers(1, 400))
def test_what_is_trimmed_off_and_merged_again_costs_the_same(cost: EventCost, usage_s: int) -> None:
    kept, rest = cost.trim(usage_s * SECOND_NS)
    merged = kept if rest is None else kept.merge(rest)
    assert _sums(merged) == _sums(cost)


@given(event_costs())
def test_nothing_is_left_over_of_all_the_usage(cost: EventCost) -> None:
    assert cost.trim(cost.usage_ns + 1) == (cost, None)


@given(event_costs())
def test_no_usage_keeps_nothing(cost: EventCost) -> None:
    kept, rest = cost.trim(0)
    assert (kept.charges, _sums(rest)) == ([], _sums(cost))


@given(event_costs(), event_costs())
def test_merging_adds_up(left: EventCost, right: EventCost) -> None:
    assert _sums(left.merge(right)) == _sums(left, right)


@given(event_costs())
def test_a_refund_gives_back_all_that_was_charged(cost: EventCost) -> None:
    steps = cost.increments()
    assert (sum(it.usage_ns * it.count for it in steps), sum(it.cost_nano * it.count for it in steps)) == _sums(cost)


def test_the_same_charge_again_counts_twice() -> None:
    span = CostSpan(
        START_AT, START_AT + SECOND_NS, 0, 0, SECOND_NS, RATES[0], [Increment(SECOND_NS, 7)], "s", "4", "D", "P"
    )
    cost = EventCost.from_call_cost(CallCost("call", "t", "s", "", "4", "*voice", 7, [span]))
    assert [(charge.count, charge.cost_nano) for charge in cost.merge(cost).charges] == [(2, 7)]


def test_merging_keeps_the_first_values_of_balances() -> None:
    def cost(initial: int, value: int, uuid: str = "u") -> EventCost:
        summary = {"UUID": uuid, "ID": "main", "Type": "*monetary", "Initial": initial, "Value": value}
        wire = {"StartTime": "2024-03-04T10:00:00Z", "AccountSummary": {"Tenant": "t", "BalanceSummaries": [summary]}}
        return EventCost.from_wire(wire)

    merged = cost(10, 8).merge(cost(8, 5)).merge(cost(3, 2, "v")).as_wire()["AccountSummary"]["BalanceSummaries"]
    assert [(line["UUID"], line["Initial"], line["Value"]) for line in merged] == [("v", 3, 2), ("u", 0, 0)]


@pytest.mark.parametrize("text", ["0.1234567891234", "-0.5", "18446744074", "-18446744074.5", "12.000000001", "0"])
def test_the_amounts_of_an_account_come_back_as_they_were_given(text: str) -> None:
    summary = {"UUID": "u", "ID": "main", "Type": "*data", "Initial": Decimal(text), "Value": Decimal(text)}
    cost = EventCost.from_wire({"AccountSummary": {"Tenant": "t", "BalanceSummaries": [summary]}})
    line = EventCost.decode(cost.encode()).as_wire()["AccountSummary"]["BalanceSummaries"][0]
    assert (line["Initial"], line["Value"]) == (Decimal(text), Decimal(text))


def test_an_amount_beyond_64_bits_is_kept() -> None:
    span = CostSpan(START_AT, START_AT + 1, 0, 10**30, 1, RATES[0], [Increment(1, 10**30)], "s", "4", "D", "P")
    cost = EventCost.from_call_cost(CallCost("call", "t", "s", "", "4", "*voice", 10**30, [span]))
    assert EventCost.decode(cost.encode()) == cost


def test_equal_parts_are_listed_once() -> None:
    world = world_of({"44": RATES})
    wire = EventCost.from_call_cost(quote(world, call(86_400 + 60, "2024-03-04T09:00:00Z"))).as_wire()
    counts = {kind: len(wire[kind]) for kind in ("Charges", "Rating", "Rates", "RatingFilters")}
    assert counts == {"Charges": 3, "Rating": 2, "Rates": 2, "RatingFilters": 1}


def test_money_beside_units_is_an_extra_charge() -> None:
    span = CostSpan(
        START_AT,
        START_AT + SECOND_NS,
        0,
        0,
        SECOND_NS,
        RATES[0],
        [Increment(SECOND_NS, 5 * 10**8, 1, PAYERS[4])],
        "s",
        "4",
        "D",
        "P",
    )
    wire = EventCost.from_call_cost(CallCost("call", "t", "s", "", "4", "*voice", 0, [span])).as_wire()
    unit = wire["Accounting"][wire["Charges"][0]["Increments"][0]["AccountingID"]]
    assert (unit["Units"], unit["BalanceFactor"], wire["Accounting"][unit["ExtraChargeID"]]["Units"]) == (
        2,
        Decimal("1.5"),
        Decimal("0.5"),
    )


def test_a_pause_costs_nothing_and_comes_back_as_one() -> None:
    wire = pause_cost("cgrid", "*default", START_AT, 0, 60 * SECOND_NS).as_wire()
    assert (wire["Usage"], wire["Cost"], wire["Charges"][0]["RatingID"]) == (60 * SECOND_NS, 0, "*pause")
    assert EventCost.from_wire(wire).as_wire() == wire


def test_a_part_that_is_missing_is_named() -> None:
    wire: dict[str, Any] = {"Charges": [{"RatingID": "abc", "Increments": []}]}
    with pytest.raises(CgrError, match="abc"):
        EventCost.from_wire(wire)


def test_the_cost_of_ten_hours_is_no_larger_than_that_of_a_minute() -> None:
    world = world_of({"44": (RATES[0],)})
    short, long = (EventCost.from_call_cost(quote(world, call(usage_s))).encode() for usage_s in (60, 36_000))
    assert len(long) <= len(short) + 8


def test_quotes_of_random_tariffs_survive_the_wire() -> None:
    for seed in range(20):
        random = Random(seed)
        world = make_world(make_model(random))
        for _ in range(20):
            it = make_call(random)
            try:
                cost = EventCost.from_call_cost(quote(world, it))
            except CgrError:
                continue
            wire = cost.as_wire()
            assert EventCost.from_wire(wire).as_wire() == wire, (seed, it)
