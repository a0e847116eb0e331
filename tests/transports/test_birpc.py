"""JSON-RPC in both directions: what clients ask and are asked on one connection."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import trio
from cgrserver.clients import Client, Clients
from cgrserver.rpc import methods
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.transports.birpc import serve_birpc

from cgrcore.config import read_settings
from cgrcore.errors import Refused, Unavailable
from cgrcore.world import World
from tests.transports.conftest import read, read_to_end

PING = b'{"method":"SessionSv1.Ping","params":[{}],"id":1}'
PONG = b'{"id":1,"result":"Pong","error":null}\n'
ECHO = b'{"method":"AgentV1.Echo","params":[7],"id":1}\n'


class Server:
    def __init__(self, address: tuple[str, int], clients: Clients) -> None:
        self.address = address
        self.clients = clients

    async def connect(self) -> tuple[trio.SocketStream, Client]:
        """Return a connection and the server's end of it."""
        stream = await trio.open_tcp_stream(*self.address)
        await stream.send_all(PING)
        assert await read(stream, len(PONG)) == PONG
        return stream, list(self.clients)[-1]


@pytest.fixture
async def start(nursery: trio.Nursery) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    async def begin(committer: MemoryCommitter | None = None) -> Server:
        methods.load_all()
        settings = read_settings([])
        ids = iter(range(1000))
        world = World(settings, lambda: f"client-{next(ids)}")
        dispatcher = Dispatcher(world, committer or MemoryCommitter(), lambda: 1_000)
        await nursery.start(dispatcher.run)
        clients = Clients()

        async def run(*, task_status: trio.TaskStatus[Any]) -> None:
            await serve_birpc("127.0.0.1:0", world, clients, dispatcher, settings, task_status=task_status)

        return Server(await nursery.start(run), clients)

    yield begin


async def answering(stream: trio.SocketStream, result: Any, error: str | None = None) -> dict[str, Any]:
    """Answer one call of the server, and return it."""
    line = await read(stream, 1)
    while not line.endswith(b"\n"):
        line += await read(stream, 1)
    call: dict[str, Any] = json.loads(line)
    await stream.send_all(json.dumps({"id": call["id"], "result": result, "error": error}).encode())
    return call


# --- the client asks -------------------------------------------------------------------------------------------------


async def test_a_call_with_an_id_is_answered(start):
    server = await start()
    async with await trio.open_tcp_stream(*server.address) as stream:
        await stream.send_all(PING)
        assert await read(stream, len(PONG)) == PONG


@pytest.mark.parametrize("id_part", [b"", b',"id":null'])
async def test_a_call_without_an_id_is_not_answered(start, id_part):
    server = await start()
    async with await trio.open_tcp_stream(*server.address) as stream:
        await stream.send_all(b'{"method":"SessionSv1.Ping","params":[{}]%b}' % id_part + PING)
        await stream.send_eof()
        assert await read_to_end(stream) == PONG


@pytest.mark.parametrize("method", [b"SessionSv1.NoSuch", b"CoreSv1.Ping", b"nodot"])
async def test_a_method_that_is_not_served_here_is_named(start, method):
    server = await start()
    async with await trio.open_tcp_stream(*server.address) as stream:
        await stream.send_all(b'{"method":"%b","params":[{}],"id":1}' % method)
        await stream.send_eof()
        text = b'{"id":1,"result":null,"error":"birpc: can\'t find method %b"}\n' % method
        assert await read_to_end(stream) == text


async def test_missing_params_are_told(start):
    server = await start()
    async with await trio.open_tcp_stream(*server.address) as stream:
        await stream.send_all(b'{"method":"SessionSv1.Ping","id":1}')
        await stream.send_eof()
        assert b"jsonrpc: request body missing params" in await read_to_end(stream)


async def test_an_answer_to_no_call_is_ignored(start):
    server = await start()
    async with await trio.open_tcp_stream(*server.address) as stream:
        await stream.send_all(b'{"id":5,"result":"OK","error":null}' + PING)
        assert await read(stream, len(PONG)) == PONG


@pytest.mark.parametrize("frame", [b"{}", b'{"id":5}', b'{"result":"OK"}', b'{"params":[{}]}', b"nonsense\n"])
async def test_what_is_neither_call_nor_answer_closes_the_connection_alone(start, frame):
    server = await start()
    other, _ = await server.connect()
    async with other, await trio.open_tcp_stream(*server.address) as stream:
        await stream.send_all(frame)
        assert await read_to_end(stream) == b""
        await other.send_all(PING)
        assert await read(other, len(PONG)) == PONG


async def test_a_call_that_wants_no_answer_and_waits_for_its_commit_ends_the_connection_in_order(start):
    committer = MemoryCommitter(is_held=True)
    server = await start(committer)
    async with await trio.open_tcp_stream(*server.address) as stream:
        passive = {"CGRID": "c", "EventStart": {"OriginID": "o"}}
        call = {"method": "SessionSv1.SetPassiveSession", "params": [passive]}
        await stream.send_all(json.dumps(call).encode())
        await stream.send_eof()
        while committer.effects_count == 0:
            await trio.sleep(0)
        committer.release()
        assert await read_to_end(stream) == b""


# --- the server asks -------------------------------------------------------------------------------------------------


async def test_a_client_is_called_and_its_result_returned(start, nursery):
    server = await start()
    stream, client = await server.connect()
    async with stream:
        nursery.start_soon(answering, stream, "OK")
        assert await client.call("AgentV1.DisconnectSession", {"ID": "x"}, 5) == "OK"


async def test_the_error_of_a_client_is_raised(start, nursery):
    server = await start()
    stream, client = await server.connect()
    async with stream:
        nursery.start_soon(answering, stream, None, "NO_ACTIVE_SESSION")
        with pytest.raises(Refused, match="NO_ACTIVE_SESSION"):
            await client.call("AgentV1.GetActiveSessionIDs", "", 5)


async def test_answers_find_their_calls_in_any_order(start):
    server = await start()
    stream, client = await server.connect()
    results = {}

    async def ask(number: int) -> None:
        results[number] = await client.call("AgentV1.Echo", number, 5)

    async with stream:
        async with trio.open_nursery() as asking:
            for number in range(3):
                asking.start_soon(ask, number)
            calls = [json.loads(line) for line in (await read(stream, 3 * len(ECHO))).splitlines()]
            for call in reversed(calls):
                answer = {"id": call["id"], "result": call["params"][0], "error": None}
                await stream.send_all(json.dumps(answer).encode())
        assert results == {0: 0, 1: 1, 2: 2}


async def test_the_ids_of_both_sides_do_not_meet(start, nursery):
    server = await start()
    stream, client = await server.connect()
    async with stream:

        async def ask_first_then_answer() -> None:
            line = await read(stream, len(ECHO))
            await stream.send_all(PING)  # its id is that of the call which waits
            assert await read(stream, len(PONG)) == PONG
            await stream.send_all(b'{"id":%d,"result":7,"error":null}' % json.loads(line)["id"])

        nursery.start_soon(ask_first_then_answer)
        assert await client.call("AgentV1.Echo", 7, 5) == 7


async def test_a_client_that_never_answers_is_waited_for_until_the_deadline(start, autojump_clock):
    server = await start()
    stream, client = await server.connect()
    async with stream:
        begun = trio.current_time()
        with pytest.raises(Unavailable, match="no answer within 2 s"):
            await client.call("AgentV1.DisconnectSession", {}, 2)
        assert trio.current_time() - begun == pytest.approx(2, abs=0.1)


async def test_an_answer_after_the_deadline_is_for_nobody(start, autojump_clock):
    server = await start()
    stream, client = await server.connect()
    async with stream:
        with pytest.raises(Unavailable):
            await client.call("AgentV1.DisconnectSession", {}, 2)
        await stream.send_all(b'{"id":1,"result":"OK","error":null}')
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(Unavailable):
            await client.call("AgentV1.DisconnectSession", {}, 2)


async def test_who_waits_for_a_client_that_leaves_is_told_at_once(start, nursery):
    server = await start()
    stream, client = await server.connect()

    async def leave() -> None:
        await read(stream, 10)
        await stream.aclose()

    nursery.start_soon(leave)
    with pytest.raises(Unavailable, match="the client is gone"):
        await client.call("AgentV1.DisconnectSession", {}, 60)


async def test_a_client_that_left_is_not_known_any_more(start):
    server = await start()
    stream, client = await server.connect()
    await stream.aclose()
    while len(server.clients):
        await trio.sleep(0.001)
    with pytest.raises(Unavailable, match="the client is gone"):
        await client.call("AgentV1.DisconnectSession", {}, 60)


async def test_a_client_that_answers_nothing_is_not_called_without_end(start, nursery):
    server = await start()
    stream, client = await server.connect()
    async with stream:
        for _ in range(1000):
            nursery.start_soon(_ask_in_vain, client)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(Unavailable, match="too many"):
            await client.call("AgentV1.WarnDisconnect", {}, 60)
        nursery.cancel_scope.cancel()


async def _ask_in_vain(client: Client) -> None:
    with suppress(Unavailable):
        await client.call("AgentV1.WarnDisconnect", {}, 600)
