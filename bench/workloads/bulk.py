"""Rating generated CDRs over columns, in this process."""

from collections.abc import Iterator
from pathlib import Path

from cgrserver.bulk import rate_generated

from bench.registry import Context, Measure, Wrong, benchmark
from cgrcore.errors import Corrupt

__all__: list[str] = []

PLAN = Path(__file__).resolve().parents[2] / "tariffplans" / "fosdem"
COUNT = 1_000_000
RUNS = 3


@benchmark("bulk")
def bulk(context: Context) -> Iterator[Measure]:
    """A million generated CDRs of the fosdem plan, rated on one core and checked by sample: cgrcore/_fast/bulk.pyx."""
    try:
        runs = sorted(rate_generated(PLAN, COUNT).seconds for _ in range(RUNS))
    except Corrupt as error:
        raise Wrong(str(error)) from None
    yield Measure("rated", COUNT / runs[RUNS // 2], "CDR/s", {"seconds": runs[RUNS // 2]})
