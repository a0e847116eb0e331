"""A run as a whole: the same output by any number of threads, costs as quotes are, and ends that are not planned."""

import os
import pty
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from cgrserver.rerating.fields import KEYS
from cgrserver.rerating.mapping import FIELDS, OUTPUTS
from cgrserver.rerating.reading import FORMATS
from cgrserver.rerating.running import in_order
from cgrserver.storage.migrations import migrate

from cgrcore.errors import CgrError
from cgrcore.rating import Call, quote_by_tariff
from cgrcore.timing import format_time
from tests.house.sources import ROOT
from tests.rerating.calls import COSTS, ROWS, rater, run, write_csv
from tests.rerating.test_formats import read

COMMAND = [sys.executable, "-m", "cgrserver.cli", "rerate"]


@pytest.mark.parametrize("suffix", ["csv.gz", "parquet", "arrow"])
def test_the_output_is_the_same_by_any_number_of_threads(plan: Path, tmp_path: Path, suffix: str) -> None:
    sources = [write_csv(tmp_path / f"{place}.csv", ROWS * (place + 1)) for place in range(9)]
    for threads in (1, 4):
        run(plan, *sources, output=tmp_path / f"{threads}.{suffix}", threads=threads)
    assert (tmp_path / f"1.{suffix}").read_bytes() == (tmp_path / f"4.{suffix}").read_bytes()


def test_a_row_costs_what_a_quote_says() -> None:
    pick = random.Random(7)
    numbers = ["4930123", "+4930123", "4915112", "39061", "112", "1", "390612345678901234", "", "x"]
    made = rater(ROOT / "tariffplans" / "retail")
    calls = [
        Call(
            "cgrates.org",
            "call",
            pick.choice(["anna", "1001", "*any"]),
            "1001",
            pick.choice(numbers),
            "*voice",
            pick.randrange(1_700_000_000, 1_800_000_000) * 10**9,
            pick.choice([0, 1, 59, 60, 61, 3600, 90_000]) * 10**9 + pick.choice([0, 1]),
            offset_s=pick.choice([0, 3600, -5400]),
        )
        for _ in range(3000)
    ]
    batch = pa.RecordBatch.from_pydict(
        {
            "Account": [call.account for call in calls],
            "Subject": [call.subject for call in calls],
            "Destination": [call.destination for call in calls],
            "AnswerTime": [format_time(call.start_at, call.offset_s) for call in calls],
            "Usage": [f"{call.usage_ns}ns" for call in calls],
        }
    )
    rated = made.rate(batch)
    for row, call in enumerate(calls):
        try:
            expected = quote_by_tariff(made.tariff, call).cost_nano
        except CgrError as error:
            assert rated.is_refused[row], call
            assert rated.batch["Error"][row].as_py() == str(error)
        else:
            assert (rated.is_refused[row], rated.costs_nano[row]) == (False, expected), call
    assert rated.total_nano == sum(rated.costs_nano[~rated.is_refused].tolist())
    assert 0 < rated.is_refused.sum() < len(calls)


def test_work_done_out_of_order_comes_in_order() -> None:
    def work(item: int) -> int:
        if item % 7 == 0:
            sum(range(200_000))
        return item

    assert list(in_order(range(100), work, 4)) == list(range(100))


def test_leaving_early_stops_reading() -> None:
    taken = []

    def items() -> object:
        for item in range(10**9):
            taken.append(item)
            yield item

    for found in in_order(items(), lambda item: item, 2):  # type: ignore[arg-type, var-annotated]
        if found == 5:
            break
    assert len(taken) < 20


def run_in_room(size: int, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the command with no room for files of more bytes."""
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.arrow"])
def test_a_full_disk_is_one_sentence_and_leaves_the_old_output(plan: Path, tmp_path: Path, name: str) -> None:
    rows = [{**row, "Note": place} for place, row in enumerate(ROWS * 5000)]
    source = write_csv(tmp_path / "in.csv", rows)
    (tmp_path / name).write_text("old")
    arguments = ["--tariff", str(plan), "--input", str(source), "--output", str(tmp_path / name)]
    ran = run_in_room(200_000, arguments)
    assert (ran.returncode, ran.stderr) == (1, f"{tmp_path}/{name}: File too large\n")
    assert (tmp_path / name).read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"plan", "in.csv", name}


def test_a_full_disk_leaves_nothing_of_a_new_database(plan: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv")
    arguments = ["--tariff", str(plan), "--input", str(source), "--output", str(tmp_path / "out.db")]
    ran = run_in_room(1000, arguments)
    assert (ran.returncode, ran.stderr) == (1, f"{tmp_path}/out.db: table cdrs_rerated: disk I/O error\n")
    assert {path.name for path in tmp_path.iterdir()} == {"plan", "in.csv"}


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_the_old_output(plan: Path, tmp_path: Path, sign: signal.Signals) -> None:
    source = tmp_path / "big.csv"
    write_csv(source, ROWS * 400_000)
    (tmp_path / "out.csv").write_text("old")
    arguments = ["--tariff", str(plan), "--input", str(source), "--output", str(tmp_path / "out.csv"), "--threads", "1"]
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not any(part.stat().st_size > 1000 for part in tmp_path.glob(".out.csv.*")) and time.monotonic() < deadline:
        os.sched_yield()
    process.send_signal(sign)
    process.communicate(timeout=60)
    assert process.returncode in (130, -sign)
    assert (tmp_path / "out.csv").read_text() == "old"
    if sign == signal.SIGINT:
        assert not list(tmp_path.glob(".*.part"))


def test_a_terminal_is_shown_how_far_it_is(plan: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", ROWS * 2000)
    ours, theirs = pty.openpty()
    arguments = ["--tariff", str(plan), "--input", str(source), "--output", str(tmp_path / "out.csv")]
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=theirs, env=environ)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    process.communicate(timeout=60)
    assert b"8,000 rows," in shown
    assert b"100%" in shown


#: Two CDRs in the server's own table, one of them on a clock two hours east.
STORED = """
    INSERT INTO cdrs (cgrid, run_id, origin_host, source, origin_id, tor, request_type, tenant, category, account,
        subject, destination, setup_at, setup_offset_s, answer_at, answer_offset_s, usage_ns, extra_fields, extra_info,
        is_partial, is_prerated, cost_source, cost, cost_details, created_at, updated_at)
    VALUES ('a', '*default', 'h', 's', 'o1', '*voice', '*rated', 'cgrates.org', 'call', '1001', '1001', '4930111',
        1772445590000000000, 7200, 1772445600000000000, 7200, 60000000000, '{}', '', FALSE, FALSE, '', '1.5', NULL, 1,
        1),
    ('b', '*default', 'h', 's', 'o2', '*voice', '*none', 'cgrates.org', 'call', '1002', '1002', '4915222',
        1772445590000000000, 0, -9223372036854775808, 0, 10000000000, '{}', '', FALSE, FALSE, '', NULL, NULL, 1, 1)
"""


def test_the_server_s_own_table_needs_no_mapping(plan: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "cgrcore.db", isolation_level=None)
    migrate(connection.execute, "sqlite")
    connection.execute(STORED)
    connection.close()
    run(plan, tmp_path / "cgrcore.db", output=tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    assert [(row["cost"], row["Cost"], row["Error"]) for row in rows] == [
        ("1.5", COSTS[0], ""),
        ("", "", "REQUEST_TYPE_NONE"),
    ]


def test_the_server_s_own_table_in_postgres_too(plan: Path, tmp_path: Path, postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        migrate(lambda sql: connection.execute(sql) and (), "postgres")
        connection.execute(STORED)
    run(plan, postgres, output=tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    assert [(row["cost"], row["Cost"]) for row in rows] == [("1.500000000", COSTS[0]), ("", "")]


def test_the_page_names_every_field_format_and_reason() -> None:
    page = (ROOT / "docs" / "rerating.md").read_text()
    names = [*FIELDS, *OUTPUTS, *FORMATS, *KEYS, "INVALID_LINE", "INVALID_VALUE", "MANDATORY_IE_MISSING"]
    names += [name for others in FIELDS.values() for name in others]
    assert [name for name in names if f"`{name}" not in page] == []
