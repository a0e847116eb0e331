"""Rating many calls at once: columns in; costs, destinations, plans and errors out.

Rules: a row costs what `quote` says of the same call, to the last digit, and is refused as that is. Amounts are exact.
A tariff is compiled for columns once, when first asked; the chunks of a large input may then be rated by several
threads at once. Does not know: where the columns come from, accounts.
"""

from typing import NamedTuple

import numpy
from numpy import int32, int64, uint8
from numpy.typing import NDArray

from cgrcore._fast.bulk import BulkRater
from cgrcore.errors import BadRequest, CgrError
from cgrcore.rating.callcost import CallCost
from cgrcore.rating.calls import Call
from cgrcore.rating.chunks import (
    COST_TOO_LARGE,
    ERRORS,
    INVALID_TEXT,
    NEGATIVE_USAGE,
    NOT_RATED,
    QUOTE,
    CallColumns,
    Chunk,
    chunk_of,
)
from cgrcore.rating.columns import Coded, Column, coded_of, numbers_of, text_at, texts_of
from cgrcore.rating.compile import Tariff
from cgrcore.rating.plans import rater_of
from cgrcore.rating.quote import quote_by_tariff

__all__ = ["ERRORS", "Breakdown", "CallColumns", "RatedColumns", "call_at", "rate_columns"]


class Breakdown(NamedTuple):
    """The priced spans of n calls, m in all: those of call i are `first[i]` to `first[i + 1]`; `first` (n + 1,) int64.

    Each has (m,) int64 `starts_at`, `usages_ns`, and `increment_counts` steps of `increments_ns` at
    `increment_costs_nano`. A call that is refused, or has no usage, has no span. The connect fee, the cap and the
    rounding of the total are the difference to the cost of the call.
    """

    first: NDArray[int64]
    starts_at: NDArray[int64]
    usages_ns: NDArray[int64]
    increments_ns: NDArray[int64]
    increment_counts: NDArray[int64]
    increment_costs_nano: NDArray[int64]


class RatedColumns(NamedTuple):
    """What n calls cost.

    `costs_nano` (n,) int64, 1e-9 of the currency, 0 where refused. `destinations` (n,) int32, places in
    `destination_ids`, and `plans` (n,) int32, places in `plan_ids`, are those of the first span, -1 where there is
    none. `errors` (n,) uint8, places in `error_texts`, 0 where rated. The lists are the same for all chunks rated by
    one tariff. `total_nano` is the exact sum of the costs; `quoted_count` tells how many rows were too unusual for the
    compiled loop and were quoted one by one.
    """

    costs_nano: NDArray[int64]
    destinations: NDArray[int32]
    plans: NDArray[int32]
    errors: NDArray[uint8]
    destination_ids: list[str]
    plan_ids: list[str]
    error_texts: tuple[str, ...]
    total_nano: int
    quoted_count: int
    breakdown: Breakdown | None = None

    @property
    def refused_count(self) -> int:
        """How many rows have no cost."""
        return int(numpy.count_nonzero(self.errors))


def call_at(columns: CallColumns, row: int) -> Call:
    """Return one row as a call. Raises UnicodeDecodeError for a destination that is no text."""
    number = text_at(texts_of(columns.destinations, "destinations"), row)

    def name(column: Column, what: str) -> str:
        coded = coded_of(column, what)
        return coded.names[int(coded.indices[row])] if isinstance(coded, Coded) else coded

    offsets_s = columns.offsets_s
    subject = name(columns.subjects, "subjects")
    return Call(
        tenant=name(columns.tenants, "tenants"),
        category=name(columns.categories, "categories"),
        subject=subject,
        account=subject,
        destination=number.decode(),
        tor=name(columns.tors, "tors"),
        start_at=int(numbers_of(columns.starts_at, "starts_at")[row]),
        usage_ns=int(numbers_of(columns.usages_ns, "usages_ns")[row]),
        offset_s=offsets_s if isinstance(offsets_s, int) else int(offsets_s[row]),
    )


def rate_columns(tariff: Tariff, columns: CallColumns, *, with_breakdown: bool = False) -> RatedColumns:
    """Return what each call costs under the tariff. The GIL is released while rows are rated.

    Raises ValueError for columns of different lengths or of kinds that are not taken, IndexError for a code without a
    name.
    """
    rater = rater_of(tariff)
    chunk = chunk_of(tariff, rater, columns)
    total_nano = rater.rate(chunk)
    quoted: dict[int, CallCost | None] = {}
    for row in numpy.flatnonzero(chunk.errors == QUOTE).tolist():
        quoted[row] = _quote_row(tariff, rater, columns, chunk, row)
        total_nano += int(chunk.costs_nano[row])
    return RatedColumns(
        chunk.costs_nano,
        chunk.destinations,
        chunk.plans,
        chunk.errors,
        rater.plans.destination_ids,
        rater.plans.plan_ids,
        ERRORS,
        total_nano,
        len(quoted),
        _breakdown(rater, chunk, quoted) if with_breakdown else None,
    )


def _quote_row(tariff: Tariff, rater: BulkRater, columns: CallColumns, chunk: Chunk, row: int) -> CallCost | None:
    """Quote a row by itself and note what comes of it; None when it is refused."""
    chunk.errors[row] = 0
    try:
        cost = quote_by_tariff(tariff, call_at(columns, row))
        chunk.costs_nano[row] = cost.cost_nano
    except (CgrError, OverflowError, UnicodeDecodeError) as error:
        chunk.errors[row] = _error_of(error)
        return None
    if cost.spans:
        chunk.destinations[row] = rater.plans.destination_place(cost.spans[0].matched_destination_id)
        chunk.plans[row] = rater.plans.plan_place(cost.spans[0].rating_plan_id)
    return cost


def _breakdown(rater: BulkRater, chunk: Chunk, quoted: dict[int, CallCost | None]) -> Breakdown:
    counts = numpy.zeros(len(chunk.errors), dtype=int64)
    # The rows that were quoted are of no concern to the kernel.
    others = chunk._replace(errors=chunk.errors.copy())
    others.errors[list(quoted)] = NOT_RATED
    rater.count_spans(others, counts)
    spans_of = {row: _spans_of(cost) for row, cost in quoted.items() if cost is not None}
    for row, spans in spans_of.items():
        counts[row] = len(spans)
    first = numpy.concatenate(([0], numpy.cumsum(counts)))
    written = numpy.zeros((5, int(first[-1])), dtype=int64)
    rater.write_spans(others, first, written)
    for row, spans in spans_of.items():
        if spans:
            written[:, first[row] : first[row + 1]] = numpy.array(spans, dtype=int64).T
    return Breakdown(first, *written)


def _spans_of(cost: CallCost) -> list[tuple[int, int, int, int, int]]:
    """Return the spans of a cost as those of columns are, the folded ones one by one."""
    found = []
    for span in cost.spans or ():
        usage_ns = span.usage_ns // max(span.count, 1)
        of = [increment for increment in span.increments if increment.usage_ns]
        step = (of[0].usage_ns, of[0].count, of[0].cost_nano) if of else (0, 0, 0)
        found += [(span.start_at + number * usage_ns, usage_ns, *step) for number in range(span.count)]
    return found


def _error_of(error: Exception) -> int:
    if isinstance(error, BadRequest):
        return NEGATIVE_USAGE
    if isinstance(error, OverflowError):
        return COST_TOO_LARGE
    if isinstance(error, UnicodeDecodeError):
        return INVALID_TEXT
    return ERRORS.index(str(error)) if str(error) in ERRORS else NOT_RATED
