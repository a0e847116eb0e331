"""A PostgreSQL server for tests, started and stopped here. Folders that need one import its fixtures in conftest.py."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from glob import glob
from pathlib import Path

import psycopg
import pytest

__all__ = ["PostgresServer", "postgres", "postgres_server"]

#: The name of its socket; every server has a folder of its own, so the number is free.
PORT = 5543

#: How long it may take to come up again after a crash.
START_TIMEOUT_S = 60

#: Nobody pulls the plug on a test's server: what the system has taken from it will not be lost.
FAST = ("fsync=off",)


def _as_postgres(*command: str) -> subprocess.CompletedProcess[str]:
    """PostgreSQL refuses to run as root; anybody else runs it as themselves."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    return subprocess.run([*prefix, *command], capture_output=True, text=True, timeout=120, cwd="/")


class PostgresServer:
    """A server of our own in a folder of its own, running at once. Its absence is a failure, not a skip."""

    def __init__(self, options: tuple[str, ...] = FAST) -> None:
        found = sorted(glob("/usr/lib/postgresql/*/bin"))
        found = found or [str(Path(path).parent) for path in [shutil.which("initdb")] if path]
        assert found, "PostgreSQL is missing: apt-get install postgresql"
        self._programs = found[-1]
        self._options = options
        self.folder = tempfile.mkdtemp(prefix="cgrcore-postgres-")
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._data = f"{self.folder}/data"
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "cgrcore", "--no-sync")
        self.start()

    @property
    def conninfo(self) -> str:
        return f"host={self.folder} port={PORT} user=cgrcore dbname=postgres"

    def _run(self, program: str, *arguments: str) -> None:
        done = _as_postgres(f"{self._programs}/{program}", *arguments)
        assert done.returncode == 0, f"{program} {' '.join(arguments)}\n{done.stdout}{done.stderr}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = " ".join(["-k", self.folder, "-p", str(PORT), "-c listen_addresses=''"])
        options += "".join(f" -c {option}" for option in self._options)
        wait = ("-w", "-t", str(START_TIMEOUT_S))
        self._run("pg_ctl", "-D", self._data, "-o", options, "-l", f"{self.folder}/log", *wait, "start")

    def stop(self) -> None:
        """End it as `pg_ctl stop -m immediate` does: without a checkpoint, every connection cut."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def kill(self) -> None:
        """Kill its first process, as running out of memory does; the others see that and end."""
        os.kill(self.process_id, signal.SIGKILL)

    @property
    def process_id(self) -> int:
        return int(Path(self._data, "postmaster.pid").read_text().split()[0])

    def backend_ids(self) -> list[int]:
        """Return the processes that serve connections, but for the one that is asked."""
        with psycopg.connect(self.conninfo) as connection:
            sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            return [row[0] for row in connection.execute(sql)]

    def database(self, name: str) -> str:
        """Make an empty database and return how to connect to it."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        return self.conninfo.replace("dbname=postgres", f"dbname={name}")

    def close(self) -> None:
        """End it, running or not, and remove its folder."""
        _as_postgres(f"{self._programs}/pg_ctl", "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self.folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server that the tests of a run share."""
    server = PostgresServer()
    try:
        yield server.conninfo
    finally:
        server.close()


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """An empty schema on that server."""
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS trial CASCADE")
        connection.execute("CREATE SCHEMA trial")
    yield f"{postgres_server} options='-c search_path=trial'"
