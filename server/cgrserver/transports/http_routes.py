"""What is served over HTTP: JSON-RPC, CDRs that switches post; who may ask for it.

Rules: JSON-RPC is answered with 200 whatever the method of HTTP, errors of calls included; a body without JSON has an
empty answer. A CDR is answered with an empty 200 once it is durable, also when it was taken before; what cannot be read
is the sender's (400), anything else is worth another try (503), so that no switch throws away a CDR that was not taken.
Does not know: sockets.
"""

import base64
import binascii
import hmac
import posixpath
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from cgrcore.codecs import Frames, cdr_from_form, cdr_from_freeswitch
from cgrcore.errors import BadRequest
from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.transports.answers import Answers
from cgrserver.transports.http_protocol import HttpRequest, HttpResponse

__all__ = ["HttpRoutes"]

_JSON = ("Content-Type", "application/json")
_TEXT = (("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff"))
_REALM = ("Www-Authenticate", 'Basic realm="Restricted"')

_encode = msgspec.json.Encoder(decimal_format="number").encode

#: Errors that another try of the same CDR may not meet.
_OURS = ("SERVER_ERROR", "MAX_CONCURRENT_RPC_EXCEEDED", "PARTIALLY_EXECUTED")


class HttpRoutes:
    """Answers requests by their path."""

    def __init__(self, dispatcher: Dispatcher, settings: Mapping[str, Mapping[str, Any]]) -> None:
        http = settings["http"]
        self._dispatcher = dispatcher
        self._call_bytes = settings["limits"]["max_request_size"]
        self._users: Mapping[str, str] | None = http["auth_users"] or {} if http["use_basic_auth"] else None
        self._extra_fields: list[str] = settings["cdrs"]["extra_fields"]
        self.websocket_path: str = http["ws_url"]
        self._routes: dict[str, Callable[[HttpRequest], Awaitable[HttpResponse]]] = {
            http["freeswitch_cdrs_url"]: self._freeswitch,
            http["http_cdrs"]: self._form,
            http["json_rpc_url"]: self._json_rpc,
        }
        self._routes.pop("", None)

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Return the answer to a request; calls it makes are durable then. Cancelled, they are made all the same."""
        route = self._routes.get(request.path)
        if route is None:
            return self._elsewhere(request.path)
        return await route(request)

    def _elsewhere(self, path: str) -> HttpResponse:
        plain = posixpath.normpath("/" + path.lstrip("/"))
        if plain != path and plain in self._routes and not path.endswith("/"):
            return HttpResponse(307, (("Location", plain),))
        return HttpResponse(404, _TEXT, b"404 page not found\n")

    def refusal(self, request: HttpRequest) -> HttpResponse | None:
        """Return why someone may not ask, None when they may."""
        if self._users is None:
            return None
        why = _why_not(request.headers.get("authorization", ""), self._users)
        return HttpResponse(401, (*_TEXT, _REALM), f"{why}\n".encode()) if why else None

    async def _json_rpc(self, request: HttpRequest) -> HttpResponse:
        refused = self.refusal(request)
        if refused is not None:
            return refused
        headers = [_JSON] if self._users is None else [_JSON, _REALM]
        origin = request.headers.get("origin")
        if origin is not None:
            headers += [
                ("Access-Control-Allow-Headers", "Accept, Accept-Language, Content-Type"),
                ("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE"),
                ("Access-Control-Allow-Origin", origin),
            ]
        frames = Frames(self._call_bytes)
        answers = Answers(self._dispatcher)
        if answers.call(frames.feed(request.body)):
            answers.call(frames.finish())
        return HttpResponse(200, headers, await answers.all())

    async def _form(self, request: HttpRequest) -> HttpResponse:
        return await self._take(lambda: cdr_from_form(request.query, request.body))

    async def _freeswitch(self, request: HttpRequest) -> HttpResponse:
        return await self._take(lambda: cdr_from_freeswitch(request.body, self._extra_fields))

    async def _take(self, read: Callable[[], dict[str, Any]]) -> HttpResponse:
        try:
            cdr = read()
        except BadRequest as error:
            return HttpResponse(400, _TEXT, f"{error}\n".encode())
        answers = Answers(self._dispatcher)
        answers.call([b'{"method":"CDRsV1.ProcessExternalCDR","params":[%b],"id":1}' % _encode(cdr)])
        why: str | None = msgspec.json.decode(await answers.all())["error"]
        if not why or why.endswith("EXISTS"):
            return HttpResponse(200)
        return HttpResponse(503 if why.startswith(_OURS) else 400, _TEXT, f"{why}\n".encode())


def _why_not(authorization: str, users: Mapping[str, str]) -> str:
    """Return why the header does not let its sender in, "" when it does. The word before the base64 does not matter."""
    _, _, encoded = authorization.partition(" ")
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode("latin-1").partition(":")
    except binascii.Error:
        return f"illegal base64 data at input byte {_first_wrong(encoded)}"
    known = users.get(name)
    if not colon or known is None:
        return "Not authorized"
    try:
        expected = base64.b64decode(known, validate=True)
    except binascii.Error:
        return "Not authorized"
    return "" if hmac.compare_digest(expected, password.encode("latin-1")) else "Not authorized"


def _first_wrong(encoded: str) -> int:
    """Return where a text stops being base64."""
    return next((at for at, it in enumerate(encoded) if not (it.isascii() and (it.isalnum() or it in "+/="))), 0)
