"""Rated rows as the bytes of a format, made by whoever rated them.

Rules: an encoder can be sent to another process; it is the same for every batch. Texts are put in quotes only where a
batch has one that needs it. Does not know: files.
"""

from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.csv as pc

__all__ = ["CsvEncoder", "as_it_is", "plain", "plain_array", "plain_schema", "unwritable", "writable"]

#: Amounts of less than this are written with an exponent when they have more digits behind the point.
_SMALL = Decimal("0.000001")
_PLAIN_SCALE = 6


class CsvEncoder(NamedTuple):
    """Lines of CSV, packed or not: parts of a gzip or zstd file may stand behind each other.

    `has_nulls` keeps values that are none apart from empty texts, by quotes.
    """

    delimiter: str = ","
    codec: str | None = None
    has_nulls: bool = False

    def __call__(self, batch: pa.RecordBatch) -> bytes | pa.Buffer:
        batch = writable(plain(batch))
        lines = None if self.has_nulls else self._lines(batch, "none")
        if lines is None:
            lines = self._lines(batch, "needed")
        assert lines is not None
        return lines if self.codec is None else self.packed(lines)

    def _lines(self, batch: pa.RecordBatch, quoting: str) -> pa.Buffer | None:
        sink = pa.BufferOutputStream()
        options = pc.WriteOptions(include_header=False, delimiter=self.delimiter, quoting_style=quoting)
        try:
            pc.write_csv(batch, sink, options)
        except pa.ArrowInvalid:
            if quoting == "none":  # a text has a quote, a delimiter or an end of line
                return None
            raise
        return sink.getvalue()

    def packed(self, content: Any) -> pa.Buffer:
        """Return bytes as a part of the file."""
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, self.codec) as packing:
            packing.write(content)
        return sink.getvalue()


def as_it_is(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch."""
    return batch


def plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose coded texts are plain ones."""
    return pa.RecordBatch.from_arrays([plain_array(column) for column in batch.columns], names=batch.schema.names)


def plain_array(column: pa.Array) -> pa.Array:
    """Return a column, its texts plain where they are coded."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return a schema whose texts are all `string`, coded or not."""
    fields = []
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            kind = pa.string()
        fields.append(pa.field(field.name, kind, metadata=field.metadata))
    return pa.schema(fields)


def writable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch in types that CSV and tables have: bytes as PostgreSQL writes them, durations as numbers of ns."""
    columns = []
    for column in batch.columns:
        if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            values = column.to_pylist()
            column = pa.array([None if value is None else "\\x" + value.hex() for value in values], pa.string())
        elif pa.types.is_duration(column.type):
            column = column.cast(pa.duration("ns")).cast(pa.int64())
        elif pa.types.is_decimal128(column.type):
            column = _without_exponents(column)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _without_exponents(column: pa.Array) -> pa.Array:
    """Return a column of amounts as texts where Arrow would write an exponent: 0E-9 for nothing, 1E-7."""
    scale = column.type.scale
    if scale <= _PLAIN_SCALE:
        return column
    if column.type.precision < scale:
        column = column.cast(pa.decimal128(38, scale))
    is_small = compute.less(compute.abs(column), pa.scalar(_SMALL, column.type))
    if not compute.any(is_small).as_py():
        return column
    small = column.filter(is_small).dictionary_encode()
    names = pa.array([f"{value:.{scale}f}" for value in small.dictionary.to_pylist()], pa.string())
    return compute.replace_with_mask(
        column.cast(pa.string()), compute.fill_null(is_small, False), names.take(small.indices)
    )


def unwritable(schema: pa.Schema) -> str:
    """Return a sentence on a column that no CSV file or table can have, "" when there is none."""
    for field in schema:
        if pa.types.is_nested(field.type):
            return f"column {field.name} holds {field.type}, which only Parquet and Arrow files can"
    return ""
