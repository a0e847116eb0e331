"""The store in one SQLite file: the default. What was committed survives a power failure.

Rules: write-ahead log with `synchronous=FULL`, so a commit returns when its pages are on the disk; one process writes
(a lock file says which), others may read. Rows go in by the dozen per statement, since every step of one takes and
drops Python's lock. Does not know: decisions, batches under way, trio.
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
from cgrserver.storage.tables import Codecs

__all__ = ["SqliteStore", "migrate_sqlite"]

T = TypeVar("T")

#: How long a statement waits for another process that holds the file (a backup, a report).
BUSY_TIMEOUT_S = 5.0

#: A commit writes whole pages, mostly one for each account: small ones are up to twice as fast as the usual 4 KiB.
PAGE_SIZE_BYTES = 1024

#: Rows in one INSERT. SQLite allows 32766 parameters in a statement; a CDR has 26.
ROWS_PER_STATEMENT = 32


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
        with ExitStack() as undo:
            undo.callback(self._lock.close)
            try:
                self._writer = undo.enter_context(closing(self._open()))
                migrate(self._writer.execute, "sqlite")
                last = self._writer.execute("SELECT coalesce(max(line_id), 0) FROM ledger")
                self._last_line: int = last.fetchone()[0]
            except sqlite3.Error as error:
                raise _unavailable(error) from error
            undo.pop_all()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.execute(f"PRAGMA page_size={PAGE_SIZE_BYTES}")  # of a new file; an old one keeps its own
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={self._synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint={BACKSTOP_PAGES}")
        connection.execute("PRAGMA cache_size=-65536")
        return connection

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
            self._writer = self._open()
            busy, _, _ = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            version = self._writer.execute("PRAGMA user_version").fetchone()[0]
            self._writer.execute(f"PRAGMA user_version={(version + 1) % 1_000_000}")
        except sqlite3.Error as error:
            raise _unavailable(error) from error
        if busy:
            raise Unavailable(f"{self._path} is held by a reader; its log cannot be written back")

    def commit(self, batch: Batch) -> None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            before = self._writer.total_changes
            self._write(batch)
            self._writer.execute("COMMIT")
            self._checkpoints.wrote(self._writer, self._writer.total_changes - before)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            try:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
            except sqlite3.Error:
                pass  # `reopen` starts from a fresh connection in any case
            raise _unavailable(error) from error

    def _write(self, batch: Batch) -> None:
        last_lines = self._write_ledger(batch.ledger)
        for name, touched in batch.records.items():
            if name == "accounts":
                rows = [(key, body, last_lines.pop(key, None)) for key, body in touched]
                self._insert(_ACCOUNT_SQL, rows)
            else:
                self._write_records(name, touched)
        if last_lines:
            self._insert(_LAST_LINE_SQL, list(last_lines.items()))
        self._insert(_CDR_SQL, [cdr_row(cdr, batch.at) for cdr in batch.cdrs])
        self._insert(_SESSION_COST_SQL, [session_cost_row(cost, batch.at) for cost in batch.session_costs])
        for table, keys in (("cdrs", batch.removed_cdrs), ("session_costs", batch.removed_session_costs)):
            if keys:
                self._writer.executemany(f"DELETE FROM {table} WHERE cgrid = ? AND run_id = ?", keys)

    def _write_ledger(self, lines: list[LedgerLine]) -> dict[str, int]:
        """Append the lines, each to its account's chain, and return the last line of each account."""
        last_lines: dict[str, int] = {}
        rows = []
        line_id = self._last_line
        for line in lines:
            line_id += 1
            rows.append((line_id, last_lines.get(line.account_id), line.account_id, *ledger_row(line)))
            last_lines[line.account_id] = line_id
        self._insert(_LEDGER_SQL, rows)
        self._last_line = line_id
        return last_lines

    def _write_records(self, name: str, touched: list[tuple[str, bytes | None]]) -> None:
        sql_table = RECORD_TABLES.get(name)
        if sql_table is not None:
            self._insert(_RECORD_SQL[sql_table], [row for row in touched if row[1] is not None])
            where, first = f"DELETE FROM {sql_table} WHERE id IN", []
        else:
            self._insert(_DOCUMENT_SQL, [(name, key, body) for key, body in touched if body is not None])
            where, first = "DELETE FROM documents WHERE kind = ? AND id IN", [name]
        gone = [key for key, body in touched if body is None]
        for start in range(0, len(gone), ROWS_PER_STATEMENT):
            chunk = gone[start : start + ROWS_PER_STATEMENT]
            self._writer.execute(f"{where} ({', '.join('?' * len(chunk))})", [*first, *chunk])

    def _insert(self, sql: "_Insert", rows: Sequence[Sequence[Any]]) -> None:
        for start in range(0, len(rows), ROWS_PER_STATEMENT):
            chunk = rows[start : start + ROWS_PER_STATEMENT]
            self._writer.execute(sql.of(len(chunk)), [value for row in chunk for value in row])

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one moment of the store and writes nothing."""
        with self._readers_lock:
            connection = self._readers.pop() if self._readers else None
        try:
            if connection is None:
                connection = sqlite3.connect(
                    self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
                )
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
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            connection.execute(f"PRAGMA page_size={PAGE_SIZE_BYTES}")
            return migrate(connection.execute, "sqlite", is_dry_run=is_dry_run)
        except sqlite3.Error as error:
            raise _unavailable(error) from error
        finally:
            connection.close()


class _Insert:
    """The texts of an INSERT for so many rows at once, each made once: SQLite knows a statement by its text."""

    __slots__ = ("_texts",)

    def __init__(self, table: str, columns: Sequence[str], on_conflict: str = "", row: str = "") -> None:
        row = row or f"({', '.join('?' * len(columns))})"
        head = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "
        counts = range(ROWS_PER_STATEMENT + 1)
        self._texts = [f"{head}{', '.join([row] * count)} {on_conflict}" for count in counts]

    def of(self, count: int) -> str:
        """Return the text for so many rows, ROWS_PER_STATEMENT at most."""
        return self._texts[count]


def _upsert(table: str, key: Sequence[str], columns: Sequence[str], kept: Sequence[str] = ()) -> _Insert:
    changed = [column for column in columns if column not in key and column not in kept]
    update = ", ".join(f"{column} = excluded.{column}" for column in changed)
    return _Insert(table, columns, f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {update}")


_RECORD_SQL = {table: _upsert(table, ("id",), ("id", "body")) for table in RECORD_TABLES.values()}
_DOCUMENT_SQL = _upsert("documents", ("kind", "id"), ("kind", "id", "body"))
_LEDGER_SQL = _Insert(
    "ledger",
    ("line_id", "previous_line", *LEDGER_COLUMNS),
    row=f"(?, coalesce(?, (SELECT last_line FROM accounts WHERE id = ?)), {', '.join('?' * len(LEDGER_COLUMNS))})",
)
_ACCOUNT_SQL = _Insert(
    "accounts",
    ("id", "body", "last_line"),
    "ON CONFLICT (id) DO UPDATE SET body = excluded.body, last_line = coalesce(excluded.last_line, last_line)",
)
_LAST_LINE_SQL = _Insert(
    "accounts", ("id", "last_line"), "ON CONFLICT (id) DO UPDATE SET last_line = excluded.last_line"
)
_CDR_SQL = _upsert("cdrs", ("cgrid", "run_id"), CDR_COLUMNS, kept=("created_at",))
_SESSION_COST_SQL = _upsert("session_costs", ("cgrid", "run_id"), SESSION_COST_COLUMNS, kept=("created_at",))


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
