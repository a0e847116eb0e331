"""A disk that is full, broken, slow or without power, under load: the server stops acknowledging and says why.

Whatever fails, what was acknowledged is there afterwards, once. CRASH_SEED repeats a run.
"""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tests.crash.disk import FaultyDisk
from tests.crash.run import Run, repeatable, seed_of

pytestmark = pytest.mark.slow

#: How long a disk is left broken.
BROKEN_S = 1.0

#: So slow that commits can be told apart, and so slow that nobody can wait for one.
SLOW_MS = 150
STUCK_MS = 4000


@contextmanager
def run_on_faulty_disk(folder: Path, test: str, *settings: str) -> Iterator[tuple[Run, FaultyDisk]]:
    seed = seed_of()
    with repeatable(seed, f"tests/crash/test_disk.py -k {test}"):
        disk = FaultyDisk(folder, seed)
        run = Run(folder, seed, environ=disk.environ, settings=settings)
        try:
            yield run, disk
        finally:
            run.close()
            disk.close()


def survive(run: Run, break_it: Callable[[], None], repair: Callable[[], None]) -> str:
    """Break something under load, see that nothing is acknowledged meanwhile, repair it; return why it refused."""
    why = ""

    async def disturb() -> None:
        nonlocal why
        await run.until_it_acknowledges()
        break_it()
        why = await run.refusal()
        before = run.notes.acknowledged
        await trio.sleep(BROKEN_S)
        assert run.notes.acknowledged == before, "it acknowledged what it could not write"
        repair()
        await run.until_it_acknowledges()

    trio.run(run.load_through, disturb)
    return why


def test_a_full_disk_stops_the_server_until_there_is_room(tmp_path: Path) -> None:
    with run_on_faulty_disk(tmp_path, "full_disk") as (run, disk):
        for _ in range(2):
            why = survive(run, disk.fill_up, disk.repair)
            assert why == "SERVER_ERROR: the store cannot be written: SQLite: database or disk is full"
        run.finish()
        assert b"no longer acknowledging" in run.log.read_bytes()


def test_a_quota_stops_the_server_until_it_is_raised(tmp_path: Path) -> None:
    with run_on_faulty_disk(tmp_path, "quota") as (run, _):
        pid, unlimited = run.server.process.pid, resource.RLIM_INFINITY
        size = os.path.getsize(tmp_path / "store.db-wal")
        why = survive(
            run,
            lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, unlimited)) and None,  # type: ignore[func-returns-value]
            lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (unlimited, unlimited)) and None,  # type: ignore[func-returns-value]
        )
        assert why.startswith("SERVER_ERROR: the store cannot be written: SQLite: ")
        run.finish()


def test_a_sync_that_fails_stops_the_server_until_one_works(tmp_path: Path) -> None:
    with run_on_faulty_disk(tmp_path, "sync_that_fails") as (run, disk):
        for _ in range(2):
            why = survive(run, disk.fail_syncs, disk.repair)
            assert why == "SERVER_ERROR: the store cannot be written: SQLite: disk I/O error"
        run.finish()
        assert disk.failed_count


def test_what_failed_syncs_left_in_the_systems_cache_is_not_trusted(tmp_path: Path) -> None:
    with run_on_faulty_disk(tmp_path, "systems_cache") as (run, disk):
        for _ in range(2):
            survive(run, disk.fail_syncs, disk.repair)
            run.server.kill()
            disk.lose_power()
            run.check()
            run.server.start()
        run.finish()


def test_power_failures_lose_nothing_acknowledged(tmp_path: Path) -> None:
    lose_power(tmp_path, 5, "power_failures_lose")


@pytest.mark.nightly
def test_nor_do_100_power_failures(tmp_path: Path) -> None:
    lose_power(tmp_path, 100, "nor_do_100 -m nightly")


def lose_power(folder: Path, cycles: int, test: str) -> None:
    with run_on_faulty_disk(folder, test) as (run, disk):
        for _ in range(int(os.environ.get("CRASH_CYCLES", cycles))):
            run.kill_cycle(then=disk.lose_power)
        run.finish()


def test_a_slow_disk_delays_answers_and_loses_none(tmp_path: Path) -> None:
    with run_on_faulty_disk(tmp_path, "slow_disk") as (run, disk):

        async def disturb() -> None:
            await run.until_it_acknowledges()
            disk.slow_down(SLOW_MS)
            await trio.sleep(2)
            disk.repair()
            await run.until_it_acknowledges()

        trio.run(run.load_through, disturb)
        assert not any("cannot be written" in text for text in run.notes.refused)
        run.finish()


def test_a_disk_that_is_stuck_stops_the_server_until_it_goes_on(tmp_path: Path) -> None:
    with run_on_faulty_disk(tmp_path, "is_stuck", "limits.store_timeout=1s") as (run, disk):
        why = survive(run, lambda: disk.slow_down(STUCK_MS), disk.repair)
        assert why == "SERVER_ERROR: the store cannot be written: a commit has taken longer than 1 s"
        run.finish()
