"""Parquet and Arrow files as sources.

Rules: a Parquet file is read page by page, so a row group may be larger than memory; of an Arrow file each record
batch is taken as it lies in the file, which is mapped, or unpacked whole when it is compressed. Does not know: fields
of CDRs, but which columns are worth coding.
"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cgrcore.errors import BadRequest
from cgrserver.rerating.encoding import plain_schema
from cgrserver.rerating.pieces import MOST_ROWS, BatchPiece, Piece, told

__all__ = ["ArrowSource", "ParquetSource"]

#: Bytes of a column of a Parquet file that are held at once.
BUFFER_SIZE = 1 << 20

#: A piece has fewer rows when they take more bytes than this, but never fewer than so many.
MOST_SIZE = 12 << 20
LEAST_ROWS = 1024


class ParquetSource:
    """A Parquet file. `wants_code` says by their name which columns of texts hold few different ones."""

    def __init__(self, path: Path, wants_code: Callable[[Collection[str]], Collection[str]]) -> None:
        """Read the file's end. Raises BadRequest, Unavailable."""
        self.name = str(path)
        self._path = path
        with told(self.name):
            self.size = path.stat().st_size
            with self._open() as opened:
                self.schema = plain_schema(opened.schema_arrow)
                self.row_count: int = opened.metadata.num_rows
                self._piece_rows = _piece_rows(opened.metadata)
        wanted = wants_code(self.schema.names)
        self._coded = [name for name in self.schema.names if name in wanted and self._is_text(name)]

    def _is_text(self, name: str) -> bool:
        return bool(self.schema.field(name).type == pa.string())

    def _open(self, **options: Any) -> pq.ParquetFile:
        return pq.ParquetFile(self._path, buffer_size=BUFFER_SIZE, pre_buffer=False, **options)

    def pieces(self) -> Iterator[Piece]:
        """Give the rows in order. Raises BadRequest where the file is damaged."""
        first = 1
        with told(self.name), self._open(read_dictionary=self._coded) as opened:
            for batch in opened.iter_batches(self._piece_rows):
                done = (first - 1 + batch.num_rows) / max(1, self.row_count)
                yield BatchPiece(self.name, done, first, batch)
                first += batch.num_rows
        if first - 1 != self.row_count:
            raise BadRequest(f"{self.name}: it should have {self.row_count} rows, and {first - 1} were found")


def _piece_rows(metadata: Any) -> int:
    """Return how many rows make a piece of bounded size, by what a row of the file takes."""
    groups = range(metadata.num_row_groups)
    size: int = sum(metadata.row_group(place).total_byte_size for place in groups)
    row_count: int = metadata.num_rows
    return max(LEAST_ROWS, min(MOST_ROWS, MOST_SIZE * row_count // max(1, size)))


class ArrowSource:
    """An Arrow file, or a stream of record batches in a file."""

    def __init__(self, path: Path) -> None:
        """Read the schema. Raises BadRequest, Unavailable."""
        self.name = str(path)
        self._path = path
        with told(self.name):
            self.size = path.stat().st_size
            with pa.memory_map(self.name) as opened:
                self.is_stream = opened.read(6) != b"ARROW1"
                opened.seek(0)
                reader: Any = (pa.ipc.open_stream if self.is_stream else pa.ipc.open_file)(opened)
                self.schema = plain_schema(reader.schema)

    def _batches(self, opened: Any) -> Iterator[tuple[pa.RecordBatch, float]]:
        """Give the record batches, and how much of the file is behind each."""
        if self.is_stream:
            for batch in pa.ipc.open_stream(opened):
                yield batch, opened.tell() / max(1, self.size)
            return
        reader = pa.ipc.open_file(opened)
        for place in range(reader.num_record_batches):
            yield reader.get_batch(place), (place + 1) / reader.num_record_batches

    def pieces(self) -> Iterator[Piece]:
        """Give the rows in order. Raises BadRequest where the file is damaged."""
        first = 1
        with told(self.name), pa.memory_map(self.name) as opened:
            for batch, done in self._batches(opened):
                batch.validate()
                for start in range(0, batch.num_rows, MOST_ROWS):
                    part = batch.slice(start, MOST_ROWS)
                    yield BatchPiece(self.name, done, first + start, part)
                first += batch.num_rows
