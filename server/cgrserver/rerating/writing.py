"""Where rated rows go: a file of any format that is read, a folder of such files, a table.

Rules: what is there already stays as it is until all is written; leaving without `commit` leaves nothing. Rows that
could not be rated go to a place of their own too. A folder gets one file for each source. Does not know: tariffs, what
columns mean.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

from cgrcore.errors import BadRequest, Unavailable
from cgrserver.rerating.encoding import unwritable
from cgrserver.rerating.files import ArrowFile, CsvFile, Encode, ParquetFile, WholeFile
from cgrserver.rerating.reading import CODECS, FORMATS, format_of, is_postgres
from cgrserver.rerating.tables import PostgresTable, SqliteTable

__all__ = ["REJECTED_TABLE", "Output", "Places", "open_output"]

#: What the place of rows that could not be rated is called: behind the name of a table, or before a file's suffix.
REJECTED_TABLE = "_rejected"
_REJECTED_FILE = ".rejected"


class Places(NamedTuple):
    """Where the output goes. `output` and `rejected` are files or databases, "" for beside the output.

    `table` is the table of a database, `suffix` what the files of a folder end in, "" for as those of the input do.
    """

    output: str
    rejected: str = ""
    table: str = "cdrs_rerated"
    suffix: str = ""
    delimiter: str = ","


class _Target(Protocol):
    """A file or table that takes rows."""

    row_count: int

    @property
    def name(self) -> str: ...

    @property
    def encode(self) -> Encode: ...

    def write(self, encoded: Any, row_count: int) -> None: ...

    def close(self) -> None: ...

    def commit(self) -> None: ...

    def abandon(self) -> None: ...


class Output:
    """An output under way: rows, and those of them that could not be rated. To be left through `with`."""

    def __init__(self, rated: "_Target | _Folder", rejected: _Target) -> None:
        self._rated = rated
        self._rejected = rejected
        self.encode = rated.encode
        self.encode_rejected = rejected.encode
        self._is_committed = False

    @property
    def names(self) -> tuple[str, str]:
        """How both are called in messages."""
        return self._rated.name, self._rejected.name

    @property
    def row_counts(self) -> tuple[int, int]:
        """How many rows each has."""
        return self._rated.row_count, self._rejected.row_count

    def write(self, source: str, encoded: Any, row_count: int) -> None:
        """Write rows of a source, in order. Raises Unavailable."""
        if isinstance(self._rated, _Folder):
            self._rated.turn_to(source)
        self._rated.write(encoded, row_count)

    def write_rejected(self, encoded: Any, row_count: int) -> None:
        """Write rows that could not be rated. Raises Unavailable."""
        self._rejected.write(encoded, row_count)

    def commit(self) -> None:
        """Let the output be there. Raises Unavailable."""
        for target in (self._rejected, self._rated):
            target.close()  # what does not fit on the disk is known before either is there
        for target in (self._rejected, self._rated):
            target.commit()
        self._is_committed = True

    def __enter__(self) -> "Output":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_committed:
            self._rejected.abandon()
            self._rated.abandon()


class _Folder:
    """A folder that gets one file for each source."""

    def __init__(self, folder: Path, schema: pa.Schema, places: Places, sources: Sequence[str]) -> None:
        self.name = f"{folder}/"
        self._schema = schema
        self._delimiter = places.delimiter
        self._paths = {name: folder / path for name, path in _relative(sources, places.suffix).items()}
        if len(set(self._paths.values())) != len(sources):
            raise BadRequest(f"{folder}/: two files of the input would have the same name here")
        kinds = {format_of(path) for path in self._paths.values()}
        if len(kinds) != 1 or {kind for kind, _ in kinds} & {"", "sqlite"}:
            raise BadRequest(
                f"{folder}/: name the files' format by --output-format: csv, csv.gz, csv.zst, parquet or arrow"
            )
        self._files: list[WholeFile] = []
        self._done: set[str] = set()
        self._source = ""
        self._turn(next(iter(sources)))
        self.encode = self._files[0].encode

    @property
    def suffix(self) -> str:
        """What its files' names end in."""
        path = self._files[0].path
        return "".join(path.suffixes[-2:] if format_of(path)[1] else path.suffixes[-1:])

    @property
    def row_count(self) -> int:
        return sum(file.row_count for file in self._files)

    def turn_to(self, source: str) -> None:
        """Go on with the file of a source."""
        if source != self._source:
            self._files[-1].close()
            self._turn(source)

    def _turn(self, source: str) -> None:
        self._source = source
        self._done.add(source)
        path = self._paths[source]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"{path.parent}: {error.strerror}") from None
        self._files.append(_file(path, self._schema, self._delimiter))

    def write(self, encoded: Any, row_count: int) -> None:
        self._files[-1].write(encoded, row_count)

    def close(self) -> None:
        for source in self._paths:
            if source not in self._done:  # it had no rows
                self.turn_to(source)
        for file in self._files:
            file.close()

    def commit(self) -> None:
        for file in self._files:
            file.commit()

    def abandon(self) -> None:
        for file in self._files:
            file.abandon()


def open_output(places: Places, schema: pa.Schema, rejected_schema: pa.Schema, sources: Sequence[str] = ()) -> Output:
    """Return the output with its columns; `sources` are the names of what is read.

    Raises BadRequest for a place that has no format or is one of the sources, or columns that its format cannot hold;
    Conflict for a table that is there; Unavailable.
    """
    is_folder = places.output.endswith(os.sep) or Path(places.output).is_dir()
    for place in (places.output, places.rejected):
        if place and Path(place).exists() and os.path.realpath(place) in {os.path.realpath(name) for name in sources}:
            raise BadRequest(f"{place}: this is read; write to another file")
    rated: _Target | _Folder
    if is_folder:
        rated = _Folder(Path(places.output), schema, places, sources)
        beside = str(Path(places.output) / f"{REJECTED_TABLE}{rated.suffix}")
    else:
        rated = _target(places.output, schema, places)
        beside = _beside(places.output)
    try:
        if places.rejected or beside:
            rejected = _target(places.rejected or beside, rejected_schema, places)
        else:
            table = places.table + REJECTED_TABLE
            assert isinstance(rated, SqliteTable | PostgresTable)
            rejected = rated.beside(table, rejected_schema)
    except BaseException:
        rated.abandon()
        raise
    return Output(rated, rejected)


def _beside(place: str) -> str:
    """Return the file beside one for rows that could not be rated, "" for a database."""
    if is_postgres(place):
        return ""
    path = Path(place)
    kind, codec = format_of(path)
    if kind == "sqlite":
        return ""
    count = 2 if codec else 1
    suffixes = "".join(path.suffixes[-count:])
    return str(path.with_name(path.name.removesuffix(suffixes) + _REJECTED_FILE + suffixes))


def _target(place: str, schema: pa.Schema, places: Places) -> _Target:
    if is_postgres(place):
        _check(place, schema)
        return PostgresTable(place, places.table, schema)
    path = Path(place)
    if format_of(path) == ("sqlite", None):
        _check(place, schema)
        return SqliteTable(path, places.table, schema)
    return _file(path, schema, places.delimiter)


def _check(place: str, schema: pa.Schema) -> None:
    mistake = unwritable(schema)
    if mistake:
        raise BadRequest(mistake if is_postgres(place) else f"{place}: {mistake}")


def _file(path: Path, schema: pa.Schema, delimiter: str) -> WholeFile:
    kind, codec = format_of(path)
    if kind == "csv":
        _check(str(path), schema)
        return CsvFile(path, schema, "\t" if ".tsv" in path.suffixes else delimiter, codec)
    if kind == "parquet" and codec is None:
        return ParquetFile(path, schema)
    if kind == "arrow" and codec is None:
        return ArrowFile(path, schema)
    known = ", ".join(FORMATS)
    raise BadRequest(f"{path}: the name must end in one of {known}; of CSV also with {' or '.join(CODECS)} behind it")


def _relative(sources: Sequence[str], suffix: str) -> dict[str, Path]:
    """Return what each source's file is called in a folder: the source's own path below the folder of all."""
    common = Path(os.path.commonpath([Path(name).parent for name in sources]))
    found = {}
    for name in sources:
        path = Path(name).relative_to(common)
        if suffix:
            stem = path.name
            while format_of(Path(stem))[0] or Path(stem).suffix in CODECS:
                stem = Path(stem).stem
            path = path.with_name(f"{stem}.{suffix.lstrip('.')}")
        found[name] = path
    return found
