"""Instants and durations: their texts in and out, and Go's words for what is none."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.errors import BadRequest
from cgrcore.timing import (
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    SECOND_NS,
    ZERO_AT,
    Moment,
    format_duration,
    format_time,
    month_later,
    parse_duration,
    parse_time,
)

#: 2024-01-31T10:00:00Z
NOW_AT = 1_706_695_200 * SECOND_NS

durations = st.integers(-(2**63) + 1, 2**63 - 1)
instants = st.integers(-(2**63) + 10**15, 2**63 - 1 - 10**15)
offsets_s = st.integers(-14 * 60, 14 * 60).map(lambda minutes: minutes * 60)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * SECOND_NS


@given(durations)
def test_a_duration_comes_back_from_its_text(duration_ns: int) -> None:
    assert parse_duration(format_duration(duration_ns)) == duration_ns


@given(durations)
def test_a_bare_number_is_nanoseconds(duration_ns: int) -> None:
    assert parse_duration(str(duration_ns)) == duration_ns


@given(instants, offsets_s)
def test_an_instant_comes_back_from_its_text(instant: int, offset_s: int) -> None:
    assert parse_time(format_time(instant, offset_s), NOW_AT) == Moment(instant, offset_s)


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (1_500_000_000, "1.5s"),
        (MINUTE_NS, "1m0s"),
        (HOUR_NS + MINUTE_NS + 1, "1h1m0.000000001s"),
        (-90 * SECOND_NS, "-1m30s"),
    ],
)
def test_durations_are_printed_as_go_prints_them(duration_ns: int, text: str) -> None:
    assert format_duration(duration_ns) == text


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [
        ("", 0),
        ("0", 0),
        ("-0", 0),
        ("*unlimited", -1),
        ("90", 90),
        ("90.5", 90),
        ("1h30m", 90 * MINUTE_NS),
        ("1.5h", 90 * MINUTE_NS),
        ("+5m", 5 * MINUTE_NS),
        ("-5m", -5 * MINUTE_NS),
        ("1us", 1000),
        ("1μs", 1000),
        (".5s", SECOND_NS // 2),
        ("1m1m", 2 * MINUTE_NS),
        ("0.0000000019s", 1),
    ],
)
def test_texts_of_durations(text: str, duration_ns: int) -> None:
    assert parse_duration(text) == duration_ns


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("long", 'time: invalid duration "long"'),
        ("1x", 'time: unknown unit "x" in duration "1x"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
        ("1 m", 'time: unknown unit " m" in duration "1 m"'),
        ("1m ", 'time: unknown unit "m " in duration "1m "'),
        ("1m30", 'time: missing unit in duration "1m30"'),
        ("-", 'time: invalid duration "-"'),
        (".s", 'time: invalid duration ".s"'),
        ("9999999h", 'time: invalid duration "9999999h"'),
        ('1"', 'time: unknown unit "\\"" in duration "1\\""'),
    ],
)
def test_what_is_no_duration_is_refused_in_gos_words(text: str, said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_duration(text)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-04T09:00:00Z", Moment(at("2024-03-04T09:00:00+00:00"))),
        ("2024-03-04T09:00:00.25Z", Moment(at("2024-03-04T09:00:00+00:00") + SECOND_NS // 4)),
        ("2024-03-04T09:00:00+02:00", Moment(at("2024-03-04T07:00:00+00:00"), 7200)),
        ("2024-03-04T09:00:00.250+0200", Moment(at("2024-03-04T07:00:00+00:00") + SECOND_NS // 4, 7200)),
        ("2024-03-04 09:00:00 +0200 CEST", Moment(at("2024-03-04T07:00:00+00:00"), 7200)),
        ("2024-03-04 09:00:00 +0200 +0200", Moment(at("2024-03-04T07:00:00+00:00"), 7200)),
        ("2024-03-04 09:00:00", Moment(at("2024-03-04T09:00:00+00:00"))),
        ("2024-03-04T09:00:00", Moment(at("2024-03-04T09:00:00+00:00"))),
        ("20240304090000", Moment(at("2024-03-04T09:00:00+00:00"))),
        ("1709542800", Moment(1709542800 * SECOND_NS)),
        ("1709542800123", Moment(1709542800123 * 10**6)),
        ("1709542800123456", Moment(1709542800123456 * 10**3)),
        ("1709542800123456789", Moment(1709542800123456789)),
        ("", Moment(ZERO_AT)),
        ("0", Moment(ZERO_AT)),
        ("*unlimited", Moment(ZERO_AT)),
        ("0001-01-01T00:00:00Z", Moment(ZERO_AT)),
    ],
)
def test_layouts_of_times(text: str, moment: Moment) -> None:
    assert parse_time(text, NOW_AT) == moment


@pytest.mark.parametrize(
    ("text", "then_at"),
    [
        ("*now", NOW_AT),
        ("+1h", NOW_AT + HOUR_NS),
        ("-10m", NOW_AT - 10 * MINUTE_NS),
        ("*daily", NOW_AT + DAY_NS),
        ("*monthly", at("2024-03-02T10:00:00+00:00")),
        ("*monthly_estimated", at("2024-02-29T10:00:00+00:00")),
        ("*yearly", at("2025-01-31T10:00:00+00:00")),
        ("*month_end", at("2024-01-31T23:59:59+00:00")),
        ("*month_end+1s", at("2024-02-01T00:00:00+00:00")),
        ("*mo", at("2024-03-02T10:00:00+00:00")),
        ("*mo+1h", at("2024-03-02T11:00:00+00:00")),
        ("*monthly_x", at("2024-03-02T10:00:00+00:00")),
    ],
)
def test_times_relative_to_the_present(text: str, then_at: int) -> None:
    assert parse_time(text, NOW_AT).at == then_at


@pytest.mark.parametrize("text", ["soon", "2024-01-01", "12345", "*weekly", "1/2/2024", "2024-03-04 25:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="Unsupported time format"):
        parse_time(text, NOW_AT)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024-13-01T00:00:00Z", "month out of range"),
        ("2024-02-30T00:00:00Z", "day out of range"),
        ("2024-03-04T09:00:00+0200", 'cannot parse "+0200" as "Z07:00"'),
    ],
)
def test_what_is_nearly_rfc_3339_is_refused_in_gos_words(text: str, said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_time(text, NOW_AT)
    assert str(refused.value).startswith(f'parsing time "{text}"')
    assert str(refused.value).endswith(said)


def test_a_time_without_a_zone_is_read_in_the_one_given() -> None:
    moment = parse_time("2024-07-01 12:00:00", NOW_AT, "Europe/Berlin")
    assert moment == Moment(at("2024-07-01T10:00:00+00:00"), 7200)


@given(instants, st.integers(1, 48))
def test_months_later_clamped_is_the_same_day_or_the_last_one(instant: int, months: int) -> None:
    later_at = month_later(instant % (2**62), months, is_clamped=True)
    before = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant % (2**62) // SECOND_NS)
    after = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=later_at // SECOND_NS)
    assert (after.year * 12 + after.month) - (before.year * 12 + before.month) == months
    assert after.day == before.day or (after + timedelta(days=1)).day == 1
