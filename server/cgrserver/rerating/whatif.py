"""What `cgrcore rerate --what-if` does beside rerating: shows the groups, writes them, draws them.

Rules: where groups go is checked before a row is read; they are written once the output is. Does not know: how rows are
compared.
"""

import os
import sys
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cgrcore.errors import BadRequest, Unavailable
from cgrcore.money import format_nano
from cgrserver.rerating.charts import check_chart, draw
from cgrserver.rerating.command import Wanted, rerate_files
from cgrserver.rerating.compare import GROUPINGS, Comparer, Group, Groups, group_table, in_order
from cgrserver.rerating.encoding import writable
from cgrserver.rerating.rating import Plan

__all__ = ["WhatIf", "compare_files"]

#: Groups of a kind that are printed; the file has all.
MOST_PRINTED = 10


class WhatIf(NamedTuple):
    """The other tariff; files for the groups and for the chart, None for none."""

    plan: Plan
    groups: Path | None = None
    chart: Path | None = None


def compare_files(wanted: Wanted, what_if: WhatIf) -> int:
    """Rate by both tariffs, and tell the difference. Raises CgrError, and then there is no output."""
    if wanted.is_distributed:
        raise BadRequest("--what-if compares on one machine: leave out --engine dask")
    if what_if.chart is not None:
        check_chart(what_if.chart)
    if what_if.groups is not None and what_if.groups.suffix.lower() not in (".parquet", ".csv"):
        raise BadRequest(f"{what_if.groups}: the name of the groups' file must end in .parquet or .csv")
    comparer = Comparer(wanted.plan, what_if.plan, wanted.mapping)
    status = rerate_files(wanted, comparer)
    _show(comparer.groups)
    if what_if.groups is not None:
        _write(group_table(comparer.groups), what_if.groups)
    if what_if.chart is not None:
        draw(comparer.groups, what_if.chart)
    return status


def _write(table: pa.Table, path: Path) -> None:
    """Write the groups; what is there already is replaced when they are whole."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.suffix.lower() == ".csv":
            pyarrow.csv.write_csv(writable(table.combine_chunks().to_batches()[0]), beside)
        else:
            pyarrow.parquet.write_table(table, beside)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise Unavailable(f"{path}: {error.strerror or error}") from None


def _show(groups: Groups) -> None:
    console = Console(width=None if sys.stdout.isatty() else 140)
    for grouping in GROUPINGS:
        found = in_order(groups, grouping)
        table = Table(box=None, pad_edge=False)
        table.add_column(f"by {grouping}")
        for column in ("Calls", "Cost", "New cost", "Difference", "%"):
            table.add_column(column, justify="right")
        for name, group in found[:MOST_PRINTED]:
            table.add_row(escape(name), *_amounts(group))
        if len(found) > MOST_PRINTED:
            rest = Group()
            for _, group in found[MOST_PRINTED:]:
                rest = rest.plus(group)
            table.add_row(f"{len(found) - MOST_PRINTED:,} more", *_amounts(rest), style="dim")
        console.print(table)
        console.print()
    total = groups.total
    difference = format_nano(total.difference_nano)
    console.print(
        f"compared {total.both_count:,} of {total.row_count:,} rows: {format_nano(total.old_nano)} would be "
        f"{format_nano(total.new_nano)}, a difference of {difference}{_percent(total)}"
    )
    for count, tariff in ((total.only_old_count, "the first tariff"), (total.only_new_count, "the what-if")):
        if count:
            console.print(f"{count:,} rows have a price in {tariff} only, and are not in these sums")


def _amounts(group: Group) -> tuple[str, ...]:
    percent = _percent(group).strip(" ()%")
    amounts = (group.old_nano, group.new_nano, group.difference_nano)
    return (f"{group.row_count:,}", *(format_nano(amount) for amount in amounts), percent)


def _percent(group: Group) -> str:
    """Return the difference in tenths of a percent, reckoned in whole numbers."""
    if not group.old_nano:
        return ""
    tenths = (group.difference_nano * 2000 + group.old_nano) // (2 * group.old_nano)
    sign = "-" if tenths < 0 else "+"
    return f" ({sign}{abs(tenths) // 10}.{abs(tenths) % 10} %)"
