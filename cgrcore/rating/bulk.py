"""Rating many calls at once: columns in, a column of costs out.

Rules: a row costs what `quote` says of the same call, to the last digit. Rows with a flat price go through the compiled
loop; all others are quoted one by one. Amounts are exact. Does not know: where the columns come from, accounts.
"""

from typing import NamedTuple

import msgspec
import numpy
from numpy import bool_, bytes_, int32, int64, uint8
from numpy.typing import NDArray

from cgrcore._fast.bulk import BulkPrices
from cgrcore._fast.flatprices import FlatPrice
from cgrcore._fast.prefixes import PrefixIndex
from cgrcore.errors import CgrError
from cgrcore.rating.calls import Call
from cgrcore.rating.compile import ANY, Tariff, tariff_of
from cgrcore.rating.flat import FlatTariff
from cgrcore.rating.quote import quote
from cgrcore.timing import SECOND_NS
from cgrcore.world import World

__all__ = ["CallColumns", "Costs", "call_at", "rate_columns"]

#: The most that a column of costs holds, either way.
LIMIT_NANO = 2**63 - 1


class CallColumns(NamedTuple):
    """Calls that differ in subject, destination, start and usage; everything else is that of `common`.

    `subjects` are names, `subject_index` (n,) places in it; `destinations` (n,) UTF-8 texts padded with zero bytes;
    `starts_at` (n,) ns UTC; `usages_ns` (n,).
    """

    common: Call
    subjects: list[str]
    subject_index: NDArray[int32]
    destinations: NDArray[bytes_]
    starts_at: NDArray[int64]
    usages_ns: NDArray[int64]


class Costs(NamedTuple):
    """The rows' costs, 0 where the call was refused; their exact total; how many were quoted one by one."""

    costs_nano: NDArray[int64]
    is_refused: NDArray[bool_]
    total_nano: int
    quoted_count: int


def call_at(columns: CallColumns, row: int) -> Call:
    """Return one row as a call."""
    subject = columns.subjects[int(columns.subject_index[row])]
    return msgspec.structs.replace(
        columns.common,
        subject=subject,
        account=subject,
        destination=bytes(columns.destinations[row]).decode(),
        start_at=int(columns.starts_at[row]),
        usage_ns=int(columns.usages_ns[row]),
    )


def rate_columns(world: World, columns: CallColumns) -> Costs:
    """Return what each call costs under the tariff in force.

    Raises ValueError for columns of different lengths, IndexError for a subject that is not there, OverflowError for
    a call that costs more than a column holds (9.2 thousand million).
    """
    count = len(columns.subject_index)
    costs_nano = numpy.zeros(count, dtype=int64)
    is_left = numpy.ones(count, dtype=uint8)
    if count and not 0 <= columns.subject_index.min() <= columns.subject_index.max() < len(columns.subjects):
        raise IndexError("a subject that is not there")
    tariff = tariff_of(world)
    total_nano = 0
    if not tariff.matches_subject_prefixes:
        prices, profile_of = _prices(tariff, columns)
        texts, profiles = _bytes(columns.destinations), profile_of[columns.subject_index]
        total_nano = prices.rate(profiles, texts, columns.starts_at, columns.usages_ns, costs_nano, is_left)
    is_refused = numpy.zeros(count, dtype=bool_)
    left = numpy.flatnonzero(is_left)
    for row in left.tolist():
        try:
            cost_nano = quote(world, call_at(columns, row)).cost_nano
        except CgrError:
            is_refused[row] = True
            continue
        if abs(cost_nano) > LIMIT_NANO:
            raise OverflowError(f"call {row} costs more than a column holds")
        costs_nano[row] = cost_nano
        total_nano += cost_nano
    return Costs(costs_nano, is_refused, total_nano, len(left))


def _bytes(texts: NDArray[bytes_]) -> NDArray[uint8]:
    """Return the texts as rows of bytes."""
    texts = numpy.ascontiguousarray(texts)
    return texts.view(uint8).reshape(len(texts), texts.itemsize)


def _prices(tariff: Tariff, columns: CallColumns) -> tuple[BulkPrices, NDArray[int32]]:
    """Return the flat prices that calls of these subjects may have, by profile, and the place of each one's profile."""
    flat = FlatTariff(tariff)
    common = columns.common
    head = f"*out:{common.tenant}:{common.category}:"
    prefixes = list(tariff.prefixes())
    windows: list[list[tuple[int, int]]] = []
    reached = []
    places: dict[str, int] = {}
    profile_of = numpy.zeros(len(columns.subjects), dtype=int32)
    for index, subject in enumerate(columns.subjects):
        profile = tariff.profiles.get(head + subject) or tariff.profiles.get(head + ANY)
        key = "" if profile is None else profile.id
        if key not in places:
            places[key] = len(windows)
            found = () if profile is None else flat.windows_of(profile)
            windows.append([(from_at, until_at) for from_at, until_at, _ in found])
            reached += [(profile, plan) for _, _, plan in found]
        profile_of[index] = places[key]

    def resolve(window: int, prefix: int) -> FlatPrice | None:
        profile, plan = reached[window]
        assert profile is not None
        return flat.resolve(profile, plan, "" if prefix < 0 else prefixes[prefix])

    limit_ns = tariff.max_usage_ns.get(common.tor, tariff.max_usage_ns.get(ANY))
    prices = BulkPrices(
        PrefixIndex(prefixes),
        windows,
        resolve,
        is_voice=common.is_voice,
        offset_ns=common.offset_s * SECOND_NS,
        limit_ns=limit_ns,
    )
    return prices, profile_of
