"""Who is charged by which plan, and as which destination."""

import itertools

import pytest

from cgrcore.errors import Refused
from cgrcore.rating import Activation, RatingProfile, tariff_of
from cgrcore.rating.split import rate
from cgrcore.timing import ZERO_AT
from cgrcore.world import World
from tests.rating.small_tariffs import at, call, hours, profile, rating, slot, world_of

RATE = hours(rating(slot("0.6")))
ALWAYS = ZERO_AT


def _matched(
    world: World, number: str = "4420", *, subject: str = "s", start: str = "2024-03-04T10:00:00Z"
) -> tuple[str, str, str]:
    span = rate(tariff_of(world), call(60, start, number, subject=subject))[0]
    return span.matched_subject.rpartition(":")[2], span.matched_destination_id, span.rating_plan_id


def _refusal(world: World, number: str = "4420", *, subject: str = "s", start: str = "2024-03-04T10:00:00Z") -> str:
    with pytest.raises(Refused) as caught:
        rate(tariff_of(world), call(60, start, number, subject=subject))
    return str(caught.value)


def test_the_longest_prefix_wins_whatever_the_weights() -> None:
    world = world_of({"44": (hours(rating(slot("1")), weight=50),), "442": (RATE,)})
    assert _matched(world)[1] == "D442"


def test_a_longer_prefix_whose_hours_have_not_begun_is_passed_over() -> None:
    world = world_of({"44": (RATE,), "442": (hours(rating(slot("1")), "18:00:00"),)})
    assert _matched(world)[1] == "D44"


def test_any_destination_is_the_last_resort() -> None:
    world = world_of({"44": (RATE,), "*any": (RATE,)})
    assert (_matched(world)[1], _matched(world, "33")[1], _matched(world, "")[1]) == ("D44", "*any", "*any")


def test_any_destination_whose_hours_have_not_begun_is_refused() -> None:
    assert _refusal(world_of({"*any": (hours(rating(slot("1")), "18:00:00"),)})) == "UNAUTHORIZED_DESTINATION"


def test_nobody_has_a_profile() -> None:
    assert _refusal(world_of({"44": (RATE,)}, profile("other", Activation(ALWAYS, "P")))) == "RATING_PLAN_NOT_FOUND"


def test_any_subject_stands_in_for_one_without_a_profile_only() -> None:
    world = world_of(
        {"44": (RATE,)}, profile("*any", Activation(ALWAYS, "P")), profile("s", Activation(ALWAYS, "Q")), Q={"33": "1"}
    )
    assert (_matched(world, subject="x")[0], _refusal(world)) == ("*any", "UNAUTHORIZED_DESTINATION")


def test_any_subject_stands_in_until_the_first_activation() -> None:
    world = world_of(
        {"44": (RATE,)},
        profile("*any", Activation(ALWAYS, "P")),
        profile("s", Activation(at("2024-03-04T10:00:30Z"), "P")),
    )
    assert (_matched(world)[0], _refusal(world, start="2024-03-04T09:00:00Z")) == ("*any", "UNAUTHORIZED_DESTINATION")


def test_fallback_subjects_are_tried_in_order() -> None:
    world = world_of(
        {"44": (RATE,)},
        profile("s", Activation(ALWAYS, "Q", ("gone", "narrow", "wide"))),
        profile("narrow", Activation(ALWAYS, "Q")),
        profile("wide", Activation(ALWAYS, "P")),
        Q={"33": "1"},
    )
    assert (_matched(world)[0], _matched(world, "33")[0]) == ("wide", "s")


def _chain(length: int) -> World:
    subjects = [*(f"s{number}" for number in range(length)), "last"]
    links = [profile(subject, Activation(ALWAYS, "Q", (then,))) for subject, then in itertools.pairwise(subjects)]
    return world_of({"44": (RATE,)}, *links, profile("last", Activation(ALWAYS, "P")), Q={"33": "1"})


def test_fallbacks_chain_three_deep() -> None:
    assert _matched(_chain(2), subject="s0")[0] == "last"
    assert _refusal(_chain(3), subject="s0") == "UNAUTHORIZED_DESTINATION"


def test_fallbacks_in_a_ring_end() -> None:
    world = world_of(
        {"33": (RATE,)}, profile("s", Activation(ALWAYS, "P", ("t",))), profile("t", Activation(ALWAYS, "P", ("s",)))
    )
    assert _refusal(world) == "UNAUTHORIZED_DESTINATION"


def test_an_activation_of_a_plan_that_is_gone_counts_for_nothing() -> None:
    assert _refusal(world_of({"44": (RATE,)}, profile("s", Activation(ALWAYS, "GONE")))) == "UNAUTHORIZED_DESTINATION"


def test_the_last_activation_before_the_call_counts() -> None:
    world = world_of(
        {"44": (RATE,)},
        profile("s", Activation(at("2024-03-01T00:00:00Z"), "Q"), Activation(at("2024-01-01T00:00:00Z"), "P")),
        Q={"44": "1"},
    )
    assert (_matched(world, start="2024-02-01T00:00:00Z")[2], _matched(world)[2]) == ("P", "Q")


def test_subjects_are_matched_by_prefix_when_configured() -> None:
    world = world_of({"44": (RATE,)}, profile("12", Activation(ALWAYS, "P")))
    assert _refusal(world, subject="1234") == "RATING_PLAN_NOT_FOUND"
    world.settings["rals"]["rp_subject_prefix_matching"] = True
    world.parts.pop("tariff")
    assert _matched(world, subject="1234")[0] == "12"


def test_a_category_is_taken_literally() -> None:
    world = world_of({"44": (RATE,)}, RatingProfile("*out:cgrates.org:*any:s", (Activation(ALWAYS, "P"),)))
    assert _refusal(world) == "RATING_PLAN_NOT_FOUND"
