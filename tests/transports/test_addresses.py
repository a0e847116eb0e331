"""What becomes of a listener whose address somebody else has: calls are charged all the same."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server_process import ServerProcess, until

PATIENCE_S = 30.0


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other


def answers(port: int) -> bool:
    """True when cgrcore answers on the port."""
    with socket.socket() as client:
        client.settimeout(1)
        try:
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            return client.recv(4) == b"HTTP"
        except OSError:
            return False


def test_a_listener_waits_for_its_address_and_the_others_serve(taken: socket.socket, tmp_path: Path) -> None:
    port = taken.getsockname()[1]
    server = ServerProcess(tmp_path, [f"listen.http=127.0.0.1:{port}"], log=tmp_path / "log")
    try:
        assert server.call("CoreSv1.Ping") == "Pong"
        assert "an address is in use" in (tmp_path / "log").read_text()
        taken.close()
        until(lambda: answers(port), PATIENCE_S)
    finally:
        assert server.stop() == 0
