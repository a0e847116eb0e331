"""Every format that is read and written, and what goes through them."""

import csv
import gzip
import io
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from cgrserver.rerating.encoding import writable

from tests.rerating.calls import COSTS, ROWS, run, write_csv, write_parquet


def write_packed(codec: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        content = write_csv(path.with_name("plain")).read_bytes()
        with pa.OSFile(str(path), "wb") as raw, pa.CompressedOutputStream(raw, codec) as packing:
            packing.write(content)

    return write


def write_arrow(path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    with pa.OSFile(str(path), "wb") as raw, pa.ipc.new_file(raw, table.schema) as writer:
        writer.write_table(table)


def write_stream(path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    with pa.OSFile(str(path), "wb") as raw, pa.ipc.new_stream(raw, table.schema) as writer:
        writer.write_table(table)


def write_sqlite(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE cdrs ({', '.join(f'{name} TEXT' for name in ROWS[0])})")
        connection.executemany("INSERT INTO cdrs VALUES (?, ?, ?, ?)", [tuple(row.values()) for row in ROWS])
    connection.close()


INPUTS: dict[str, Callable[[Path], Any]] = {
    "in.csv": write_csv,
    "in.csv.gz": write_packed("gzip"),
    "in.csv.zst": write_packed("zstd"),
    "in.parquet": write_parquet,
    "in.arrow": write_arrow,
    "in.arrows": write_stream,
    "in.db": write_sqlite,
}


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file as texts, what is none as an empty one."""
    if path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
    elif path.suffix == ".arrow":
        with pa.memory_map(str(path)) as opened:
            rows = pa.ipc.open_file(opened).read_all().to_pylist()
    elif path.suffix == ".db":
        with sqlite3.connect(path) as connection:
            connection.row_factory = sqlite3.Row
            name = "cdrs_rerated_rejected" if "rejected" in path.name else "cdrs_rerated"
            rows = [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]
        connection.close()
    else:
        content = path.read_bytes()
        if path.suffix in (".gz", ".zst"):
            codec = {".gz": "gzip", ".zst": "zstd"}[path.suffix]
            content = pa.CompressedInputStream(pa.BufferReader(content), codec).read()
        rows = list(csv.DictReader(io.StringIO(content.decode())))
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("name", INPUTS)
def test_every_format_is_read(plan: Path, tmp_path: Path, name: str) -> None:
    INPUTS[name](tmp_path / name)
    assert run(plan, tmp_path / name, output=tmp_path / "out.csv").status == 0
    rows = read(tmp_path / "out.csv")
    assert [row["Cost"] for row in rows] == COSTS
    assert [row["Destination"] for row in rows] == [row["Destination"] for row in ROWS]


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.csv.zst", "out.parquet", "out.arrow", "out.db"])
def test_every_format_is_written(plan: Path, tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "in.csv")
    run(plan, tmp_path / "in.csv", output=tmp_path / name)
    expected = {**ROWS[1], "Cost": COSTS[1], "DestinationID": "DST_MOBILE", "RatingPlanID": "RP", "Error": ""}
    rows = read(tmp_path / name)
    assert rows[1] == expected
    assert [row["Error"] for row in rows] == ["", "", "UNAUTHORIZED_DESTINATION", ""]


def test_costs_are_decimals_with_nine_digits_behind_the_point(plan: Path, tmp_path: Path) -> None:
    run(plan, write_parquet(tmp_path / "in.parquet"), output=tmp_path / "out.parquet")
    schema = pq.read_schema(tmp_path / "out.parquet")
    assert schema.field("Cost").type == pa.decimal128(18, 9)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zst", "parquet", "arrow"])
def test_rows_that_are_not_rated_are_in_a_file_of_their_own_with_their_place(
    plan: Path, tmp_path: Path, suffix: str
) -> None:
    source = write_csv(tmp_path / "in.csv")
    run(plan, source, output=tmp_path / f"out.{suffix}")
    rows = read(tmp_path / f"out.rejected.{suffix}")
    assert [(row["SourceFile"], row["SourceRow"], row["Error"]) for row in rows] == [
        (str(source), "4", "UNAUTHORIZED_DESTINATION")
    ]


@pytest.mark.parametrize("name", ["out.csv", "out.db"])
def test_what_costs_nothing_is_written_without_an_exponent(plan: Path, tmp_path: Path, name: str) -> None:
    rows = [{**ROWS[0], "Usage": "0"}, *ROWS[1:]]
    run(plan, write_csv(tmp_path / "in.csv", rows), output=tmp_path / name)
    assert [row["Cost"] for row in read(tmp_path / name)] == ["0.000000000", *COSTS[1:]]


@pytest.mark.parametrize("kind", [pa.decimal128(18, 9), pa.decimal128(9, 9), pa.decimal128(3, 9), pa.decimal128(38, 9)])
def test_amounts_are_written_with_all_their_digits(kind: pa.DataType) -> None:
    amounts = [None, *(f"{units:.9f}" for units in (Decimal(0), Decimal("1E-9"), Decimal("-9.99E-7")))]
    column = pa.array([None if amount is None else Decimal(amount) for amount in amounts], kind)
    written = writable(pa.RecordBatch.from_pydict({"amount": column})).column(0)
    assert written.cast(pa.string()).to_pylist() == amounts


def test_a_text_comes_out_as_it_went_in(plan: Path, tmp_path: Path) -> None:
    texts = ["0049", "+1", 'say "x"', "a,b", "two\nlines", "ü", " spaced ", "NULL", ""]
    source = tmp_path / "in.csv"
    with source.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow([*ROWS[0], "Note, or so"])
        writer.writerows([*ROWS[0].values(), text] for text in texts)
    run(plan, source, output=tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    assert [row["Note, or so"] for row in rows] == texts
    assert {row["Cost"] for row in rows} == {COSTS[0]}


def test_columns_keep_their_types_in_parquet(plan: Path, tmp_path: Path) -> None:
    table = pa.table(
        {
            "Account": pa.array(["1001"]).dictionary_encode(),
            "Destination": pa.array([4930111]),
            "AnswerTime": pa.array([1_772_445_600], pa.timestamp("s", "UTC")),
            "Usage": pa.array([60], pa.duration("s")),
            "Legs": pa.array([["a", "b"]]),
            "Cost": pa.array([1.5]),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    run(plan, tmp_path / "in.parquet", output=tmp_path / "out.parquet")
    out = pq.read_table(tmp_path / "out.parquet")
    kept = [str(out.schema.field(name).type) for name in ("Destination", "Usage", "Legs", "PreviousCost")]
    assert kept == ["int64", "duration[s]", "list<element: string>", "double"]
    assert str(out["Cost"][0]) == COSTS[0]


def test_what_rerating_has_written_can_be_rerated(plan: Path, tmp_path: Path) -> None:
    run(plan, write_csv(tmp_path / "in.csv"), output=tmp_path / "1.csv")
    run(plan, tmp_path / "1.csv", output=tmp_path / "2.csv")
    run(plan, tmp_path / "2.csv", output=tmp_path / "3.csv")
    names = list(read(tmp_path / "3.csv")[0])
    assert len(set(names)) == len(names) == len(ROWS[0]) + 3 * 4
    assert [row["Cost"] for row in read(tmp_path / "3.csv")] == COSTS


def test_a_folder_is_read_in_order_of_names_and_what_is_left_out_is_told(plan: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    write_csv(folder / "b.csv", ROWS[1:2])
    write_csv(folder / "a.csv", ROWS[:1])
    write_csv(folder / "sub" / "c.csv", ROWS[3:])
    (folder / "README").write_text("x")
    ran = run(plan, folder, output=tmp_path / "out.csv")
    assert [row["Account"] for row in read(tmp_path / "out.csv")] == ["1001", "1002", "1003"]
    assert "README" in ran.told


def test_a_folder_gets_a_file_for_each_of_the_input(plan: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    write_csv(folder / "a.csv", ROWS[:3])
    write_csv(folder / "sub" / "b.csv", ROWS[3:])
    (folder / "empty.csv").write_text("Account,Destination,AnswerTime,Usage\n")
    run(plan, folder, output=f"{tmp_path}/out/", output_format="parquet")
    counts = {str(path.relative_to(tmp_path / "out")): len(read(path)) for path in (tmp_path / "out").rglob("*.*")}
    assert counts == {"a.parquet": 3, "sub/b.parquet": 1, "empty.parquet": 0, "_rejected.parquet": 1}


def test_files_of_other_columns_make_one_output_with_all(plan: Path, tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ROWS[:1])
    write_csv(tmp_path / "b.csv", [{"Note": "n", **{name: ROWS[1][name] for name in reversed(ROWS[1])}}])
    run(plan, tmp_path / "a.csv", tmp_path / "b.csv", output=tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    assert [(row["Note"], row["Cost"]) for row in rows] == [("", COSTS[0]), ("n", COSTS[1])]


def test_an_empty_input_gives_an_empty_output(plan: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("Account,Destination,AnswerTime,Usage\n")
    run(plan, tmp_path / "in.csv", output=tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


def test_parts_of_a_packed_file_are_one_file(plan: Path, tmp_path: Path) -> None:
    lines = write_csv(tmp_path / "plain.csv").read_bytes().splitlines(keepends=True)
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(b"".join(lines[:2])) + gzip.compress(b"".join(lines[2:])))
    run(plan, tmp_path / "in.csv.gz", output=tmp_path / "out.csv")
    assert [row["Cost"] for row in read(tmp_path / "out.csv")] == COSTS


def test_a_tariff_s_breakdown_is_json(plan: Path, tmp_path: Path) -> None:
    run(plan, write_csv(tmp_path / "in.csv"), output=tmp_path / "out.parquet", breakdown=True)
    found = pq.read_table(tmp_path / "out.parquet")["Breakdown"].to_pylist()
    assert found[2] is None
    assert found[1] == (
        '[{"StartTime":"2026-03-02T10:00:00Z","Usage":"1m0s","Increment":"1m0s","Count":1,"IncrementCost":0.12}]'
    )


POSTGRES_ROWS = """
    CREATE TABLE calls (account text, destination varchar(30), answer_time timestamptz, usage bigint,
        cost numeric(20, 4), extra jsonb, raw bytea, flag boolean, note text);
    INSERT INTO calls VALUES
        ('1001', '4930111', '2026-03-02T10:00:00+01:00', 60000000000, 0.1234, '{"a": "b,c"}', '\\x0001', true, ''),
        ('1002', '4915222', '2026-03-02T10:00:00+00:00', 10000000000, NULL, NULL, NULL, NULL, NULL),
        ('1001', '44333', '2026-03-02T11:00:00.5Z', 60000000000, -1, '{}', '', false, 'two
lines, "quoted"'),
        ('1003', '4989444', '2026-03-02T12:00:00Z', 15000000000, 0, '[1]', NULL, true, '\\.');
"""


def test_a_table_of_postgres_becomes_another_one_with_its_types(plan: Path, postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(POSTGRES_ROWS)
    run(plan, postgres, output=postgres, table="calls", output_table="rerated")
    with psycopg.connect(postgres) as connection:
        names = "account, destination, answer_time, usage, cost, extra, raw, flag, note"
        copied = connection.execute(f"SELECT {names} FROM rerated ORDER BY answer_time").fetchall()
        assert copied == connection.execute(f"SELECT {names} FROM calls ORDER BY answer_time").fetchall()
        costs = connection.execute('SELECT "Cost"::text FROM rerated ORDER BY account, answer_time').fetchall()
        assert [cost or "" for (cost,) in costs] == [COSTS[0], "", COSTS[1], COSTS[3]]
        rejected = connection.execute('SELECT "SourceRow", destination, "Error" FROM rerated_rejected').fetchall()
        assert rejected == [(3, "44333", "UNAUTHORIZED_DESTINATION")]


def test_a_table_of_postgres_becomes_a_file(plan: Path, tmp_path: Path, postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(POSTGRES_ROWS)
    run(plan, postgres, output=tmp_path / "out.parquet", table="calls")
    table = pq.read_table(tmp_path / "out.parquet")
    assert [str(cost or "") for cost in table["Cost"].to_pylist()] == COSTS
    assert table.schema.field("cost").type == pa.decimal128(20, 4)
    assert table["note"].to_pylist() == ["", None, 'two\nlines, "quoted"', "\\."]


def test_a_csv_file_is_read_by_a_reader_of_csv(plan: Path, tmp_path: Path) -> None:
    run(plan, write_csv(tmp_path / "in.csv"), output=tmp_path / "out.csv")
    assert pc.read_csv(tmp_path / "out.csv").num_rows == len(ROWS)


def test_a_tariff_of_many_destinations_names_them_as_a_small_one_does(plan: Path, tmp_path: Path) -> None:
    many = "".join(f"DST_{number},{number}\n" for number in range(500_000, 506_000))
    (plan / "Destinations.csv").write_text(
        (plan / "Destinations.csv").read_text().replace("DST_DE", many + "DST_DE", 1)
    )
    run(plan, write_csv(tmp_path / "in.csv"), output=tmp_path / "out.parquet")
    assert [row["DestinationID"] for row in read(tmp_path / "out.parquet")] == ["DST_DE", "DST_MOBILE", "", "DST_DE"]
