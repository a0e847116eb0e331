"""Rows that cannot be rated are kept with the reason; input that cannot be read ends the run with one sentence."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cgrserver.storage.migrations import migrate

from cgrcore.errors import CgrError
from tests.rerating.calls import ROWS, run, write_csv, write_parquet
from tests.rerating.test_formats import read

GOOD = {"Tenant": "", **ROWS[0]}

#: What is wrong with a row, and why it is not rated.
BAD: list[tuple[dict[str, Any], str]] = [
    ({"Usage": "1x"}, 'INVALID_VALUE: Usage: time: unknown unit "x" in duration "1x"'),
    ({"Usage": ""}, "MANDATORY_IE_MISSING: [Usage]"),
    ({"Usage": "-5s"}, "NEGATIVE_USAGE"),
    ({"Usage": "9999999h"}, 'INVALID_VALUE: Usage: time: invalid duration "9999999h"'),
    ({"Usage": "99999h"}, "MAX_USAGE_EXCEEDED"),
    ({"AnswerTime": ""}, "MANDATORY_IE_MISSING: [AnswerTime]"),
    ({"AnswerTime": "*now"}, "INVALID_VALUE: AnswerTime: Unsupported time format '*now'"),
    (
        {"AnswerTime": "2026-02-30T00:00:00Z"},
        'INVALID_VALUE: AnswerTime: parsing time "2026-02-30T00:00:00Z": day out of range',
    ),
    ({"Destination": ""}, "UNAUTHORIZED_DESTINATION"),
    ({"Tenant": "other.org"}, "RATING_PLAN_NOT_FOUND"),
]


@pytest.mark.parametrize(("change", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a_row_that_cannot_be_rated_is_kept_with_the_reason(
    plan: Path, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    source = write_csv(tmp_path / "in.csv", [GOOD, {**GOOD, **change}, GOOD])
    ran = run(plan, source, output=tmp_path / "out.csv")
    assert ran.status == 0
    rows = read(tmp_path / "out.csv")
    assert [(row["Cost"], row["Error"]) for row in rows] == [("0.060000000", ""), ("", reason), ("0.060000000", "")]
    assert [row["Error"] for row in read(tmp_path / "out.rejected.csv")] == [reason]


def test_a_line_of_other_width_is_kept_as_far_as_it_goes(plan: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(
        "Account,Destination,AnswerTime,Usage\n"
        "\n"
        "1001,4930,2026-03-02T10:00:00Z,60s\n"
        "1002,4930\n"
        "1003,4930,2026-03-02T10:00:00Z,60s,more\n"
        "1004,4930,2026-03-02T10:00:00Z,60s\n"
    )
    run(plan, tmp_path / "in.csv", output=tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    assert [row["Account"] for row in rows] == ["1001", "1002", "1003", "1004"]
    assert [row["Error"] for row in rows] == [
        "",
        "INVALID_LINE: 2 columns instead of 4: 1002,4930",
        "INVALID_LINE: 5 columns instead of 4: 1003,4930,2026-03-02T10:00:00Z,60s,more",
        "",
    ]
    assert [row["SourceRow"] for row in read(tmp_path / "out.rejected.csv")] == ["4", "5"]


def test_what_asks_not_to_be_rated_is_not(plan: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [{**GOOD, "RequestType": "*rated"}, {**GOOD, "RequestType": "*none"}])
    run(plan, source, output=tmp_path / "out.csv")
    assert [row["Error"] for row in read(tmp_path / "out.csv")] == ["", "REQUEST_TYPE_NONE"]


def test_the_counts_are_printed_and_add_up(plan: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [GOOD] * 5 + [{**GOOD, **change} for change, _ in BAD])
    printed = run(plan, source, output=tmp_path / "out.parquet").printed
    counts = {line.split()[0]: line for line in printed.splitlines() if not line.startswith(" ")}
    read_count, rated, refused, written = (
        int(re.findall(r"\d+", counts[name].replace("not rated", ""))[0])
        for name in ("read", "rated", "not", "written")
    )
    assert (read_count, rated, refused, written) == (15, 5, 10, 15)
    assert "5 rows, 0.3 together" in counts["rated"]
    reasons = [line.split() for line in printed.splitlines() if line.startswith("  ")]
    assert sum(int(count) for count, _ in reasons) == refused


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """An output that is there already."""
    path = tmp_path / "out.csv"
    path.write_text("old")
    return path


def damaged_parquet(path: Path, cut: int) -> Path:
    write_parquet(path, ROWS * 500)
    content = path.read_bytes()
    path.write_bytes(content[:cut] if cut > 0 else content[:200] + b"\xff" * 400 + content[600:])
    return path


def damaged(tmp_path: Path, name: str) -> Path:
    """Return a file that is damaged as its name says."""
    path = tmp_path / name
    good = write_csv(tmp_path / "good").read_bytes()
    if name == "cut.csv.gz":
        with pa.OSFile(str(path), "wb") as raw, pa.CompressedOutputStream(raw, "gzip") as packing:
            packing.write(good * 1000)
        path.write_bytes(path.read_bytes()[:-20])
    elif name == "no.csv.gz":
        path.write_bytes(good)
    elif name == "cut.parquet":
        damaged_parquet(path, 700)
    elif name == "rotten.parquet":
        damaged_parquet(path, 0)
    elif name == "no.parquet":
        path.write_bytes(b"hello")
    elif name == "cut.arrow":
        path.write_bytes(b"ARROW1\0\0" + b"x" * 100)
    elif name == "no.db":
        path.write_bytes(b"SQLite format 3\0" + b"x" * 2000)
    elif name == "latin.csv":
        path.write_bytes(good.replace(b"4915222", b"49\xfc15"))
    elif name == "empty.csv":
        path.write_bytes(b"")
    elif name == "twice.csv":
        path.write_bytes(b"Account,Account\n1,2\n")
    elif name == "semicolons.csv":
        path.write_bytes(good.replace(b",", b";"))
    elif name == "lacking.csv":
        path.write_bytes(b"Account,Usage\n1,2\n")
    elif name == "floats.parquet":
        pq.write_table(pa.table({**{key: ["1"] for key in GOOD}, "Destination": [4930.5]}), path)
    elif name == "binary.csv":
        path.write_bytes(os.urandom(3000))
    elif name == "empty":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("cut.csv.gz", "Truncated compressed stream"),
        ("no.csv.gz", "the name ends in .gz, and it is not packed with gzip"),
        ("cut.parquet", ""),
        ("rotten.parquet", ""),
        ("no.parquet", "the name ends in .parquet, and it is no parquet file"),
        ("cut.arrow", ""),
        ("no.db", ""),
        ("latin.csv", ":3: column Destination is not UTF-8; the mapping may name another encoding"),
        ("empty.csv", "there is no header"),
        ("twice.csv", ":1: there are two columns 'Account'"),
        ("semicolons.csv", "there is no column for Destination; the columns are .*; is the delimiter another one"),
        ("lacking.csv", "there is no column for Destination; the columns are Account, Usage"),
        ("floats.parquet", "column Destination holds double; Destination is read from text"),
        ("binary.csv", ""),
        ("empty", "no files of CDRs in this folder"),
        ("absent.csv", "no such file"),
    ],
)
def test_input_that_cannot_be_read_is_one_sentence_and_leaves_the_old_output(
    plan: Path, tmp_path: Path, old: Path, name: str, sentence: str
) -> None:
    path = damaged(tmp_path, name)
    with pytest.raises(CgrError) as error:
        run(plan, path, output=old)
    text = str(error.value)
    assert text.startswith(str(path))
    assert re.search(sentence, text)
    assert "\n" not in text
    assert old.read_text() == "old"
    assert not [found for found in old.parent.iterdir() if found.name.endswith(".part")]


def test_on_the_command_line_it_is_a_status_and_no_traceback(plan: Path, tmp_path: Path) -> None:
    path = damaged(tmp_path, "cut.parquet")
    command = [sys.executable, "-W", "error", "-m", "cgrserver.cli", "rerate", "--tariff", str(plan)]
    ran = subprocess.run(
        [*command, "--input", str(path), "--output", str(tmp_path / "out.csv")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert len(ran.stderr.splitlines()) == 1


def test_an_input_is_not_written_over(plan: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv")
    with pytest.raises(CgrError, match="this is read"):
        run(plan, source, output=source)


def test_a_table_that_is_there_is_not_touched(plan: Path, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "out.db") as connection:
        connection.execute("CREATE TABLE cdrs_rerated (a)")
    connection.close()
    with pytest.raises(CgrError, match="there is a table 'cdrs_rerated' already"):
        run(plan, write_csv(tmp_path / "in.csv"), output=tmp_path / "out.db")


def test_a_server_s_store_is_not_written_to(plan: Path, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "out.db", isolation_level=None) as connection:
        migrate(connection.execute, "sqlite")
    connection.close()
    with pytest.raises(CgrError, match="this is a server's store"):
        run(plan, write_csv(tmp_path / "in.csv"), output=tmp_path / "out.db")


def test_an_output_without_a_format_is_refused(plan: Path, tmp_path: Path) -> None:
    with pytest.raises(CgrError, match=r"out\.xls: the name must end in one of \.csv"):
        run(plan, write_csv(tmp_path / "in.csv"), output=tmp_path / "out.xls")


def test_a_password_is_in_no_message(plan: Path, tmp_path: Path) -> None:
    with pytest.raises(CgrError) as error:
        run(plan, "postgresql://me:secret@127.0.0.1:1/db", output=tmp_path / "out.csv")
    assert "secret" not in str(error.value)


def test_a_plan_with_mistakes_is_told_with_its_lines(plan: Path, tmp_path: Path) -> None:
    (plan / "Rates.csv").write_text(
        "#Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart\nRT_DE,x,1,60s,1s,0s\n"
    )
    with pytest.raises(CgrError, match=r"Rates\.csv:2"):
        run(plan, write_csv(tmp_path / "in.csv"), output=tmp_path / "out.csv")
