"""Where the state is kept: SQLite by default, PostgreSQL, or memory. See docs/storage.md."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["migrate_store"]


def migrate_store(data_db: Mapping[str, Any], *, is_dry_run: bool) -> list[str]:
    """Bring the schema of a configured store up to date and return what ran; a dry run undoes it all.

    Raises Unavailable when it cannot be opened or a server has it, Corrupt when it is of a newer program.
    """
    if data_db["db_type"] == "*sqlite":
        from cgrserver.storage.sqlite import migrate_sqlite

        return migrate_sqlite(Path(data_db["db_name"]), is_dry_run=is_dry_run)
    if data_db["db_type"] == "*postgres":
        from cgrserver.storage.postgres import conninfo_of, migrate_postgres

        return migrate_postgres(conninfo_of(data_db), is_dry_run=is_dry_run)
    return []
