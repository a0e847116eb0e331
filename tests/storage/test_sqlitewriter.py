"""Transactions without Python's lock: kept wholly or not at all, and what went wrong is told."""

import select
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cgrserver.storage.logwrites import file_system
from cgrserver.storage.sqlite import PlainWriter
from cgrserver.storage.sqlitewriter import IS_REACHED, Writer

INSERT = "INSERT INTO kept VALUES (?, ?)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a store.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA page_size=1024")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, value)")
    connection.close()
    return path


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(str(path), file_system(), ["PRAGMA synchronous=FULL"], 100)
    yield writer
    writer.close()


def kept(path: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT id, value FROM kept ORDER BY id").fetchall()
    finally:
        connection.close()


def wait(descriptor: int) -> None:
    assert select.select([descriptor], [], [], 10)[0]


def test_this_python_lets_its_sqlite_be_reached() -> None:
    assert IS_REACHED and file_system()


def test_values_of_every_kind_come_back_as_they_were(writer: Writer, path: Path) -> None:
    rows = [(1, "zwölf"), (2, b"\0\xff"), (3, -(2**63)), (4, 2**63 - 1), (5, None), (6, ""), (7, b""), (8, True)]
    writer.run([(INSERT, rows)])
    assert kept(path) == [*rows[:7], (8, 1)]


def test_a_started_transaction_is_kept_when_its_descriptor_is_readable(writer: Writer, path: Path) -> None:
    for number in range(50):
        wait(writer.start([(INSERT, [(number, f"text {number}")])]))
        assert kept(path)[-1] == (number, f"text {number}"), "another connection sees it before it is reported"
        assert writer.finish() == ""


def test_values_need_not_outlive_the_call(writer: Writer, path: Path) -> None:
    started = writer.start([(INSERT, [(number, f"{number:0500}") for number in range(2000)])])
    rubbish = [f"{number:0501}" for number in range(20000)]
    wait(started)
    writer.finish()
    assert kept(path) == [(number, f"{number:0500}") for number in range(2000)] and rubbish


def test_a_transaction_that_fails_in_the_middle_leaves_nothing(writer: Writer, path: Path) -> None:
    wait(writer.start([(INSERT, [(1, "a"), (2, "b"), (1, "c")])]))
    with pytest.raises(sqlite3.OperationalError, match="UNIQUE constraint failed"):
        writer.finish()
    writer.run([(INSERT, [(3, "d")])])
    assert kept(path) == [(3, "d")]


def test_a_file_that_another_holds_is_told_after_the_timeout(writer: Writer, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        writer.run([(INSERT, [(1, "a")])])
    other.execute("ROLLBACK")
    other.close()
    writer.run([(INSERT, [(1, "a")])])
    assert kept(path) == [(1, "a")]


def test_a_row_with_too_many_values_is_refused(writer: Writer, path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="out of range"):
        writer.run([(INSERT, [(1, "a", "b")])])
    assert kept(path) == []


@pytest.mark.parametrize(("value", "error"), [(2**63, OverflowError), (1.5, TypeError), ("\ud800", UnicodeError)])
def test_what_sqlite_does_not_hold_is_refused_before_anything_runs(
    writer: Writer, path: Path, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error):
        writer.start([(INSERT, [(1, "a"), (2, value)])])
    writer.run([(INSERT, [(3, "b")])])
    assert kept(path) == [(3, "b")]


def test_what_comes_before_may_fail(writer: Writer, path: Path) -> None:
    writer.run([(INSERT, [(1, "a")])])
    why = writer.run([(INSERT, [(2, "b")])], "INSERT INTO kept VALUES (1, 'again')")
    assert why == "UNIQUE constraint failed: kept.id"
    assert writer.run([(INSERT, [(3, "c")])], "PRAGMA wal_checkpoint(PASSIVE)") == ""
    assert kept(path) == [(1, "a"), (2, "b"), (3, "c")]


def test_a_transaction_larger_than_the_buffer_of_the_log_is_whole(writer: Writer, path: Path) -> None:
    rows = [(number, f"{number:03000}") for number in range(400)]
    writer.run([(INSERT, rows)])
    assert kept(path) == rows


def test_the_log_is_written_when_it_is_synced_and_not_before(path: Path) -> None:
    writer = Writer(str(path), file_system(), ["PRAGMA synchronous=OFF"], 100)
    log = path.with_name(path.name + "-wal")
    writer.run([(INSERT, [(1, "a" * 3000)])])
    assert log.stat().st_size == 0
    writer.close()
    writer = Writer(str(path), file_system(), ["PRAGMA synchronous=FULL"], 100)
    writer.run([(INSERT, [(2, "b" * 3000)])])
    assert log.stat().st_size > 3000
    writer.close()


def test_where_sqlite_is_hidden_the_same_is_done_through_python(path: Path) -> None:
    writer = PlainWriter(path, ["PRAGMA synchronous=FULL"])
    assert writer.run([(INSERT, [(1, "a")])]) == ""
    assert (
        writer.run([(INSERT, [(2, "b")])], "INSERT INTO kept VALUES (1, 'again')")
        == "UNIQUE constraint failed: kept.id"
    )
    with pytest.raises(sqlite3.IntegrityError):
        writer.run([(INSERT, [(3, "c"), (3, "d")])])
    writer.close()
    assert kept(path) == [(1, "a"), (2, "b")]
