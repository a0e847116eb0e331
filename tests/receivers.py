"""Those who are told things, as real servers on ports of their own: HTTP and mail."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller

__all__ = ["HttpReceiver", "MailReceiver", "http_receiver", "mail_receiver"]


class HttpReceiver(ThreadingHTTPServer):
    """Keeps what was posted to it; fails the first `failures` times, and answers a byte at a time when it `drips`."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.failures = 0
        self.drips = False
        self.answer = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    @property
    def received(self) -> list[Any]:
        return [json.loads(body) for body in self.bodies]


class _Handler(BaseHTTPRequestHandler):
    server: HttpReceiver

    def do_POST(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if server.drips:
            while server.drips:
                try:
                    self.wfile.write(b"H")
                except OSError:
                    return
                time.sleep(0.01)
            return
        if server.failures:
            server.failures -= 1
            self.send_error(503)
            return
        server.bodies.append(body)
        server.headers.append(dict(self.headers))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(server.answer)

    def log_message(self, *args: Any) -> None:
        return


@contextmanager
def http_receiver(port: int = 0) -> Iterator[HttpReceiver]:
    """Serve HTTP while the block lasts."""
    with HttpReceiver(port) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.drips = False
            server.shutdown()
            thread.join()


class MailReceiver:
    """Keeps the mails it was given; refuses the first `failures`."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.failures = 0
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.failures:
            self.failures -= 1
            return "451 try later"
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"


@contextmanager
def mail_receiver() -> Iterator[MailReceiver]:
    """Take mails while the block lasts."""
    receiver = MailReceiver()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        receiver.port = int(probe.getsockname()[1])
    controller = Controller(receiver, hostname="127.0.0.1", port=receiver.port)
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()
