"""The HTTP listener: many requests of one connection, limits, what is no HTTP, stopping."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import trio
from cgrserver.rpc import methods
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.transports.http import serve_http

from cgrcore.config import read_settings
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.transports.conftest import read, read_to_end, shrink_receive_buffer

PING = b'{"method":"CoreSv1.Ping","params":[{}],"id":1}'
PONG = b'{"id":1,"result":"Pong","error":null}\n'
SLEEP = b'{"method":"CoreSv1.Sleep","params":[{"Duration":300000000}],"id":"slow"}'
SLEPT = b'{"id":"slow","result":"OK","error":null}\n'


class Server:
    def __init__(self, address: tuple[str, int], dispatcher: Dispatcher, scope: trio.CancelScope) -> None:
        self.address = address
        self.dispatcher = dispatcher
        self.scope = scope

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream(*self.address)


@pytest.fixture
async def start(nursery: trio.Nursery) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    async def begin(committer: MemoryCommitter | None = None, **limits: Any) -> Server:
        methods.load_all()
        settings = read_settings([])
        settings["limits"] |= limits
        settings["cores"]["shutdown_timeout"] = 5 * SECOND_NS
        dispatcher = Dispatcher(World(settings, lambda: "id"), committer or MemoryCommitter(), lambda: 1_000)
        await nursery.start(dispatcher.run)
        scope = trio.CancelScope()

        async def run(*, task_status: trio.TaskStatus[Any]) -> None:
            with scope:
                await serve_http("127.0.0.1:0", dispatcher, settings, task_status=task_status)

        return Server(await nursery.start(run), dispatcher, scope)

    yield begin


def post(body: bytes, path: str = "/jsonrpc", *headers: str) -> bytes:
    head = "".join(f"{it}\r\n" for it in (f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers))
    return head.encode() + b"\r\n" + body


async def bodies(stream: trio.SocketStream, count: int = 1) -> list[bytes]:
    """Return the bodies of the next answers; they have a length."""
    data, found = b"", []
    while len(found) < count:
        head, split, rest = data.partition(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]) if split else 0
        if split and len(rest) >= size:
            found.append(rest[:size])
            data = rest[size:]
            continue
        part = await stream.receive_some(65536)
        assert part, "the connection was closed"
        data += part
    return found


async def test_requests_that_come_together_are_answered_in_their_order(start, autojump_clock):
    server = await start()
    async with await server.connect() as stream:
        await stream.send_all(post(SLEEP) + post(PING) * 3)
        assert await bodies(stream, 4) == [SLEPT, PONG, PONG, PONG]


async def test_clients_are_answered_side_by_side(start, autojump_clock):
    server = await start()
    async with await server.connect() as slow, await server.connect() as quick:
        await slow.send_all(post(SLEEP))
        begun = trio.current_time()
        await quick.send_all(post(PING))
        assert await bodies(quick) == [PONG]
        assert trio.current_time() - begun < 0.3
        assert await bodies(slow) == [SLEPT]


async def test_an_answer_waits_for_its_commit(start, autojump_clock):
    committer = MemoryCommitter(is_held=True)
    server = await start(committer)
    passive = b'{"CGRID":"c","EventStart":{"OriginID":"o"}}'
    call = b'{"method":"SessionSv1.SetPassiveSession","params":[%b],"id":1}' % passive
    async with await server.connect() as stream:
        await stream.send_all(post(call))
        with trio.move_on_after(1) as waiting:
            await stream.receive_some(1)
        assert waiting.cancelled_caught
        committer.release()
        assert await bodies(stream) == [b'{"id":1,"result":"OK","error":null}\n']


@pytest.mark.parametrize("pieces", [1, 7, 50])
async def test_a_request_in_pieces_is_answered(start, pieces):
    server = await start()
    data = post(PING)
    async with await server.connect() as stream:
        for at in range(0, len(data), len(data) // pieces):
            await stream.send_all(data[at : at + len(data) // pieces])
            await trio.testing.wait_all_tasks_blocked()
        assert await bodies(stream) == [PONG]


async def test_a_large_request_is_answered(start):
    server = await start()
    async with await server.connect() as stream:
        await stream.send_all(post(b'{"method":"CoreSv1.Ping","params":[{"ID":"%b"}],"id":1}' % (b"x" * 5_000_000)))
        assert await bodies(stream) == [PONG]


async def test_a_body_beyond_the_limit_is_refused(start):
    server = await start(max_request_size=1000)
    async with await server.connect() as stream:
        await stream.send_all(post(b" " * 1001))
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 413 ")


async def test_a_body_beyond_the_limit_is_refused_before_it_has_come(start):
    server = await start(max_request_size=1000)
    async with await server.connect() as stream:
        head = b"POST /jsonrpc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        await stream.send_all(head + b"7d0\r\n" + b" " * 2000)
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 413 ")


async def test_a_request_that_stalls_is_given_up(start, autojump_clock):
    server = await start(request_timeout=2 * SECOND_NS)
    async with await server.connect() as stream:
        await stream.send_all(post(PING)[:-5])
        begun = trio.current_time()
        assert await read_to_end(stream) == b""
        assert trio.current_time() - begun == pytest.approx(2, abs=0.1)


async def test_a_connection_without_requests_is_kept_for_a_while(start, autojump_clock):
    server = await start(request_timeout=2 * SECOND_NS)
    async with await server.connect() as stream:
        await trio.sleep(200)
        await stream.send_all(post(PING))
        assert await bodies(stream) == [PONG]
        await trio.sleep(301)
        assert await read_to_end(stream) == b""


async def test_a_client_that_does_not_read_is_closed(start, autojump_clock):
    server = await start(send_timeout=2 * SECOND_NS)
    async with await server.connect() as stream:
        shrink_receive_buffer(stream)
        await stream.send_all(post(b'{"method":"ConfigSv1.GetConfig","params":[{}],"id":1}' * 300))
        await trio.sleep(300)
        assert len(await read_to_end(stream)) < 9_000_000


async def test_connections_beyond_the_limit_are_closed(start):
    server = await start(max_connections=1)
    async with await server.connect() as first:
        await first.send_all(post(PING))
        assert await bodies(first) == [PONG]
        async with await server.connect() as second:
            assert await read_to_end(second) == b""


async def test_a_client_that_leaves_in_the_middle_troubles_nobody(start, autojump_clock):
    server = await start()
    stream = await server.connect()
    await stream.send_all(post(SLEEP))
    await stream.aclose()
    await trio.sleep(1)
    async with await server.connect() as other:
        await other.send_all(post(PING))
        assert await bodies(other) == [PONG]


@pytest.mark.parametrize(
    "garbage", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00" * 50 + b"\r\n\r\n"]
)
async def test_what_is_no_http_closes_the_connection_alone(start, garbage):
    server = await start()
    async with await server.connect() as stream, await server.connect() as other:
        await stream.send_all(garbage)
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 400 ")
        await other.send_all(post(PING))
        assert await bodies(other) == [PONG]


async def test_a_request_that_is_cut_off_is_not_done(start):
    server = await start()
    async with await server.connect() as stream:
        await stream.send_all(post(PING, "/jsonrpc")[:-1])
        await stream.send_eof()
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 400 ")
    assert server.dispatcher.counts["calls"] == 0


# --- websocket -------------------------------------------------------------------------------------------------------


HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://x\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
CLOSED = b"\x88\x02\x03\xe8"


def frame(payload: bytes) -> bytes:
    """Return a masked text frame; the mask is of zeros."""
    size = len(payload)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


async def connected(server: Server) -> trio.SocketStream:
    stream = await server.connect()
    await stream.send_all(HANDSHAKE)
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += await stream.receive_some(1)
    return stream


async def test_many_calls_over_a_websocket_are_all_answered(start):
    server = await start(max_connection_calls=5)
    async with await connected(server) as stream:
        await stream.send_all(frame(PING) * 500)
        assert await read(stream, 500 * (2 + len(PONG))) == (b"\x81" + bytes([len(PONG)]) + PONG) * 500


async def test_calls_over_a_websocket_wait_while_too_many_are_in_work(start, autojump_clock):
    server = await start(max_connection_calls=2)
    async with await connected(server) as stream:
        for _ in range(6):
            await stream.send_all(frame(SLEEP))
            await trio.testing.wait_all_tasks_blocked()
        assert await read(stream, 6 * (2 + len(SLEPT))) == (b"\x81" + bytes([len(SLEPT)]) + SLEPT) * 6


async def test_calls_in_work_are_answered_before_a_websocket_closes(start, autojump_clock):
    server = await start()
    async with await connected(server) as stream:
        await stream.send_all(frame(SLEEP) + frame(b"nonsense"))
        assert await read_to_end(stream) == b"\x81" + bytes([len(SLEPT)]) + SLEPT + CLOSED


async def test_a_call_that_stalls_ends_a_websocket(start, autojump_clock):
    server = await start(request_timeout=2 * SECOND_NS)
    async with await connected(server) as stream:
        await stream.send_all(frame(PING[:-1]))
        assert await read_to_end(stream) == CLOSED


async def test_a_call_beyond_the_limit_ends_a_websocket(start):
    server = await start(max_request_size=1000)
    async with await connected(server) as stream:
        await stream.send_all(frame(b'{"method":"' + b"x" * 2000))
        assert await read_to_end(stream) == CLOSED


async def test_a_websocket_without_calls_is_kept_and_closed_by_a_stop(start, autojump_clock):
    server = await start()
    async with await connected(server) as stream:
        await trio.sleep(10_000)
        server.scope.cancel()
        assert await read_to_end(stream) == CLOSED


# --- stopping --------------------------------------------------------------------------------------------------------


async def test_a_stop_answers_what_is_in_work_and_closes_who_asks_nothing(start, autojump_clock):
    server = await start()
    async with await server.connect() as busy, await server.connect() as idle:
        await busy.send_all(post(SLEEP))
        while server.dispatcher.in_work_count == 0:
            await trio.sleep(0.001)
        server.scope.cancel()
        assert await read_to_end(idle) == b""
        assert (await read_to_end(busy)).endswith(SLEPT)
