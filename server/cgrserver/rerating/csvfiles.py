"""CSV files as sources, packed with gzip or zstd or not.

Rules: all columns are texts and go on as they are, so a leading zero or a plus sign is not lost; a line with more or
fewer columns than the header is kept as a row that cannot be read. A file is cut at ends of lines that are not within
quotes; each piece is parsed by whoever rates it. Does not know: fields of CDRs.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import pyarrow as pa
import pyarrow.csv as pc
from numpy import int64
from numpy.typing import NDArray

from cgrcore.errors import BadRequest
from cgrserver.rerating.mapping import CsvLayout
from cgrserver.rerating.pieces import CHUNK_SIZE, Piece, Rows, told, with_schema

__all__ = ["CsvPiece", "CsvSource", "csv_names"]

#: A longer line is no line of CDRs.
MOST_LINE_SIZE = 64 << 20

#: So many lines are looked at for one that ends outside of quotes.
_TRIES = 10_000

#: So much of a line that cannot be read is told.
_TOLD_SIZE = 500

_WRONG_TEXT = re.compile(r"In CSV column #(\d+): Row #(\d+): CSV conversion error to \w+: invalid UTF8 data")

_UTF8_NAMES = ("utf-8", "utf8", "ascii", "utf-8-sig")


class CsvPiece(NamedTuple):
    """Lines of a CSV file, the first of which is `first_line`. `types` are those of columns that are no texts."""

    source: str
    done: float
    first_line: int
    content: bytes
    names: tuple[str, ...]
    layout: CsvLayout
    types: dict[str, pa.DataType] = {}  # noqa: RUF012
    #: Whether a value that is empty and not in quotes is none.
    has_nulls: bool = False

    def rows(self, schema: pa.Schema) -> Rows:
        invalid: list[pc.InvalidRow] = []

        def keep(row: pc.InvalidRow) -> str:
            invalid.append(row)
            return "skip"

        try:
            table = self._parse(keep)
        except pa.ArrowInvalid as error:
            raise BadRequest(self._told(str(error))) from None
        if not invalid:
            batch = _one_batch(table)
            unreadable: dict[int, str] = {}
        else:
            batch, unreadable = self._with_invalid(table, invalid)
        return Rows(with_schema(batch, schema), self._lines(batch.num_rows), unreadable)

    def _parse(self, keep: Any) -> pa.Table:
        kinds = {name: self.types.get(name, pa.string()) for name in self.names}
        return pc.read_csv(
            pa.py_buffer(self.content),
            pc.ReadOptions(use_threads=False, column_names=list(self.names), block_size=len(self.content) + 1),
            pc.ParseOptions(
                delimiter=self.layout.delimiter,
                quote_char=self.layout.quote or False,
                newlines_in_values=bool(self.layout.quote),
                invalid_row_handler=keep,
            ),
            pc.ConvertOptions(
                column_types=kinds,
                strings_can_be_null=self.has_nulls,
                quoted_strings_can_be_null=False,
                null_values=[""],
                true_values=["t", "true"],
                false_values=["f", "false"],
            ),
        )

    def _with_invalid(self, table: pa.Table, invalid: list[pc.InvalidRow]) -> tuple[pa.RecordBatch, dict[int, str]]:
        """Return the rows with those that are invalid at their places, as far as they go."""
        width = len(self.names)
        padded = []
        unreadable = {}
        for row in invalid:
            fields: list[str] = next(self._reader(row.text), [])[:width]
            padded.append(fields + [""] * (width - len(fields)))
            told_line = row.text[:_TOLD_SIZE]
            unreadable[row.number - 1] = f"INVALID_LINE: {row.actual_columns} columns instead of {width}: {told_line}"
        columns = [pa.array(column, pa.string()) for column in zip(*padded, strict=True)]
        columns = [
            column if field.type == pa.string() else pa.nulls(len(padded), field.type)
            for column, field in zip(columns, table.schema, strict=True)
        ]
        both = pa.concat_tables([table, pa.table(columns, schema=table.schema)])
        places = numpy.full(both.num_rows, -1, dtype=int64)
        places[list(unreadable)] = numpy.arange(table.num_rows, both.num_rows)
        places[places < 0] = numpy.arange(table.num_rows)
        return _one_batch(both.take(pa.array(places))), unreadable

    def _reader(self, text: str) -> Any:
        opened = io.StringIO(text, newline="")
        if not self.layout.quote:
            return csv.reader(opened, delimiter=self.layout.delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(opened, delimiter=self.layout.delimiter, quotechar=self.layout.quote)

    def _lines(self, count: int) -> NDArray[int64]:
        """Return the line that each row begins on."""
        line_count = self.content.count(b"\n") + (not self.content.endswith(b"\n"))
        if line_count == count:
            return numpy.arange(self.first_line, self.first_line + count, dtype=int64)
        lines = []
        before = 0
        reader = self._reader(self.content.decode())
        for fields in reader:
            if fields:
                lines.append(self.first_line + before)
            before = reader.line_num
        found = numpy.full(count, self.first_line, dtype=int64)
        found[: len(lines)] = lines[:count]
        return found

    def _told(self, text: str) -> str:
        """Return what is wrong with the lines, with the place."""
        found = _WRONG_TEXT.search(text)
        if found is not None:
            column, row = self.names[int(found[1])], int(found[2])
            line = self.first_line + row - 1
            return f"{self.source}:{line}: column {column} is not UTF-8; the mapping may name another encoding"
        return f"{self.source}:{self.first_line}: {text.splitlines()[0][:300]}"


class CsvSource:
    """A CSV file, packed or not. Its columns are texts."""

    def __init__(self, path: Path, layout: CsvLayout, codec: str | None) -> None:
        """Read the header. Raises BadRequest, Unavailable."""
        self.name = str(path)
        self._path = path
        self._layout = layout
        self._codec = codec
        self.row_count: int | None = None
        with told(self.name):
            self.size = path.stat().st_size
            first = next(self._chunks(1 << 16), (b"", 0.0))[0]
        head, self._first_line = b"", 1
        if layout.header:
            head = first[: _record_end(first, layout.quote)]
            self._first_line = 1 + head.count(b"\n")
        self._head_size = len(head)
        self.names = csv_names(self.name, head, layout) if layout.header else layout.columns
        self.schema = pa.schema([(name, pa.string()) for name in self.names])

    def pieces(self) -> Iterator[Piece]:
        """Give the lines in order. Raises BadRequest where the file is damaged."""
        line = 1
        with told(self.name):
            for number, (content, done) in enumerate(self._chunks(CHUNK_SIZE)):
                if number == 0:
                    content = content[self._head_size :]
                    line = self._first_line
                if content.strip(b"\r\n"):
                    yield CsvPiece(self.name, done, line, content, self.names, self._layout)
                line += content.count(b"\n")

    def _chunks(self, size: int) -> Iterator[tuple[bytes, float]]:
        """Give whole lines of about `size` bytes in UTF-8, and how much of the file is behind them."""
        decode = None
        if self._layout.encoding.lower() not in _UTF8_NAMES:
            decode = codecs.getincrementaldecoder(self._layout.encoding)().decode
        quote = self._layout.quote.encode()
        left = b""
        is_first = True
        with pa.OSFile(self.name) as raw:
            opened = raw if self._codec is None else pa.CompressedInputStream(raw, self._codec)
            while block := opened.read(size):
                if decode is not None:
                    block = decode(block).encode()
                if is_first:
                    block = block.removeprefix(codecs.BOM_UTF8)
                    is_first = False
                end = 0
                if not quote or (quote not in block and quote not in left):
                    end = block.rfind(b"\n") + 1
                    whole = b"".join((left, memoryview(block)[:end])) if end else b""
                else:
                    block, left = left + block, b""
                    end = _cut(block, quote)
                    whole = block[:end]
                left = block[end:] if end else left + block
                if end:
                    yield whole, raw.tell() / max(1, self.size)
                elif len(left) > MOST_LINE_SIZE:
                    raise BadRequest(f"{self.name}: a line of more than {MOST_LINE_SIZE >> 20} MiB: is it CSV?")
            if left:
                yield left, 1.0


def csv_names(source: str, head: bytes, layout: CsvLayout) -> tuple[str, ...]:
    """Return the names in a header. Raises BadRequest without one, or for a name that is there twice."""
    try:
        text = head.decode()
    except UnicodeDecodeError:
        raise BadRequest(f"{source}:1: the header is not UTF-8: is it CSV?") from None
    try:
        names = next(
            csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter, quotechar=layout.quote or None), []
        )
    except csv.Error as error:
        raise BadRequest(f"{source}:1: {error}") from None
    names = [name.strip() for name in names]
    if not names or names == [""]:
        raise BadRequest(f"{source}: there is no header")
    for place, name in enumerate(names):
        if name in names[:place]:
            raise BadRequest(f"{source}:1: there are two columns {name!r}")
    return tuple(names)


def _record_end(text: bytes, quote: str) -> int:
    """Return where the first line ends that is not within quotes."""
    end = 0
    while True:
        found = text.find(b"\n", end)
        if found < 0:
            return len(text)
        end = found + 1
        if not quote or text.count(quote.encode(), 0, end) % 2 == 0:
            return end


def _cut(text: bytes, quote: bytes) -> int:
    """Return the end of the last line that is not within quotes, 0 when no line ends.

    A quote that is never closed makes all lines after it seem quoted: then any end of a line is one.
    """
    last = end = text.rfind(b"\n") + 1
    if not end or not quote:
        return end
    is_quoted = text.count(quote, 0, end) % 2 == 1
    for _ in range(_TRIES):
        if not is_quoted:
            return end
        before = text.rfind(b"\n", 0, end - 1) + 1
        if not before:
            break
        is_quoted ^= text.count(quote, before, end) % 2 == 1
        end = before
    return last


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return (
        batches[0]
        if batches
        else pa.RecordBatch.from_arrays([pa.array([], field.type) for field in table.schema], names=table.schema.names)
    )
