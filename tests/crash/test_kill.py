"""kill -9 of the server at any moment, under load: nothing acknowledged is lost, nothing is done twice.

CRASH_SEED repeats a run, CRASH_CYCLES changes how often the server is killed.
"""

import os
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.run import Run, repeatable, seed_of
from tests.postgres_server import PostgresServer

#: Cycles on one store; longer runs begin anew, since every check reads all that was ever done.
CYCLES_OF_A_RUN = 20


def kill_again_and_again(folder: Path, cycles: int, test: str, database: PostgresServer | None = None) -> None:
    """Kill a server that many times, then let its callers finish, and check at every turn."""
    cycles = int(os.environ.get("CRASH_CYCLES", cycles))
    seed = seed_of()
    for begin in range(0, cycles, CYCLES_OF_A_RUN):
        with repeatable(seed, test):
            place = folder / str(begin)
            place.mkdir()
            conninfo = database.database("crash") if database else ""
            with closing(Run(place, seed, conninfo)) as run:
                for _ in range(min(CYCLES_OF_A_RUN, cycles - begin)):
                    run.kill_cycle()
                books = run.finish()
                assert run.notes.acknowledged and books.cdrs
        seed += 1


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_or_doubled_by_20_kills(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, 20, "tests/crash/test_kill.py -k by_20_kills")


@pytest.mark.slow
@pytest.mark.live
def test_nor_by_5_kills_on_postgres(tmp_path: Path, database: PostgresServer) -> None:
    kill_again_and_again(tmp_path, 5, "tests/crash/test_kill.py -k nor_by_5", database)


@pytest.mark.nightly
def test_nor_by_200_kills(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, 200, "tests/crash/test_kill.py -k nor_by_200_kills -m nightly")


@pytest.mark.nightly
@pytest.mark.live
def test_nor_by_100_kills_on_postgres(tmp_path: Path, database: PostgresServer) -> None:
    kill_again_and_again(tmp_path, 100, "tests/crash/test_kill.py -k nor_by_100_kills -m nightly", database)
