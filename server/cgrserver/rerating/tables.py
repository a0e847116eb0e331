"""Tables of SQLite and PostgreSQL that are filled with rated rows in one transaction.

Rules: a table that is there already is never touched, and neither is the file of a server's own store. Columns that
came from a database keep the type they had; amounts are exact. Does not know: what columns mean.
"""

import os
import random
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa

from cgrcore.errors import Conflict, Unavailable
from cgrserver.rerating.databases import BUSY_TIMEOUT_S, CONNECT_TIMEOUT_S, POSTGRES_TYPE, postgres_told, quoted
from cgrserver.rerating.encoding import CsvEncoder, plain, writable
from cgrserver.rerating.files import Encode

__all__ = ["PostgresTable", "SqliteTable"]


class SqliteTable:
    """A new table of an SQLite file, old or new."""

    encode: Encode = staticmethod(plain)

    def __init__(self, path: Path, table: str, schema: pa.Schema, owner: "SqliteTable | None" = None) -> None:
        """Make the table. Raises Conflict when it is there or the file is a server's store, Unavailable."""
        self.name = f"{path}: table {table}"
        self.row_count = 0
        self._path = path
        self._is_owner = owner is None
        self._connection: sqlite3.Connection = self._open() if owner is None else owner._connection
        try:
            if owner is None:
                self._connection.execute("BEGIN IMMEDIATE")
            if self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
                raise Conflict(f"{path}: there is a table {table!r} already; drop it, or name another")
            if self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone():
                raise Conflict(f"{path}: this is a server's store; name another file")
            columns = ", ".join(f"{quoted_name(field.name)} {_sqlite_type(field)}" for field in schema)
            self._connection.execute(f"CREATE TABLE {quoted(table)} ({columns})")
        except sqlite3.DatabaseError as error:
            self.abandon()
            raise Unavailable(f"{path}: {error}") from None
        except Conflict:
            self.abandon()
            raise
        self._insert = f"INSERT INTO {quoted(table)} VALUES ({', '.join('?' * len(schema))})"

    def beside(self, table: str, schema: pa.Schema) -> "SqliteTable":
        """Return a second table, in the same transaction, which this one commits. Raises as making it does."""
        return SqliteTable(self._path, table, schema, owner=self)

    def _open(self) -> sqlite3.Connection:
        self._part = self._path
        if not self._path.exists():
            self._part = self._path.with_name(f".{self._path.name}.{os.getpid()}.{random.randrange(16**6):06x}.part")
        try:
            return sqlite3.connect(self._part, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        except sqlite3.Error as error:
            raise Unavailable(f"{self._path}: {error}") from None

    def write(self, encoded: Any, row_count: int) -> None:
        """Insert rows. Raises Unavailable."""
        columns = [_values(column) for column in writable(encoded).columns]
        try:
            self._connection.executemany(self._insert, zip(*columns, strict=True))
        except sqlite3.Error as error:
            raise Unavailable(f"{self.name}: {error}") from None
        self.row_count += row_count

    def close(self) -> None:
        """Leave all to `commit`."""

    def commit(self) -> None:
        """Keep what was written, of all tables of the file. Raises Unavailable."""
        if not self._is_owner:
            return
        try:
            self._connection.execute("COMMIT")
            self._connection.close()
            if self._part != self._path:
                os.replace(self._part, self._path)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"{self.name}: {error}") from None

    def abandon(self) -> None:
        """Undo what was not committed."""
        if not self._is_owner:
            return
        self._connection.close()
        if self._part != self._path:
            for path in (self._part, self._part.with_name(f"{self._part.name}-journal")):
                path.unlink(missing_ok=True)


def quoted_name(name: str) -> str:
    """Return the name of a column, dots and all."""
    return '"' + name.replace('"', '""') + '"'


def _values(column: pa.Array) -> list[Any]:
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        column = column.cast(pa.string())
    values: list[Any] = column.to_pylist()
    return values


def _sqlite_type(field: pa.Field) -> str:
    if pa.types.is_integer(field.type) or pa.types.is_boolean(field.type) or pa.types.is_duration(field.type):
        return "INTEGER"
    return "REAL" if pa.types.is_floating(field.type) else "TEXT"


class PostgresTable:
    """A new table of a PostgreSQL database."""

    encode: Encode = CsvEncoder(has_nulls=True)

    def __init__(self, conninfo: str, table: str, schema: pa.Schema, owner: "PostgresTable | None" = None) -> None:
        """Make the table. Raises Conflict when it is there, Unavailable."""
        self.name = f"PostgreSQL: table {table}"
        self.row_count = 0
        self._is_owner = owner is None
        with postgres_told():
            import psycopg

            self._connection: Any = (
                psycopg.connect(conninfo, connect_timeout=CONNECT_TIMEOUT_S) if owner is None else owner._connection
            )
            found = self._connection.execute("SELECT to_regclass(%s)", [quoted(table)]).fetchone()
            if found is not None and found[0] is not None:
                raise Conflict(f"PostgreSQL: there is a table {table!r} already; drop it, or name another")
            columns = ", ".join(f"{quoted_name(field.name)} {_postgres_type(field)}" for field in schema)
            self._connection.execute(f"CREATE TABLE {quoted(table)} ({columns})")
        self._conninfo = conninfo
        self._copy = f"COPY {quoted(table)} FROM STDIN (FORMAT csv)"

    def beside(self, table: str, schema: pa.Schema) -> "PostgresTable":
        """Return a second table, in the same transaction, which this one commits. Raises as making it does."""
        return PostgresTable(self._conninfo, table, schema, owner=self)

    def write(self, encoded: Any, row_count: int) -> None:
        """Copy rows in. Raises Unavailable."""
        if not row_count:
            return
        with postgres_told(), self._connection.cursor() as cursor, cursor.copy(self._copy) as copy:
            copy.write(memoryview(encoded).tobytes())
        self.row_count += row_count

    def close(self) -> None:
        """Leave all to `commit`."""

    def commit(self) -> None:
        """Keep what was written, of all tables of the transaction. Raises Unavailable."""
        if self._is_owner:
            with postgres_told():
                self._connection.commit()
                self._connection.close()

    def abandon(self) -> None:
        """Undo what was not committed."""
        if self._is_owner:
            self._connection.close()


#: Types by what tells an Arrow type.
_POSTGRES_TYPES = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "bigint"),
    (pa.types.is_duration, "bigint"),
    (pa.types.is_floating, "double precision"),
    (pa.types.is_timestamp, "timestamp"),
    (pa.types.is_date, "date"),
    (pa.types.is_binary, "bytea"),
    (pa.types.is_large_binary, "bytea"),
)

#: Types of PostgreSQL that the text of a column is taken back as.
_KEPT = ("text", "character", "numeric", "timestamp", "date", "time", "json", "uuid", "bytea", "inet", "interval")
_KEPT_NUMBERS = ("smallint", "integer", "bigint", "real", "double", "boolean")


def _postgres_type(field: pa.Field) -> str:
    """Return the type a column had in PostgreSQL, or one that holds what it has."""
    was: str = (field.metadata or {}).get(POSTGRES_TYPE, b"").decode()
    if was.startswith((*_KEPT, *_KEPT_NUMBERS)):
        return was
    kind = field.type
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision}, {kind.scale})"
    return next((name for tells, name in _POSTGRES_TYPES if tells(kind)), "text")
