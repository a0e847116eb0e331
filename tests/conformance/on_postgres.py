"""Starts a server on a new, empty database: `python -m tests.conformance.on_postgres CONNINFO serve OPTIONS...`."""

import os
import sys

import psycopg
from cgrserver.cli import main
from psycopg.conninfo import conninfo_to_dict


def options_for(conninfo: str, database: str) -> list[str]:
    """Return the options that have a server keep everything in a database.

    `stor_db` stays as recorded: it says how CDR filters are read, and `data_db` where all is kept.
    """
    place = conninfo_to_dict(conninfo)
    values = {
        "type": "*postgres",
        "name": database,
        "password": "",
        **{it: place[it] for it in ("host", "port", "user")},
    }
    return [f"--set=data_db.db_{key}={value}" for key, value in values.items()]


if __name__ == "__main__":
    conninfo, database = sys.argv.pop(1), f"conformance_{os.getpid()}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {database}")
        connection.execute(f"CREATE DATABASE {database}")
    sys.argv += options_for(conninfo, database)
    main()
