"""Memory does not grow with the input: files larger than the stated figure are rerated within it."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.rerating.calls import ROWS, write_csv

#: What docs/rerating.md states for two threads, in bytes.
STATED = 800 << 20

#: The high-water mark of the process itself; `ru_maxrss` would start from that of the one which made it.
_CHILD = """
from pathlib import Path
from cgrserver.cli import main
try:
    main()
finally:
    print("peak", Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
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


def write(source: Path) -> int:
    """Write a file of more bytes than the stated figure; return how many rows it has."""
    rows = [{**ROWS[place % 4], "Account": str(place), "Note": f"{place:0200}"} for place in range(20_000)]
    count = 0
    with source.open("wb") as opened:
        if source.suffix == ".parquet":
            table = pa.Table.from_pylist(rows)
            with pq.ParquetWriter(opened, table.schema, compression="none", use_dictionary=False) as writer:
                while opened.tell() < 1.1 * STATED:
                    writer.write_table(table)
                    count += len(rows)
            return count
        header, *lines = write_csv(source.with_name("part.csv"), rows).read_bytes().splitlines(keepends=True)
        part = b"".join(lines)
        opened.write(header)
        while opened.tell() < 1.1 * STATED:
            opened.write(part)
            count += len(rows)
    return count


@pytest.mark.slow
@pytest.mark.parametrize(("name", "output"), [("in.csv", "out.parquet"), ("in.parquet", "out.csv.gz")])
def test_a_file_larger_than_the_stated_figure_is_rerated_within_it(
    plan: Path, tmp_path: Path, name: str, output: str
) -> None:
    count = write(tmp_path / name)
    used = peak(plan, tmp_path / name, tmp_path / output, count)
    assert used < STATED < (tmp_path / name).stat().st_size
