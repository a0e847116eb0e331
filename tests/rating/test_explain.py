"""An explained quote has the cost of the quote, and every step that led to it."""

from random import Random

import msgspec
import pytest

from cgrcore.errors import CgrError, Refused
from cgrcore.rating import Activation, Quote, explain_quote, quote, tariff_of
from cgrcore.timing import SECOND_NS, ZERO_AT
from cgrcore.world import World
from tests.accounting.small_world import money
from tests.rating.random_tariffs import make_call, make_model, make_world
from tests.rating.small_tariffs import at, call, hours, profile, rating, slot, world_of

MINUTES = rating(slot("0.6"), fee="0.25")
PEAK = rating(slot("1.2"))


def _explained(world: World, usage_s: int = 60, start: str = "2024-03-04T10:00:00Z", **more: str) -> Quote:
    return explain_quote(tariff_of(world), call(usage_s, start, **more))


def test_a_part_says_what_chose_its_price() -> None:
    world = world_of({"44": (hours(MINUTES),)}, profile("*any", Activation(at("2024-01-01T00:00:00Z"), "P")))
    (part,) = _explained(world, 61).parts
    assert (part.profile_id, part.plan_id) == ("*out:cgrates.org:call:*any", "P")
    assert (part.prefix, part.destination_id, part.activated_at) == ("44", "D44", at("2024-01-01T00:00:00Z"))
    assert part.rate.rating == MINUTES
    assert (part.increment_count, part.increment_cost_nano, part.usage_ns) == (2, money("0.6"), 120 * SECOND_NS)


def test_each_part_has_the_slot_that_holds_at_its_start() -> None:
    slots = (slot("0.6"), slot("0.1", start_s=60, step_s=0))
    found = _explained(world_of({"44": (hours(rating(*slots)),)}), 90).parts
    assert [part.slot and (part.slot.group_start_ns, part.slot.increment_ns) for part in found] == [
        (0, 60 * SECOND_NS),
        (60 * SECOND_NS, SECOND_NS),
    ]


def test_the_activation_is_that_of_the_plan_the_call_began_with() -> None:
    earlier, later = at("2024-01-01T00:00:00Z"), at("2024-03-04T10:00:30Z")
    world = world_of({"44": (hours(MINUTES),)}, profile("*any", Activation(earlier, "P"), Activation(later, "P")))
    assert {part.activated_at for part in _explained(world).parts} == {earlier}


def test_fee_and_parts_add_up_to_the_sum() -> None:
    found = _explained(world_of({"44": (hours(MINUTES), hours(PEAK, "10:00:30"))}), 60)
    assert found.connect_fee_nano == money("0.25")
    assert found.sum_nano == found.connect_fee_nano + sum(part.cost_nano for part in found.parts)


def test_a_cap_is_told_only_where_it_is_reached() -> None:
    world = world_of({"44": (hours(rating(slot("0.6"), cap="1")),)})
    assert _explained(world, 60).cap_nano is None
    capped = _explained(world, 600)
    assert (capped.sum_nano, capped.cap_nano, capped.cost_nano) == (money("6"), money("1"), money("1"))
    assert ("max cost", "*free beyond it", "1") in capped.lines()


def test_a_call_without_usage_costs_nothing_and_has_no_parts() -> None:
    found = _explained(world_of({"44": (hours(MINUTES),)}), 0)
    assert (found.cost_nano, found.parts) == (0, ())


def test_what_a_quote_refuses_is_refused() -> None:
    with pytest.raises(Refused, match="UNAUTHORIZED_DESTINATION"):
        _explained(world_of({"44": (hours(MINUTES),)}), number="39")


def test_the_lines_tell_only_what_is_new_in_a_part() -> None:
    lines = _explained(world_of({"44": (hours(MINUTES), hours(PEAK, "10:00:30"))}), 60).lines()
    assert [step for step, _, _ in lines] == [
        *("profile", "plan", "prefix", "rate", "connect fee", "part"),
        *("sum", "rounding", "cost"),
    ]
    assert lines[-1] == ("cost", "", "0.85")
    assert ("plan", "P always", "") in lines


def test_as_values_it_is_json_with_exact_numbers() -> None:
    found = _explained(world_of({"44": (hours(MINUTES),)}, profile("*any", Activation(ZERO_AT, "P"))))
    text = msgspec.json.Encoder(decimal_format="number").encode(found.as_wire())
    assert b'"ConnectFee":0.25' in text
    assert msgspec.json.decode(text)["Parts"][0]["MatchedPrefix"] == "44"


@pytest.mark.slow
def test_of_any_tariff_the_explained_cost_is_the_quoted_one() -> None:
    for seed in range(3_000_000, 3_000_060):
        random = Random(seed)
        world = make_world(make_model(random))
        for _ in range(50):
            it = make_call(random)
            try:
                wanted = quote(world, it).cost_nano
            except CgrError as refusal:
                with pytest.raises(type(refusal)):
                    explain_quote(tariff_of(world), it)
                continue
            found = explain_quote(tariff_of(world), it)
            assert (found.cost_nano, str(found) != "") == (wanted, True), (seed, it)
