"""Where the state is kept: SQLite by default, PostgreSQL, or memory. See docs/storage.md."""
