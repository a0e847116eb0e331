"""The numbered steps that bring a store's schema up to date, as SQL files: `sqlite/0001_initial.sql`, ...

Rules: a step runs in one transaction with the note that it ran; a released step never changes; there are no steps back,
a backup is. A dry run does all of it and then undoes it. Does not know: how to connect.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import msgspec

from cgrcore.errors import Corrupt

__all__ = ["Migration", "migrate", "migrations"]

VERSIONS = """CREATE TABLE IF NOT EXISTS schema_version
    (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)"""


class Migration(msgspec.Struct, frozen=True):
    """One step: its number, its name, and its statements in order."""

    version: int
    name: str
    statements: tuple[str, ...]


def migrations(dialect: str) -> list[Migration]:
    """Return all steps of a dialect (`sqlite`, `postgres`), oldest first."""
    steps = []
    for file in files(__name__).joinpath(dialect).iterdir():
        number, _, name = file.name.removesuffix(".sql").partition("_")
        if file.name.endswith(".sql"):
            steps.append(Migration(int(number), name, tuple(_statements(file.read_text()))))
    return sorted(steps, key=lambda step: step.version)


def migrate(
    execute: Callable[[str], Any], dialect: str, *, is_dry_run: bool = False, steps: list[Migration] | None = None
) -> list[str]:
    """Run the steps that a store lacks, each in one transaction, and return their names; a dry run leaves no trace.

    `execute` runs one statement and returns something to iterate its rows over. Raises Corrupt for a schema that is
    newer than this program.
    """
    known = migrations(dialect) if steps is None else steps
    execute("BEGIN")
    execute(VERSIONS)
    current = max((row[0] for row in execute("SELECT version FROM schema_version")), default=0)
    newest = known[-1].version if known else 0
    if current > newest:
        execute("ROLLBACK")
        raise Corrupt(f"the store's schema is version {current}, this program knows {newest}: use a newer program")
    pending = [step for step in known if step.version > current]
    for step in pending:
        for statement in step.statements:
            execute(statement)
        execute(f"INSERT INTO schema_version VALUES ({step.version}, '{step.name}', {time.time_ns()})")
        if not is_dry_run:
            execute("COMMIT")
            execute("BEGIN")
    execute("ROLLBACK" if is_dry_run else "COMMIT")
    return [f"{step.version:04d}_{step.name}" for step in pending]


def _statements(sql: str) -> Iterator[str]:
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    assert not statement.strip(), "a migration ends in the middle of a statement"
