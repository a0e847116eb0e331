"""JSON-RPC over websocket (RFC 6455): the handshake, and frames that carry one stream of calls and its answers.

Rules: only version 13, and only with an Origin, whatever it is; the borders of the client's frames mean nothing, their
payloads are one stream of calls; each answer is one text frame; what is no JSON, or a close, ends the stream with 1000
once the calls in work are answered; what is no websocket ends it with the code that says so.
Does not know: sockets, deadlines, calls.
"""

from urllib.parse import urlsplit

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
from wsproto.utilities import RemoteProtocolError, generate_accept_token

from cgrcore.codecs import Frames
from cgrserver.transports.http_protocol import HttpRequest

__all__ = ["NoWebSocket", "WebSocket", "accept"]

NORMAL = 1000


class NoWebSocket(Exception):
    """The handshake failed. `answer` is sent before the connection is closed."""

    def __init__(self, line: str, body: str = "", header: str = "") -> None:
        super().__init__(line)
        self.answer = f"HTTP/1.1 {line}\r\n{header}\r\n{body}".encode()


def accept(request: HttpRequest) -> bytes:
    """Return what answers a handshake. Raises NoWebSocket."""
    headers = request.headers
    if request.method != "GET":
        raise NoWebSocket("405 Method Not Allowed", "bad method")
    if headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in headers.get("connection", "").lower():
        raise NoWebSocket("400 Bad Request", "not websocket protocol")
    if not headers.get("sec-websocket-key"):
        raise NoWebSocket("400 Bad Request", "mismatch challenge/response")
    if headers.get("sec-websocket-version") != "13":
        text = "missing or bad WebSocket Version"
        raise NoWebSocket("400 Bad Request", text, "Sec-WebSocket-Version: 13\r\n")
    if not _is_origin(headers.get("origin", "")):
        raise NoWebSocket("403 Forbidden")
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {generate_accept_token(headers['sec-websocket-key'].encode('latin-1')).decode()}",
    ]
    asked = headers.get("sec-websocket-protocol", "").split(",")[0].strip()
    if asked:
        lines.append(f"Sec-WebSocket-Protocol: {asked}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _is_origin(text: str) -> bool:
    try:
        return bool(urlsplit(text).scheme)
    except ValueError:
        return False


class WebSocket:
    """One connection after its handshake. `is_over` once the client has ended it, or must be left."""

    def __init__(self, call_bytes: int) -> None:
        """A call of more than `call_bytes` ends the connection."""
        self._connection = Connection(ConnectionType.SERVER)
        self._frames = Frames(call_bytes)
        self._code = NORMAL
        self.is_over = False

    @property
    def is_within_call(self) -> bool:
        """True while a call has begun to arrive and is not whole."""
        return self._frames.held > 0

    def receive(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Take what arrived, no bytes being the end; return the calls it completes, and what must be sent at once."""
        calls: list[bytes] = []
        answers = b""
        if not data:
            self.is_over = True
            return self._frames.finish(), answers
        try:
            self._connection.receive_data(data)
            for event in self._connection.events():
                if isinstance(event, TextMessage):
                    calls += self._frames.feed(event.data.encode())
                elif isinstance(event, BytesMessage):
                    calls += self._frames.feed(bytes(event.data))
                elif isinstance(event, Ping):
                    answers += self._connection.send(event.response())
                elif isinstance(event, CloseConnection):
                    self.is_over = True
        except RemoteProtocolError as error:
            self.is_over = True
            hint = error.event_hint
            self._code = hint.code if isinstance(hint, CloseConnection) else 1002
        if self._frames.error:
            self.is_over = True
        return calls, answers

    def text(self, answer: bytes) -> bytes:
        """Return the frame of an answer."""
        return self._connection.send(TextMessage(data=answer.decode()))

    def close(self) -> bytes:
        """Return the frame that ends the connection."""
        return self._connection.send(CloseConnection(code=self._code))
