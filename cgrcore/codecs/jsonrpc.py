"""JSON-RPC as the servers of CGRateS speak it: requests in, replies out, on whole frames.

Rules: `id` is any JSON value and goes back as it was written, without white space between its parts; keys match without
regard to case, unknown ones are ignored, of equal keys the last counts; a reply is one line with the keys id, result,
error, always all three; text in replies is escaped for HTML as Go does it. Does not know: sockets, methods, arguments.
"""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore._fast.frames import compact, escape_html
from cgrcore._fast.jsontree import NotJson, members, parse

__all__ = ["NO_PARAMS", "Request", "encode", "failure", "id_text", "read_request", "success"]


#: The params of a request that has none.
NO_PARAMS = msgspec.Raw()


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """One request. `params` and `id` are JSON text; `params` is `NO_PARAMS` when it is absent."""

    method: str = ""
    params: msgspec.Raw = NO_PARAMS
    id: msgspec.Raw = msgspec.Raw(b"null")
    jsonrpc: msgspec.Raw = msgspec.Raw()


_decoder = msgspec.json.Decoder(Request)
_encoder = msgspec.json.Encoder(decimal_format="number")


def read_request(frame: bytes) -> Request:
    """Return the request a frame holds; `null` is an empty one. Raises NotJson when it is none."""
    try:
        return _decoder.decode(frame)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _read_exactly(frame)


def _read_exactly(frame: bytes) -> Request:
    request = Request()
    for key, text in members(frame):
        name = key.lower()
        if name == "method" and text != b"null":
            method = parse(text)
            if type(method) is not str:
                raise NotJson(0)
            request.method = method
        elif name == "params":
            request.params = msgspec.Raw(text)
        elif name == "id":
            request.id = msgspec.Raw(text)
    return request


def id_text(raw: msgspec.Raw) -> bytes:
    """Return an id as replies carry it."""
    text = bytes(raw)
    return text if text.isalnum() else escape_html(compact(text))


def success(id_: msgspec.Raw, result: bytes) -> bytes:
    """Return the reply line with a result, given as JSON text."""
    return b'{"id":%b,"result":%b,"error":null}\n' % (id_text(id_), result)


def failure(id_: msgspec.Raw, text: str) -> bytes:
    """Return the reply line of a call that failed with that text."""
    return b'{"id":%b,"result":null,"error":%b}\n' % (id_text(id_), escape_html(_encoder.encode(text)))


def encode(value: Any) -> bytes:
    """Return a result as JSON text. A `msgspec.Raw` is such a text already.

    Raises TypeError for what JSON has no word for, RecursionError for nesting too deep.
    """
    if type(value) is msgspec.Raw:
        return bytes(value)
    try:
        text = _encoder.encode(value)
    except (OverflowError, ValueError, msgspec.MsgspecError):
        text = _encoder.encode(_without_big_integers(value))
    return escape_html(text)


def _without_big_integers(value: Any) -> Any:
    """msgspec writes integers of 64 bits; larger ones go out through a Decimal, to the same digits."""
    if type(value) is int and not -(2**63) <= value < 2**64:
        return Decimal(value)
    if isinstance(value, dict):
        return {key: _without_big_integers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_big_integers(item) for item in value]
    if isinstance(value, msgspec.Struct):
        return _without_big_integers(msgspec.to_builtins(value, builtin_types=(Decimal,)))
    return value
