"""The whole engine on a virtual clock, with faulty clients, a faulty store and crashes: the books agree at every step.

SIMULATION_SEED is the first seed, a new one each time by default; a failure names the command that repeats it.
"""

import os
import random
import re
import subprocess
import sys

import pytest

from tests.server_process import ROOT
from tests.simulation.disk import Disk, Faults
from tests.simulation.node import prepared_disk
from tests.simulation.run import simulate

pytestmark = pytest.mark.slow

DIGEST = re.compile(r"(\d+ acknowledged.* )([0-9a-f]{16})$", re.MULTILINE)


@pytest.fixture(scope="module")
def disk() -> Disk:
    """A disk with a tariff and accounts."""
    return prepared_disk()


def run_seeds(count: int, disk: Disk) -> None:
    first = int(os.environ.get("SIMULATION_SEED") or random.randrange(10**6))
    simulations = [simulate(seed, disk) for seed in range(first, first + count)]
    assert sum(it.crash_count for it in simulations), "no node has crashed"
    assert sum(it.failure_count for it in simulations), "no commit has failed"


def test_50_simulations_keep_the_books(disk: Disk) -> None:
    run_seeds(50, disk)


@pytest.mark.nightly
def test_1000_simulations_keep_the_books(disk: Disk) -> None:
    run_seeds(1000, disk)


def test_requests_that_are_lost_repeated_and_reordered_are_done_once(disk: Disk) -> None:
    faults = Faults(dropped=0.2, repeated=0.4, latency_s=0.1)
    for simulation in [simulate(seed, disk, faults) for seed in range(5)]:
        assert simulation.notes.acknowledged > 50


def test_a_clock_that_jumps_charges_nothing_twice(disk: Disk) -> None:
    for simulation in [simulate(seed, disk, Faults(jump_s=3600)) for seed in range(5)]:
        assert any("the clock is set" in line for line in simulation.trace)


def test_commits_of_which_nobody_knows_whether_they_were_kept_are_not_made_again(disk: Disk) -> None:
    for simulation in [simulate(seed, disk, Faults(ambiguous=0.1, away=0.5)) for seed in range(5)]:
        assert simulation.failure_count


def test_the_same_seed_is_the_same_story_in_another_process() -> None:
    stories = set()
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-m", "tests.simulation", "--seed", "3", "--trace"]
        paths = os.pathsep.join((str(ROOT), str(ROOT / "server")))
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths}
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=True)
        assert "crash" in done.stdout
        stories.add(DIGEST.search(done.stdout)[0])  # type: ignore[index]
    assert len(stories) == 1
