"""`cgrcore call`: a console for one method of a running server, over JSON-RPC and TCP."""

from typing import Annotated

from cyclopts import Parameter

__all__ = ["ErrorReply", "ask", "call"]

#: More than any reply should have, in bytes; a peer that sends more does not speak our protocol.
MAX_REPLY_SIZE = 256 << 20


def call(
    method: str,
    /,
    *arguments: str,
    server: Annotated[str, Parameter(env_var="CGRCORE_SERVER")] = "127.0.0.1:2012",
    timeout_s: Annotated[float, Parameter(name="--timeout")] = 30.0,
    raw: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Call a method of a running server and print its reply.

    Exit status 1 when the server answers with an error, which is printed on standard error.

    Examples: `cgrcore call CoreSv1.Ping`, `cgrcore call APIerSv2.GetAccounts 'AccountIDs=["1001"]'`,
    `cgrcore call APIerSv1.GetCost '{"Category":"call","Destination":"1002","AnswerTime":"*now","Usage":"1m"}'`.

    Parameters
    ----------
    method:
        Such as APIerSv2.GetAccounts.
    arguments:
        The argument as one JSON object, or its fields as Name=JSON. A value that is not JSON is taken as text;
        digits are a number, so write 'Account="1001"'.
    server:
        Address of the server's rpc_json listener.
    timeout_s:
        How many seconds to wait for the connection and for the reply.
    raw:
        Print the reply on one line, as it came.
    """
    import sys

    import msgspec

    try:
        result = ask(server, _request(method, arguments), timeout_s)
    except ErrorReply as error:
        print(error, file=sys.stderr)
        return 1
    _print(result if raw else msgspec.json.format(result, indent=2))
    return 0


class ErrorReply(Exception):
    """The server answered with an error; this is its text."""


def ask(server: str, request: bytes, timeout_s: float) -> bytes:
    """Send one JSON-RPC request and return the JSON of its result.

    Raises ErrorReply for an error the server answers, Unavailable when there is no answer within `timeout_s` seconds.
    """
    import msgspec

    fields = msgspec.json.decode(_exchange(server, request, timeout_s), type=dict[str, msgspec.Raw])
    error = msgspec.json.decode(fields.get("error", b"null"))
    if error is not None:
        raise ErrorReply(error if isinstance(error, str) else msgspec.json.encode(error).decode())
    return bytes(fields.get("result", b"null"))


def _request(method: str, arguments: tuple[str, ...]) -> bytes:
    import msgspec

    from cgrcore.errors import BadRequest

    if len(arguments) == 1 and arguments[0].lstrip()[:1] in ("{", "[", '"'):
        try:
            parameter: object = msgspec.Raw(msgspec.json.format(arguments[0].encode(), indent=-1))
        except msgspec.DecodeError as error:
            raise BadRequest(f"the argument is not JSON: {error}") from None
    else:
        named: dict[str, object] = {}
        for argument in arguments:
            name, is_named, value = argument.partition("=")
            if not is_named:
                raise BadRequest(f"expected a JSON object or Name=JSON, got {argument!r}")
            try:
                named[name] = msgspec.Raw(msgspec.json.format(value.encode(), indent=-1))
            except msgspec.DecodeError:
                named[name] = value
        parameter = named
    return msgspec.json.encode({"method": method, "params": [parameter], "id": 1})


def _exchange(server: str, request: bytes, timeout_s: float) -> bytes:
    """Send one request and return the one reply, a whole JSON object."""
    import socket

    import msgspec

    from cgrcore.errors import Unavailable

    host, _, port = server.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]") or "127.0.0.1", int(port)), timeout_s) as connection:
            connection.sendall(request)
            received = bytearray()
            while len(received) < MAX_REPLY_SIZE and (part := connection.recv(1 << 20)):
                received += part
                if not received.rstrip().endswith(b"}"):
                    continue
                try:
                    msgspec.json.decode(received, type=msgspec.Raw)
                except msgspec.DecodeError:
                    continue
                return bytes(received)
    except (OSError, ValueError) as error:
        raise Unavailable(f"{server}: {getattr(error, 'strerror', None) or error}") from None
    raise Unavailable(f"{server}: the connection was closed before the reply was whole")


def _print(text: bytes) -> None:
    """Print JSON, in colours on a terminal."""
    import sys

    if sys.stdout.isatty():
        from rich.console import Console
        from rich.syntax import Syntax

        Console().print(Syntax(text.decode(), "json", background_color="default", word_wrap=True))
    else:
        print(text.decode())
