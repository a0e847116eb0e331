"""kill -9 at any moment: what was acknowledged is there, whole decisions only, in their order."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from cgrcore.cdrs.filter import CdrFilter
from cgrcore.world import World
from tests.storage.crash_child import ACCOUNTS, OPENING_NANO, open_store

ROOT = Path(__file__).parents[2]


def run_and_kill(place: str, after_lines: int) -> int:
    """Run the child, kill it once it has acknowledged some commits; return the last decision it acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.crash_child", place], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    lines = []
    try:
        while len(lines) < after_lines:
            line = child.stdout.readline()
            assert line, "the child ended by itself"
            lines.append(line)
    finally:
        child.kill()
    lines += child.stdout.read().splitlines(keepends=True)  # acknowledged before the kill reached it
    child.wait()
    child.stdout.close()
    return int([line for line in lines if line.endswith(b"\n")][-1])


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.live)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the store is: a file, or a PostgreSQL schema."""
    return str(tmp_path / "store.db") if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_nothing_is_half_there(place: str) -> None:
    for _ in range(5):
        acknowledged = run_and_kill(place, after_lines=random.randint(1, 60))
        store = open_store(place)
        world = World({}, new_id=lambda: "")
        store.load(world)
        marks = world.state.table("marks").records
        assert set(marks.values()) == set(range(1, len(marks) + 1))
        assert len(marks) >= acknowledged
        assert store.count_cdrs(CdrFilter()) == len(marks)
        accounts = world.state.table("accounts")
        held = {key: accounts.require(key).balances["*monetary"][0].value_nano for key in accounts}
        assert sum(held.values()) == ACCOUNTS * OPENING_NANO
        for key, value_nano in held.items():
            assert sum(line.amount_nano for line in store.history(key)) == value_nano
        store.close()
