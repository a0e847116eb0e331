"""HTTP/1.1 without sockets: bytes that came in become requests, responses become bytes that go out.

Rules: one request is answered before the next is looked at, however many have come; a request is whole before it is
handed out; its head and its body are bounded; after what is no HTTP the connection is answered once and closed.
Header names of responses are written as given. Does not know: what is asked, deadlines.
"""

from collections.abc import Sequence
from email.utils import formatdate

import h11
import msgspec

__all__ = ["HttpConnection", "HttpRequest", "HttpResponse", "NotHttp"]

#: The longest head of a request: Go's servers take a megabyte.
HEAD_BYTES = 1 << 20

#: Answers up to this size have their length in the head, longer ones come in chunks.
PLAIN_BYTES = 2048

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Headers = Sequence[tuple[str, str]]


class HttpRequest(msgspec.Struct, frozen=True):
    """One whole request. `path` has no query; names of `headers` are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class HttpResponse(msgspec.Struct, frozen=True):
    """What is answered: `headers` besides those of length, date and connection."""

    status: int
    headers: Headers = ()
    body: bytes = b""


class NotHttp(Exception):
    """The connection cannot go on. `answer` is sent before it is closed."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        line = f"{status} {text}"
        head = f"HTTP/1.1 {line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
        self.answer = (head + line).encode("latin-1", "replace")


class HttpConnection:
    """The server's side of one connection."""

    def __init__(self, body_bytes: int) -> None:
        """A body of more than `body_bytes` is refused."""
        self._body_bytes = body_bytes
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        self._head: h11.Request | None = None
        self._body: list[bytes] = []
        self._size = 0

    def receive(self, data: bytes) -> None:
        """Take what arrived; no bytes are the end of the stream."""
        self._http.receive_data(data)

    @property
    def is_between_requests(self) -> bool:
        """True while nothing of the next request has arrived."""
        return self._head is None and not self._http.trailing_data[0]

    @property
    def is_over(self) -> bool:
        """True when no further request can come."""
        ended = (h11.MUST_CLOSE, h11.CLOSED, h11.ERROR)
        return self._http.our_state in ended or self._http.their_state in ended

    def pending(self) -> bytes:
        """Return what must be sent before more can come: leave to send a body, for a client that asks for it."""
        if self._head is not None and self._http.they_are_waiting_for_100_continue:
            return self._http.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
        return b""

    def next_request(self) -> HttpRequest | None:
        """Return the next request, None until more has arrived (or none will come). Raises NotHttp."""
        try:
            return self._next()
        except h11.RemoteProtocolError as error:
            status = error.error_status_hint
            texts = {431: "Request Header Fields Too Large", 501: "Not Implemented"}
            detail = ": missing required Host header" if "Missing mandatory Host" in str(error) else ""
            raise NotHttp(status, texts.get(status, "Bad Request") + detail) from None

    def _next(self) -> HttpRequest | None:
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                if event.http_version not in (b"1.0", b"1.1"):
                    raise NotHttp(505, "HTTP Version Not Supported: unsupported protocol version")
                self._head, self._body, self._size = event, [], 0
            elif isinstance(event, h11.Data):
                self._size += len(event.data)
                if self._size > self._body_bytes:
                    raise NotHttp(413, "Request Entity Too Large")
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                return self._whole()
            else:
                return None

    def _whole(self) -> HttpRequest:
        assert self._head is not None
        head, self._head = self._head, None
        target = head.target.decode("latin-1")
        if "://" in target.partition("?")[0]:  # the absolute form, RFC 9112, 3.2.2
            target = "/" + target.split("://", 1)[1].partition("/")[2]
        path, _, query = target.partition("?")
        headers: dict[str, str] = {}
        for name, value in head.headers:
            headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        return HttpRequest(
            method=head.method.decode("latin-1"),
            path=path,
            query=query,
            headers=headers,
            body=b"".join(self._body),
        )

    def respond(self, request: HttpRequest, response: HttpResponse, now_s: float) -> bytes:
        """Return the bytes of a response, and be ready for the next request unless the connection is to be closed."""
        http = self._http
        headers = [*sorted(response.headers), ("Date", formatdate(now_s, usegmt=True))]
        if len(response.body) <= PLAIN_BYTES or request.method == "HEAD":
            headers.append(("Content-Length", str(len(response.body))))
        head = h11.Response(status_code=response.status, headers=headers, reason=_REASONS.get(response.status, ""))
        data = http.send(head) or b""
        if response.body and request.method != "HEAD":
            data += http.send(h11.Data(data=response.body)) or b""
        data += http.send(h11.EndOfMessage()) or b""
        if http.our_state is h11.DONE and http.their_state is h11.DONE:
            http.start_next_cycle()
        return data

    def leftover(self) -> bytes:
        """Return what arrived after a request that changes the protocol."""
        return bytes(self._http.trailing_data[0])


_REASONS = {
    200: "OK",
    307: "Temporary Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    503: "Service Unavailable",
}
