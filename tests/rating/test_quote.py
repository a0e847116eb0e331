"""What a call costs: connect fee, whole increments, rounding, caps."""

import msgspec
import pytest

from cgrcore.errors import BadRequest, Refused
from cgrcore.money import format_nano
from cgrcore.rating import Call, Rate, Rating, quote, quote_on_plan
from cgrcore.timing import MILLISECOND_NS, SECOND_NS
from cgrcore.world import World
from tests.rating.small_tariffs import at, call, hours, rating, slot, world_of

TWO_SLOTS = (slot("0.6"), slot("0.6", step_s=1, start_s=60))


def _world(of: Rating) -> World:
    return world_of({"44": (hours(of),)})


def _cost(of: Rating, it: Call) -> str:
    return format_nano(quote(_world(of), it).cost_nano)


def test_usage_is_charged_in_whole_increments() -> None:
    cost = quote(_world(rating(slot("0.6"))), call(61))
    assert (format_nano(cost.cost_nano), cost.rated_usage_ns) == ("1.2", 120 * SECOND_NS)


def test_each_slot_has_its_own_increments() -> None:
    assert _cost(rating(*TWO_SLOTS), call(90)) == "0.9"


def test_the_connect_fee_comes_first() -> None:
    cost = quote(_world(rating(*TWO_SLOTS, fee="0.4")), call(90))
    assert cost.spans is not None
    assert (format_nano(cost.cost_nano), cost.spans[0].increments[0].usage_ns) == ("1.3", 0)


def test_a_later_slice_pays_no_connect_fee() -> None:
    assert _cost(rating(*TWO_SLOTS, fee="0.4"), msgspec.structs.replace(call(90), is_first=False)) == "0.9"


def test_the_connect_fee_is_paid_once_when_equal_spans_are_folded() -> None:
    cost = quote(_world(rating(slot("0.149"), fee="0.02")), call(120, "2024-07-14T23:59:00Z"))
    assert format_nano(cost.cost_nano) == "0.318"


def test_equal_spans_without_a_fee_are_folded() -> None:
    cost = quote(_world(rating(slot("0.149"))), call(120, "2024-07-14T23:59:00Z"))
    assert [span.count for span in cost.spans or ()] == [2]


def test_the_price_of_an_increment_is_rounded_before_it_is_multiplied() -> None:
    assert _cost(rating(slot("0.1", step_s=1)), call(60)) == "0.1002"


def test_the_total_is_rounded_as_the_rate_with_the_most_decimals_says() -> None:
    of = rating(slot("0.12345", step_s=1), method="*down", decimals=2)
    assert _cost(of, call(60)) == "0.12"


def test_a_cap_is_the_most_that_a_call_costs() -> None:
    assert [_cost(rating(slot("0.4"), cap="1"), call(usage)) for usage in (120, 121, 600)] == ["0.8", "1", "1"]


def test_increments_without_number_are_priced_exactly() -> None:
    of = Rating(rates=(Rate(0, 60 * 10**9, MILLISECOND_NS, 60 * SECOND_NS),))
    cost = quote(_world(of), call(7200))
    assert cost.spans is not None
    assert (format_nano(cost.cost_nano), cost.spans[0].increments[-1].count) == ("7200", 7_200_000)


def test_usage_of_nothing_costs_nothing_even_without_a_tariff() -> None:
    cost = quote(_world(rating(slot("1"))), call(0, number="99"))
    assert (cost.cost_nano, cost.spans) == (0, None)


def test_negative_usage_is_refused() -> None:
    with pytest.raises(BadRequest, match="negative usage"):
        quote(_world(rating(slot("1"))), call(-90))


def test_usage_beyond_the_configured_limit_is_refused() -> None:
    with pytest.raises(Refused, match="MAX_USAGE_EXCEEDED"):
        quote(_world(rating(slot("1"))), call(72 * 3600 + 1))


def test_a_call_is_priced_on_a_plan_that_its_subject_does_not_have() -> None:
    world = world_of({"44": (hours(rating(slot("0.6"))),)}, OTHER={"44": "0.2"})
    assert format_nano(quote_on_plan(world, call(60), "OTHER").cost_nano) == "0.2"


def test_an_unknown_plan_covers_no_destination() -> None:
    with pytest.raises(Refused, match="UNAUTHORIZED_DESTINATION"):
        quote_on_plan(_world(rating(slot("1"))), call(60), "GONE")


def test_the_end_is_shown_on_the_clock_it_was_given_on() -> None:
    it = msgspec.structs.replace(call(60, "2024-05-05T07:05:05+02:00"), end_offset_s=0)
    wire = quote(_world(rating(slot("1"))), it).as_wire()["Timespans"][0]
    assert (wire["TimeStart"], wire["TimeEnd"]) == ("2024-05-05T07:05:05+02:00", "2024-05-05T05:06:05Z")


def test_a_slice_is_priced_by_the_usage_before_it() -> None:
    it = msgspec.structs.replace(call(60, "2024-03-04T10:00:00Z"), duration_index_ns=120 * SECOND_NS, is_first=False)
    cost = quote(_world(rating(slot("0.6"), slot("0.3", start_s=60))), it)
    assert (it.start_at, format_nano(cost.cost_nano)) == (at("2024-03-04T10:00:00Z"), "0.3")
