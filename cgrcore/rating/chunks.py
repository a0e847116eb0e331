"""The columns of a chunk of calls as the compiled loop reads them: contiguous, of one length, names resolved.

Rules: nothing is copied that lies well; what depends on a name (a subject's profile, a type's limit) is looked up once
for each name, not for each row. Does not know: prices.
"""

from typing import NamedTuple

import numpy
from numpy import bool_, int32, int64, uint8, uint64
from numpy.typing import NDArray

from cgrcore._fast.bulk import BulkRater
from cgrcore.rating.columns import Coded, Column, Texts, check_texts, coded_of, numbers_of, present_of, texts_of
from cgrcore.rating.compile import ANY, Tariff
from cgrcore.rating.zones import clocks_of

__all__ = [
    "COST_TOO_LARGE",
    "ERRORS",
    "INVALID_TEXT",
    "NEGATIVE_USAGE",
    "NOT_RATED",
    "QUOTE",
    "CallColumns",
    "Chunk",
    "chunk_of",
]

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

NEGATIVE_USAGE, MISSING_VALUE, INVALID_TEXT, COST_TOO_LARGE, NOT_RATED = range(4, 9)

#: A row that the compiled loop has left.
QUOTE = 255

#: What the kernel takes for no limit of usage.
NO_LIMIT_NS = 1 << 60

#: Pairs of subject and tenant's category that have a place each; of more only those that occur.
MOST_PLACES = 1 << 22


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


class Chunk(NamedTuple):
    """What `BulkRater` reads and, in the last four, writes. (n,) each, or None where all rows have the first value.

    `keys` are places in `profiles`, `tors` places in `is_voice` and `limits_ns`.
    """

    texts: Texts | NDArray[uint8]
    starts_at: NDArray[int64]
    usages_ns: NDArray[int64]
    offsets_s: int | NDArray[int32]
    keys: NDArray[int32] | None
    profiles: NDArray[uint64]
    tors: NDArray[int32] | None
    is_voice: NDArray[uint8]
    limits_ns: NDArray[int64]
    costs_nano: NDArray[int64]
    destinations: NDArray[int32]
    plans: NDArray[int32]
    errors: NDArray[uint8]


def chunk_of(tariff: Tariff, rater: BulkRater, columns: CallColumns) -> Chunk:
    """Return the columns, ready to be rated. Raises ValueError, IndexError as `rate_columns`."""
    texts = texts_of(columns.destinations, "destinations")
    starts_at = numbers_of(columns.starts_at, "starts_at")
    usages_ns = numbers_of(columns.usages_ns, "usages_ns")
    count = len(starts_at)
    subjects, tenants, categories, tors = (
        _coded(getattr(columns, name), name, count) for name in ("subjects", "tenants", "categories", "tors")
    )
    _check_lengths(columns, texts, usages_ns, (subjects, tenants, categories, tors), count)
    errors = numpy.zeros(count, dtype=uint8)
    for column in columns:
        present = present_of(column, count)
        if present is not None:
            errors[~present] = MISSING_VALUE
    if columns.is_left_out is not None:
        errors[columns.is_left_out] = NOT_RATED
    offsets_s = columns.offsets_s
    if not isinstance(offsets_s, int):
        offsets_s = numpy.ascontiguousarray(offsets_s, dtype=int32)
    if tariff.zones:
        offsets_s, is_moved = clocks_of(tariff, tenants, starts_at, usages_ns, offsets_s)
        errors[is_moved & (errors == 0)] = QUOTE
    keys, profiles = _profiles(rater, subjects, tenants, categories)
    names = tors.names if isinstance(tors, Coded) else [tors]
    limits = (tariff.max_usage_ns.get(name, tariff.max_usage_ns.get(ANY, NO_LIMIT_NS)) for name in names)
    return Chunk(
        texts,
        starts_at,
        usages_ns,
        offsets_s,
        keys,
        profiles,
        tors.indices if isinstance(tors, Coded) else None,
        numpy.array([name in ("", "*voice") for name in names], dtype=uint8),
        numpy.array([min(limit_ns, NO_LIMIT_NS) for limit_ns in limits], dtype=int64),
        numpy.zeros(count, dtype=int64),
        numpy.full(count, -1, dtype=int32),
        numpy.full(count, -1, dtype=int32),
        errors,
    )


def _coded(column: Column, what: str, count: int) -> Coded | str:
    """Return a column of names. Rows without a value have the first, and are refused for it."""
    coded = coded_of(column, what)
    if isinstance(coded, str):
        return coded
    indices = numpy.ascontiguousarray(coded.indices, dtype=int32)
    present = present_of(column, count)
    if present is not None:
        indices = numpy.where(present, indices, int32(0))
    names = coded.names or [""]
    if len(indices) and not 0 <= indices.min() <= indices.max() < len(names):
        raise IndexError("a code without a name")
    return Coded(indices, names)


def _check_lengths(
    columns: CallColumns,
    texts: Texts | NDArray[uint8],
    usages_ns: NDArray[int64],
    coded: tuple[Coded | str, ...],
    count: int,
) -> None:
    lengths = {len(texts.offsets) - 1 if isinstance(texts, Texts) else len(texts), len(usages_ns), count}
    lengths |= {len(column.indices) for column in coded if isinstance(column, Coded)}
    lengths |= {len(it) for it in (columns.offsets_s, columns.is_left_out) if isinstance(it, numpy.ndarray)}
    if len(lengths) != 1:
        raise ValueError(f"the columns differ in length: {sorted(lengths)}")
    if isinstance(texts, Texts):
        check_texts(texts, "destinations")


def _profiles(
    rater: BulkRater, subjects: Coded | str, tenants: Coded | str, categories: Coded | str
) -> tuple[NDArray[int32] | None, NDArray[uint64]]:
    """Return what the profile of each row is known by: the place of each row in a list of such."""
    subject_names = subjects.names if isinstance(subjects, Coded) else [subjects]
    if isinstance(tenants, str) and isinstance(categories, str):
        found = rater.profiles_at(tenants, categories, subject_names)
        return subjects.indices if isinstance(subjects, Coded) else None, found
    tenant_names = tenants.names if isinstance(tenants, Coded) else [tenants]
    category_names = categories.names if isinstance(categories, Coded) else [categories]
    places = numpy.zeros(1, dtype=int64)
    for column, names in ((tenants, tenant_names), (categories, category_names), (subjects, subject_names)):
        places = places * len(names) + (column.indices if isinstance(column, Coded) else 0)
    size = len(tenant_names) * len(category_names) * len(subject_names)
    if size <= MOST_PLACES:
        is_met = numpy.zeros(size, dtype=bool_)
        is_met[places] = True
        met, keys = numpy.flatnonzero(is_met), places
        profiles = numpy.zeros(size, dtype=uint64)
    else:
        met, keys = numpy.unique(places, return_inverse=True)
        profiles = numpy.zeros(len(met), dtype=uint64)
    heads, of_subject = numpy.divmod(met, len(subject_names))
    for head in numpy.unique(heads).tolist():
        tenant, category = divmod(head, len(category_names))
        rows = numpy.flatnonzero(heads == head)
        chosen = [subject_names[place] for place in of_subject[rows].tolist()]
        where = met[rows] if size <= MOST_PLACES else rows
        profiles[where] = rater.profiles_at(tenant_names[tenant], category_names[category], chosen)
    return keys.astype(int32), profiles
