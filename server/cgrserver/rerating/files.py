"""Files that are written under another name and take their own when they are whole.

Rules: what is written is on the disk before the name changes. Does not know: rows, but for what a format asks.
"""

import base64
import os
import random
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from cgrcore.errors import Unavailable
from cgrserver.rerating.encoding import CsvEncoder, as_it_is, plain, plain_schema
from cgrserver.rerating.packing import layout_of

__all__ = ["ArrowFile", "CsvFile", "Encode", "ParquetFile", "WholeFile"]

#: Bytes that are gathered before they are written.
BUFFER_SIZE = 1 << 20

#: Rows of a group in a Parquet file.
GROUP_ROWS = 262_144

#: A group that takes so many bytes before it is written has fewer rows.
GROUP_SIZE = 64 << 20


class Encode(Protocol):
    """What makes of a batch what `write` takes, in any thread or process."""

    def __call__(self, batch: pa.RecordBatch, /) -> Any: ...


class WholeFile:
    """A file that is there wholly or not at all."""

    encode: Encode = staticmethod(as_it_is)

    def __init__(self, path: Path) -> None:
        """Make the file under another name, in the same folder. Raises Unavailable."""
        self.path = path
        self.row_count = 0
        self._part = path.with_name(f".{path.name}.{os.getpid()}.{random.randrange(16**6):06x}.part")
        try:
            self._opened = open(self._part, "xb")  # noqa: SIM115
        except OSError as error:
            raise Unavailable(f"{path}: {error.strerror}") from None

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return str(self.path)

    def write(self, encoded: Any, row_count: int) -> None:
        """Write rows that were encoded. Raises Unavailable when the disk is full."""
        try:
            self._write(encoded)
        except OSError as error:
            raise Unavailable(f"{self.path}: {_reason(error)}") from None
        self.row_count += row_count

    def close(self) -> None:
        """Bring the whole file to the disk, still under its other name. Raises Unavailable."""
        if self._opened.closed:
            return
        try:
            self._finish()
            self._opened.flush()
            os.fsync(self._opened.fileno())
            self._opened.close()
        except OSError as error:
            raise Unavailable(f"{self.path}: {_reason(error)}") from None

    def commit(self) -> None:
        """Give the file its name, and whatever had it before is gone. Raises Unavailable."""
        self.close()
        try:
            os.replace(self._part, self.path)
        except OSError as error:
            raise Unavailable(f"{self.path}: {_reason(error)}") from None

    def abandon(self) -> None:
        """Remove what was written, unless it has been committed."""
        with suppress(OSError, pa.ArrowException):
            self._opened.close()
        with suppress(OSError):
            self._part.unlink()

    def _write(self, encoded: Any) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        """Write what stands at the end of the file."""


class CsvFile(WholeFile):
    """A CSV file with a header, packed or not."""

    def __init__(self, path: Path, schema: pa.Schema, delimiter: str = ",", codec: str | None = None) -> None:
        super().__init__(path)
        self.encode = encode = CsvEncoder(delimiter, codec)
        header = delimiter.join(_quoted(name, delimiter) for name in schema.names).encode() + b"\n"
        self.write(header if codec is None else encode.packed(header), 0)

    def _write(self, encoded: Any) -> None:
        self._opened.write(encoded)


def _quoted(name: str, delimiter: str) -> str:
    if any(character in name for character in (delimiter, '"', "\n", "\r")):
        return '"' + name.replace('"', '""') + '"'
    return name


class _ColumnFile(WholeFile):
    """A file that Arrow writes by itself, without the interpreter, which the threads that rate need meanwhile.

    Once it is written it holds no memory: a folder may have many.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._sink: pa.NativeFile | None = pa.output_stream(str(self._part), compression=None, buffer_size=BUFFER_SIZE)
        self._writer: Any = None

    def _finish(self) -> None:
        assert self._sink is not None
        self._writer.close()
        self._sink.close()
        self._writer = self._sink = None

    def abandon(self) -> None:
        if self._sink is not None:
            with suppress(OSError, pa.ArrowException):
                self._sink.close()
        super().abandon()


class ArrowFile(_ColumnFile):
    """An Arrow file. Its texts are plain: a file of batches can hold one list of codes only."""

    encode = staticmethod(plain)

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        super().__init__(path)
        fields = [
            pa.field(field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
            for field in schema
        ]
        self._writer = pa.ipc.new_file(self._sink, pa.schema(fields))

    def _write(self, encoded: Any) -> None:
        self._writer.write_batch(encoded)


class ParquetFile(_ColumnFile):
    """A Parquet file, its columns coded and packed as its first rows suggest. Costs take 8 bytes.

    Whoever reads it finds texts, coded or not.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        super().__init__(path)
        self._schema = pa.schema([field.remove_metadata() for field in schema])
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_count = 0
        self._waiting_size = 0

    def _write(self, encoded: Any) -> None:
        self._waiting.append(encoded)
        self._waiting_count += encoded.num_rows
        self._waiting_size += encoded.nbytes
        if self._waiting_count >= GROUP_ROWS or self._waiting_size >= GROUP_SIZE:
            self._write_group()

    def _write_group(self) -> None:
        # A column whose list of codes changes within a group would be written out in full.
        table = pa.Table.from_batches(self._waiting, self._schema).unify_dictionaries()
        self._waiting, self._waiting_count, self._waiting_size = [], 0, 0
        if self._writer is None:
            layout = layout_of(table)
            self._writer = pq.ParquetWriter(
                self._sink,
                self._schema,
                use_dictionary=layout.coded,
                compression=layout.codecs,
                # Of texts they take as long as all else that is done to them, and no reader skips by them.
                write_statistics=[field.name for field in self._schema if not _is_text(field.type)],
                store_decimal_as_integer=True,
                store_schema=False,
            )
            told = base64.b64encode(plain_schema(self._schema).serialize()).decode()
            self._writer.add_key_value_metadata({"ARROW:schema": told})
        self._writer.write_table(table, row_group_size=GROUP_ROWS)

    def _finish(self) -> None:
        if self._waiting or self._writer is None:
            self._write_group()
        super()._finish()


def _reason(error: OSError) -> str:
    """Return what the system says; Arrow says more, and not in a sentence."""
    return os.strerror(error.errno) if error.errno else str(error)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind) or kind == pa.string())
