"""Memory does not grow with the input: files larger than the stated figure are rerated within it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rerating.calls import ROWS, write_csv

#: What docs/rerating.md states for two threads, in bytes.
STATED = 700 << 20

_CHILD = """
import resource, sys
from cgrserver.cli import main
try:
    main()
finally:
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(plan: Path, source: Path, output: Path, row_count: int) -> int:
    """Return the most memory, in bytes, that a process had which rerated all rows of a file."""
    command = [sys.executable, "-c", _CHILD, "rerate", "--tariff", str(plan), "--input", str(source)]
    ran = subprocess.run(
        [*command, "--output", str(output), "--threads", "2"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert f"{row_count:,} rows to {output}" in ran.stdout
    return int(ran.stdout.split("peak ")[1]) << 10


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_larger_than_the_stated_figure_is_rerated_within_it(plan: Path, tmp_path: Path, suffix: str) -> None:
    rows = [{**ROWS[place % 4], "Account": str(place), "Note": "x" * 200} for place in range(20_000)]
    header, *lines = write_csv(tmp_path / "part.csv", rows).read_bytes().splitlines(keepends=True)
    part, source = b"".join(lines), tmp_path / "in.csv"
    count = 0
    with source.open("wb") as opened:
        opened.write(header)
        while opened.tell() < 1.2 * STATED:
            opened.write(part)
            count += len(rows)
    used = peak(plan, source, tmp_path / f"out.{suffix}", count)
    assert used < STATED < source.stat().st_size
