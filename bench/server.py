"""A server to be measured: started in a folder of its own on the first core, and asked for what a workload needs.

The load generator keeps to the other cores. Does not know: workloads.
"""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.registry import Context, Wrong

__all__ = ["Server", "serving"]

ROOT = Path(__file__).resolve().parents[1]

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0

#: The other listeners stay shut, so that servers may run side by side.
_SHUT = ("rpc_gob", "http", "birpc_json", "rpc_json_tls", "rpc_gob_tls", "http_tls")
_PROGRAM = "from cgrserver.cli import main; main()"


class Server:
    """A running server. `work` is a folder that both see."""

    def __init__(self, address: tuple[str, int], work: Path) -> None:
        self.address = address
        self.work = work
        self._socket = socket.create_connection(address, timeout=60)
        self._lines = self._socket.makefile("rb")

    def call(self, method: str, params: Any) -> Any:
        """Return the result of a call. Raises Wrong with its error text."""
        self._socket.sendall(json.dumps({"method": method, "params": [params], "id": 1}).encode())
        reply = json.loads(self._lines.readline())
        if reply["error"] is not None:
            raise Wrong(f"{method}: {reply['error']}")
        return reply["result"]

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


@contextmanager
def serving(context: Context, settings: Sequence[str] = ()) -> Iterator[Server]:
    """Yield a server, started with `section.key=value` settings unless the context names one.

    Raises Wrong when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder)
        process = None
        address = context.address
        try:
            if address is None:
                address = ("127.0.0.1", _free_port())
                process = _start(context.command or _own_command(settings), address[1], work)
                _wait(address, process, work)
            with _pinned():
                server = Server(address, work)
                try:
                    yield server
                finally:
                    server.close()
        finally:
            if process is not None:
                _stop(process)


def _own_command(settings: Sequence[str]) -> str:
    options = ["listen.rpc_json=127.0.0.1:{port}", *(f"listen.{name}=" for name in _SHUT), *settings]
    return shlex.join([sys.executable, "-c", _PROGRAM, "serve", *(f"--set={option}" for option in options)])


def _start(command: str, port: int, work: Path) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "server")))}
    with open(work / "log", "wb") as log:
        process = subprocess.Popen(
            shlex.split(command.replace("{port}", str(port)).replace("{work}", str(work))),
            cwd=work,
            env=environ,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(process.pid, cores[:1])
    return process


def _wait(address: tuple[str, int], process: subprocess.Popen[bytes], work: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Wrong(f"the server does not listen on {address[1]}: {(work / 'log').read_text('utf-8', 'replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _pinned() -> Iterator[None]:
    """Keep this process off the server's core."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[1:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
