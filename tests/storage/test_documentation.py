"""docs/storage.md names every table and column there is."""

import re
import sqlite3
from pathlib import Path

import pytest
from cgrserver.storage.migrations import migrate

PAGE = (Path(__file__).parents[2] / "docs/storage.md").read_text()


def columns() -> list[tuple[str, str]]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection.execute, "sqlite")
    names = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
    found = [
        (table, column)
        for (table,) in connection.execute(names).fetchall()
        for _, column, *_ in connection.execute(f"PRAGMA table_info({table})")
        if table != "cdrs_readable"
    ]
    connection.close()
    return found


@pytest.mark.parametrize(("table", "column"), columns())
def test_every_table_and_column_is_described(table: str, column: str) -> None:
    assert re.search(rf"`{table}`|### {table}\n", PAGE)
    assert f"`{column}`" in PAGE
