"""Where a call is cut, and how its parts grow."""

import itertools

import pytest

from cgrcore.errors import Refused
from cgrcore.rating import Activation, Call, tariff_of
from cgrcore.rating.split import rate
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.rating.small_tariffs import at, call, hours, profile, rating, slot, world_of

SECONDS = rating(slot("0.6", step_s=1))
PEAK = rating(slot("1.2", step_s=1))
FRIDAY_NIGHT = "2024-03-08T23:59:40Z"


def _lengths(world: World, it: Call) -> list[int]:
    return [span.usage_ns // SECOND_NS for span in rate(tariff_of(world), it)]


def _prices(world: World, it: Call) -> list[tuple[int, int]]:
    """Return (seconds, price of a minute in tenths) of each part."""
    return [
        (span.usage_ns // SECOND_NS, span.interval.rating.rates[0].value_nano // 10**8 if span.interval else 0)
        for span in rate(tariff_of(world), it)
    ]


def test_a_call_is_cut_at_midnight() -> None:
    assert _lengths(world_of({"44": (hours(SECONDS),)}), call(60, FRIDAY_NIGHT)) == [20, 40]


def test_midnight_is_that_of_the_offset_the_call_began_on() -> None:
    world = world_of({"44": (hours(SECONDS),)})
    assert _lengths(world, call(60, "2024-03-08T23:59:40+02:00")) == [20, 40]
    assert _lengths(world, call(60, "2024-03-08T21:59:40Z")) == [60]


def test_a_call_that_ends_at_midnight_is_not_cut() -> None:
    assert _lengths(world_of({"44": (hours(SECONDS),)}), call(72 * 3600, "2024-03-08T00:00:00Z")) == [72 * 3600]


def test_only_voice_is_cut_by_time() -> None:
    assert _lengths(world_of({"44": (hours(SECONDS),)}), call(60, FRIDAY_NIGHT, tor="*data")) == [60]


def test_hours_of_the_same_weight_cut_where_they_begin() -> None:
    world = world_of({"44": (hours(SECONDS), hours(PEAK, "08:00:00"))})
    assert _prices(world, call(60, "2024-03-08T07:59:45Z")) == [(15, 6), (45, 12)]


def test_heavier_hours_do_not_cut_a_call_that_began_before_them() -> None:
    world = world_of({"44": (hours(SECONDS), hours(PEAK, "08:00:00", weight=20))})
    assert _prices(world, call(60, "2024-03-08T07:59:45Z")) == [(60, 6)]
    assert _prices(world, call(60, "2024-03-08T08:00:00Z")) == [(60, 12)]


def test_another_day_has_other_rates() -> None:
    world = world_of({"44": (hours(SECONDS), hours(PEAK, week_days=(6,), weight=20))})
    assert _prices(world, call(60, FRIDAY_NIGHT)) == [(20, 6), (40, 12)]


def test_a_call_that_runs_into_time_without_a_rate_is_refused() -> None:
    world = world_of({"44": (hours(SECONDS, week_days=(5,)),)})
    assert _lengths(world, call(19, FRIDAY_NIGHT)) == [19]
    with pytest.raises(Refused, match="UNAUTHORIZED_DESTINATION"):
        rate(tariff_of(world), call(60, FRIDAY_NIGHT))


def test_a_call_is_cut_where_slots_begin() -> None:
    world = world_of({"44": (hours(rating(slot("0.6"), slot("0.3", step_s=1, start_s=60))),)})
    assert _lengths(world, call(75)) == [60, 15]


def test_an_increment_that_reaches_over_a_border_eats_into_what_is_behind_it() -> None:
    world = world_of({"44": (hours(rating(slot("0.6", step_s=45), slot("0.3", step_s=1, start_s=60))),)})
    assert _lengths(world, call(100)) == [90, 10]


def test_an_increment_that_covers_all_behind_it_leaves_nothing_of_it() -> None:
    world = world_of({"44": (hours(rating(slot("0.6", step_s=120), slot("0.3", step_s=1, start_s=60))),)})
    assert _lengths(world, call(100)) == [120]


def test_usage_before_the_first_slot_is_free() -> None:
    world = world_of({"44": (hours(rating(slot("0.6", step_s=1, start_s=30))),)})
    spans = rate(tariff_of(world), call(60))
    assert [(span.usage_ns // SECOND_NS, span.increment_count) for span in spans] == [(30, 0), (30, 30)]


def test_a_new_activation_cuts_a_call_and_does_not_reprice_it() -> None:
    activations = (Activation(at("2024-01-01T00:00:00Z"), "P"), Activation(at("2024-03-04T10:00:20Z"), "Q"))
    world = world_of({"44": (hours(SECONDS),)}, profile("s", *activations), Q={"44": "9"})
    spans = rate(tariff_of(world), call(60))
    assert [(span.usage_ns // SECOND_NS, span.rating_plan_id) for span in spans] == [(20, "P"), (40, "P")]


def test_parts_follow_each_other_without_a_gap() -> None:
    world = world_of({"44": (hours(rating(slot("0.6", step_s=7))), hours(PEAK, "08:00:00"))})
    spans = rate(tariff_of(world), call(200_000, "2024-03-08T07:00:00Z"))
    assert all(left.end_at == right.start_at for left, right in itertools.pairwise(spans))
