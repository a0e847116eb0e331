"""A PostgreSQL server for tests, started and stopped here. Folders that need one import its fixtures in conftest.py."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from glob import glob
from pathlib import Path
from typing import Any

import psycopg
import pytest

__all__ = ["PostgresServer", "postgres", "postgres_server", "postgres_settings"]

#: The name of its socket; every server has a folder of its own, so the number is free.
PORT = 5543

#: What the parts of a conninfo are as settings.
SETTING_OF = {"host": "db_host", "port": "db_port", "user": "db_user", "dbname": "db_name"}

#: How long it may take to come up again after a crash.
START_TIMEOUT_S = 60

#: Nobody pulls the plug on a test's server: what the system has taken from it will not be lost.
FAST = ("fsync=off",)


class PostgresServer:
    """A server of our own in a folder of its own, running at once. Its absence is a failure, not a skip."""

    def __init__(self, options: Sequence[str] = FAST) -> None:
        found = sorted(glob("/usr/lib/postgresql/*/bin"))
        found = found or [str(Path(path).parent) for path in [shutil.which("initdb")] if path]
        assert found, "PostgreSQL is missing: apt-get install postgresql"
        self._programs = Path(found[-1])
        self._options = options
        self.folder = tempfile.mkdtemp(prefix="cgrcore-postgres-")
        self._owner: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root; anybody else runs it as themselves
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self._data = f"{self.folder}/data"
        made = self._popen("initdb", "-D", self._data, "-A", "trust", "-U", "cgrcore", "--no-sync")
        assert made.wait(START_TIMEOUT_S) == 0, self._log()
        self.start()

    @property
    def conninfo(self) -> str:
        return f"host={self.folder} port={PORT} user=cgrcore dbname=postgres"

    def _popen(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with open(f"{self.folder}/log", "ab") as log:
            command = [self._programs / program, *arguments]
            return subprocess.Popen(command, cwd="/", stdout=log, stderr=log, **self._owner)

    def _log(self) -> str:
        return Path(self.folder, "log").read_text()[-2000:]

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = [f"-c{option}" for option in ("listen_addresses=", *self._options)]
        deadline = time.monotonic() + START_TIMEOUT_S
        self.process = self._popen("postgres", "-D", self._data, "-k", self.folder, "-p", str(PORT), *options)
        while True:
            try:
                psycopg.connect(self.conninfo).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, self._log()
            if self.process.poll() is not None:  # what is left of one that was killed is not gone yet
                self.process = self._popen("postgres", "-D", self._data, "-k", self.folder, "-p", str(PORT), *options)
            time.sleep(0.02)

    def stop(self) -> None:
        """End it as `pg_ctl stop -m immediate` does: without a checkpoint, every connection cut."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """Kill its first process, as the system does when memory runs out; the others see that and end."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(START_TIMEOUT_S)

    def backend_ids(self) -> list[int]:
        """Return the processes that serve connections, but for the one that is asked."""
        with psycopg.connect(self.conninfo) as connection:
            sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            return [row[0] for row in connection.execute(sql)]

    def cut_connections(self) -> None:
        """End all connections but the one that asks for it."""
        with psycopg.connect(self.conninfo) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    def database(self, name: str) -> str:
        """Make an empty database and return how to connect to it."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        return self.conninfo.replace("dbname=postgres", f"dbname={name}")

    def close(self) -> None:
        """End it, running or not, and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder)


def postgres_settings(conninfo: str) -> list[str]:
    """Return the settings with which a server keeps all it has where a conninfo leads."""
    parts = dict(part.split("=", 1) for part in conninfo.split())
    settings = ["db_type=*postgres", "db_password=", *(f"{SETTING_OF[key]}={value}" for key, value in parts.items())]
    return [f"{section}.{setting}" for section in ("data_db", "stor_db") for setting in settings]


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
