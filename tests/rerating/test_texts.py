"""Columns of texts are read as `cgrcore.timing` reads each text, or left."""

import numpy
import pyarrow as pa
from cgrserver.rerating import texts
from cgrserver.rerating.values import instants_of, usages_of
from hypothesis import given
from hypothesis import strategies as st
from numpy import int32, int64, uint8

from cgrcore.errors import BadRequest
from cgrcore.timing import ZERO_AT, Moment, parse_duration, parse_time

ZONE = "Europe/Rome"

DIGITS = st.text("0123456789", max_size=20)
DURATIONS = st.one_of(
    st.lists(
        st.tuples(
            DIGITS, st.sampled_from(["", "."]), DIGITS, st.sampled_from(["ns", "us", "µs", "ms", "s", "m", "h", ""])
        ).map("".join),
        max_size=3,
    ).map("".join),
    st.text("0123456789.hmsnu+- ", max_size=12),
    st.integers(-(2**64), 2**64).map(str),
)
TWO = st.integers(0, 65).map("{:02d}".format)
YEARS = st.one_of(st.integers(1960, 2040), st.integers(0, 9999)).map("{:04d}".format)
FRACTIONS = st.one_of(st.just(""), st.text("0123456789", min_size=1, max_size=10).map(".{}".format))
OFFSETS = st.sampled_from(["", "Z", "+01:00", "-05:30", "+24:00", "+0100", "-00:00"])
INSTANTS = st.one_of(
    st.tuples(YEARS, TWO, TWO, st.sampled_from("T "), TWO, TWO, TWO, FRACTIONS, OFFSETS).map(
        lambda p: f"{p[0]}-{p[1]}-{p[2]}{p[3]}{p[4]}:{p[5]}:{p[6]}{p[7]}{p[8]}"
    ),
    st.tuples(TWO, TWO, YEARS, st.sampled_from("./"), TWO, TWO, TWO).map(
        lambda p: f"{p[0]}{p[3]}{p[1]}{p[3]}{p[2]} {p[4]}:{p[5]}:{p[6]}"
    ),
    st.tuples(YEARS, TWO, TWO, TWO, TWO, TWO).map("".join),
    st.integers(0, 10**20).map(str),
    st.datetimes().map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")),
    st.text("0123456789-:TZ.+ ", max_size=25),
)


def as_timing_reads(text: str, zone: str = "UTC") -> Moment | None:
    """Return the moment of a text, None when there is none or it is relative to the present."""
    if text.strip()[:1] in ("*", "+", "-"):
        return None
    try:
        moment = parse_time(text.strip(), 0, zone)
    except BadRequest:
        return None
    return None if moment.at == ZERO_AT else moment


def duration_or_none(text: str) -> int | None:
    try:
        return parse_duration(text.strip())
    except BadRequest:
        return None


@given(st.lists(DURATIONS, min_size=1, max_size=5))
def test_a_duration_is_what_timing_says(given_texts: list[str]) -> None:
    found = usages_of(pa.array(given_texts), 1)
    for row, text in enumerate(given_texts):
        expected = None if text == "" else duration_or_none(text)
        if expected is None:
            assert found.is_missing[row] or row in found.unreadable
        else:
            assert (int(found.usages_ns[row]), row in found.unreadable) == (expected, False)


@given(st.lists(INSTANTS, min_size=1, max_size=5), st.sampled_from(["UTC", ZONE]))
def test_an_instant_is_what_timing_says(given_texts: list[str], zone: str) -> None:
    found = instants_of(pa.array(given_texts), 0, zone)
    for row, text in enumerate(given_texts):
        expected = as_timing_reads(text, zone)
        is_read = not found.is_missing[row] and row not in found.unreadable
        if expected is not None:
            assert is_read, text
            assert Moment(int(found.at[row]), int(found.offsets_s[row])) == expected
        elif is_read:
            # PostgreSQL's way of writing an instant with its offset is read here, and only here.
            at, sign = text[:10] + "T" + text[11:], max(text.rfind("+"), text.rfind("-"))
            assert text[10] == " "
            assert as_timing_reads(at) or as_timing_reads(at + ":00"), (text, sign)


def test_the_usual_texts_are_read_by_compiled_code() -> None:
    usual = [
        "2026-03-02T10:00:00Z",
        "2026-03-02T10:00:00.5+01:00",
        "2026-03-02 10:00:00",
        "20260302100000",
        "1772445600",
    ]
    column = pa.array([*usual, "02.03.2026 10:00:00", "2026-03-02 10:00:00+00"])
    offsets = numpy.frombuffer(column.buffers()[1], dtype=int32)
    data = numpy.frombuffer(column.buffers()[2], dtype=uint8)
    at, clocks = numpy.empty(len(column), dtype=int64), numpy.empty(len(column), dtype=int32)
    states = numpy.empty(len(column), dtype=uint8)
    texts.read_instants(offsets[: len(column) + 1], data, 0, at, clocks, states)
    assert texts.LEFT not in states.tolist()


def test_a_slice_of_a_column_is_read_as_the_rows_it_has() -> None:
    found = usages_of(pa.array(["1s", "2s", None, "3s"]).slice(1), 1)
    assert found.usages_ns.tolist() == [2_000_000_000, 0, 3_000_000_000]
    assert found.is_missing.tolist() == [False, True, False]
