"""Instants, usages and numbers of every type that columns have."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from cgrserver.rerating.values import instants_of, numbers_of, usages_of

AT = 1_772_445_600_000_000_000  # 2026-03-02T10:00:00Z


@pytest.mark.parametrize(
    ("column", "unit_ns"),
    [
        (pa.array([90_000_000_000]), 1),
        (pa.array([90], pa.int32()), 10**9),
        (pa.array([90], pa.uint64()), 10**9),
        (pa.array([90.0]), 10**9),
        (pa.array([Decimal("90")]), 10**9),
        (pa.array([90], pa.duration("s")), 1),
        (pa.array([90_000], pa.duration("ms")), 7),
        (pa.array(["90"]), 10**9),
        (pa.array(["1m30s"]), 10**9),
        (pa.array(["1m30s"]).dictionary_encode(), 1),
        (pa.array(["1m30s"], pa.large_string()), 1),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_a_usage_is_read_from_a_column_of_any_type(column: pa.Array, unit_ns: int) -> None:
    assert usages_of(column, unit_ns).usages_ns.tolist() == [90_000_000_000]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([AT]),
        pa.array([AT // 10**9]),
        pa.array([AT // 10**6]),
        pa.array([AT // 10**3]),
        pa.array([datetime(2026, 3, 2, 10)], pa.timestamp("s")),
        pa.array([datetime(2026, 3, 2, 10, tzinfo=UTC)], pa.timestamp("us", "UTC")),
        pa.array([datetime(2026, 3, 2, 10, tzinfo=UTC)], pa.timestamp("ns", "Europe/Rome")),
        pa.array(["2026-03-02T11:00:00+01:00"]),
    ],
    ids=lambda column: str(column.type),
)
def test_an_instant_is_read_from_a_column_of_any_type(column: pa.Array) -> None:
    assert instants_of(column, 0, "UTC").at.tolist() == [AT]


def test_the_clock_of_a_row_is_its_offset_or_that_of_the_zone() -> None:
    offsets = [
        instants_of(pa.array(["2026-03-02T11:00:00+02:00"]), 0, "Europe/Rome").offsets_s[0],
        instants_of(pa.array(["2026-03-02 11:00:00"]), 0, "Europe/Rome").offsets_s[0],
        instants_of(pa.array(["2026-07-02 11:00:00"]), 0, "Europe/Rome").offsets_s[0],
        instants_of(pa.array([AT]), 0, "Europe/Rome").offsets_s[0],
        instants_of(pa.array([AT], pa.timestamp("ns", "Asia/Kolkata")), 0, "UTC").offsets_s[0],
    ]
    assert offsets == [7200, 3600, 7200, 3600, 19800]


def test_a_time_without_an_offset_is_one_of_the_zone() -> None:
    naive = pa.array([datetime(2026, 3, 2, 11)], pa.timestamp("us"))
    assert instants_of(naive, 0, "Europe/Rome").at.tolist() == [AT]


@pytest.mark.parametrize("text", ["*now", "+1h", "-10m", "yesterday", "2026-13-01T00:00:00Z"])
def test_what_is_no_instant_of_a_call_is_refused_with_the_text(text: str) -> None:
    assert list(instants_of(pa.array([text]), 0, "UTC").unreadable) == [0]


def test_a_fraction_is_no_usage() -> None:
    found = usages_of(pa.array([1.5, 2.0, float("nan"), None]), 1)
    assert (found.usages_ns.tolist(), list(found.unreadable)) == ([0, 2, 0, 0], [0, 2])


def test_a_number_that_does_not_fit_is_refused() -> None:
    found = usages_of(pa.array([2**62, 1]), 10**9)
    assert (found.usages_ns.tolist(), list(found.unreadable)) == ([0, 10**9], [0])


def test_offsets_are_read_from_texts_too() -> None:
    assert numbers_of(pa.array(["-3600", "0", ""])).numbers.tolist() == [-3600, 0, 0]
