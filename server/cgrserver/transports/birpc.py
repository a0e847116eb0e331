"""JSON-RPC in both directions (port 2014): clients call the server, and the server calls them on the same connection.

Rules: framing and limits are those of the plain port; only the methods that concern sessions are served; a call without
an id, or with null, is done and not answered; an answer to no call of ours is ignored, and what is neither call nor
answer closes the connection. Does not know: what is called and why.
"""

from collections.abc import Mapping
from typing import Any

import trio

from cgrcore.codecs import Answer, failure, read_message
from cgrcore.world import World
from cgrserver.clients import Client, Clients
from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.rpc.registry import METHODS
from cgrserver.transports.json_tcp import serve_frames
from cgrserver.transports.sockets import Connection

__all__ = ["serve_birpc"]

#: The services on this port.
SERVICES = ("SessionSv1.", "ThresholdSv1.")

NOTHING = b""


class _NoAnswer:
    """Where the reply of a call goes that wants none: the connection counts the call as done."""

    __slots__ = ("_connection", "client")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.client = connection.client

    def deliver(self, reply: bytes) -> None:
        self._connection.deliver(NOTHING)


class _Receiver:
    """Takes the frames of all connections of the listener."""

    def __init__(self, world: World, dispatcher: Dispatcher, clients: Clients) -> None:
        self._world = world
        self._dispatcher = dispatcher
        self._clients = clients

    def accept(self, connection: Connection) -> None:
        """A client has come: it can be called from now on."""
        connection.client = Client(self._world.new_id(), connection.send)
        self._clients.add(connection.client)

    def receive(self, frame: bytes, connection: Connection) -> bytes | None:
        message = read_message(frame)
        if isinstance(message, Answer):
            connection.client.answered(message)
            return NOTHING
        is_answered = bytes(message.id) != b"null"
        if message.method not in METHODS or not message.method.startswith(SERVICES):
            reply: bytes | None = failure(message.id, f"birpc: can't find method {message.method}")
        else:
            reply = self._call(frame, connection, connection if is_answered else _NoAnswer(connection))
        return reply if is_answered or reply is None else NOTHING

    def _call(self, frame: bytes, connection: Connection, channel: Any) -> bytes | None:
        self._world.client_id = connection.client.id
        try:
            return self._dispatcher.receive(frame, channel)
        finally:
            self._world.client_id = ""


async def serve_birpc(
    address: str,
    world: World,
    clients: Clients,
    dispatcher: Dispatcher,
    settings: Mapping[str, Mapping[str, Any]],
    *,
    task_status: trio.TaskStatus[tuple[str, int]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve clients on `address` until cancelled, as `serve_json` does; `clients` knows them while they are connected.

    Raises OSError.
    """
    receiver = _Receiver(world, dispatcher, clients)
    await serve_frames(address, dispatcher, settings, receiver.receive, receiver.accept, task_status=task_status)
