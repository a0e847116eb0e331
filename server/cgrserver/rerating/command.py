"""What `cgrcore rerate` does: opens everything, runs, shows how far it is, and says what became of the rows.

Rules: figures and messages go to standard error, the account of the rows to standard output; nothing is read before
everything could be opened. Does not know: the command line.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from cgrcore.errors import BadRequest, NotFound
from cgrcore.money import format_nano
from cgrserver.rerating.dask import Cluster
from cgrserver.rerating.mapping import Mapping
from cgrserver.rerating.rating import Plan, Rater
from cgrserver.rerating.reading import Inputs, open_inputs
from cgrserver.rerating.running import Engine, Threads, Totals, rejected_schema, run
from cgrserver.rerating.writing import Output, Places, open_output

__all__ = ["Wanted", "rerate_files"]


class Wanted(NamedTuple):
    """What is to be rerated, with what, and where to."""

    plan: Plan
    mapping: Mapping
    inputs: tuple[str, ...]
    table: str
    places: Places
    with_breakdown: bool
    threads: int
    is_distributed: bool = False
    scheduler: str = ""
    is_quiet: bool = False


def rerate_files(wanted: Wanted, rater: Rater | None = None) -> int:
    """Rerate, by that rater when one is given, and print what became of the rows.

    Raises CgrError, and then there is no output.
    """
    inputs = open_inputs(wanted.inputs, wanted.mapping, wanted.table)
    for path in inputs.skipped:
        print(f"not read: {path}, by its name no file of CDRs", file=sys.stderr)
    if rater is None:
        rater = Rater(wanted.plan, wanted.mapping, with_breakdown=wanted.with_breakdown)
    try:
        schema = rater.output_schema(inputs.schema)
    except (BadRequest, NotFound) as error:
        raise BadRequest(f"{inputs.sources[0].name}: {error}") from None
    began = time.perf_counter()
    names = [source.name for source in inputs.sources]
    with (
        _engine(wanted, rater) as engine,
        open_output(wanted.places, schema, rejected_schema(schema), names) as output,
        _observer(wanted.is_quiet) as observe,
    ):
        totals = run(inputs, output, engine, observe)
    _tell(inputs, output, totals, time.perf_counter() - began)
    return 0


@contextmanager
def _engine(wanted: Wanted, rater: Rater) -> Iterator[Engine]:
    if not wanted.is_distributed:
        yield Threads(rater, wanted.threads)
        return
    with Cluster(
        wanted.plan,
        wanted.mapping,
        address=wanted.scheduler,
        with_breakdown=wanted.with_breakdown,
        processes=wanted.threads,
    ) as cluster:
        yield cluster


@contextmanager
def _observer(is_quiet: bool) -> Iterator[Callable[[float, int], None]]:
    """Lend what shows how far it is: a bar with rows a second and the time left, where somebody looks."""
    if is_quiet or not sys.stderr.isatty():
        yield lambda fraction, row_count: None
        return
    # Importing these takes as long as rating 200,000 calls.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("rated"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("rated", total=1.0, rows="")
        began = time.perf_counter()

        def observe(fraction: float, row_count: int) -> None:
            rate = row_count / max(time.perf_counter() - began, 1e-9)
            progress.update(task, completed=fraction, rows=f"{row_count:,} rows, {rate:,.0f}/s")

        yield observe


def _tell(inputs: Inputs, output: Output, totals: Totals, seconds: float) -> None:
    """Print what became of the rows."""
    rated, rejected = output.names
    sources = f"{len(inputs.sources)} sources" if len(inputs.sources) > 1 else inputs.sources[0].name
    print(f"read       {totals.row_count:>15,} rows of {sources}")
    print(f"rated      {totals.rated_count:>15,} rows, {format_nano(totals.total_nano)} together")
    print(f"not rated  {totals.rejected_count:>15,} rows" + (f", see {rejected}" if totals.rejected_count else ""))
    for reason, count in sorted(totals.reasons.items(), key=lambda item: -item[1]):
        print(f"           {count:>15,} {reason}")
    print(f"written    {output.row_counts[0]:>15,} rows to {rated}")
    print(f"{seconds:.1f} s, {totals.row_count / max(seconds, 1e-9):,.0f} rows/s", file=sys.stderr)
