"""What is particular to the SQLite store: its file, its lock, its schema, a disk that is full or broken."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from cgrserver.commit import Committer
from cgrserver.storage.migrations import Migration, migrate, migrations
from cgrserver.storage.sqlite import SqliteStore, migrate_sqlite
from cgrserver.storage.tables import Codecs

from cgrcore.cdrs.records import Cdr
from cgrcore.errors import Corrupt, Unavailable
from cgrcore.ports import Batch
from cgrcore.timing import Moment
from cgrcore.world import World


def marks(store: SqliteStore) -> dict[str, int]:
    world = World({}, new_id=lambda: "")
    store.load(world)
    return world.state.table("marks").records


def batch(codecs: Codecs, *keys: str) -> Batch:
    return Batch(records={"marks": [(key, codecs.encoder("marks")(1)) for key in keys]})


def test_a_second_server_on_the_same_file_is_refused(store: SqliteStore, tmp_path: Path, codecs: Codecs) -> None:
    with pytest.raises(Unavailable, match="another process serves"):
        SqliteStore(tmp_path / "store.db", codecs)


def test_a_file_that_cannot_be_opened_says_so(codecs: Codecs, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        SqliteStore(tmp_path / "missing" / "store.db", codecs)


def test_a_file_that_is_no_database_says_so(codecs: Codecs, tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"no database" * 1000)
    with pytest.raises(Unavailable, match="not a database"):
        SqliteStore(tmp_path / "store.db", codecs)


def test_a_commit_that_fails_in_the_middle_leaves_nothing(store: SqliteStore, codecs: Codecs) -> None:
    bad = batch(codecs, "a")
    bad.cdrs.append(Cdr(cgrid="c", account="\ud800"))
    with pytest.raises(Unavailable):
        store.commit(bad)
    store.commit(batch(codecs, "b"))
    assert list(marks(store)) == ["b"]


def test_other_programs_read_cdrs_under_names_they_know(store: SqliteStore, tmp_path: Path) -> None:
    answered = Moment(1_700_000_000_000_000_000, 0)
    store.commit(Batch(cdrs=[Cdr(cgrid="c", usage_ns=60, cost_nano=1_500_000_000, answer_time=answered)]))
    other = sqlite3.connect(tmp_path / "store.db")
    row = other.execute("SELECT cgrid, run_id, setup_time, answer_time, usage, cost FROM cdrs_readable").fetchone()
    other.close()
    assert row == ("c", "*default", None, "2023-11-14 22:13:20", 60, "1.5")


def test_costs_are_kept_as_exact_text(store: SqliteStore, tmp_path: Path) -> None:
    store.commit(Batch(cdrs=[Cdr(cgrid="c", cost_nano=10**30 + 1)]))
    other = sqlite3.connect(tmp_path / "store.db")
    (cost,) = other.execute("SELECT cost FROM cdrs").fetchone()
    other.close()
    assert cost == "1000000000000000000000.000000001"


# Schema


def steps() -> list[Migration]:
    return [*migrations("sqlite"), Migration(9000, "more", ("CREATE TABLE more (x)", "INSERT INTO more VALUES (1)"))]


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    yield made
    made.close()


def test_migrating_runs_each_step_once(connection: sqlite3.Connection) -> None:
    assert migrate(connection.execute, "sqlite") == ["0001_initial"]
    assert migrate(connection.execute, "sqlite") == []
    assert migrate(connection.execute, "sqlite", steps=steps()) == ["9000_more"]


def test_a_dry_run_tells_what_it_would_do_and_does_nothing(connection: sqlite3.Connection) -> None:
    migrate(connection.execute, "sqlite")
    assert migrate(connection.execute, "sqlite", is_dry_run=True, steps=steps()) == ["9000_more"]
    assert "more" not in tables(connection)


def test_a_step_that_fails_leaves_nothing_of_itself(connection: sqlite3.Connection) -> None:
    broken = [*migrations("sqlite"), Migration(2, "broken", ("CREATE TABLE more (x)", "nonsense"))]
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection.execute, "sqlite", steps=broken)
    connection.execute("ROLLBACK")
    assert "more" not in tables(connection)
    assert migrate(connection.execute, "sqlite") == []


def test_migrating_a_file_that_a_server_has_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="another process serves"):
        migrate_sqlite(tmp_path / "store.db", is_dry_run=True)


def test_a_dry_run_on_a_file_leaves_it_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    assert migrate_sqlite(path, is_dry_run=True) == ["0001_initial"]
    assert migrate_sqlite(path, is_dry_run=False) == ["0001_initial"]
    assert migrate_sqlite(path, is_dry_run=True) == []


def test_a_schema_of_a_newer_program_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection.execute, "sqlite", steps=steps())
    with pytest.raises(Corrupt, match="use a newer program"):
        migrate(connection.execute, "sqlite")


# Disks that are full or broken

BALLAST_BYTES = 5_500_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB, most of it taken by ballast."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip(f"A FULL DISK IS NOT TESTED: mounting one needs root ({done.stderr.decode().strip()})")
    (folder / "ballast").write_bytes(bytes(BALLAST_BYTES))
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_stops_acknowledging_and_room_brings_it_back(small_disk: Path, codecs: Codecs) -> None:
    store = SqliteStore(small_disk / "store.db", codecs)
    world = World({}, new_id=lambda: "")
    committer = Committer(store, world, codecs)
    recovered, failed = trio.Event(), trio.Event()
    committer.on_failure(lambda *_: failed.set())
    committer.on_recovery(recovered.set)
    acknowledged = 0

    async def fill() -> None:
        nonlocal acknowledged
        while True:
            world.state.begin()
            for _ in range(50):
                number = len(world.state.table("marks").records)
                world.state.table("marks").put(f"{number}-{'x' * 200}", number)
            committer.add(world.state.take(), now_at=1)
            await committer.drain()
            acknowledged += 50

    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(committer.run)
            with pytest.raises(Unavailable, match="full"):
                await fill()
            assert failed.is_set()
            (small_disk / "ballast").unlink()
            await recovered.wait()
            assert world.state.table("marks").records == marks(store)
            assert len(marks(store)) == acknowledged
            world.state.begin()
            world.state.table("marks").put("afterwards", 1)
            committer.add(world.state.take(), now_at=2)
            await committer.drain()
            nursery.cancel_scope.cancel()
    assert marks(store)["afterwards"] == 1
    store.close()


BROKEN_DISK = """
import resource, signal, sys
from cgrcore.errors import Unavailable
from cgrcore.ports import Batch
from cgrserver.storage.sqlite import SqliteStore, migrate_sqlite
from cgrserver.storage.tables import Codecs
from tests.storage.conftest import TABLES

codecs = Codecs(TABLES)
store = SqliteStore(sys.argv[1], codecs)
write = lambda *keys: store.commit(Batch(records={"marks": [(key, codecs.encoder("marks")(1)) for key in keys]}))
write("before")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    write(*(f"{i}-{'x' * 500}" for i in range(1000)))
except Unavailable as error:
    print("failed:", error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.reopen()
write("after")
"""


def test_a_write_error_of_the_system_fails_the_commit_and_keeps_the_store_whole(tmp_path: Path, codecs: Codecs) -> None:
    path = tmp_path / "store.db"
    run = subprocess.run(
        [sys.executable, "-c", BROKEN_DISK, str(path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert "failed: SQLite:" in run.stdout
    store = SqliteStore(path, codecs)
    assert sorted(marks(store)) == ["after", "before"]
    store.close()
