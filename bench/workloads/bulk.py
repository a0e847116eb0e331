"""Rating CDRs over columns, in this process: a plan of a few lines; a month of a large tariff beside data frames."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from cgrserver.bulk import rate_generated

from bench.cdrs import large_tariff, traffic
from bench.joins import duckdb_total, joined_of, polars_columns, polars_total
from bench.registry import Context, Measure, Wrong, benchmark
from cgrcore.errors import Corrupt
from cgrcore.rating import CallColumns, Coded, RatedColumns, Tariff, Texts, call_at, quote_by_tariff, rate_columns

__all__: list[str] = []

PLAN = Path(__file__).resolve().parents[2] / "tariffplans" / "fosdem"
COUNT = 1_000_000
RUNS = 3

#: Calls of the month, and of a chunk; rows that are compared with the price of the call by itself.
MONTH = 4_000_000
CHUNK = 250_000
SAMPLE = 1_000

#: How far the simplified sums may be off: they price a call by the hour it begins in.
NEAR = 0.001


@benchmark("bulk")
def bulk(context: Context) -> Iterator[Measure]:
    """A million generated CDRs of the fosdem plan, rated on one core and checked by sample: cgrcore/_fast/bulk.pyx."""
    try:
        runs = sorted(rate_generated(PLAN, COUNT).seconds for _ in range(RUNS))
    except Corrupt as error:
        raise Wrong(str(error)) from None
    yield Measure("rated", COUNT / runs[RUNS // 2], "CDR/s", {"seconds": runs[RUNS // 2]})


@benchmark("bulk-month")
def bulk_month(context: Context) -> Iterator[Measure]:
    """A month of calls on 100,000 prefixes, beside simplified joins: cgrcore/_fast/bulk.pyx, columns.pyx, lines.pyx."""
    tariff, prefixes = large_tariff()
    share = context.seconds / 4
    for name, is_even in (("", False), (", all prefixes alike", True)):
        columns = traffic(prefixes, MONTH, is_even=is_even).columns
        chunks = [_chunk(columns, start) for start in range(0, MONTH, CHUNK)]
        total_nano = _checked(tariff, columns)
        one, two = (_best(partial(_rate, tariff, chunks, threads), total_nano, share) for threads in (1, 2))
        yield Measure(f"one thread{name}", MONTH / one, "CDR/s")
        yield Measure(f"two threads{name}", MONTH / two, "CDR/s", {"times_one": one / two})
        if is_even:
            continue
        joined = joined_of(tariff, columns)
        if find_spec("duckdb") is not None:
            for threads, ours in ((1, one), (2, two)):
                took = _best(duckdb_total(joined, threads), total_nano, share, near=NEAR)
                yield Measure(f"DuckDB, {threads} threads", MONTH / took, "CDR/s", {"kernel_times": took / ours})
        if find_spec("polars") is not None:
            threads = int(os.environ.get("POLARS_MAX_THREADS", os.cpu_count() or 1))
            one_or_two = one if threads == 1 else two
            for what, run in (("Polars", polars_total), ("Polars with columns", polars_columns)):
                took = _best(run(joined), total_nano, share, near=NEAR)
                yield Measure(f"{what}, {threads} threads", MONTH / took, "CDR/s", {"kernel_times": took / one_or_two})


def _chunk(columns: CallColumns, start: int) -> CallColumns:
    """Return the calls of one chunk, nothing copied."""
    rows = slice(start, start + CHUNK)
    texts, subjects = columns.destinations, columns.subjects
    return columns._replace(
        destinations=Texts(texts.offsets[start : start + CHUNK + 1], texts.data),
        starts_at=columns.starts_at[rows],
        usages_ns=columns.usages_ns[rows],
        subjects=Coded(subjects.indices[rows], subjects.names),
    )


def _checked(tariff: Tariff, columns: CallColumns) -> int:
    """Return what the calls cost together. Raises Wrong when one of a sample costs something else by itself."""
    rated: RatedColumns = rate_columns(tariff, columns)
    if rated.quoted_count or rated.refused_count:
        raise Wrong(f"{rated.quoted_count} calls were left and {rated.refused_count} refused")
    for row in range(0, MONTH, MONTH // SAMPLE):
        cost_nano = quote_by_tariff(tariff, call_at(columns, row)).cost_nano
        if cost_nano != rated.costs_nano[row]:
            raise Wrong(f"call {row} costs {rated.costs_nano[row]} in bulk and {cost_nano} by itself (1e-9)")
    return rated.total_nano


def _rate(tariff: Tariff, chunks: list[CallColumns], threads: int) -> int:
    """Rate the chunks with so many threads; return the total."""
    totals: list[int] = []
    left, lock = iter(chunks), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                chunk = next(left, None)
            if chunk is None:
                return
            totals.append(rate_columns(tariff, chunk).total_nano)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(totals)


def _best(run: Callable[[], int], total_nano: int, seconds: float, *, near: float = 0.0) -> float:
    """Return the seconds of the best run that fits into `seconds`, three at least. Raises Wrong for another total."""
    best, count = float("inf"), 0
    deadline = time.perf_counter() + seconds
    while count < RUNS or time.perf_counter() < deadline:
        began = time.perf_counter()
        found_nano = run()
        best, count = min(best, time.perf_counter() - began), count + 1
        if abs(found_nano - total_nano) > near * total_nano:
            raise Wrong(f"the calls cost {found_nano} nano together, not {total_nano}")
    return best
