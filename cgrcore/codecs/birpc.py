"""JSON-RPC in both directions over one connection: requests of either side, and answers to what the other one asked.

Rules: an object with a method is a request, one without is an answer; so the ids of both sides never meet. A request
without an id wants no answer. An answer names its call by a whole number, as `call_text` wrote it, and holds a result
or the text of an error. Does not know: connections, deadlines, methods.
"""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore._fast.frames import escape_html
from cgrcore._fast.jsontree import NotJson, members
from cgrcore.codecs.jsonrpc import Request, encode, read_request

__all__ = ["Answer", "call_text", "read_message"]


_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Answer(msgspec.Struct, frozen=True):
    """What the other side answered to call `id`: a result, as values, or the text of an error."""

    id: int
    result: Any
    error: str


def read_message(frame: bytes) -> Request | Answer:
    """Return what a frame holds. Raises NotJson when it is neither a request nor an answer."""
    request = read_request(frame)
    return request if request.method else _read_answer(frame)


def _read_answer(frame: bytes) -> Answer:
    given: dict[str, Any] = {"id": None, "result": None, "error": None}
    for key, text in members(frame):
        if key.lower() in given:
            given[key.lower()] = _value(text)
    call_id, result, error = given["id"], given["result"], given["error"]
    if type(call_id) is not int or (error is not None and type(error) is not str) or (result is None and not error):
        raise NotJson(0)
    return Answer(call_id, result, error or "")


def _value(text: bytes) -> Any:
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise NotJson(0) from None


def call_text(call_id: int, method: str, argument: Any) -> bytes:
    """Return the line that calls a method of the other side."""
    name = escape_html(msgspec.json.encode(method))
    return b'{"method":%b,"params":[%b],"id":%d}\n' % (name, encode(argument), call_id)
