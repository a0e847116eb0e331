"""The tariff in force follows its tables, and a price costs the same work on a large tariff."""

import time

from cgrcore.rating import Activation, Call, Destination, PlanRate, RatingPlan, RatingProfile, Tariff, rate, tariff_of
from cgrcore.timing import SECOND_NS
from tests.accounting.small_world import START_AT, make_world, per_minute, plan_rate

KEY = "*out:t:call:s"
RATE: PlanRate = plan_rate(per_minute("0.6"))


def _tariff(size: int) -> Tariff:
    destinations = {f"D{number}": Destination(f"D{number}", (str(100_000 + number),)) for number in range(size)}
    plan = RatingPlan("P", dict.fromkeys(destinations, (RATE,)))
    return Tariff(destinations, {"P": plan}, {KEY: RatingProfile(KEY, (Activation(0, "P"),))})


def _call(number: str, usage_s: int = 60) -> Call:
    return Call("t", "call", "s", "s", number, "*voice", START_AT, usage_s * SECOND_NS)


def _seconds(tariff: Tariff, calls: list[Call]) -> float:
    """Return the least processor time that rating the calls took: other work on the machine does not count."""
    times = []
    for _ in range(7):
        began = time.process_time()
        for call in calls:
            rate(tariff, call)
        times.append(time.process_time() - began)
    return min(times)


def test_a_tariff_is_compiled_once() -> None:
    world = make_world()
    assert tariff_of(world) is tariff_of(world)


def test_a_changed_table_is_seen_at_once() -> None:
    world = make_world()
    before = tariff_of(world)
    world.state.table("destinations").put("NEW", Destination("NEW", ("999",)))
    assert (list(before.destinations_of("9991")), list(tariff_of(world).destinations_of("9991"))) == (
        [],
        [("999", ("NEW",))],
    )


def test_a_change_that_is_undone_leaves_no_trace() -> None:
    world = make_world()
    world.state.begin()
    world.state.table("destinations").put("NEW", Destination("NEW", ("999",)))
    tariff_of(world)
    world.state.rollback()
    assert list(tariff_of(world).destinations_of("9991")) == []


def test_prefixes_are_kept_when_only_a_profile_changes() -> None:
    world = make_world()
    before = tariff_of(world)
    world.state.table("rating_profiles").put(KEY, RatingProfile(KEY, (Activation(0, "RP"),)))
    after = tariff_of(world)
    assert after is not before
    assert after.numbers is before.numbers


def test_a_price_costs_no_more_on_a_tariff_of_a_hundred_thousand_destinations() -> None:
    small, large = _tariff(10), _tariff(100_000)
    calls = [_call(f"{100_000 + number % 10}{number:05d}") for number in range(2_000)]
    assert [span.cost_nano for span in rate(large, calls[7])] == [span.cost_nano for span in rate(small, calls[7])]
    # The goal is 1.2; the rest is for a busy machine.
    assert _seconds(large, calls) < 2 * _seconds(small, calls)


def test_ten_hours_cost_no_more_work_than_a_minute() -> None:
    tariff = _tariff(10)
    short, long = [_call("1000001")] * 2_000, [_call("1000001", 36_000)] * 2_000
    assert rate(tariff, long[0])[0].cost_nano == 600 * rate(tariff, short[0])[0].cost_nano
    assert _seconds(tariff, long) < 2 * _seconds(tariff, short)


def test_a_hundred_thousand_destinations_are_compiled_in_well_under_a_second() -> None:
    began = time.process_time()
    tariff = _tariff(100_000)
    assert len(list(tariff.destinations_of("1999991"))) == 1
    assert time.process_time() - began < 2
