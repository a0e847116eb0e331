"""A flat price is the price that looking at hours gives."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.errors import CgrError
from cgrcore.rating import (
    Activation,
    Call,
    Destination,
    PlanRate,
    Rate,
    Rating,
    RatingPlan,
    RatingProfile,
    Timing,
    tariff_of,
)
from cgrcore.rating.flat import flat_prices_of
from cgrcore.rating.split import rate, rate_by_hours
from cgrcore.timing import DAY_NS, SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import START_AT, make_world, money

FIELDS = (
    *("start_at", "end_at", "duration_index_ns", "interval", "increment_ns", "increment_cost_nano", "increment_count"),
    *("matched_subject", "matched_prefix", "matched_destination_id", "rating_plan_id", "cost_nano", "usage_ns"),
)

rates = st.builds(
    Rate,
    st.integers(0, 6).map(lambda n: n * 10 * SECOND_NS),
    st.integers(-(10**6), 10**10),
    st.sampled_from([0, 1, SECOND_NS, 7 * SECOND_NS, 60 * SECOND_NS]),
    st.sampled_from([0, SECOND_NS, 60 * SECOND_NS, 3600 * SECOND_NS]),
)
ratings = st.builds(
    lambda fee, slots: Rating(fee, "*up", 4, 0, "", tuple(slots)),
    st.integers(0, 10**9),
    st.lists(rates, min_size=1, max_size=4, unique_by=lambda it: it.group_start_ns),
)


def _world(rating: Rating, plans: int) -> World:
    world = make_world()
    table = world.state.table
    table("destinations").put("D", Destination("D", ("7",)))
    table("rating_plans").put("FLAT", RatingPlan("FLAT", {"D": (PlanRate(Timing("*any"), rating, money(10)),)}))
    activations = tuple(Activation(START_AT + n * 100 * SECOND_NS, "FLAT") for n in range(plans))
    key = "*out:cgrates.org:call:flat"
    table("rating_profiles").put(key, RatingProfile(key, activations))
    world.state.take()
    return world


def _spans(found: Any) -> list[tuple[Any, ...]]:
    return [tuple(getattr(span, name) for name in FIELDS) for span in found]


@given(
    ratings,
    st.integers(1, 3),
    st.integers(-200, 2 * 86_400),
    st.integers(1, 300),
    st.integers(0, 400),
    st.sampled_from(["*voice", "", "*sms"]),
)
@settings(max_examples=300, deadline=None)
def test_a_flat_price_is_the_price_by_hours(
    rating: Rating, plans: int, start_s: int, usage_s: int, index_s: int, tor: str
) -> None:
    tariff = tariff_of(_world(rating, plans))
    it = Call(
        tenant="cgrates.org",
        category="call",
        subject="flat",
        account="x",
        destination="712",
        tor=tor,
        start_at=START_AT + start_s * SECOND_NS,
        usage_ns=usage_s * SECOND_NS,
        offset_s=3600,
        duration_index_ns=index_s * SECOND_NS,
    )
    try:
        wanted = _spans(rate_by_hours(tariff, it))
    except CgrError as error:
        with pytest.raises(type(error), match=str(error)):
            rate(tariff, it)
        return
    assert _spans(rate(tariff, it)) == wanted


def test_a_call_over_midnight_is_cut_there_and_one_over_more_days_is_left_to_hours() -> None:
    tariff = tariff_of(make_world())
    flat = flat_prices_of(tariff)
    assert flat is not None
    midnight_at = START_AT // DAY_NS * DAY_NS + DAY_NS
    it = Call("cgrates.org", "call", "a", "a", "4940", "*voice", midnight_at - SECOND_NS, 200 * SECOND_NS)
    assert _spans(flat.spans(it)) == _spans(rate_by_hours(tariff, it))
    assert len(flat.spans(it) or ()) == 2
    assert flat.spans(msgspec.structs.replace(it, usage_ns=DAY_NS + SECOND_NS)) is None


def test_a_rate_with_hours_is_left_to_them() -> None:
    world = make_world()
    evening = PlanRate(Timing("EVENING", start_time="19:00:00"), Rating(rates=(Rate(),)), money(10))
    table = world.state.table
    table("destinations").put("D", Destination("D", ("7",)))
    table("rating_plans").put("TIMED", RatingPlan("TIMED", {"D": (evening,)}))
    key = "*out:cgrates.org:call:timed"
    table("rating_profiles").put(key, RatingProfile(key, (Activation(0, "TIMED"),)))
    flat = flat_prices_of(tariff_of(world))
    assert flat is not None
    assert flat.spans(Call("cgrates.org", "call", "timed", "a", "712", "*voice", START_AT, SECOND_NS)) is None
