"""What is to be rerated, from the command line to pieces: files, folders of files, tables of databases.

Rules: what a file is, its first bytes say, and its name where these do not; all sources together have the columns of
each, so that nothing is dropped; a folder is read in order of names, and what in it is no file of CDRs is told. Does
not know: how a format is read, tariffs.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from cgrcore.errors import BadRequest, NotFound, Unavailable
from cgrserver.rerating.columnar import ArrowSource, ParquetSource
from cgrserver.rerating.csvfiles import CsvSource
from cgrserver.rerating.databases import PostgresSource, SqliteSource
from cgrserver.rerating.fields import KEYS
from cgrserver.rerating.mapping import FIELDS, Mapping
from cgrserver.rerating.pieces import Piece, Source

__all__ = ["FORMATS", "Inputs", "format_of", "is_postgres", "open_inputs"]

#: Formats by how a file's name ends.
FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
}

#: How files are packed, by how their name ends, and as Arrow calls it.
CODECS = {".gz": "gzip", ".zst": "zstd"}

_MAGIC = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),
    (b"SQLite format 3\0", "sqlite"),
)
_PACKED = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))

_POSTGRES = re.compile(r"postgres(ql)?://|(\w+=('[^']*'|\S*)\s*)+$")

#: What a folder holds besides CDRs: hidden files, and what rerating itself leaves there.
_SKIPPED = (".", "_")


class Inputs(NamedTuple):
    """All sources; `schema` has the columns of each. `skipped` are files of folders that hold no CDRs."""

    sources: tuple[Source, ...]
    schema: pa.Schema
    skipped: tuple[Path, ...]

    @property
    def size(self) -> int:
        """What all of it weighs, in bytes of files."""
        return sum(source.size for source in self.sources)

    def pieces(self) -> Iterator[tuple[Piece, float]]:
        """Give all pieces in order, and how much of the whole, from 0 to 1, is behind each."""
        whole, before = max(1, self.size), 0
        for source in self.sources:
            for piece in source.pieces():
                yield piece, (before + piece.done * source.size) / whole
            before += source.size


def is_postgres(place: str) -> bool:
    """Tell whether a place is a database: a URL, or libpq's `host=... dbname=...`."""
    return _POSTGRES.match(place) is not None and not Path(place).exists()


def format_of(path: Path) -> tuple[str, str | None]:
    """Return the format that a name ends with, "" for none that is known, and how it is packed."""
    codec = CODECS.get(path.suffix.lower())
    name = Path(path.stem) if codec else path
    return FORMATS.get(name.suffix.lower(), ""), codec


def open_inputs(places: Sequence[str], mapping: Mapping, table: str = "cdrs") -> Inputs:
    """Return the sources that files, folders and databases are; `table` is that of databases.

    Raises NotFound, Unavailable, BadRequest for what is no CDRs or does not go together.
    """
    sources: list[Source] = []
    skipped: list[Path] = []
    for place in places:
        if is_postgres(place):
            sources.append(PostgresSource(place, table))
            continue
        path = Path(place)
        if path.is_dir():
            for found in sorted(path.rglob("*")):
                if found.is_dir():
                    continue
                if format_of(found)[0] and not found.name.startswith(_SKIPPED):
                    sources.append(_open(found, mapping, table))
                else:
                    skipped.append(found)
        elif path.exists():
            sources.append(_open(path, mapping, table))
        else:
            raise NotFound(f"{place}: no such file")
    if not sources:
        raise NotFound(f"{', '.join(places)}: no files of CDRs in this folder")
    return Inputs(tuple(sources), _union(sources), tuple(skipped))


def _open(path: Path, mapping: Mapping, table: str) -> Source:
    kind, codec = _kind(path)
    if codec is not None and kind not in ("", "csv"):
        raise BadRequest(f"{path}: only CSV is read packed; {kind} packs by itself")
    if kind == "parquet":
        return ParquetSource(path, lambda names: _key_columns(names, mapping))
    if kind == "arrow":
        return ArrowSource(path)
    if kind == "sqlite":
        return SqliteSource(path, table)
    layout = mapping.csv
    if ".tsv" in path.suffixes and layout.delimiter == ",":
        layout = type(layout)("\t", layout.quote, layout.header, layout.columns, layout.encoding)
    return CsvSource(path, layout, codec)


def _kind(path: Path) -> tuple[str, str | None]:
    """Return a file's format and how it is packed. Raises BadRequest when its name and its bytes contradict."""
    try:
        with path.open("rb") as opened:
            head = opened.read(16)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from None
    named, named_codec = format_of(path)
    codec = next((codec for magic, codec in _PACKED if head.startswith(magic)), None)
    if named_codec and codec != named_codec:
        raise BadRequest(f"{path}: the name ends in {path.suffix}, and it is not packed with {named_codec}")
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
    if named in ("parquet", "arrow", "sqlite") and codec is None and kind != named:
        raise BadRequest(f"{path}: the name ends in {path.suffix}, and it is no {named} file")
    return kind or named, codec


def _key_columns(names: Collection[str], mapping: Mapping) -> set[str]:
    wanted = {name for field in KEYS for name in (mapping.columns.get(field), *FIELDS[field])}
    return {name for name in names if name in wanted}


def _union(sources: Sequence[Source]) -> pa.Schema:
    """Return the columns of all sources, in order of appearance. Raises BadRequest for types that clash."""
    fields: dict[str, pa.Field] = {}
    of: dict[str, str] = {}
    for source in sources:
        for field in source.schema:
            before = fields.get(field.name)
            if before is None or pa.types.is_null(before.type):
                fields[field.name] = field
                of[field.name] = source.name
            elif before.type != field.type and not pa.types.is_null(field.type):
                try:
                    kind = pa.unify_schemas(
                        [pa.schema([before.remove_metadata()]), pa.schema([field.remove_metadata()])],
                        promote_options="permissive",
                    )
                except pa.ArrowException:
                    raise BadRequest(
                        f"{source.name}: column {field.name} holds {field.type}, and {before.type} in {of[field.name]}"
                    ) from None
                fields[field.name] = kind.field(0)
    return pa.schema(list(fields.values()))
