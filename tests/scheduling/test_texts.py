"""The texts of action plans."""

import pytest

from cgrcore.errors import BadRequest
from cgrcore.rating.records import Timing
from cgrcore.scheduling.texts import TimingText, build_timing, named_timing, parse_numbers
from cgrcore.timing import parse_time

NOW_AT = parse_time("2026-11-23T23:28:34Z", 0).at


@pytest.mark.parametrize("time", ["*now", "*none", "*any", "10:00", "10:00:00:00", "aa:bb:cc", "2037-01-01T00:00:00Z"])
def test_what_is_no_time_is_refused(time: str) -> None:
    with pytest.raises(BadRequest) as caught:
        build_timing(TimingText(Time=time), None, NOW_AT)
    assert str(caught.value) == f"UNSUPPORTED_FORMAT:{time}"


@pytest.mark.parametrize(
    "text",
    [
        TimingText(Time="25:00:00"),
        TimingText(Time="10:61:00"),
        TimingText(Time="10:00:00", Months="13"),
        TimingText(Time="10:00:00", MonthDays="32"),
        TimingText(Time="10:00:00", MonthDays="0"),
    ],
)
def test_what_no_calendar_has_is_refused(text: TimingText) -> None:
    with pytest.raises(BadRequest, match="UNSUPPORTED_FORMAT:"):
        build_timing(text, None, NOW_AT)


def test_a_word_stands_for_the_present_time_of_day() -> None:
    assert named_timing("*yearly", NOW_AT) == Timing("*yearly", (), (11,), (23,), (), "23:28:34", "")
    assert named_timing("*every_minute", NOW_AT) == Timing("*every_minute", (), (), (), (), "*:*:34", "")
    assert named_timing("*weekly", NOW_AT) == Timing("*weekly", (), (), (), (1,), "23:28:34", "")


def test_a_word_stands_for_the_day_and_hour_of_the_zone() -> None:
    assert named_timing("*monthly", NOW_AT, "Europe/Rome") == Timing("*monthly", (), (), (24,), (), "00:28:34", "")
    assert named_timing("*weekly", NOW_AT, "Europe/Rome") == Timing("*weekly", (), (), (), (2,), "00:28:34", "")


def test_what_cannot_be_read_as_numbers_is_unknown() -> None:
    assert (parse_numbers("abc"), parse_numbers("*any"), parse_numbers("1;2")) == (None, (), (1, 2))


def test_the_sets_of_a_stored_timing_are_used_only_where_others_are_given() -> None:
    stored = Timing("TM", (2037,), (4,), (9,), (1,), "07:30:00", "")
    built = build_timing(TimingText(TimingID="TM", WeekDays="7", Time="08:00:00"), stored, NOW_AT)
    assert built == Timing("TM", (), (), (), (1, 0), "08:00:00", "")
