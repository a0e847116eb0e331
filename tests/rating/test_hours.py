"""Which rate holds through a call is what looking at every moment says, or left open."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore._fast.hours import DayHours
from cgrcore.rating import PlanRate, Timing, rate, tariff_of
from cgrcore.rating.compile import Hours
from cgrcore.rating.flat import flat_prices_of
from cgrcore.timing import SECOND_NS
from tests.rating.small_tariffs import at, call, hours, rating, slot, world_of

DAY_S = 86_400
PEAK = hours(rating(slot("1.2")), "08:00:00", week_days=(1, 2, 3, 4, 5))

timings = st.builds(
    Timing,
    years=st.sampled_from([(), (2024,), (1969, 2023)]),
    months=st.sampled_from([(), (2,), (1, 3, 12)]),
    month_days=st.sampled_from([(), (1, 31), (28, 29), (-1,)]),
    week_days=st.sampled_from([(), (0,), (1, 2, 3, 4, 5)]),
    start_time=st.sampled_from(["00:00:00", "", "08:00:00", "08:00:01", "23:59:59", "*asap"]),
)


def _holds(timing: Timing, moment: datetime) -> bool:
    """The oracle: the calendar is Python's."""
    if timing.start_time == "*asap":
        return False
    lists = (
        (timing.years, moment.year),
        (timing.months, moment.month),
        (timing.month_days, moment.day),
        (timing.week_days, moment.isoweekday() % 7),
    )
    return moment.strftime("%H:%M:%S") >= timing.start_time and all(not of or it in of for of, it in lists)


@given(
    st.lists(st.tuples(timings, st.sampled_from([0, 10, 20])), min_size=1, max_size=4),
    st.integers(0, 60_000 * DAY_S),
    st.integers(1, 3 * 3600),
    st.sampled_from([0, 7200, -19_800]),
)
@settings(max_examples=1000)
def test_a_rate_that_is_found_holds_throughout_and_none_is_better(
    rates: list[tuple[Timing, int]], start_s: int, usage_s: int, offset_s: int
) -> None:
    ordered = sorted(
        ((Hours(timing), weight, timing) for timing, weight in rates), key=lambda it: (-it[1], it[0].start_s)
    )
    index = DayHours([(it, weight) for it, weight, _ in ordered]).index_throughout(
        start_s * SECOND_NS, usage_s * SECOND_NS, offset_s * SECOND_NS
    )
    if index < 0:
        return
    begin = datetime(1970, 1, 1) + timedelta(seconds=start_s + offset_s)
    for moment in (begin, begin + timedelta(seconds=usage_s - 1)):
        active = [(weight, it.start_s) for it, weight, timing in ordered if _holds(timing, moment)]
        assert max(active) == (ordered[index][1], ordered[index][0].start_s)
    assert (begin + timedelta(seconds=usage_s - 1)).date() == begin.date()


@pytest.mark.parametrize(
    ("start", "usage_s", "is_found"),
    [
        ("2024-03-04T08:00:00Z", 60, True),
        ("2024-03-04T07:59:59Z", 1, True),
        ("2024-03-04T07:59:59Z", 2, False),
        ("2024-03-04T23:59:00Z", 60, True),
        ("2024-03-04T23:59:00Z", 61, False),
    ],
)
def test_a_call_that_meets_no_border_needs_no_longer_look(start: str, usage_s: int, is_found: bool) -> None:
    flat = flat_prices_of(tariff_of(world_of({"44": (hours(rating(slot("0.6"))), PEAK)})))
    assert flat is not None
    assert (flat.spans(call(usage_s, start)) is not None) is is_found


def test_two_rates_that_are_equally_good_need_a_longer_look() -> None:
    twins = [(Hours(Timing(start_time="08:00:00")), 10)] * 2
    assert DayHours(twins).index_throughout(at("2024-03-04T09:00:00Z"), 1, 0) == -1


def test_more_rates_than_there_is_room_for_are_refused() -> None:
    with pytest.raises(OverflowError, match="too many rates"):
        DayHours([(Hours(Timing()), 10)] * 17)


def test_a_destination_of_many_rates_is_priced_all_the_same() -> None:
    many = tuple(PlanRate(Timing(start_time=f"{hour:02}:00:00"), rating(slot(str(hour))), 10) for hour in range(24))
    spans = rate(tariff_of(world_of({"44": many})), call(60, "2024-03-04T10:30:00Z"))
    assert [span.interval for span in spans] == [many[10]]
