"""What another tariff would cost: the same calls rated twice, side by side, and the difference added up in groups.

Rules: a row has a difference where both tariffs have a price for it; sums of costs are of those rows, so that they
differ by what is shown; rows that only one tariff prices are counted beside. Sums are exact. Memory grows with the
number of groups, not of rows. Does not know: files, how groups are shown.
"""

import threading
from collections.abc import Iterator
from collections.abc import Mapping as Names
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import numpy
import pyarrow as pa
from numpy import bool_, int64
from numpy.typing import NDArray

from cgrcore.errors import BadRequest
from cgrcore.money import number_from_nano
from cgrcore.timing import DAY_NS, SECOND_NS
from cgrserver.rerating.fields import calls_of
from cgrserver.rerating.mapping import Mapping
from cgrserver.rerating.rating import CODED, COST, Plan, Rated, Rater

__all__ = ["DIFFERENCE", "GROUPINGS", "SUM", "Comparer", "Group", "Groups", "group_table", "in_order"]

#: What rows are grouped by.
GROUPINGS = ("destination", "plan", "subject", "day")

#: The types of a difference of two costs, and of sums.
DIFFERENCE = pa.decimal128(19, 9)
SUM = pa.decimal128(38, 9)

#: What the columns of the other tariff are called, behind this.
NEW = "New"
_DIFFERENCE = "Difference"

#: The group of rows that have none: no destination matched, no time could be read.
NONE = "(none)"

_EPOCH = date(1970, 1, 1)
_NO_DAY = -(2**62)
_LOW = 0xFFFF_FFFF

#: What is counted and summed of each group.
COLUMNS = 8


class Group(NamedTuple):
    """The rows of one group. Costs (1e-9) are those of the `both_count` rows that both tariffs price."""

    row_count: int = 0
    both_count: int = 0
    only_old_count: int = 0
    only_new_count: int = 0
    old_nano: int = 0
    new_nano: int = 0

    @property
    def difference_nano(self) -> int:
        return self.new_nano - self.old_nano

    def plus(self, other: "Group") -> "Group":
        return Group(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class _Sums:
    """What is added up of each group: its columns as `_Counted` has them, by the place of its name."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.columns = numpy.zeros((COLUMNS, 1024), dtype=int64)

    def add(self, names: list[str], sums: NDArray[int64]) -> None:
        present = numpy.flatnonzero(sums[0])
        places = self.places
        mine = [places.setdefault(names[place], len(places)) for place in present.tolist()]
        while len(places) > self.columns.shape[1]:
            self.columns = numpy.concatenate([self.columns, numpy.zeros_like(self.columns)], axis=1)
        if len(set(mine)) == len(mine):
            self.columns[:, mine] += sums[:, present]
        else:  # no text and an empty one are the same group
            numpy.add.at(self.columns.T, mine, sums[:, present].T)

    def groups(self) -> dict[str, Group]:
        found = {}
        for name, (rows, both, only_old, only_new, *halves) in zip(self.places, self.columns.T.tolist(), strict=False):
            old_high, old_low, new_high, new_low = halves
            old_nano, new_nano = (old_high << 32) + old_low, (new_high << 32) + new_low
            found[name] = Group(rows, both, only_old, only_new, old_nano, new_nano)
        return found


class Groups:
    """The groups of all rows so far. Threads may add at once."""

    def __init__(self) -> None:
        self._sums = {grouping: _Sums() for grouping in GROUPINGS}
        self._adding = threading.Lock()

    def of(self, grouping: str) -> dict[str, Group]:
        """Return the groups of a grouping by name."""
        return self._sums[grouping].groups()

    @property
    def total(self) -> Group:
        """All rows together."""
        total = Group()
        for group in self.of("day").values():
            total = total.plus(group)
        return total

    def add(self, grouping: str, names: list[str], sums: NDArray[int64]) -> None:
        """Add rows that were summed by their places in a list of names; see `_Counted.sums`."""
        with self._adding:
            self._sums[grouping].add(names, sums)


class Comparer(Rater):
    """Two tariffs, to be rated by in the place of one: a batch comes out with the costs of both and the difference.

    The first one's columns are called as ever, the second one's have `New` in front. Rows without a difference count as
    rejected, for the reason of the tariff that does not price them, the second one's if neither does.
    """

    def __init__(self, old: Plan, new: Plan, mapping: Mapping = Mapping()) -> None:  # noqa: B008
        """Load both plans. Raises BadRequest for one with mistakes."""
        super().__init__(old, mapping)
        self.new = Rater(new, mapping)
        self.groups = Groups()

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """As that of a Rater. Raises BadRequest also when a column of the input is called like one of the result."""
        single = super().output_schema(schema)
        result = self.mapping.result()
        names = [result.cost, result.destination_id, result.rating_plan_id, result.error]
        kinds = [COST, CODED, CODED, CODED]
        added = [pa.field(NEW + name, kind) for name, kind in zip(names, kinds, strict=True)]
        added.append(pa.field(_DIFFERENCE, DIFFERENCE))
        for field in added:
            if field.name in single.names:
                raise BadRequest(f"a column of the input is called {field.name}, as one of the result: rename it")
        return pa.schema([*single, *added])

    def rate(self, batch: pa.RecordBatch, unreadable: Names[int, str] = {}) -> Rated:
        """Rate a batch by both tariffs, and add it to the groups."""
        old, new = super().rate(batch, unreadable), self.new.rate(batch, unreadable)
        is_apart = old.is_refused | new.is_refused
        difference = _decimals(new.costs_nano - old.costs_nano, is_apart)
        added = new.batch.columns[-4:]
        names = [*old.batch.schema.names, *(NEW + name for name in new.batch.schema.names[-4:]), _DIFFERENCE]
        out = pa.RecordBatch.from_arrays([*old.batch.columns, *added, difference], names=names)
        columns = calls_of(batch, self.mapping, self.defaults, dict(unreadable)).columns
        counted = _Counted(old, new)
        for grouping, places, names_of in _groupings(columns, old.batch, new.batch):
            self.groups.add(grouping, names_of, counted.sums(places, len(names_of)))
        total_nano = sum(new.costs_nano[~is_apart].tolist())
        return Rated(out, new.costs_nano, is_apart, total_nano, _reasons(old, new, is_apart))


def _reasons(old: Rated, new: Rated, is_apart: NDArray[bool_]) -> dict[str, int]:
    """Return why rows have no difference, and how many for each reason."""
    counts = dict(new.reasons)
    only_old = old.is_refused & ~new.is_refused
    if only_old.any():
        errors = old.batch.column(old.batch.num_columns - 1).filter(pa.array(only_old))
        for error, count in zip(*(column.to_pylist() for column in errors.value_counts().flatten()), strict=True):
            code = str(error).partition(": ")[0]
            counts[code] = counts.get(code, 0) + count
    assert sum(counts.values()) == int(numpy.count_nonzero(is_apart))
    return counts


class _Counted:
    """What is added up of a batch, by row: whether who prices it, and costs in halves, whose sums stay in 64 bits."""

    def __init__(self, old: Rated, new: Rated) -> None:
        is_both = ~(old.is_refused | new.is_refused)
        old_nano, new_nano = (numpy.where(is_both, rated.costs_nano, 0) for rated in (old, new))
        self._columns = (
            None,
            is_both.astype(int64),
            (~old.is_refused & new.is_refused).astype(int64),
            (old.is_refused & ~new.is_refused).astype(int64),
            old_nano >> 32,
            old_nano & _LOW,
            new_nano >> 32,
            new_nano & _LOW,
        )
        assert len(self._columns) == COLUMNS

    def sums(self, places: NDArray[Any], count: int) -> NDArray[int64]:
        """Return the columns summed by groups, (COLUMNS, count) int64; the first counts the rows."""
        found = numpy.zeros((COLUMNS, count), dtype=int64)
        for sums, column in zip(found, self._columns, strict=True):
            if column is None:
                sums += numpy.bincount(places, minlength=count)
            else:
                numpy.add.at(sums, places, column)
        return found


def _groupings(columns: Any, old: pa.RecordBatch, new: pa.RecordBatch) -> Iterator[tuple[str, NDArray[Any], list[str]]]:
    """Give each grouping with the places of the rows in the names of its groups."""
    at = old.num_columns - 4
    yield "destination", *_either(old.column(at + 1), new.column(at + 1))
    yield "plan", *_either(old.column(at + 2), new.column(at + 2))
    if isinstance(columns.subjects, str):
        yield "subject", numpy.zeros(old.num_rows, dtype=numpy.int32), [columns.subjects or NONE]
    else:
        yield "subject", *_coded(columns.subjects)
    days, places = numpy.unique(_days(columns), return_inverse=True)
    yield "day", places, [NONE if day == _NO_DAY else str(_EPOCH + timedelta(days=day)) for day in days.tolist()]


def _days(columns: Any) -> NDArray[int64]:
    """Return the day of each call on its own clock, as a count since 1970; `_NO_DAY` where no time could be read."""
    offsets = columns.offsets_s
    shift_ns = offsets * SECOND_NS if isinstance(offsets, int) else offsets.astype(int64) * SECOND_NS
    return numpy.where(columns.starts_at == 0, _NO_DAY, (columns.starts_at + shift_ns) // DAY_NS)


def _either(old: pa.DictionaryArray, new: pa.DictionaryArray) -> tuple[NDArray[Any], list[str]]:
    """Return where rows stand in the names of the first, or where that has none, of the second tariff."""
    places, names = _coded(old)
    others, other_names = _coded(new)
    missing = len(names) - 1
    known = {name: place for place, name in enumerate(names)}
    for name in other_names:
        if name not in known:
            known[name] = len(names)
            names.append(name)
    moved = numpy.array([known[name] for name in other_names], dtype=numpy.int64)
    return numpy.where(places == missing, moved[others], places), names


def _coded(column: pa.DictionaryArray) -> tuple[NDArray[Any], list[str]]:
    """Return the places of a coded column, and its names with one more for rows that have none."""
    names = [name or NONE for name in column.dictionary.to_pylist()]
    places = column.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
    return places, [*names, NONE]


def _decimals(amounts_nano: NDArray[int64], is_absent: NDArray[bool_]) -> pa.Array:
    """Return amounts as decimals of 128 bits, none where absent."""
    wide = numpy.empty((len(amounts_nano), 2), dtype=int64)
    wide[:, 0] = amounts_nano
    numpy.right_shift(amounts_nano, 63, out=wide[:, 1])
    present = pa.py_buffer(numpy.packbits(~is_absent, bitorder="little")) if is_absent.any() else None
    return pa.Array.from_buffers(DIFFERENCE, len(amounts_nano), [present, pa.py_buffer(wide)])


def group_table(groups: Groups) -> pa.Table:
    """Return all groups as rows: those of a grouping together, the largest difference first, days in order."""
    rows = [(grouping, name, group) for grouping in GROUPINGS for name, group in in_order(groups, grouping)]

    def counts(place: int) -> pa.Array:
        return pa.array([group[place] for _, _, group in rows], pa.int64())

    def sums(values: list[int]) -> pa.Array:
        return pa.array([Decimal(number_from_nano(value)) for value in values], SUM)

    return pa.table(
        {
            "Grouping": pa.array([grouping for grouping, _, _ in rows], pa.string()),
            "Name": pa.array([name for _, name, _ in rows], pa.string()),
            "Calls": counts(0),
            "Compared": counts(1),
            "OnlyOld": counts(2),
            "OnlyNew": counts(3),
            "Cost": sums([group.old_nano for _, _, group in rows]),
            "NewCost": sums([group.new_nano for _, _, group in rows]),
            "Difference": sums([group.difference_nano for _, _, group in rows]),
        }
    )


def in_order(groups: Groups, grouping: str) -> list[tuple[str, Group]]:
    """Return the groups of a grouping, the largest difference first; days as they came."""
    found = groups.of(grouping)
    if grouping == "day":
        return sorted(found.items())
    return sorted(found.items(), key=lambda item: (-abs(item[1].difference_nano), item[0]))
