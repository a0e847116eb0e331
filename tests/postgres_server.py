"""A PostgreSQL server for tests, started and stopped here. Folders that need one import its fixtures in conftest.py."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from glob import glob
from pathlib import Path

import psycopg
import pytest

PORT = 5543


def _as_postgres(*command: str) -> None:
    """PostgreSQL refuses to run as root; anybody else runs it as themselves."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, timeout=60, cwd="/")
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server of our own. Its absence is a failure, not a skip."""
    found = sorted(glob("/usr/lib/postgresql/*/bin")) or [str(Path(p).parent) for p in [shutil.which("initdb")] if p]
    assert found, "PostgreSQL is missing: apt-get install postgresql"
    folder = tempfile.mkdtemp(prefix="cgrcore-postgres-")
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = f"{folder}/data"
    _as_postgres(f"{found[-1]}/initdb", "-D", data, "-A", "trust", "-U", "cgrcore", "--no-sync")
    options = f"-k {folder} -p {PORT} -c listen_addresses='' -c fsync=off"
    _as_postgres(f"{found[-1]}/pg_ctl", "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start")
    try:
        yield f"host={folder} port={PORT} user=cgrcore dbname=postgres"
    finally:
        _as_postgres(f"{found[-1]}/pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """An empty schema on that server."""
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS trial CASCADE")
        connection.execute("CREATE SCHEMA trial")
    yield f"{postgres_server} options='-c search_path=trial'"
