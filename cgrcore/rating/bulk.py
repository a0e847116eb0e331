"""Rating many calls at once: columns in; costs, destinations, plans and errors out.

Rules: a row costs what `quote` says of the same call, to the last digit, and is refused as that is. Amounts are exact.
A tariff is compiled for columns once, when first asked; the chunks of a large input may then be rated by several
threads at once. Does not know: where the columns come from, accounts.
"""

from typing import NamedTuple

import numpy
from numpy import bool_, int32, int64, uint8
from numpy.typing import NDArray

from cgrcore.errors import BadRequest, CgrError
from cgrcore.rating.calls import Call
from cgrcore.rating.columns import Coded, Column, Texts, coded_of, numbers_of, present_of, texts_of
from cgrcore.rating.compile import ANY, Tariff
from cgrcore.rating.quote import quote_by_tariff

__all__ = ["ERRORS", "Breakdown", "CallColumns", "RatedColumns", "call_at", "rate_columns"]

#: Why a row has no cost, by its code. 0: it has one.
ERRORS = (
    "",
    "RATING_PLAN_NOT_FOUND",
    "UNAUTHORIZED_DESTINATION",
    "MAX_USAGE_EXCEEDED",
    "NEGATIVE_USAGE",
    "MISSING_VALUE",
    "INVALID_TEXT",
    "COST_TOO_LARGE",
    "NOT_RATED",
)

MISSING_VALUE, NEGATIVE_USAGE, COST_TOO_LARGE, INVALID_TEXT, NOT_RATED = (
    ERRORS.index(text) for text in ("MISSING_VALUE", "NEGATIVE_USAGE", "COST_TOO_LARGE", "INVALID_TEXT", "NOT_RATED")
)

#: The most that a column of costs holds, either way.
LIMIT_NANO = 2**63 - 1


class CallColumns(NamedTuple):
    """n calls, each from its first second to its last: the connect fee is theirs.

    `destinations`: numbers, as `texts_of` takes them (Arrow string, numpy `S`, Texts). `starts_at` (n,) int64 ns since
    1970 UTC, `usages_ns` (n,) int64, ns or units, as `numbers_of` takes them. `subjects`, `tenants`, `categories`,
    `tors`: one str for all, or as `coded_of` takes them (Arrow dictionary, Coded). `offsets_s`: the clock on which the
    hours of the tariff are read, seconds east of UTC, one for all or (n,) int32. Rows in which Arrow has no value are
    refused as MISSING_VALUE; rows marked in `is_left_out` (n,) bool are not rated at all (NOT_RATED).
    """

    destinations: Column
    starts_at: Column
    usages_ns: Column
    subjects: Column
    tenants: Column
    categories: Column = "call"
    tors: Column = "*voice"
    offsets_s: int | NDArray[int32] = 0
    is_left_out: NDArray[bool_] | None = None


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
    texts = texts_of(columns.destinations, "destinations")
    if isinstance(texts, Texts):
        number = texts.data[int(texts.offsets[row]) : int(texts.offsets[row + 1])].tobytes()
    else:
        number = texts[row].tobytes().rstrip(b"\0")

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
    rows = _Rows(columns)
    places = {name: place for place, name in enumerate([*tariff.destination_ids(), ANY])}
    plans = {name: place for place, name in enumerate(tariff.plan_ids())}
    costs_nano = numpy.zeros(rows.count, dtype=int64)
    destinations = numpy.full(rows.count, -1, dtype=int32)
    plan_of = numpy.full(rows.count, -1, dtype=int32)
    errors = numpy.zeros(rows.count, dtype=uint8)
    first = [0]
    found: list[tuple[int, ...]] = []
    for row in range(rows.count):
        errors[row] = rows.error(row)
        if not errors[row]:
            try:
                cost = quote_by_tariff(tariff, call_at(columns, row))
                spans = cost.spans or []
                costs_nano[row] = cost.cost_nano
                if spans:
                    destinations[row] = places.get(spans[0].matched_destination_id, -1)
                    plan_of[row] = plans.get(spans[0].rating_plan_id, -1)
            except (CgrError, OverflowError, UnicodeDecodeError) as error:
                errors[row] = _error_of(error)
        first.append(len(found))
    spans_of = numpy.array(found, dtype=int64).reshape(len(found), 5)
    breakdown = Breakdown(numpy.array(first, dtype=int64), *spans_of.T) if with_breakdown else None
    return RatedColumns(
        costs_nano,
        destinations,
        plan_of,
        errors,
        list(places),
        list(plans),
        ERRORS,
        int(costs_nano.astype(object).sum() if rows.count else 0),
        rows.count,
        breakdown,
    )


class _Rows:
    """The columns as the compiled loop reads them, checked against each other."""

    def __init__(self, columns: CallColumns) -> None:
        self.destinations = texts_of(columns.destinations, "destinations")
        self.starts_at = numbers_of(columns.starts_at, "starts_at")
        self.usages_ns = numbers_of(columns.usages_ns, "usages_ns")
        self.count = count = len(self.starts_at)
        names = ("subjects", "tenants", "categories", "tors")
        self.coded = [coded_of(getattr(columns, name), name) for name in names]
        numbers = self.destinations
        lengths = {len(numbers.offsets) - 1 if isinstance(numbers, Texts) else len(numbers), len(self.usages_ns)}
        lengths |= {len(column.indices) for column in self.coded if isinstance(column, Coded)}
        lengths |= {len(it) for it in (columns.offsets_s, columns.is_left_out) if isinstance(it, numpy.ndarray)}
        if lengths != {count}:
            raise ValueError(f"the columns differ in length: {sorted(lengths | {count})}")
        for it in self.coded:
            if isinstance(it, Coded) and count and not 0 <= it.indices.min() <= it.indices.max() < len(it.names):
                raise IndexError("a code without a name")
        self.errors = numpy.zeros(count, dtype=uint8)
        for column in columns:
            present = present_of(column, count)
            if present is not None:
                self.errors[~present] = MISSING_VALUE
        if columns.is_left_out is not None:
            self.errors[columns.is_left_out] = NOT_RATED

    def error(self, row: int) -> int:
        return int(self.errors[row])


def _error_of(error: Exception) -> int:
    if isinstance(error, BadRequest):
        return NEGATIVE_USAGE
    if isinstance(error, OverflowError):
        return COST_TOO_LARGE
    if isinstance(error, UnicodeDecodeError):
        return INVALID_TEXT
    return ERRORS.index(str(error)) if str(error) in ERRORS else NOT_RATED
