"""What is rated in bulk costs what it costs by itself."""

from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.errors import CgrError
from cgrcore.rating import (
    Activation,
    Call,
    CallColumns,
    Coded,
    Destination,
    PlanRate,
    Rate,
    Rating,
    RatingPlan,
    RatingProfile,
    Timing,
    call_at,
    quote,
    rate_columns,
    tariff_of,
)
from cgrcore.timing import DAY_NS, SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import START_AT, make_world, money

rates = st.builds(
    Rate,
    st.integers(0, 6).map(lambda n: n * 10 * SECOND_NS),
    st.integers(-(10**6), 10**10),
    st.sampled_from([0, 1, SECOND_NS, 7 * SECOND_NS, 60 * SECOND_NS]),
    st.sampled_from([0, SECOND_NS, 60 * SECOND_NS, 3600 * SECOND_NS]),
)
ratings = st.builds(
    Rating,
    st.integers(0, 10**9),
    st.sampled_from(["*up", "*down", "*middle", "", "*other"]),
    st.integers(0, 10),
    st.sampled_from([0, 10**8, 10**10]),
    st.sampled_from(["", "*free", "*disconnect"]),
    st.lists(rates, min_size=1, max_size=4, unique_by=lambda it: it.group_start_ns).map(tuple),
)
timings = st.sampled_from([Timing("*any"), Timing("EVENING", start_time="19:00:00")])
plan_rates = st.lists(st.builds(PlanRate, timings, ratings, st.sampled_from([0, 10**10])), min_size=1, max_size=2)
calls = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["7", "71", "712", "7129", "8", "9", "", "*any", "1"]),
    st.integers(-200, 4 * 86_400),
    st.sampled_from([-1, 0, 1, 30, 59, 60, 3600, 7200, 86_400, 200_000]),
)
SUBJECTS = ["flat", "other", "nobody"]


def _world(first: list[PlanRate], second: list[PlanRate], any_rate: list[PlanRate]) -> World:
    world = make_world()
    table = world.state.table
    table("destinations").put("D7", Destination("D7", ("7", "8")))
    table("destinations").put("D71", Destination("D71", ("71",)))
    for plan_id, rated in (("A", first), ("B", second)):
        plan = RatingPlan(plan_id, {"D7": tuple(rated), "D71": tuple(any_rate)})
        table("rating_plans").put(plan_id, plan)
    activations = (Activation(START_AT, "A"), Activation(START_AT + DAY_NS, "B"))
    table("rating_profiles").put("*out:cgrates.org:bulk:flat", RatingProfile("*out:cgrates.org:bulk:flat", activations))
    anyone = RatingProfile("*out:cgrates.org:bulk:*any", (Activation(START_AT, "B"),))
    table("rating_profiles").put(anyone.id, anyone)
    world.state.take()
    return world


def _columns(rows: list[tuple[int, str, int, int]], tor: str, offset_s: int) -> CallColumns:
    subjects, numbers, starts, usages = zip(*rows, strict=True)
    return CallColumns(
        destinations=numpy.array([number.encode() for number in numbers]),
        starts_at=START_AT + numpy.array(starts, dtype=numpy.int64) * SECOND_NS,
        usages_ns=numpy.array(usages, dtype=numpy.int64) * SECOND_NS,
        subjects=Coded(numpy.array(subjects, dtype=numpy.int32), SUBJECTS),
        tenants="cgrates.org",
        categories="bulk",
        tors=tor,
        offsets_s=offset_s,
    )


def _alone(world: World, call: Call) -> Any:
    try:
        return quote(world, call).cost_nano
    except CgrError:
        return None


@given(
    plan_rates,
    plan_rates,
    plan_rates,
    st.lists(calls, min_size=1, max_size=12),
    st.sampled_from(["*voice", "", "*sms"]),
    st.sampled_from([0, 3600, -7200]),
)
@settings(max_examples=100, deadline=None)
def test_every_row_costs_what_the_call_costs_by_itself(
    first: Any, second: Any, any_rate: Any, rows: Any, tor: str, offset_s: int
) -> None:
    world = _world(first, second, any_rate)
    columns = _columns(rows, tor, offset_s)
    costs = rate_columns(tariff_of(world), columns)
    found = [None if costs.errors[row] else int(costs.costs_nano[row]) for row in range(len(rows))]
    assert found == [_alone(world, call_at(columns, row)) for row in range(len(rows))]
    assert costs.total_nano == sum(cost or 0 for cost in found)


def test_flat_rows_are_not_quoted_one_by_one() -> None:
    flat = [PlanRate(Timing("*any"), Rating(0, "*up", 4, 0, "", (Rate(0, 10**9, SECOND_NS, SECOND_NS),)), money(10))]
    costs = rate_columns(
        tariff_of(_world(flat, flat, flat)), _columns([(0, "712", 60, 60), (1, "8", 0, 30)], "*voice", 0)
    )
    assert costs.quoted_count == 0
    assert costs.costs_nano.tolist() == [60 * 10**9, 30 * 10**9]


def test_an_unknown_subject_index_is_refused() -> None:
    with pytest.raises(IndexError, match="a code without a name"):
        rate_columns(tariff_of(_world([], [], [])), _columns([(3, "712", 60, 60)], "*voice", 0))


def test_columns_of_different_lengths_are_refused() -> None:
    columns = _columns([(0, "712", 60, 60)], "*voice", 0)
    with pytest.raises(ValueError, match="differ in length"):
        rate_columns(tariff_of(_world([], [], [])), columns._replace(usages_ns=numpy.array([], dtype=numpy.int64)))


def test_no_rows_cost_nothing() -> None:
    columns = _columns([(0, "712", 60, 60)], "*voice", 0)
    none = columns._replace(
        destinations=columns.destinations[:0],
        starts_at=columns.starts_at[:0],
        usages_ns=columns.usages_ns[:0],
        subjects=Coded(numpy.zeros(0, dtype=numpy.int32), SUBJECTS),
    )
    assert rate_columns(tariff_of(_world([], [], [])), none).total_nano == 0
