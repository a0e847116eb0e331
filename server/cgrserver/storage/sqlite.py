"""The store in one SQLite file: the default. What was committed survives a power failure.

Rules: write-ahead log with `synchronous=FULL`, so a commit returns when its pages are on the disk; one process writes
(a lock file says which), others may read. Does not know: decisions, batches under way, trio.
"""

import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from cgrcore.errors import Corrupt, Unavailable
from cgrcore.money import parse_nano
from cgrcore.ports import Batch, LedgerLine
from cgrserver.storage import logwrites
from cgrserver.storage.cdr_sql import Dialect
from cgrserver.storage.checkpoints import BACKSTOP_PAGES, Checkpoints
from cgrserver.storage.gathering import ledger_row
from cgrserver.storage.migrations import migrate
from cgrserver.storage.queries import SqlQueries
from cgrserver.storage.rows import (
    CDR_COLUMNS,
    LEDGER_COLUMNS,
    RECORD_TABLES,
    SESSION_COST_COLUMNS,
    cdr_row,
    session_cost_row,
)
from cgrserver.storage.sqlitewriter import IS_REACHED, Writer
from cgrserver.storage.tables import Codecs

__all__ = ["SqliteStore", "migrate_sqlite"]

T = TypeVar("T")

#: How long a statement waits for another process that holds the file (a backup, a report).
BUSY_TIMEOUT_S = 5.0

#: A commit writes whole pages, mostly one for each account: small ones are up to twice as fast as the usual 4 KiB.
PAGE_SIZE_BYTES = 1024

#: What the writer keeps in memory of the file; the system keeps the rest. SQLite looks through all of it in every
#: commit that has split a page of a table: 64 MiB cost 0.1 ms and more.
CACHE_KIB = 8192

#: A batch of more records is laid out on a thread: it takes the loop more than some milliseconds.
RECORDS_LAID_OUT = 2000

#: Statements, each with the rows that it is run with.
Changes = list[tuple[str, Sequence[tuple[Any, ...]]]]


class SqliteStore(SqlQueries):
    """A store in the file `path`. Opening it locks it for this process and brings its schema up to date.

    `is_every_commit_synced=False` (durability `delayed`) may lose the last commits when power fails, never their order.
    Raises Unavailable when the file cannot be opened or another process serves from it.
    """

    def __init__(self, path: str | Path, codecs: Codecs, *, is_every_commit_synced: bool = True) -> None:
        self._path = Path(path)
        super().__init__(Dialect(), codecs)
        self._synchronous = "FULL" if is_every_commit_synced else "NORMAL"
        self._lock = _lock(self._path)
        self._readers: list[sqlite3.Connection] = []
        self._readers_lock = threading.Lock()
        self._checkpoints = Checkpoints(self._path)
        self._started_rows = 0
        with ExitStack() as undo:
            undo.callback(self._lock.close)
            try:
                with closing(_connect(self._path)) as connection:
                    # Of a new file; an old one keeps its own.
                    connection.execute(f"PRAGMA page_size={PAGE_SIZE_BYTES}")
                    connection.execute("PRAGMA journal_mode=WAL")
                    migrate(connection.execute, "sqlite")
                    last = connection.execute("SELECT coalesce(max(line_id), 0) FROM ledger")
                    self._last_line: int = last.fetchone()[0]
                self._writer = self._open()
            except sqlite3.Error as error:
                raise _unavailable(error) from error
            undo.pop_all()

    def _open(self) -> "Writer | PlainWriter":
        pragmas = [
            f"PRAGMA synchronous={self._synchronous}",
            f"PRAGMA wal_autocheckpoint={BACKSTOP_PAGES}",
            f"PRAGMA cache_size=-{CACHE_KIB}",
        ]
        if not IS_REACHED:
            return PlainWriter(self._path, pragmas)
        # A log that is not synced has no moment at which its buffer would be written.
        file_system = logwrites.file_system() if self._synchronous == "FULL" else ""
        return Writer(str(self._path), file_system, pragmas, round(BUSY_TIMEOUT_S * 1000))

    def close(self) -> None:
        with self._readers_lock:
            while self._readers:
                self._readers.pop().close()
        self._checkpoints.close()
        self._writer.close()
        self._lock.close()

    def reopen(self) -> None:
        # A failed sync may have left pages in the system's cache that will never reach the disk, yet read back fine.
        # Moving the log into the file writes and syncs them anew, before anything is built on them.
        try:
            self._checkpoints.wait()
            self._writer.close()
            with closing(_connect(self._path)) as connection:
                connection.execute("PRAGMA synchronous=FULL")
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                connection.execute(f"PRAGMA user_version={(version + 1) % 1_000_000}")
            self._writer = self._open()
        except sqlite3.Error as error:
            raise _unavailable(error) from error
        if busy:
            raise Unavailable(f"{self._path} is held by a reader; its log cannot be written back")

    def commit(self, batch: Batch) -> None:
        try:
            changes = self._changes(batch)
            why_not_moved = self._writer.run(changes, self._checkpoints.before_commit())
            self._wrote(_row_count(changes), why_not_moved)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise _unavailable(error) from error

    def start_commit(self, batch: Batch) -> int | None:
        """Begin to keep a batch beside the caller; return the descriptor that is readable when `finish_commit` is due.

        None when the batch is better handed to `commit` on a thread. Raises as `commit`.
        """
        if isinstance(self._writer, PlainWriter) or _count(batch) > RECORDS_LAID_OUT:
            return None
        try:
            changes = self._changes(batch)
            self._started_rows = _row_count(changes)
            return self._writer.start(changes, self._checkpoints.before_commit())
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise _unavailable(error) from error

    def finish_commit(self) -> None:
        """Return when the batch of `start_commit` is kept. Raises as `commit`."""
        assert isinstance(self._writer, Writer)
        try:
            self._wrote(self._started_rows, self._writer.finish())
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    def _wrote(self, row_count: int, why_not_moved: str) -> None:
        if why_not_moved:
            self._checkpoints.failed(why_not_moved)
        self._checkpoints.wrote(row_count)

    def _changes(self, batch: Batch) -> Changes:
        """Return the statements of a batch, each with its rows."""
        last_lines: dict[str, int] = {}
        changes: Changes = [(_LEDGER_SQL, self._ledger_rows(batch.ledger, last_lines))]
        for name, touched in batch.records.items():
            if name == "accounts":
                changes.append((_ACCOUNT_SQL, [(key, body, last_lines.pop(key, None)) for key, body in touched]))
            else:
                changes += _record_changes(name, touched)
        changes.append((_LAST_LINE_SQL, list(last_lines.items())))
        changes.append((_CDR_SQL, [cdr_row(cdr, batch.at) for cdr in batch.cdrs]))
        changes.append((_SESSION_COST_SQL, [session_cost_row(cost, batch.at) for cost in batch.session_costs]))
        changes.append((_DELETE_CDR_SQL, batch.removed_cdrs))
        changes.append((_DELETE_SESSION_COST_SQL, batch.removed_session_costs))
        return [change for change in changes if change[1]]

    def _ledger_rows(self, lines: list[LedgerLine], last_lines: dict[str, int]) -> list[tuple[Any, ...]]:
        """Return the rows that append the lines to their accounts' chains; note each account's last line."""
        rows = []
        line_id = self._last_line
        for line in lines:
            line_id += 1
            rows.append((line_id, last_lines.get(line.account_id), line.account_id, *ledger_row(line)))
            last_lines[line.account_id] = line_id
        self._last_line = line_id
        return rows

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one moment of the store and writes nothing."""
        with self._readers_lock:
            connection = self._readers.pop() if self._readers else None
        try:
            if connection is None:
                connection = _connect(self._path)
                connection.execute("PRAGMA query_only=1")
                connection.create_collation("cgr_decimal", _compare)
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise _unavailable(error) from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        with self._readers_lock:
            self._readers.append(connection)

    def _rows(self, sql: str, parameters: Sequence[Any], make: Callable[[Sequence[Any]], T]) -> list[T]:
        with self._read() as connection:
            return [make(row) for row in connection.execute(sql.replace("{}", "?"), parameters)]


def migrate_sqlite(path: Path, *, is_dry_run: bool) -> list[str]:
    """As `migrations.migrate`, on a file that no server has. Raises Unavailable, Corrupt."""
    with _lock(path):
        connection = _connect(path)
        try:
            connection.execute(f"PRAGMA page_size={PAGE_SIZE_BYTES}")
            return migrate(connection.execute, "sqlite", is_dry_run=is_dry_run)
        except sqlite3.Error as error:
            raise _unavailable(error) from error
        finally:
            connection.close()


class PlainWriter:
    """What `Writer` does, through `sqlite3`: where its SQLite cannot be reached otherwise."""

    def __init__(self, path: Path, pragmas: list[str]) -> None:
        self._connection = _connect(path)
        for pragma in pragmas:
            self._connection.execute(pragma)

    def run(self, changes: Changes, before: str = "") -> str:
        why_not = ""
        if before:
            try:
                self._connection.execute(before)
            except sqlite3.Error as error:
                why_not = str(error)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for sql, rows in changes:
                self._connection.executemany(sql, rows)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return why_not

    def close(self) -> None:
        self._connection.close()


def _insert(table: str, columns: Sequence[str], on_conflict: str = "", row: str = "") -> str:
    row = row or f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {row} {on_conflict}"


def _upsert(table: str, key: Sequence[str], columns: Sequence[str], kept: Sequence[str] = ()) -> str:
    changed = [column for column in columns if column not in key and column not in kept]
    update = ", ".join(f"{column} = excluded.{column}" for column in changed)
    return _insert(table, columns, f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {update}")


_RECORD_SQL = {table: _upsert(table, ("id",), ("id", "body")) for table in RECORD_TABLES.values()}
_DELETE_RECORD_SQL = {table: f"DELETE FROM {table} WHERE id = ?" for table in RECORD_TABLES.values()}
_DOCUMENT_SQL = _upsert("documents", ("kind", "id"), ("kind", "id", "body"))
_DELETE_DOCUMENT_SQL = "DELETE FROM documents WHERE kind = ? AND id = ?"
_LEDGER_SQL = _insert(
    "ledger",
    ("line_id", "previous_line", *LEDGER_COLUMNS),
    row=f"(?, coalesce(?, (SELECT last_line FROM accounts WHERE id = ?)), {', '.join('?' * len(LEDGER_COLUMNS))})",
)
_ACCOUNT_SQL = _insert(
    "accounts",
    ("id", "body", "last_line"),
    "ON CONFLICT (id) DO UPDATE SET body = excluded.body, last_line = coalesce(excluded.last_line, last_line)",
)
_LAST_LINE_SQL = _insert(
    "accounts", ("id", "last_line"), "ON CONFLICT (id) DO UPDATE SET last_line = excluded.last_line"
)
_CDR_SQL = _upsert("cdrs", ("cgrid", "run_id"), CDR_COLUMNS, kept=("created_at",))
_DELETE_CDR_SQL = "DELETE FROM cdrs WHERE cgrid = ? AND run_id = ?"
_SESSION_COST_SQL = _upsert("session_costs", ("cgrid", "run_id"), SESSION_COST_COLUMNS, kept=("created_at",))
_DELETE_SESSION_COST_SQL = "DELETE FROM session_costs WHERE cgrid = ? AND run_id = ?"


def _record_changes(name: str, touched: list[tuple[str, bytes | None]]) -> Changes:
    """Return the changes of a table's touched records."""
    gone = [key for key, body in touched if body is None]
    kept = [row for row in touched if row[1] is not None] if gone else touched
    sql_table = RECORD_TABLES.get(name)
    if sql_table is not None:
        return [(_RECORD_SQL[sql_table], kept), (_DELETE_RECORD_SQL[sql_table], [(key,) for key in gone])]
    return [
        (_DOCUMENT_SQL, [(name, key, body) for key, body in kept]),
        (_DELETE_DOCUMENT_SQL, [(name, key) for key in gone]),
    ]


def _row_count(changes: Changes) -> int:
    return sum(len(rows) for _, rows in changes)


def _count(batch: Batch) -> int:
    return sum(map(len, batch.records.values())) + len(batch.ledger) + len(batch.cdrs) + len(batch.session_costs)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


def _lock(path: Path) -> IO[str]:
    """Take the store for this process. The lock goes with the process, whatever ends it."""
    try:
        lock = open(f"{path}.lock", "w")  # noqa: SIM115
    except OSError as error:
        raise Unavailable(f"{path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Unavailable(f"another process serves from {path}") from None
    return lock


def _compare(left: str, right: str) -> int:
    a, b = parse_nano(left), parse_nano(right)
    return (a > b) - (a < b)


def _unavailable(error: Exception) -> Corrupt | Unavailable:
    text = f"SQLite: {error}"
    if isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error):
        return Corrupt(text)
    return Unavailable(text)
