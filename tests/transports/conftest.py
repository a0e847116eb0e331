"""A server on a free port of its own, and clients that speak to it in bytes."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import cgrserver.rpc.methods.core  # noqa: F401 - declares the methods that the tests call
import pytest
import trio
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.rpc.registry import METHODS
from cgrserver.transports import serve_json

from cgrcore.config import read_settings
from cgrcore.timing import SECOND_NS
from cgrcore.world import World

PING = b'{"method":"CoreSv1.Ping","params":[{}],"id":1}'
PONG = b'{"id":1,"result":"Pong","error":null}\n'


class Server:
    """What the tests see of it."""

    def __init__(self, address: tuple[str, int], dispatcher: Dispatcher, scope: trio.CancelScope) -> None:
        self.address = address
        self.dispatcher = dispatcher
        self.scope = scope

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream(*self.address)


async def read(stream: trio.SocketStream, size: int) -> bytes:
    """Return that many bytes, fewer when the server closes."""
    got = b""
    while len(got) < size:
        try:
            part = await stream.receive_some(size - len(got))
        except trio.BrokenResourceError:
            break
        if not part:
            break
        got += part
    return got


async def read_to_end(stream: trio.SocketStream) -> bytes:
    return await read(stream, 1 << 30)


async def is_served(server: Server) -> bool:
    """Whether a client that behaves is answered."""
    async with await server.connect() as stream:
        await stream.send_all(PING)
        return await read(stream, len(PONG)) == PONG


@pytest.fixture
async def start(nursery: trio.Nursery) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Start servers: `await start(max_request_size=1000, ...)`, with keys of section `limits` of the configuration."""

    async def begin(
        committer: MemoryCommitter | None = None, shutdown_timeout: int = 5 * SECOND_NS, **limits: Any
    ) -> Server:
        settings = read_settings([])
        settings["limits"] |= limits
        settings["cores"]["shutdown_timeout"] = shutdown_timeout
        world = World(settings, lambda: "id")
        dispatcher = Dispatcher(world, committer or MemoryCommitter(), lambda: 1_000, methods=METHODS)
        await nursery.start(dispatcher.run)
        scope = trio.CancelScope()

        async def run(*, task_status: trio.TaskStatus[Any]) -> None:
            with scope:
                await serve_json("127.0.0.1:0", dispatcher, settings, task_status=task_status)

        return Server(await nursery.start(run), dispatcher, scope)

    yield begin


def shrink_receive_buffer(stream: trio.SocketStream) -> None:
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
