"""What the kernel finds, cuts and prices is what rating finds, cuts and prices in Python."""

from random import Random
from typing import Any

import pytest

from cgrcore.errors import CgrError
from cgrcore.rating import Activation, Call, Rate, Rating, Tariff, quote, rate, tariff_of
from cgrcore.rating.plans import plans_of, rater_of
from cgrcore.rating.split import rate_by_hours
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.rating.random_tariffs import make_call, make_model, make_tariff
from tests.rating.small_tariffs import call, hours, profile, rating, slot, span_fields, world_of

WORKDAYS = (1, 2, 3, 4, 5)
PEAK = hours(rating(slot("1.2")), "08:00:00", week_days=WORKDAYS)
NIGHT = hours(rating(slot("0.6")))


def _spans(spans: Any) -> list[tuple[Any, ...]]:
    return [span_fields(span) for span in spans]


def _by_kernel(tariff: Tariff, it: Call) -> Any:
    plans = plans_of(tariff)
    assert plans is not None
    return plans.spans(it)


def test_the_kernel_says_what_python_says_and_leaves_none_but_the_refused() -> None:
    for seed in range(40):
        random = Random(seed)
        tariff = make_tariff(make_model(random))
        for number in range(50):
            it = make_call(random)
            found = _by_kernel(tariff, it)
            try:
                wanted = rate_by_hours(tariff, it)
            except CgrError:
                assert found is None, (seed, number, it)
                continue
            assert _spans(found) == _spans(wanted), (seed, number, it)


def _is_compiled(world: World, it: Call) -> bool:
    tariff = tariff_of(world)
    found = _by_kernel(tariff, it)
    assert found is None or _spans(found) == _spans(rate_by_hours(tariff, it))
    return found is not None


@pytest.mark.parametrize("usage_s", [60, 600, 10 * 3600, 60 * 3600, 40 * 86_400])
def test_calls_across_hours_and_midnights_are_compiled(usage_s: int) -> None:
    assert _is_compiled(world_of({"44": (NIGHT, PEAK)}), call(usage_s, "2024-03-04T07:59:30Z"))


def test_fallback_subjects_are_compiled() -> None:
    world = world_of(
        {"44": (NIGHT,)},
        profile("s", Activation(0, "OTHER", ("t",))),
        profile("t", Activation(0, "P")),
        OTHER={"1": "1"},
    )
    assert _is_compiled(world, call(60))


def test_activations_within_a_call_are_compiled() -> None:
    at = call(0).start_at + 30 * SECOND_NS
    world = world_of({"44": (NIGHT,)}, profile("s", Activation(0, "P"), Activation(at, "LATER")), LATER={"44": "2"})
    assert _is_compiled(world, call(60))


def test_more_rates_than_there_is_room_for_are_left_to_python() -> None:
    many = tuple(hours(rating(slot("1")), f"{hour:02}:00:00", weight=hour) for hour in range(17))
    world = world_of({"44": many})
    assert not _is_compiled(world, call(60))
    assert quote(world, call(60)).cost_nano == 10**9


def test_prices_without_end_are_left_to_python() -> None:
    world = world_of({"44": (hours(Rating(rates=(Rate(0, 10**30, SECOND_NS, SECOND_NS),))),)})
    assert not _is_compiled(world, call(1))
    assert quote(world, call(1)).cost_nano == 10**30


def test_more_pieces_than_there_is_room_for_are_left_to_python() -> None:
    many = tuple(hours(rating(slot("1")), f"{hour:02}:00:00") for hour in range(12))
    assert not _is_compiled(world_of({"44": many}), call(25 * 86_400, "2024-03-04T07:59:30Z"))


def test_numbers_that_share_all_owners_share_what_is_looked_up() -> None:
    tariff = tariff_of(world_of({"44": (NIGHT,)}))
    spans = [rate(tariff, call(60, number=number)) for number in ("44", "4420", "44999")]
    assert [_spans(it) for it in spans] == [_spans(spans[0])] * 3


def test_a_passing_twin_of_a_tariff_has_no_plans_of_its_own() -> None:
    tariff = tariff_of(world_of({"44": (NIGHT,)}))
    assert plans_of(tariff) is plans_of(tariff)
    twin = tariff.with_profile(profile("x", Activation(0, "P")))
    assert plans_of(twin) is None
    assert rater_of(twin).plans.tariff is twin
