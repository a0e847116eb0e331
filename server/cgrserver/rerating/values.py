"""Columns of instants, durations and numbers, whatever type they were written with, as int64.

Rules: nothing passes through a float but columns that are floats, and of these only whole numbers are taken. The usual
texts are read by compiled code, all others one by one as `cgrcore.timing` reads them; relative times (`*now`, `+1h`)
mean nothing in a file and are refused. Does not know: which column is which field.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy
import pyarrow as pa
from numpy import bool_, int32, int64, uint8
from numpy.typing import NDArray

from cgrcore.errors import BadRequest
from cgrcore.rating.zones import FIRST_AT, UNTIL_AT, zone_of
from cgrcore.timing import (
    MICROSECOND_NS,
    MILLISECOND_NS,
    SECOND_NS,
    ZERO_AT,
    parse_duration,
    parse_time,
    zone_offset,
)
from cgrserver.rerating import texts

__all__ = [
    "Instants",
    "Numbers",
    "Unreadable",
    "Usages",
    "instants_of",
    "is_text",
    "numbers_of",
    "text_of",
    "usages_of",
]

#: Why a row cannot be read, by its place.
Unreadable: TypeAlias = dict[int, str]

_UNITS = {"s": SECOND_NS, "ms": MILLISECOND_NS, "us": MICROSECOND_NS, "ns": 1}

#: From each on, a number of an instant is counted in the next smaller unit.
_EPOCHS = ((10**11, SECOND_NS), (10**14, MILLISECOND_NS), (10**17, MICROSECOND_NS), (2**63, 1))

OUT_OF_RANGE = "out of range"


class Numbers(NamedTuple):
    """(n,) int64, 0 where missing or unreadable."""

    numbers: NDArray[int64]
    is_missing: NDArray[bool_]
    unreadable: Unreadable


class Usages(NamedTuple):
    """(n,) int64 ns or units, 0 where missing or unreadable."""

    usages_ns: NDArray[int64]
    is_missing: NDArray[bool_]
    unreadable: Unreadable


class Instants(NamedTuple):
    """(n,) int64 ns since 1970 and (n,) int32 seconds east of UTC, 0 where missing or unreadable."""

    at: NDArray[int64]
    offsets_s: NDArray[int32]
    is_missing: NDArray[bool_]
    unreadable: Unreadable


def is_text(kind: pa.DataType) -> bool:
    """Tell whether texts are read from columns of a type: texts, and whole numbers, which may be phone numbers."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    is_kind = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_integer)
    return pa.types.is_null(kind) or any(check(kind) for check in is_kind)


def text_of(column: pa.Array) -> pa.StringArray:
    """Return a column that `is_text` as Arrow strings."""
    return column if column.type == pa.string() else column.cast(pa.string())


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _mask(column: pa.Array) -> NDArray[bool_]:
    """Return which rows have no value."""
    if not column.null_count:
        return numpy.zeros(len(column), dtype=bool_)
    is_null: NDArray[bool_] = column.is_null().to_numpy(zero_copy_only=False)
    return is_null


def _int64(column: pa.Array) -> NDArray[int64]:
    """Return the values of a column of 64-bit numbers, 0 where there is none, without copying when there is one."""
    if column.type != pa.int64():
        column = column.cast(pa.int64()) if pa.types.is_integer(column.type) else column.view(pa.int64())
    if column.null_count:
        column = column.fill_null(0)
    values: NDArray[int64] = column.to_numpy()
    return values


class _Reader:
    """A function over columns, and the types of columns that it `takes`."""

    def __init__(self, read: Callable[..., Any], takes: Callable[[pa.DataType], bool]) -> None:
        self._read = read
        self.takes = takes

    def __call__(self, column: pa.Array, *arguments: Any) -> Any:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        return self._read(column, *arguments)


def _read_numbers(column: pa.Array) -> Numbers:
    kind = column.type
    if is_text(kind) and not pa.types.is_integer(kind):
        return Numbers(*_read_usages(column, 1))
    missing = _mask(column)
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return Numbers(_int64(column), missing, {})
    # Floats and decimals: a column of either is small beside those that were written as whole numbers.
    numbers = numpy.zeros(len(column), dtype=int64)
    unreadable: Unreadable = {}
    most = 2**53 if pa.types.is_floating(kind) else 2**63 - 1  # beyond, a float may stand for a neighbour
    for row, value in enumerate(column.to_pylist()):
        if value is None:
            continue
        if abs(value) <= most and value == int(value):
            numbers[row] = int(value)
        else:
            unreadable[row] = f"{value} is no whole number"
    return Numbers(numbers, missing, unreadable)


def _scaled(found: Numbers, unit_ns: int) -> Numbers:
    """Return numbers of a unit as ns; those that do not fit are unreadable."""
    if unit_ns == 1:
        return found
    most = (2**63 - 1) // unit_ns
    wrong = numpy.flatnonzero((found.numbers > most) | (found.numbers < -most))
    if not len(wrong):
        return found._replace(numbers=found.numbers * unit_ns)
    numbers = found.numbers.copy()
    reasons = {row: f"{numbers[row]}: {OUT_OF_RANGE}" for row in wrong.tolist()}
    numbers[wrong] = 0
    return Numbers(numbers * unit_ns, found.is_missing, {**found.unreadable, **reasons})


def _read_usages(column: pa.Array, unit_ns: int) -> Usages:
    kind = column.type
    if pa.types.is_duration(kind):
        found = _scaled(Numbers(_int64(column), _mask(column), {}), _UNITS[kind.unit])
        return Usages(*found)
    if _is_number(kind):
        return Usages(*_scaled(_read_numbers(column), unit_ns))
    column = text_of(column)
    count = len(column)
    usages_ns, states = numpy.empty(count, dtype=int64), numpy.empty(count, dtype=uint8)
    texts.read_durations(*_buffers(column), unit_ns, usages_ns, states)
    missing = _mask(column) | (states == texts.EMPTY)
    usages_ns[missing] = 0
    unreadable: Unreadable = {}
    known: dict[str, int | str] = {}
    for row in numpy.flatnonzero((states == texts.LEFT) & ~missing).tolist():
        text = column[row].as_py()
        if text not in known:
            known[text] = _duration(text)
        usage = known[text]
        if isinstance(usage, int):
            usages_ns[row] = usage
        else:
            unreadable[row] = usage
    return Usages(usages_ns, missing, unreadable)


def _duration(text: str) -> int | str:
    """Return a duration in ns, or why it is none."""
    try:
        return parse_duration(text.strip())
    except BadRequest as error:
        return str(error)


def _read_instants(column: pa.Array, unit_ns: int, zone: str) -> Instants:
    kind = column.type
    if pa.types.is_timestamp(kind):
        at, missing, unreadable = _scaled(Numbers(_int64(column), _mask(column), {}), _UNITS[kind.unit])
        # A file in UTC says when, not on whose clock; one in a zone of its own says both.
        own = kind.tz if kind.tz and kind.tz not in ("UTC", "+00:00", "Etc/UTC") else zone
        at, offsets_s = _on_clock(at, own) if kind.tz else _from_clock(at, own)
        return Instants(at, offsets_s, missing, unreadable)
    if _is_number(kind):
        found = _read_numbers(column)
        counted = _counted(found.numbers) if unit_ns == 0 else None
        at, missing, unreadable = _scaled(found, unit_ns) if counted is None else found._replace(numbers=counted)
        missing = missing | (at == 0) | (found.numbers == ZERO_AT)
        return Instants(*_on_clock(at, zone), missing, unreadable)
    return _read_times(text_of(column), unit_ns, zone)


def _read_times(column: pa.StringArray, unit_ns: int, zone: str) -> Instants:
    count = len(column)
    at, offsets_s = numpy.empty(count, dtype=int64), numpy.empty(count, dtype=int32)
    states = numpy.empty(count, dtype=uint8)
    texts.read_instants(*_buffers(column), unit_ns, at, offsets_s, states)
    missing = _mask(column) | (states == texts.EMPTY)
    if zone not in ("", "UTC"):
        for state, resolve in ((texts.LOCAL, _from_clock), (texts.INSTANT, _on_clock)):
            rows = numpy.flatnonzero(states == state)
            if len(rows):
                at[rows], offsets_s[rows] = resolve(at[rows], zone)
    unreadable: Unreadable = {}
    known: dict[str, tuple[int, int] | str] = {}
    for row in numpy.flatnonzero((states == texts.LEFT) & ~missing).tolist():
        text = column[row].as_py()
        if text not in known:
            known[text] = _time(text, zone)
        moment = known[text]
        if isinstance(moment, str):
            unreadable[row] = moment
        elif moment[0] == ZERO_AT:
            missing[row] = True
        else:
            at[row], offsets_s[row] = moment
    return Instants(at, offsets_s, missing, unreadable)


def _time(text: str, zone: str) -> tuple[int, int] | str:
    """Return an instant and the offset of its clock, or why it is none."""
    text = text.strip()
    if text[:1] in ("*", "+", "-"):
        return f"Unsupported time format {text[:40]!r}"
    try:
        return parse_time(text, 0, zone)
    except BadRequest as error:
        return f"{error} {text[:40]!r}" if str(error) == "Unsupported time format" else str(error)


def _counted(numbers: NDArray[int64]) -> NDArray[int64]:
    """Return instants counted in the unit that their size tells, as ns."""
    sizes = numpy.abs(numbers)
    if not len(sizes) or sizes.min() >= _EPOCHS[-2][0]:
        return numbers
    limits = numpy.array([limit for limit, _ in _EPOCHS[:-1]])
    units = numpy.array([unit for _, unit in _EPOCHS])
    counted: NDArray[int64] = numbers * units[numpy.searchsorted(limits, sizes, side="right")]
    return counted


def _offsets(at: NDArray[int64], name: str) -> NDArray[int32]:
    """Return a zone's offset at each instant."""
    zone = zone_of(name)
    if not zone.changes_at:
        return numpy.full(len(at), zone.offsets_s[0], dtype=int32)
    offsets = zone.offsets_at(at).astype(int32)
    for row in numpy.flatnonzero((at < FIRST_AT) | (at >= UNTIL_AT)).tolist():
        offsets[row] = zone_offset(name, int(at[row]))
    return offsets


def _on_clock(at: NDArray[int64], zone: str) -> tuple[NDArray[int64], NDArray[int32]]:
    return at, _offsets(at, zone)


def _from_clock(clock: NDArray[int64], zone: str) -> tuple[NDArray[int64], NDArray[int32]]:
    """Return the instants at which a zone's clock showed these times, as `parse_time` finds them."""
    if zone in ("", "UTC"):
        return clock, numpy.zeros(len(clock), dtype=int32)
    first = _offsets(clock, zone).astype(int64)
    offsets_s = _offsets(clock - first * SECOND_NS, zone)
    return clock - offsets_s.astype(int64) * SECOND_NS, offsets_s


def _buffers(column: pa.StringArray) -> tuple[NDArray[int32], NDArray[uint8]]:
    _, ends, data = column.buffers()
    offsets = numpy.frombuffer(ends or b"", dtype=int32)[column.offset : column.offset + len(column) + 1]
    return offsets, numpy.frombuffer(data or b"", dtype=uint8)


def _takes_numbers(kind: pa.DataType) -> bool:
    return is_text(kind) or _is_number(kind)


def _takes_usages(kind: pa.DataType) -> bool:
    return _takes_numbers(kind) or pa.types.is_duration(kind)


def _takes_instants(kind: pa.DataType) -> bool:
    return _takes_numbers(kind) or pa.types.is_timestamp(kind)


numbers_of = _Reader(_read_numbers, _takes_numbers)
usages_of = _Reader(_read_usages, _takes_usages)
instants_of = _Reader(_read_instants, _takes_instants)
