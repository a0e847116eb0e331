"""How the columns of a Parquet file are coded and packed: chosen by a sample of its first rows.

Rules: what repeats itself is coded, texts and numbers alike, which takes little time and saves most; what is coded is
not packed as well; anything else is packed only where that saves a lot, since packing digits takes longer than all else
that is done to a row. Does not know: what columns mean.
"""

from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["Layout", "layout_of"]

#: Rows that are looked at.
_SAMPLE_ROWS = 4096

#: So many different values among them make a column worth coding: numbers cost less to look up than texts. Seven
#: eighths are what 16,000 different ones, all as frequent, come to.
_MOST_NUMBERS = _SAMPLE_ROWS * 7 // 8
_MOST_TEXTS = _SAMPLE_ROWS // 4

#: A column is packed when no more than this is left of it.
_MOST_LEFT = 0.4

_CODEC = "snappy"


class Layout(NamedTuple):
    """What a Parquet file's writer is told. `coded` are columns, `codecs` how each is packed, by its path, or all."""

    coded: list[str]
    codecs: dict[str, str] | str


def layout_of(rows: pa.Table) -> Layout:
    """Return how to lay out a file that begins with these rows. A small one is not worth a look: all is packed."""
    if rows.num_rows < _SAMPLE_ROWS:
        return Layout([field.name for field in rows.schema if not pa.types.is_nested(field.type)], _CODEC)
    coded = [name for name, column in zip(rows.schema.names, rows.columns, strict=True) if _repeats(column)]
    found: list[pq.FileMetaData] = []
    sample = rows.slice(0, _SAMPLE_ROWS)
    pq.write_table(sample, pa.BufferOutputStream(), compression=_CODEC, use_dictionary=False, metadata_collector=found)
    codecs = {}
    for group in (found[0].row_group(place) for place in range(found[0].num_row_groups)):
        for column in (group.column(place) for place in range(group.num_columns)):
            path = column.path_in_schema
            left = column.total_compressed_size / max(1, column.total_uncompressed_size)
            codecs[path] = _CODEC if left <= _MOST_LEFT and path not in coded else "none"
    return Layout(coded, codecs)


def _repeats(column: pa.ChunkedArray) -> bool:
    """Tell whether a column repeats itself: coding one that does not costs time for nothing.

    The rows that are looked at lie all over the column, as those in order of time differ less from their neighbours.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return True
    if pa.types.is_nested(kind) or pa.types.is_boolean(kind):
        return False
    places = [place * len(column) // _SAMPLE_ROWS for place in range(_SAMPLE_ROWS)]
    most = _MOST_TEXTS if pa.types.is_string(kind) or pa.types.is_binary(kind) else _MOST_NUMBERS
    return len(column.take(pa.array(places, pa.int64())).unique()) <= most
