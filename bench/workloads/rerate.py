"""Rerating files from end to end: read, rated, written, on all cores of this machine."""

import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from cgrserver.cli.rerate import rerate

from bench.plans import large_plan_prefixes, write_large_plan
from bench.registry import Context, Measure, Wrong, benchmark

__all__: list[str] = []

DESTINATIONS = 5000
ACCOUNTS = 10_000
#: Rows of the Parquet file; the CSV file holds half of them.
COUNT = 8_000_000
RUNS = 3
SEED = 20230107
FIRST_AT = 1_672_531_200_000_000_000
YEAR_S = 365 * 86400
LONGEST_S = 2 * 3600
SECOND_NS = 10**9
#: A quarter of the calls go to a handful of destinations.
ZIPF = 1.3


@benchmark("rerate")
def rerate_files(context: Context) -> Iterator[Measure]:
    """Files of CDRs rated on 5,000 destinations, each cost checked: server/cgrserver/rerating/texts.pyx is in it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder)
        write_large_plan(work / "plan", DESTINATIONS)
        calls, costs_nano = _generate(COUNT)
        pq.write_table(calls, work / "in.parquet", row_group_size=1 << 20)
        half = calls.slice(0, COUNT // 2)
        pc.write_csv(_as_texts(half), work / "in.csv", pc.WriteOptions(quoting_style="none"))
        del calls
        for name, source, output, count in (
            ("Parquet to Parquet", "in.parquet", "out.parquet", COUNT),
            ("CSV to CSV", "in.csv", "out.csv", COUNT // 2),
            ("CSV to Parquet", "in.csv", "out.parquet", COUNT // 2),
        ):
            _run(work, source, output)
            _check(name, work / output, costs_nano[:count])
            runs = sorted(_run(work, source, output) for _ in range(RUNS))
            seconds, cpu_seconds = runs[RUNS // 2]
            more = {"seconds": seconds, "cpu_ns_per_row": cpu_seconds / count * 1e9}
            yield Measure(name, count / seconds, "CDR/s", more)
        seconds = statistics.median(_run_command(work, "in.parquet", "out.parquet") for _ in range(RUNS))
        _check("the command", work / "out.parquet", costs_nano)
        yield Measure("the command, Parquet to Parquet", COUNT / seconds, "CDR/s", {"seconds": seconds})


def _run(work: Path, source: str, output: str) -> tuple[float, float]:
    """Rerate a file; return the seconds it took, and those of all processors together."""
    began, cpu = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        status = rerate(tariff=work / "plan", input_=[str(work / source)], output=str(work / output), quiet=True)
    if status:
        raise Wrong(f"{source} to {output}: exit status {status}")
    return time.perf_counter() - began, time.process_time() - cpu


def _run_command(work: Path, source: str, output: str) -> float:
    """Rerate a file by the command in a process of its own; return the seconds from its start to its end."""
    began = time.perf_counter()
    arguments = ["--tariff", str(work / "plan"), "--input", str(work / source), "--output", str(work / output)]
    command = [sys.executable, "-m", "cgrserver.cli", "rerate", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise Wrong(f"{source} to {output}: {ran.stderr}")
    return time.perf_counter() - began


def _generate(count: int) -> tuple[pa.Table, numpy.ndarray]:
    """Return calls, and what each costs: whole minutes at the price of its destination."""
    random = numpy.random.Generator(numpy.random.PCG64(SEED))
    known = list(large_plan_prefixes(DESTINATIONS))
    chosen = numpy.minimum(random.zipf(ZIPF, count) - 1, DESTINATIONS - 1)
    tails = random.integers(10**3, 10**5, count).astype("U5")
    numbers = numpy.char.add(numpy.array([prefix for prefix, _ in known])[chosen], tails)
    seconds = random.integers(1, LONGEST_S + 1, count, dtype=numpy.int64)
    accounts = pa.array([f"acc{place}" for place in range(ACCOUNTS)])
    calls = pa.table(
        {
            "Tenant": pa.repeat("cgrates.org", count),
            "Category": pa.repeat("call", count),
            "Account": accounts.take(pa.array(random.integers(0, ACCOUNTS, count))),
            "Destination": pa.array(numbers),
            "AnswerTime": pa.array(FIRST_AT + random.integers(0, YEAR_S, count) * SECOND_NS),
            "Usage": pa.array(seconds * SECOND_NS),
        }
    )
    prices_nano = numpy.array([(place % 100 + 100) * 10**6 for place in range(DESTINATIONS)])
    return calls, prices_nano[chosen] * -(-seconds // 60)


def _as_texts(calls: pa.Table) -> pa.Table:
    """Return the calls as switches write them: times in RFC 3339, usage as Go's durations."""
    instants = numpy.datetime_as_string(calls["AnswerTime"].to_numpy().astype("M8[ns]"), unit="s", timezone="UTC")
    usages = numpy.char.add((calls["Usage"].to_numpy() // SECOND_NS).astype("U5"), "s")
    calls = calls.set_column(4, "AnswerTime", pa.array(instants))
    return calls.set_column(5, "Usage", pa.array(usages))


def _check(name: str, path: Path, costs_nano: numpy.ndarray) -> None:
    """Hold every cost of an output against what it must be."""
    kinds = {"Cost": pa.decimal128(18, 9)}
    table = (
        pq.read_table(path, columns=["Cost"])
        if path.suffix == ".parquet"
        else pc.read_csv(path, convert_options=pc.ConvertOptions(column_types=kinds, include_columns=["Cost"]))
    )
    found = table["Cost"].combine_chunks()
    low = numpy.frombuffer(found.buffers()[1], dtype=numpy.int64)[found.offset * 2 :][: 2 * len(found) : 2]
    if found.null_count or len(found) != len(costs_nano) or not numpy.array_equal(low, costs_nano):
        raise Wrong(f"{name}: the costs are not those of the calls")
