"""Columns that calls come in: numbers, texts and coded texts, from numpy or Arrow, without copying.

Rules: a numpy array or an Arrow array (any object with `buffers()`, `offset`, `type` and `null_count`) is read where it
lies. Chunked arrays are to be combined by the caller. Does not know: pyarrow, calls.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy
from numpy import bool_, int32, int64, uint8
from numpy.typing import NDArray

from cgrcore._fast.columns import code_texts

__all__ = ["Coded", "Column", "Texts", "check_texts", "coded_of", "numbers_of", "present_of", "text_at", "texts_of"]

#: A numpy or an Arrow array; which kinds are taken, each function says.
Column = Any

#: Arrow's 64-bit types that are counted in ns or are plain numbers.
_NUMBERS = ("int64", "duration[ns]", "timestamp[ns")


class Texts(NamedTuple):
    """n texts in UTF-8, one behind the other: text i is `data[offsets[i]:offsets[i + 1]]`.

    `offsets` (n + 1,) int32 or int64, `data` (any,) uint8: what Arrow's string and large_string arrays hold.
    """

    offsets: NDArray[Any]
    data: NDArray[uint8]


class Coded(NamedTuple):
    """n texts by their places in a list: text i is `names[indices[i]]`; `indices` (n,) int32."""

    indices: NDArray[int32]
    names: Sequence[str]


def numbers_of(column: Column, what: str) -> NDArray[int64]:
    """Return a column of 64-bit numbers, (n,) int64: numpy int64, datetime64[ns] or timedelta64[ns], or Arrow alike.

    Raises ValueError for anything else.
    """
    if isinstance(column, numpy.ndarray):
        if column.dtype == int64 or column.dtype.str in ("<M8[ns]", "<m8[ns]"):
            return numpy.ascontiguousarray(column).view(int64)
    elif hasattr(column, "buffers") and str(column.type).startswith(_NUMBERS):
        start, count = column.offset, len(column)
        values = numpy.frombuffer(column.buffers()[1] or b"", dtype=int64)
        return values[start : start + count]
    raise ValueError(f"{what}: a column of int64 is needed, not {getattr(column, 'dtype', None) or type(column)}")


def texts_of(column: Column, what: str) -> Texts | NDArray[uint8]:
    """Return a column of texts: as `Texts`, or as (n, width) uint8 padded with zero bytes.

    Takes Texts, numpy bytes (`S`, UTF-8), Arrow string, large_string, binary, large_binary, and a list of str (copied).
    Raises ValueError for anything else.
    """
    if isinstance(column, Texts):
        return column
    if isinstance(column, numpy.ndarray) and column.dtype.kind == "S":
        padded: NDArray[uint8] = numpy.ascontiguousarray(column).view(uint8).reshape(len(column), column.itemsize)
        return padded
    if isinstance(column, list):
        encoded = [text.encode() for text in column]
        ends = numpy.cumsum([0, *map(len, encoded)], dtype=int64)
        return Texts(ends, numpy.frombuffer(b"".join(encoded), dtype=uint8))
    if hasattr(column, "buffers") and str(column.type) in ("string", "large_string", "binary", "large_binary"):
        width = int64 if str(column.type).startswith("large") else int32
        _, ends, data = column.buffers()
        offsets = numpy.frombuffer(ends or b"", dtype=width)[column.offset : column.offset + len(column) + 1]
        if not len(offsets):
            offsets = numpy.zeros(1, dtype=width)
        return Texts(offsets, numpy.frombuffer(data or b"", dtype=uint8))
    raise ValueError(f"{what}: a column of texts is needed, not {getattr(column, 'dtype', None) or type(column)}")


def coded_of(column: Column, what: str) -> Coded | str:
    """Return a column of texts of few kinds: as `Coded`, or the one text that all rows have.

    Takes str, Coded, an Arrow dictionary array of strings (its names are copied), and all that `texts_of` takes, which
    is coded here. Raises ValueError for anything else.
    """
    if isinstance(column, str | Coded):
        return column
    if hasattr(column, "dictionary") and hasattr(column, "indices"):
        indices = column.indices
        values = numpy.frombuffer(indices.buffers()[1] or b"", dtype=str(indices.type))
        values = values[indices.offset : indices.offset + len(indices)]
        return Coded(values.astype(int32, copy=False), column.dictionary.to_pylist())
    texts = texts_of(column, what)
    count = len(texts.offsets) - 1 if isinstance(texts, Texts) else len(texts)
    codes = numpy.empty(count, dtype=int32)
    if isinstance(texts, Texts):
        check_texts(texts, what)
    return Coded(codes, [text_at(texts, row).decode() for row in code_texts(texts, codes).tolist()])


def text_at(texts: Texts | NDArray[uint8], row: int) -> bytes:
    """Return one text of a column, in UTF-8."""
    if isinstance(texts, Texts):
        return bytes(texts.data[int(texts.offsets[row]) : int(texts.offsets[row + 1])])
    return bytes(texts[row]).rstrip(b"\0")


def check_texts(texts: Texts, what: str) -> None:
    """Raise ValueError unless the offsets rise, and stay within the data."""
    offsets = texts.offsets
    if not 0 <= offsets[0] <= offsets[-1] <= len(texts.data) or bool((offsets[1:] < offsets[:-1]).any()):
        raise ValueError(f"{what}: offsets rise, and stay within the data")


def present_of(column: Column, count: int) -> NDArray[bool_] | None:
    """Return which rows of an Arrow array have a value, (n,) bool; None when all have, and for any other column."""
    if not getattr(column, "null_count", 0):
        return None
    bits = numpy.frombuffer(column.buffers()[0], dtype=uint8)
    return numpy.unpackbits(bits, bitorder="little")[column.offset : column.offset + count].view(bool_)
