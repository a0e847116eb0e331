"""The listener: replies, half-closed connections, overtaking, stopping."""

import trio

from tests.transports.conftest import PING, PONG, read, read_to_end

SLEEP = b'{"method":"CoreSv1.Sleep","params":[{"Duration":300000000}],"id":"slow"}'
SLEPT = b'{"id":"slow","result":"OK","error":null}\n'


async def test_many_requests_in_one_segment_are_all_answered(start):
    server = await start()
    async with await server.connect() as stream:
        await stream.send_all(PING * 2000)
        assert await read(stream, 2000 * len(PONG)) == PONG * 2000


async def test_a_request_in_pieces_is_answered(start):
    server = await start()
    async with await server.connect() as stream:
        for at in range(0, len(PING), 5):
            await stream.send_all(PING[at : at + 5])
            await trio.testing.wait_all_tasks_blocked()
        assert await read(stream, len(PONG)) == PONG


async def test_a_large_request_is_answered(start):
    server = await start()
    async with await server.connect() as stream:
        await stream.send_all(b'{"method":"CoreSv1.Ping","params":[{"ID":"' + b"x" * 8_000_000 + b'"}],"id":1}')
        assert await read(stream, len(PONG)) == PONG


async def test_a_slow_call_is_overtaken(start, autojump_clock):
    server = await start()
    async with await server.connect() as stream:
        await stream.send_all(SLEEP + PING)
        assert await read(stream, len(PONG + SLEPT)) == PONG + SLEPT


async def test_a_half_closed_connection_is_answered_then_closed(start, autojump_clock):
    server = await start()
    async with await server.connect() as stream:
        await stream.send_all(SLEEP)
        await stream.send_eof()
        assert await read_to_end(stream) == SLEPT


async def test_a_null_at_the_end_of_the_stream_is_an_empty_request(start):
    server = await start()
    async with await server.connect() as stream:
        await stream.send_all(b"null")
        await stream.send_eof()
        assert await read_to_end(stream) == (
            b'{"id":null,"result":null,"error":"rpc: service/method request ill-formed: "}\n'
        )


async def test_clients_are_served_side_by_side(start):
    server = await start()
    answers = []

    async def ask() -> None:
        async with await server.connect() as stream:
            for _ in range(20):
                await stream.send_all(PING)
                answers.append(await read(stream, len(PONG)))

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask)
    assert answers == [PONG] * 1000


async def test_a_stop_answers_what_is_in_work_and_accepts_no_more(start, autojump_clock):
    server = await start()
    async with await server.connect() as stream:
        await stream.send_all(SLEEP)
        while server.dispatcher.in_work_count == 0:
            await trio.sleep(0.001)
        server.scope.cancel()
        assert await read_to_end(stream) == SLEPT


async def test_a_stop_cuts_what_takes_too_long(start, autojump_clock):
    server = await start(shutdown_timeout=100_000_000)
    async with await server.connect() as stream:
        await stream.send_all(SLEEP)
        while server.dispatcher.in_work_count == 0:
            await trio.sleep(0.001)
        server.scope.cancel()
        assert await read_to_end(stream) == b""


async def test_a_connection_with_too_many_calls_in_work_waits_and_then_goes_on(start, autojump_clock):
    server = await start(max_connection_calls=2)
    async with await server.connect() as stream:
        for _ in range(6):
            await stream.send_all(SLEEP)
            await trio.testing.wait_all_tasks_blocked()
        assert await read(stream, 6 * len(SLEPT)) == 6 * SLEPT


async def test_a_client_that_leaves_with_calls_in_work_troubles_nobody(start, autojump_clock):
    server = await start()
    stream = await server.connect()
    await stream.send_all(SLEEP * 10)
    await stream.aclose()
    await trio.sleep(1)
    async with await server.connect() as stream:
        await stream.send_all(PING)
        assert await read(stream, len(PONG)) == PONG
    assert server.dispatcher.in_work_count == 0
