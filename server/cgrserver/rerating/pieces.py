"""The pieces that an input is cut into, and the rows they hold.

Rules: a piece has at most `MOST_ROWS` rows, or of a CSV file `CHUNK_SIZE` bytes and the rest of a line, so what is
under way is bounded whatever the size of the input; it can be sent to another process; its rows come with their place
in the source, so that a message can name it. Does not know: where pieces come from, tariffs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import numpy
import pyarrow as pa
from numpy import int64
from numpy.typing import NDArray

from cgrcore.errors import BadRequest, CgrError, Unavailable

__all__ = ["CHUNK_SIZE", "MOST_ROWS", "BatchPiece", "Piece", "Rows", "Source", "told", "with_schema"]

#: Rows that are rated at once: enough that what is done per batch does not count, few enough for the caches.
MOST_ROWS = 131_072

#: Bytes of text that are read as one piece: about as many rows.
CHUNK_SIZE = 8 << 20


class Rows(NamedTuple):
    """Rows of a source. `places` (n,) int64 are their lines or numbers in it, counted from 1.

    `unreadable` are rows that could not be read, by their place in the batch, which holds of them what it can.
    """

    batch: pa.RecordBatch
    places: NDArray[int64]
    unreadable: dict[int, str]


class Piece(Protocol):
    """A part of a source: `source` is its name, `done` how much of the source is behind it, from 0 to 1."""

    @property
    def source(self) -> str: ...

    @property
    def done(self) -> float: ...

    def rows(self, schema: pa.Schema) -> Rows:
        """Return its rows with the columns of a schema; those that the source lacks are empty.

        Raises BadRequest for what cannot be read.
        """


class Source(Protocol):
    """One file or table. `schema` has plain types: texts are `string`. `size` weighs it against other sources."""

    @property
    def name(self) -> str: ...

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def size(self) -> int: ...

    def pieces(self) -> Iterator[Piece]:
        """Give its pieces in order. Raises BadRequest for what cannot be read, Unavailable."""


class BatchPiece(NamedTuple):
    """A piece that was read already: rows from `first_row` on, counted from 1."""

    source: str
    done: float
    first_row: int
    batch: pa.RecordBatch
    unreadable: dict[int, str] = {}  # noqa: RUF012

    def rows(self, schema: pa.Schema) -> Rows:
        batch = with_schema(self.batch, schema)
        places = numpy.arange(self.first_row, self.first_row + batch.num_rows, dtype=int64)
        return Rows(batch, places, self.unreadable)


def with_schema(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with the columns of a schema, empty where it has none. Texts that are coded may stay so."""
    names = batch.schema.names
    columns = []
    for field in schema:
        if field.name not in names:
            columns.append(pa.nulls(batch.num_rows, field.type))
            continue
        column = batch.column(field.name)
        is_coded_text = field.type == pa.string() and column.type == pa.dictionary(pa.int32(), pa.string())
        columns.append(column if column.type == field.type or is_coded_text else column.cast(field.type))
    return pa.RecordBatch.from_arrays(columns, names=schema.names)


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn what reading a source raises into one sentence that begins with its name."""
    try:
        yield
    except CgrError:
        raise
    except pa.ArrowInvalid as error:
        raise BadRequest(f"{name}: {_sentence(error)}") from None
    except OSError as error:
        if error.errno is None:
            raise BadRequest(f"{name}: {_sentence(error)}") from None
        raise Unavailable(f"{name}: {error.strerror or _sentence(error)}") from None
    except (pa.ArrowException, ValueError, EOFError, MemoryError) as error:
        raise BadRequest(f"{name}: {_sentence(error)}") from None


def _sentence(error: Exception) -> str:
    """Return the first line of an error's text."""
    lines = str(error).strip().splitlines()
    return (lines[0][:300] if lines else type(error).__name__).rstrip(".")
