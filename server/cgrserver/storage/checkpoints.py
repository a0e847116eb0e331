"""Moves SQLite's write-ahead log into the file beside the commits, so that none of them waits for it.

A commit that did this itself would take 20 ms instead of one. So a second connection copies what is in the log while
commits go on; the writer then copies the little that came meanwhile, ahead of a commit, and SQLite begins the log anew.
Does not know: what is committed.
"""

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import structlog

__all__ = ["BACKSTOP_PAGES", "Checkpoints"]

#: Rows written between two moves: about 16 MiB of log.
ROWS = 16_000

#: Should moving beside the commits not keep up, SQLite does it within a commit at this many pages of log.
BACKSTOP_PAGES = 200_000

_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"

_log = structlog.get_logger("cgrserver.storage")


class Checkpoints:
    """The moves of one store's log. Calls come one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._move: Future[None] | None = None

    def before_commit(self) -> str:
        """Return the statement that the writer is to run ahead of its next commit, mostly none."""
        if self._move is None or not self._move.done():
            return ""
        error = self._move.exception()
        self._move = None
        if error is None:
            return _CHECKPOINT
        self.failed(str(error))
        return ""

    def failed(self, why: str) -> None:
        """Say that a move failed. The log only grows; it is a commit that fails when there is no more room."""
        _log.error("the log could not be moved into the file", path=str(self._path), why=why)

    def wrote(self, rows: int) -> None:
        """Note that a commit wrote so many rows. Starts a move when it is time."""
        self._rows += rows
        if self._move is None and self._rows >= ROWS:
            self._rows = 0
            self._move = self._thread.submit(self._copy)

    def _copy(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(_CHECKPOINT)
        finally:
            connection.close()

    def wait(self) -> None:
        """Wait until no move is under way, whatever became of it."""
        if self._move is not None:
            self._move.exception()
            self._move = None
        self._rows = 0

    def close(self) -> None:
        """Wait, and end the thread."""
        self._thread.shutdown()
