"""Reading and loading large tariff plans, in process: from the bytes of files to a tariff that can price."""

import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cgrserver.tariffs import read_folder

from bench.plans import large_plan_prefixes, write_large_plan
from bench.registry import Context, Measure, Wrong, benchmark
from cgrcore._fast.csvcolumns import split_columns
from cgrcore.config import read_settings
from cgrcore.rating import tariff_of
from cgrcore.tariffplan import Defaults, load, read_files
from cgrcore.tariffplan.csvtext import CsvText
from cgrcore.world import World

__all__: list[str] = []

COUNT = 100_000


@benchmark("csvcolumns")
def csvcolumns(context: Context) -> Iterator[Measure]:
    """Cutting 100,000 rows of two fields into columns: cgrcore/_fast/csvcolumns.pyx."""
    content = b"".join(b"DST_%d,%d\n" % (number // 3, 100_000 + number) for number in range(COUNT))
    rows = CsvText("Destinations.csv", content).rows
    if split_columns(content, 2, ",") != [list(column) for column in zip(*rows, strict=True)]:
        raise Wrong("the columns are not those of the exact reader")
    best = float("inf")
    deadline = time.perf_counter() + context.seconds
    while time.perf_counter() < deadline:
        began = time.perf_counter_ns()
        split_columns(content, 2, ",")
        best = min(best, time.perf_counter_ns() - began)
    yield Measure("a row", best / COUNT, "ns", {"GB/s": len(content) / best})


@benchmark("load-tariff")
def load_tariff(context: Context) -> Iterator[Measure]:
    """From a folder of 100,000 destinations, and of a million, with a rate each to the compiled tariff."""
    for count in (COUNT, 10 * COUNT):
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work, "plan")
            write_large_plan(folder, count)
            best: list[float] = []
            deadline = time.perf_counter() + context.seconds
            while not best or time.perf_counter() < deadline:
                took = _load_once(folder, count)
                best = took if not best or sum(took) < sum(best) else best
        names = ("read_s", "load_s", "compile_s")
        yield Measure(f"{count:,} destinations", sum(best), "s", dict(zip(names, best, strict=True)))


def _load_once(folder: Path, count: int) -> list[float]:
    ids = itertools.count()
    world = World(read_settings([]), lambda: str(next(ids)), time.time_ns())
    times = [time.perf_counter()]
    plan = read_files(read_folder(folder), Defaults(world.tenant("")))
    times.append(time.perf_counter())
    load(world, plan)
    times.append(time.perf_counter())
    tariff = tariff_of(world)
    times.append(time.perf_counter())
    last = list(large_plan_prefixes(count))[-1][0]
    if next(iter(tariff.destinations_of(f"{last}12345"))) != (last, (f"DST_{count - 1}",)):
        raise Wrong("the last destination is not found")
    return [after - before for before, after in itertools.pairwise(times)]
