"""Tables of SQLite and PostgreSQL as sources: those of other programs, and the server's own `cdrs`.

Rules: a table is read in one transaction, so as it was at one moment; nothing is written. Numbers keep their type, all
else is text as the database shows it: amounts exactly, instants in UTC. The text of a password is in no message.
Does not know: fields of CDRs.
"""

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from cgrcore.errors import BadRequest, NotFound, Unavailable
from cgrserver.rerating.csvfiles import CsvPiece
from cgrserver.rerating.mapping import CsvLayout
from cgrserver.rerating.pieces import CHUNK_SIZE, BatchPiece, Piece

__all__ = ["POSTGRES_TYPE", "PostgresSource", "SqliteSource", "postgres_told", "quoted"]

#: Where a column's metadata keeps the type that it has in PostgreSQL.
POSTGRES_TYPE = b"postgres_type"

CONNECT_TIMEOUT_S = 5

#: How long a statement waits for another process that holds the file.
BUSY_TIMEOUT_S = 5.0

#: What a row of a table counts for in bytes, beside files.
_ROW_SIZE = 150

#: Rows of SQLite are Python's objects first, which take ten times the room.
_FETCH_ROWS = 32_768

_SQLITE_TYPES = (("INT", pa.int64()), ("REAL", pa.float64()), ("FLOA", pa.float64()), ("DOUB", pa.float64()))
_POSTGRES_TYPES = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
}


def quoted(name: str) -> str:
    """Return a name as both databases read it, whatever characters it has; a schema before it by a dot."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


class SqliteSource:
    """A table or view of an SQLite file."""

    def __init__(self, path: Path, table: str) -> None:
        """Look at the table. Raises NotFound, BadRequest for what is no database, Unavailable."""
        self.name = f"{path}: table {table}"
        self._path = path
        self._table = table
        with self._open() as connection:
            columns = connection.execute(f"PRAGMA table_info({quoted(table)})").fetchall()
            if not columns:
                raise NotFound(f"{path}: there is no table {table!r}; there are {_tables_told(connection)}")
            self.row_count: int = connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0]
        self.size = self.row_count * _ROW_SIZE
        self.schema = pa.schema([pa.field(name, _sqlite_type(declared)) for _, name, declared, *_ in columns])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            uri = f"file:{self._path.resolve().as_posix().replace('%', '%25').replace('?', '%3f').replace('#', '%23')}"
            with closing(sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
                connection.execute("PRAGMA query_only=1")
                yield connection
        except sqlite3.DatabaseError as error:
            kind = Unavailable if isinstance(error, sqlite3.OperationalError) else BadRequest
            raise kind(f"{self._path}: {error}") from None

    def pieces(self) -> Iterator[Piece]:
        """Give the rows in the order of the table. Raises BadRequest where the file is damaged, Unavailable."""
        first = 1
        columns = ", ".join('"' + name.replace('"', '""') + '"' for name in self.schema.names)
        with self._open() as connection:
            cursor = connection.execute(f"SELECT {columns} FROM {quoted(self._table)}")
            while rows := cursor.fetchmany(_FETCH_ROWS):
                unreadable: dict[int, str] = {}
                arrays = [
                    _array(values, field, unreadable)
                    for values, field in zip(zip(*rows, strict=True), self.schema, strict=True)
                ]
                batch = pa.RecordBatch.from_arrays(arrays, names=self.schema.names)
                yield BatchPiece(self.name, (first + len(rows)) / (self.row_count + 1), first, batch, unreadable)
                first += len(rows)


def _sqlite_type(declared: str) -> pa.DataType:
    """Return what a column declared so holds, as SQLite's rules of affinity say. Amounts are texts."""
    upper = declared.upper()
    return next((kind for word, kind in _SQLITE_TYPES if word in upper), pa.string())


def _array(values: Sequence[Any], field: pa.Field, unreadable: dict[int, str]) -> pa.Array:
    """Return a column; what its type cannot hold, since SQLite lets any row hold anything, is noted and left out."""
    try:
        return pa.array(values, field.type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    if field.type == pa.string():
        return pa.array([None if value is None else _text(value) for value in values], pa.string())
    kept: list[Any] = []
    for row, value in enumerate(values):
        is_fitting = value is None or (isinstance(value, int | float) and field.type == pa.float64())
        is_fitting = is_fitting or (isinstance(value, int) and -(2**63) <= value < 2**63)
        kept.append(value if is_fitting else None)
        if not is_fitting:
            unreadable.setdefault(row, f"INVALID_VALUE: {field.name}: {_text(value)[:200]!r} is no number")
    return pa.array(kept, field.type)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)


def _tables_told(connection: sqlite3.Connection) -> str:
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()
    return ", ".join(name for (name,) in found[:20]) or "none"


class PostgresSource:
    """A table or view of a PostgreSQL database. `conninfo` is a URL or what libpq takes."""

    def __init__(self, conninfo: str, table: str) -> None:
        """Look at the table. Raises NotFound, Unavailable."""
        self.name = f"PostgreSQL: table {table}"
        self._conninfo = conninfo
        self._table = table
        with self._connect() as connection:
            oid = connection.execute("SELECT to_regclass(%s)::oid", [quoted(table)]).fetchone()[0]
            if oid is None:
                raise NotFound(f"PostgreSQL: there is no table {table!r}")
            columns = connection.execute(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
                " WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                [oid],
            ).fetchall()
            found = connection.execute("SELECT reltuples FROM pg_class WHERE oid = %s", [oid]).fetchone()[0]
        self.row_count: int | None = None
        self._estimate = max(1, int(found))
        self.size = self._estimate * _ROW_SIZE
        self.schema = pa.schema(
            [pa.field(name, _postgres_type(kind), metadata={POSTGRES_TYPE: kind}) for name, kind in columns]
        )

    @contextmanager
    def _connect(self) -> Iterator[Any]:
        with postgres_told():
            import psycopg

            connection: Any = psycopg.connect(self._conninfo, connect_timeout=CONNECT_TIMEOUT_S)
            with connection:
                connection.read_only = True
                connection.execute("SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex'")
                yield connection

    def pieces(self) -> Iterator[Piece]:
        """Give the rows as the server sends them. Raises Unavailable."""
        names = tuple(self.schema.names)
        kinds = {field.name: field.type for field in self.schema if field.type != pa.string()}
        columns = ", ".join(map(quoted, names))
        first, done_count = 1, 0
        with self._connect() as connection, connection.cursor() as cursor:
            select = f"COPY (SELECT {columns} FROM {quoted(self._table)}) TO STDOUT (FORMAT csv)"
            with cursor.copy(select) as copy:
                for content, count in _gathered(copy):
                    done_count += count
                    done = done_count / max(done_count + 1, self._estimate)
                    yield CsvPiece(self.name, done, first, content, names, CsvLayout(), kinds, has_nulls=True)
                    first += count


def _gathered(copy: Any) -> Iterator[tuple[bytes, int]]:
    """Give the rows of a COPY in parts of about CHUNK_SIZE bytes: their text, and how many rows it is."""
    rows: list[bytes] = []
    size = 0
    for row in copy:  # libpq gives one row at a time
        rows.append(bytes(row))
        size += len(rows[-1])
        if size >= CHUNK_SIZE:
            yield b"".join(rows), len(rows)
            rows, size = [], 0
    if rows:
        yield b"".join(rows), len(rows)


def _postgres_type(kind: str) -> pa.DataType:
    if kind.startswith("numeric("):
        precision, _, scale = kind[8:-1].partition(",")
        if int(precision) <= 38 and 0 <= int(scale or 0) <= int(precision):
            return pa.decimal128(int(precision), int(scale or 0))
    return _POSTGRES_TYPES.get(kind, pa.string())


@contextmanager
def postgres_told() -> Iterator[None]:
    """Turn what psycopg raises into one sentence. Raises Unavailable."""
    try:
        import psycopg
    except ImportError:
        raise Unavailable("PostgreSQL needs psycopg: pip install 'cgrcore[postgres]'") from None
    try:
        yield
    except psycopg.Error as error:
        lines = str(error).strip().splitlines()
        raise Unavailable(f"PostgreSQL: {lines[0] if lines else type(error).__name__}") from None
