"""Which columns of a Parquet file are coded, which are packed, and that other programs read the file."""

from pathlib import Path

import duckdb
import numpy
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cgrserver.rerating.files import BUFFER_SIZE, ParquetFile
from cgrserver.rerating.packing import Layout, layout_of

from tests.rerating.calls import ROWS, run, write_parquet

COUNT = 50_000
RANDOM = numpy.random.Generator(numpy.random.PCG64(7))


def layout_of_column(column: pa.Array) -> Layout:
    return layout_of(pa.table({"column": column}))


def test_usages_in_whole_seconds_are_coded() -> None:
    seconds = RANDOM.integers(1, 7200, COUNT)
    assert layout_of_column(pa.array(seconds * 10**9)) == (["column"], {"column": "none"})


def test_times_in_order_are_not_coded_though_neighbours_are_alike() -> None:
    seconds = numpy.sort(RANDOM.integers(0, 40_000, COUNT))
    assert layout_of_column(pa.array(seconds * 10**9)).coded == []


def test_phone_numbers_are_neither_coded_nor_packed() -> None:
    numbers = RANDOM.integers(10**10, 10**11, COUNT).astype("U11")
    assert layout_of_column(pa.array(numbers)) == ([], {"column": "none"})


def test_long_texts_that_are_much_alike_are_packed() -> None:
    notes = [f"a call of customer {place} over the second trunk to the north" for place in range(COUNT)]
    assert layout_of_column(pa.array(notes)) == ([], {"column": "snappy"})


def test_the_leaves_of_nested_columns_are_packed_each() -> None:
    rows = [{"numbers": [number], "note": "always as long as this"} for number in RANDOM.integers(0, 2**62, 5000)]
    assert layout_of_column(pa.array(rows)).codecs == {"column.numbers.list.element": "none", "column.note": "snappy"}


@pytest.mark.parametrize("count", [0, 1, 4095])
def test_a_small_file_is_coded_and_packed_as_it_comes(count: int) -> None:
    assert layout_of_column(pa.array(range(count), pa.int64())) == (["column"], "snappy")


def test_a_file_that_is_written_holds_no_memory(tmp_path: Path) -> None:
    files = [ParquetFile(tmp_path / f"{place}.parquet", pa.schema({"a": pa.int64()})) for place in range(20)]
    before = pa.total_allocated_bytes()
    for file in files:
        file.close()
    assert before - pa.total_allocated_bytes() >= 20 * BUFFER_SIZE
    for file in files:
        file.abandon()


def test_another_program_reads_what_is_written(plan: Path, tmp_path: Path) -> None:
    rows = [{**row, "Legs": [1, 2], "Note": f"{place:0200}"} for place, row in enumerate(ROWS * 2000)]
    run(plan, write_parquet(tmp_path / "in.parquet", rows), output=tmp_path / "out.parquet")
    found = duckdb.sql(f"SELECT * FROM '{tmp_path}/out.parquet'")
    assert dict(zip(found.columns, map(str, found.types), strict=True))["Cost"] == "DECIMAL(18,9)"
    read = found.fetchall()
    assert [dict(zip(found.columns[:6], row, strict=False)) for row in read] == rows
    assert pq.read_table(tmp_path / "out.parquet").num_rows == len(rows)


def test_coded_texts_are_read_as_texts_and_times_keep_their_zone(plan: Path, tmp_path: Path) -> None:
    calls = pa.table(
        {
            "Account": ["1001"],
            "Destination": ["4930111"],
            "AnswerTime": pa.array([1_772_445_600_000], pa.timestamp("ms", "Europe/Rome")),
            "Usage": pa.array([60], pa.duration("s")),
        }
    )
    pq.write_table(calls, tmp_path / "in.parquet")
    run(plan, tmp_path / "in.parquet", output=tmp_path / "out.parquet")
    added = [
        ("Cost", pa.decimal128(18, 9)),
        *((name, pa.string()) for name in ("DestinationID", "RatingPlanID", "Error")),
    ]
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.schema.equals(pa.schema([*calls.schema, *(pa.field(*column) for column in added)]))
