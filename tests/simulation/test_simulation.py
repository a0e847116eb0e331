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


def run_seeds(count: int) -> str:
    """Run simulations in a process of their own, as the command does that repeats one; return what it prints."""
    first = os.environ.get("SIMULATION_SEED") or str(random.randrange(10**6))
    command = [sys.executable, "-m", "tests.simulation", "--seed", first, "--count", str(count)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "server")))}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60 + 30 * count)
    assert done.returncode == 0, done.stderr[-8000:] + done.stdout[-2000:]
    return done.stdout


def test_50_simulations_keep_the_books() -> None:
    assert re.search(r"[1-9]\d* crashes and [1-9]\d* failed commits", run_seeds(50))


@pytest.mark.nightly
def test_1000_simulations_keep_the_books() -> None:
    run_seeds(1000)


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


def test_the_same_seed_is_the_same_story_in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATION_SEED", "3")
    first, second = (DIGEST.search(run_seeds(1)) for _ in range(2))
    assert first is not None and second is not None and first[0] == second[0]
