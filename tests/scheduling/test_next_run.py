"""When timings are due next: cron's rules, month ends, and clocks that are moved."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.rating.records import Timing
from cgrcore.scheduling.next_run import next_run
from cgrcore.timing import SECOND_NS, format_time, parse_time

BERLIN = "Europe/Berlin"


def after(text: str, timing: Timing, zone: str = "UTC") -> str | None:
    found = next_run(timing, parse_time(text, 0).at, zone)
    return None if found is None else format_time(found)


def at(clock: str = "", **sets: tuple[int, ...]) -> Timing:
    return Timing(start_time=clock, **sets)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("timing", "wanted"),
    [
        (at("10:20:30", years=(2037,), months=(7,), month_days=(15,)), "2037-07-15T10:20:30Z"),
        (at("12:00:00", years=(2037,)), "2037-01-01T12:00:00Z"),
        (at("12:00:00", years=(2037,), months=(3,)), "2037-03-01T12:00:00Z"),
        (at("12:00:00", years=(2037,), month_days=(20,)), "2037-01-20T12:00:00Z"),
        (at("12:00:00", years=(2037,), months=(2,), month_days=(29,)), None),
        (at("01:00:00", years=(2036, 2040), months=(2,), month_days=(29,)), "2036-02-29T01:00:00Z"),
        (at("12:00:00", years=(2037,), months=(2,), month_days=(-1,)), "2037-02-28T12:00:00Z"),
        (at("12:00:00", years=(2037,), months=(12, 3, 6), month_days=(31, 5)), "2037-03-05T12:00:00Z"),
        (at("12:00:00", years=(2020, 2037), months=(1, 12)), "2037-01-01T12:00:00Z"),
        (at("9:5:3", years=(2037,)), "2037-01-01T09:05:03Z"),
        (at("12:00:00", years=(2020,)), None),
        (at("*:*:34"), "2026-11-24T00:00:34Z"),
        (at("*:28:34"), "2026-11-24T00:28:34Z"),
        (at("", week_days=(3,)), "2026-11-25T00:00:00Z"),
        (at("25:00:00"), None),
    ],
)
def test_the_next_run_after_an_evening_in_november(timing: Timing, wanted: str | None) -> None:
    assert after("2026-11-23T23:59:59Z", timing) == wanted


def test_days_of_the_month_and_of_the_week_are_joined_by_or() -> None:
    friday_or_the_13th = at("12:00:00", years=(2037,), months=(5,), month_days=(13,), week_days=(5,))
    assert after("2037-05-08T12:00:00Z", friday_or_the_13th) == "2037-05-13T12:00:00Z"
    assert after("2037-05-13T12:00:00Z", friday_or_the_13th) == "2037-05-15T12:00:00Z"


def test_a_run_is_later_than_the_instant_asked_about() -> None:
    assert after("2026-11-23T10:00:00Z", at("10:00:00")) == "2026-11-24T10:00:00Z"
    assert after("2026-11-23T09:59:59.5Z", at("10:00:00")) == "2026-11-23T10:00:00Z"


def test_an_estimated_month_takes_its_last_day_for_one_it_lacks() -> None:
    timing = Timing("*monthly_estimated", month_days=(31,), start_time="08:00:00")
    runs, text = [], "2026-01-01T00:00:00Z"
    for _ in range(4):
        text = after(text, timing) or ""
        runs.append(text[:10])
    assert runs == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]


def test_hours_are_those_of_the_zone() -> None:
    assert after("2026-07-01T00:00:00Z", at("10:00:00"), BERLIN) == "2026-07-01T08:00:00Z"
    assert after("2026-12-01T00:00:00Z", at("10:00:00"), BERLIN) == "2026-12-01T09:00:00Z"


def test_an_hour_that_spring_skips_is_run_when_its_clock_would_have_come() -> None:
    assert after("2026-03-28T12:00:00Z", at("02:30:00"), BERLIN) == "2026-03-29T01:30:00Z"
    assert after("2026-03-29T01:15:00Z", at("02:30:00"), BERLIN) == "2026-03-29T01:30:00Z"
    assert after("2026-03-29T01:30:00Z", at("02:30:00"), BERLIN) == "2026-03-30T00:30:00Z"


def test_an_hour_that_autumn_has_twice_is_run_the_first_time() -> None:
    assert after("2026-10-24T12:00:00Z", at("02:30:00"), BERLIN) == "2026-10-25T00:30:00Z"
    assert after("2026-10-25T00:30:00Z", at("02:30:00"), BERLIN) == "2026-10-26T01:30:00Z"


def test_every_hour_is_run_in_every_real_hour() -> None:
    runs, text = [], "2026-10-24T23:00:00Z"
    for _ in range(4):
        text = after(text, at("*:15:00"), BERLIN) or ""
        runs.append(text[11:16])
    assert runs == ["23:15", "00:15", "01:15", "02:15"]


def test_a_half_hour_zone_has_its_own_minutes() -> None:
    assert after("2026-01-01T00:00:00Z", at("*:15:00"), "Asia/Kolkata") == "2026-01-01T00:45:00Z"


@settings(max_examples=60, deadline=None)
@given(
    start_s=st.integers(1_700_000_000, 1_900_000_000),
    months=st.sets(st.integers(1, 12), max_size=3),
    days=st.sets(st.sampled_from([1, 15, 28, 29, 30, 31, -1]), max_size=2),
    week_days=st.sets(st.integers(0, 6), max_size=2),
    hour=st.integers(0, 23),
)
def test_the_next_run_is_the_first_due_hour_of_a_plain_search(
    start_s: int, months: set[int], days: set[int], week_days: set[int], hour: int
) -> None:
    timing = Timing(
        months=tuple(months), month_days=tuple(days), week_days=tuple(week_days), start_time=f"{hour:02d}:00:00"
    )
    found = next_run(timing, start_s * SECOND_NS)
    wanted_days = days or ({1} if months else set())
    day = datetime.fromtimestamp(start_s, UTC).replace(hour=hour, minute=0, second=0)
    if day.timestamp() <= start_s:
        day += timedelta(days=1)
    for _ in range(366 * 9):
        is_last = (day + timedelta(days=1)).day == 1
        by_day = day.day in wanted_days or (is_last and -1 in wanted_days)
        by_week = day.isoweekday() % 7 in week_days
        is_day = (not wanted_days and not week_days) or by_day or by_week
        if (not months or day.month in months) and is_day:
            assert found == int(day.timestamp()) * SECOND_NS
            return
        day += timedelta(days=1)
    assert found is None
