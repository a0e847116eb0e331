"""The store in PostgreSQL, where several machines share one database.

Rules: a batch goes in as one statement per table, its columns as arrays, since a statement costs more than a row; the
connection that writes holds an advisory lock on the schema, so a second server finds it taken, and a server that lost
its connection can commit nothing more. Every call blocks and belongs in a thread (psycopg's async side needs asyncio).
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
import psycopg.conninfo
import psycopg.errors

from cgrcore.errors import Unavailable
from cgrcore.ports import Batch
from cgrserver.storage.cdr_sql import Dialect
from cgrserver.storage.gathering import ledger_row
from cgrserver.storage.migrations import migrate
from cgrserver.storage.queries import ACCOUNTS, SqlQueries
from cgrserver.storage.rows import (
    CDR_COLUMNS,
    LEDGER_COLUMNS,
    RECORD_TABLES,
    SESSION_COST_COLUMNS,
    cdr_row,
    session_cost_row,
)
from cgrserver.storage.tables import Codecs

__all__ = ["PostgresStore", "conninfo_of", "migrate_postgres"]

T = TypeVar("T")

CONNECT_TIMEOUT_S = 5

#: How long a connection that the network has swallowed is taken for alive; the system's own answer is two hours.
SILENCE: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 12_000,
}

#: Accounts that the server hands over at a time when all are read.
ACCOUNTS_AT_ONCE = 10_000

#: A statement that takes longer than this is stuck behind a lock somebody else holds.
STATEMENT_TIMEOUT_MS = 30_000

#: A NUL as JSON writes it, after the whole escapes before it.
_JSON_NUL = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")

LOCK = "SELECT pg_advisory_lock(hashtextextended('cgrcore.' || current_schema(), 0))"

#: PostgreSQL may take a moment to see that a process which was killed is gone, and holds its lock until then.
LOCK_WAIT_S = 5.0

#: The array types that columns are sent as; all others are text.
TYPES = {
    **dict.fromkeys(("at", "usage_ns", "setup_at", "answer_at", "created_at", "updated_at"), "bigint"),
    **dict.fromkeys(("setup_offset_s", "answer_offset_s"), "integer"),
    **dict.fromkeys(("before_value", "after_value", "amount", "cost"), "numeric"),
    **dict.fromkeys(("is_partial", "is_prerated"), "boolean"),
    **dict.fromkeys(("body", "cost_details"), "bytea"),
    "extra_fields": "jsonb",
}


def conninfo_of(section: Mapping[str, Any]) -> str:
    """Return how to connect as the configuration's `data_db` says. A host that is a path is a socket's folder."""
    given = {key: section.get(f"db_{key}") for key in ("host", "port", "user", "password")}
    return psycopg.conninfo.make_conninfo(
        dbname=section["db_name"], **{key: value for key, value in given.items() if value}
    )


class _ConnectionLost(Unavailable):
    """The connection broke, whatever was asked: a read may be tried on another."""


class PostgresDialect(Dialect):
    """PostgreSQL's ways of saying what SQLite's dialect says."""

    cost_key = "COALESCE(cost, -1)"
    among = "({column} = ANY({{}}::text[]))"
    among_costs = "(COALESCE(cost, -1) = ANY({}::text[]::numeric[]))"
    starts = "EXISTS (SELECT 1 FROM unnest({}::text[]) AS p WHERE starts_with(destination, p))"
    has_field = "jsonb_exists(extra_fields, {}::text)"
    has_value = "COALESCE(extra_fields ->> {}::text = {}::text, false)"
    no_limit = "ALL"
    account_ledger = "(SELECT * FROM ledger WHERE account_id = {})"

    def texts(self, values: Sequence[str]) -> Any:
        return list(values)


class PostgresStore(SqlQueries):
    """A store in the database and schema that `conninfo` leads to. Opening it locks it and updates its schema.

    Raises Unavailable when the server cannot be reached or another process serves from the schema.
    """

    def __init__(
        self, conninfo: str, codecs: Codecs, *, is_every_commit_synced: bool = True, lock_wait_s: float = LOCK_WAIT_S
    ) -> None:
        super().__init__(PostgresDialect(), codecs)
        self._conninfo = conninfo
        self._synchronous = "on" if is_every_commit_synced else "off"
        self._lock_wait_ms = int(lock_wait_s * 1000)
        self._readers: list[psycopg.Connection[Any]] = []
        self._readers_lock = threading.Lock()
        self._writer = self._open()
        try:
            migrate(lambda sql: _run(self._writer, sql), "postgres")
        except psycopg.Error as error:
            self._writer.close()
            raise _unavailable(error) from error

    def _open(self) -> psycopg.Connection[Any]:
        connection = _connect(self._conninfo)
        _take(connection, self._lock_wait_ms)
        connection.execute(f"SET synchronous_commit = {self._synchronous}")
        return connection

    def close(self) -> None:
        with self._readers_lock:
            while self._readers:
                self._readers.pop().close()
        self._writer.close()

    def reopen(self) -> None:
        self.close()
        self._writer = self._open()
        try:
            # A write proves that the server is no standby and its disk not full.
            self._writer.execute("UPDATE schema_version SET applied_at = applied_at")
        except psycopg.Error as error:
            raise _unavailable(error) from error

    def commit(self, batch: Batch) -> None:
        try:
            with self._writer.transaction():
                self._write(batch)
        except (psycopg.Error, OverflowError, UnicodeError) as error:
            raise _unavailable(error) from error

    def _write(self, batch: Batch) -> None:
        for name, touched in batch.records.items():
            self._write_records(name, touched)
        self._insert(_LEDGER_SQL, [ledger_row(line) for line in batch.ledger])
        self._insert(_CDR_SQL, [cdr_row(cdr, batch.at) for cdr in batch.cdrs])
        self._insert(_SESSION_COST_SQL, [session_cost_row(cost, batch.at) for cost in batch.session_costs])
        self._delete("cdrs", ("cgrid", "run_id"), batch.removed_cdrs)
        self._delete("session_costs", ("cgrid", "run_id"), batch.removed_session_costs)

    def _write_records(self, name: str, touched: list[tuple[str, bytes | None]]) -> None:
        sql_table = RECORD_TABLES.get(name)
        if sql_table is not None:
            self._insert(_RECORD_SQL[sql_table], [row for row in touched if row[1] is not None])
            self._delete(sql_table, ("id",), [(key,) for key, body in touched if body is None])
        else:
            self._insert(_DOCUMENT_SQL, [(name, key, body) for key, body in touched if body is not None])
            self._delete("documents", ("kind", "id"), [(name, key) for key, body in touched if body is None])

    def _insert(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            self._writer.execute(sql, [_array(column) for column in zip(*rows, strict=True)])

    def _delete(self, table: str, key: Sequence[str], keys: Sequence[Sequence[str]]) -> None:
        if keys:
            columns, arrays = ", ".join(key), ", ".join(["%s::text[]"] * len(key))
            sql = f"DELETE FROM {table} WHERE ({columns}) IN (SELECT * FROM unnest({arrays}))"
            self._writer.execute(sql, [_array(column) for column in zip(*keys, strict=True)])

    @contextmanager
    def _read(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection that writes nothing."""
        with self._readers_lock:
            connection = self._readers.pop() if self._readers else None
        if connection is None or connection.closed:
            connection = _connect(self._conninfo)
            connection.read_only = True
        try:
            with connection.transaction():
                yield connection
        except psycopg.Error as error:
            is_lost = connection.closed
            connection.close()
            if is_lost:
                raise _ConnectionLost(str(_unavailable(error))) from error
            raise _unavailable(error) from error
        except BaseException:
            connection.close()
            raise
        with self._readers_lock:
            self._readers.append(connection)

    def _account_rows(self, page: str) -> Iterator[tuple[str, bytes]]:
        """As SQLite's, some at a time: a result that came whole would be in memory twice."""
        with self._read() as connection, connection.cursor("accounts", binary=True) as cursor:
            cursor.itersize = ACCOUNTS_AT_ONCE
            yield from cursor.execute(f"{ACCOUNTS}{page}")

    def _rows(self, sql: str, parameters: Sequence[Any], make: Callable[[Sequence[Any]], T]) -> list[T]:
        given = [_clean(value) if isinstance(value, str) else value for value in parameters]

        def ask() -> list[T]:
            with self._read() as connection:
                return [make(row) for row in connection.execute(sql.replace("{}", "%s"), given)]

        try:
            return ask()
        except _ConnectionLost:  # it was cut while nobody used it, and so were the others: a new one may do
            with self._readers_lock:
                while self._readers:
                    self._readers.pop().close()
            return ask()


def migrate_postgres(conninfo: str, *, is_dry_run: bool) -> list[str]:
    """As `migrations.migrate`, on a schema that no server has. Raises Unavailable, Corrupt."""
    connection = _connect(conninfo)
    try:
        _take(connection, lock_wait_ms=1)
        return migrate(lambda sql: _run(connection, sql), "postgres", is_dry_run=is_dry_run)
    except psycopg.Error as error:
        raise _unavailable(error) from error
    finally:
        connection.close()


def _connect(conninfo: str) -> psycopg.Connection[Any]:
    try:
        connection = psycopg.connect(conninfo, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, **SILENCE)
        connection.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}")
    except psycopg.Error as error:
        raise _unavailable(error) from error
    return connection


def _take(connection: psycopg.Connection[Any], lock_wait_ms: int) -> None:
    """Lock the schema for this process, or close the connection and raise Unavailable."""
    try:
        connection.execute(f"SET lock_timeout = {lock_wait_ms}")
        connection.execute(LOCK)
    except psycopg.errors.LockNotAvailable:
        connection.close()
        raise Unavailable("another process serves from this PostgreSQL schema") from None
    except psycopg.Error as error:
        connection.close()
        raise _unavailable(error) from error


def _insert_sql(table: str, columns: Sequence[str], on_conflict: str = "") -> str:
    arrays = ", ".join(f"%s::{TYPES.get(column, 'text')}[]" for column in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({arrays}) {on_conflict}"


def _upsert_sql(table: str, key: Sequence[str], columns: Sequence[str], kept: Sequence[str] = ()) -> str:
    changed = [column for column in columns if column not in key and column not in kept]
    update = ", ".join(f"{column} = excluded.{column}" for column in changed)
    return _insert_sql(table, columns, f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {update}")


def _replace_sql(table: str, key: Sequence[str], columns: Sequence[str], kept: Sequence[str]) -> str:
    """As `_upsert_sql`, for a table in partitions, whose key no constraint can name. The only writer needs none."""
    arrays = ", ".join(f"%s::{TYPES.get(column, 'text')}[]" for column in columns)
    names = ", ".join(columns)
    changed = ", ".join(f"{column} = given.{column}" for column in columns if column not in key and column not in kept)
    same = " AND ".join(f"held.{column} = given.{column}" for column in key)
    held = ", ".join(f"held.{column}" for column in key)
    return f"""
        WITH given AS (SELECT * FROM unnest({arrays}) WITH ORDINALITY AS given ({names}, place)),
        held AS (UPDATE {table} AS held SET {changed} FROM given WHERE {same} RETURNING {held})
        INSERT INTO {table} ({names})
        SELECT {names} FROM given WHERE NOT EXISTS (SELECT 1 FROM held WHERE {same}) ORDER BY place
    """


_RECORD_SQL = {table: _upsert_sql(table, ("id",), ("id", "body")) for table in RECORD_TABLES.values()}
_DOCUMENT_SQL = _upsert_sql("documents", ("kind", "id"), ("kind", "id", "body"))
_LEDGER_SQL = _insert_sql("ledger", LEDGER_COLUMNS)
_CDR_SQL = _replace_sql("cdrs", ("cgrid", "run_id"), CDR_COLUMNS, kept=("created_at",))
_SESSION_COST_SQL = _upsert_sql("session_costs", ("cgrid", "run_id"), SESSION_COST_COLUMNS, kept=("created_at",))


def _run(connection: psycopg.Connection[Any], sql: str) -> Any:
    cursor = connection.execute(sql)
    return cursor if cursor.description else ()


def _array(column: Sequence[Any]) -> str:
    """Return a column as the text of an array: psycopg's own way takes five times as long."""
    return "{" + ",".join([_element(value) for value in column]) + "}"


def _element(value: Any) -> str:
    if type(value) is str:
        if "\\" in value or '"' in value or "\0" in value:
            value = _clean(value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{value}"'
    if type(value) is bytes:
        return f'"\\\\x{value.hex()}"'
    return "NULL" if value is None else str(value)


def _clean(text: str) -> str:
    if "\0" in text:
        return text.replace("\0", "\ufffd")
    if "\\u0000" in text:
        return _JSON_NUL.sub(lambda found: found[1] + "\ufffd", text)
    return text


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(f"PostgreSQL: {str(error).strip()}")
