"""A real server process, and a client of it: for tests that kill, stop and start one again. Its store is SQLite unless
settings say otherwise."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "CallRefused", "Connection", "ServerProcess", "free_port", "until"]

ROOT = Path(__file__).resolve().parents[1]

#: How long a server may take to start or stop on a busy machine, and a client to be answered.
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 30.0

#: They stay shut, so that servers of several tests may run side by side.
_OTHER_LISTENERS = ("rpc_gob", "http", "birpc_json", "rpc_json_tls", "rpc_gob_tls", "http_tls")


class CallRefused(Exception):
    """The server answered with an error, whose text this is."""


class Connection:
    """One TCP connection that speaks JSON-RPC."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_TIMEOUT_S)
        self._lines = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self) -> Any:
        """Return the next reply, whole; None when the server has closed."""
        try:
            line = self._lines.readline()
        except ConnectionResetError:
            return None
        return json.loads(line) if line else None

    def call(self, method: str, **params: Any) -> Any:
        """Return the result of a call. Raises CallRefused with the error's text."""
        return self.call_raw(method, json.dumps(params))

    def call_raw(self, method: str, params: str) -> Any:
        """Return the result of a call with its parameters as JSON text. Raises CallRefused with the error's text."""
        self.send(f'{{"method":"{method}","params":[{params}],"id":1}}\n'.encode())
        answer = self.reply()
        assert answer is not None, f"{method}: the connection was closed"
        if answer["error"] is not None:
            raise CallRefused(answer["error"])
        return answer["result"]

    def close(self) -> None:
        self._lines.close()
        self.socket.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(is_so: Callable[[], Any], within_s: float) -> Any:
    """Ask until the answer holds, and return it: what runs in another process has no event to wait for."""
    deadline = time.monotonic() + within_s
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"it is not so within {within_s:g} s"
        time.sleep(0.02)
    return found


class ServerProcess:
    """A server on the store in a folder, started at once; `call` goes over a connection that is kept.

    `environ` is added to its environment. Its log is appended to `log`, when that is given.
    """

    def __init__(
        self,
        folder: Path,
        settings: Sequence[str] = (),
        *,
        environ: Mapping[str, str] | None = None,
        log: Path | None = None,
        port: int = 0,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.environ = environ or {}
        self.log = log
        self.port = port or free_port()
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the process, and no more."""
        database = self.folder / "store.db"
        options = [
            f"listen.rpc_json=127.0.0.1:{self.port}",
            *(f"listen.{name}=" for name in _OTHER_LISTENERS),
            *(f"{section}.db_name={database}" for section in ("data_db", "stor_db")),
            *self.settings,
        ]
        command = [sys.executable, "-m", "cgrserver.cli", "serve", *(f"--set={option}" for option in options)]
        paths = os.pathsep.join((str(ROOT), str(ROOT / "server")))
        environ = {**os.environ, "PYTHONPATH": paths, "TZ": "UTC", **self.environ}
        log = open(self.log, "ab") if self.log else None  # noqa: SIM115
        try:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=log, env=environ)
        finally:
            if log is not None:
                log.close()

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_S)
        line = self.process.stdout.readline() if ready else b""
        if b"ready" not in line:
            self.kill()
            raise AssertionError(f"the server did not start: {line!r}")
        self.client = self.connect()

    def connect(self) -> Connection:
        return Connection(self.port)

    def call(self, method: str, **params: Any) -> Any:
        return self.client.call(method, **params)

    def kill(self) -> None:
        """End the process as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Stop the process in order and return its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        self.process.send_signal(number)
        status = self.process.wait(STOP_TIMEOUT_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        client = getattr(self, "client", None)
        if client is not None:
            client.close()
        return status
