"""PostgreSQL killed, stopped or stuck under load: the server acknowledges nothing, says why, and recovers by itself.

Whatever happens, what was acknowledged is there afterwards, once. CRASH_SEED repeats a run.
"""

import os
import signal
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import trio

from tests.crash.run import Run, repeatable, seed_of
from tests.postgres_server import PostgresServer

pytestmark = [pytest.mark.slow, pytest.mark.live]

#: How long PostgreSQL is away.
AWAY_S = 0.3


def outage(run: Run, end: Callable[[], None], begin_again: Callable[[], None]) -> None:
    """End the database under load, see that nothing is acknowledged without it, and bring it back."""

    async def disturb() -> None:
        await run.until_it_acknowledges()
        await trio.sleep(run.random.uniform(0, 0.3))
        await trio.to_thread.run_sync(end)
        why = await run.refusal()
        assert why.startswith("SERVER_ERROR: the store cannot be written: PostgreSQL: "), why
        before = run.notes.acknowledged
        await trio.sleep(AWAY_S)
        assert run.notes.acknowledged == before, "it acknowledged what it could not write"
        await trio.to_thread.run_sync(begin_again)
        await run.until_it_acknowledges()

    trio.run(run.load_through, disturb)


def end_again_and_again(folder: Path, database: PostgresServer, cycles: int, test: str) -> None:
    """End PostgreSQL that many times in either way under one server, which is never started again."""
    seed = seed_of()
    with (
        repeatable(seed, f"tests/crash/test_database.py -k {test}"),
        closing(Run(folder, seed, database.database("outages"))) as run,
    ):
        for _ in range(int(os.environ.get("CRASH_CYCLES", cycles))):
            outage(run, run.random.choice((database.kill, database.stop)), database.start)
        run.finish()


def test_a_killed_database_loses_nothing_acknowledged(tmp_path: Path, database: PostgresServer) -> None:
    end_again_and_again(tmp_path, database, 3, "a_killed_database")


@pytest.mark.nightly
def test_nor_does_one_killed_50_times(tmp_path: Path, database: PostgresServer) -> None:
    end_again_and_again(tmp_path, database, 50, "nor_does_one -m nightly")


def test_cut_connections_are_made_again(tmp_path: Path, database: PostgresServer) -> None:
    seed = seed_of()
    with (
        repeatable(seed, "tests/crash/test_database.py -k cut_connections"),
        closing(Run(tmp_path, seed, database.database("cut"))) as run,
    ):

        async def disturb() -> None:
            for _ in range(5):
                await run.until_it_acknowledges()
                await trio.sleep(run.random.uniform(0, 0.2))
                await trio.to_thread.run_sync(database.cut_connections)
                await run.until_it_acknowledges()

        trio.run(run.load_through, disturb)
        run.finish()


def test_a_database_that_stands_still_delays_answers_and_loses_none(tmp_path: Path, database: PostgresServer) -> None:
    seed = seed_of()
    with (
        repeatable(seed, "tests/crash/test_database.py -k stands_still"),
        closing(Run(tmp_path, seed, database.database("still"))) as run,
    ):

        def signal_all(number: int, backends: list[int]) -> None:
            for backend in backends:
                os.kill(backend, number)

        async def disturb() -> None:
            await run.until_it_acknowledges()
            backends = await trio.to_thread.run_sync(database.backend_ids)
            signal_all(signal.SIGSTOP, backends)
            await trio.sleep(1)
            before = run.notes.acknowledged
            await trio.sleep(1)
            assert run.notes.acknowledged == before
            signal_all(signal.SIGCONT, backends)
            await run.until_it_acknowledges()

        trio.run(partial(run.load_through, disturb))
        assert not run.notes.refused
        run.finish()
