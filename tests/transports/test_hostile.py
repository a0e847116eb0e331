"""Clients that send nonsense, too much, too slowly, or never read: they are ended, all others are served."""

import cgrserver.rpc.methods.core  # noqa: F401 - declares the methods that the tests call
import pytest
import structlog
import trio
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgrcore.codecs import NotJson
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.transports.conftest import PING, PONG, is_served, read, read_to_end, shrink_receive_buffer


@pytest.mark.parametrize(
    "junk",
    [
        b"nonsense\n",
        b"}",
        b'{"method":}',
        b"{'method':'CoreSv1.Ping'}",
        b'[{"method":"CoreSv1.Ping","params":[{}],"id":1}]',
        b"5 ",
        b'"text"',
        b"\x00{}",
        b"\xef\xbb\xbf{}",
        b'{"method":"CoreSv1.Ping","params":[{],"id":1}',
        b'{"method":5,"params":[{}],"id":1}',
        b'{"method":"CoreSv1.Ping","params":[{"Event":{"n":01}}],"id":1}',
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
async def test_what_is_no_request_ends_its_connection_after_what_came_before(start, junk):
    server = await start()
    with structlog.testing.capture_logs() as logs:
        async with await server.connect() as stream:
            await stream.send_all(PING + junk)
            assert await read_to_end(stream) == PONG
    assert [entry["reason"] for entry in logs] == ["not JSON"]
    assert await is_served(server)


async def test_calls_in_work_are_answered_before_a_bad_connection_is_closed(start, autojump_clock):
    server = await start()
    async with await server.connect() as stream:
        await stream.send_all(b'{"method":"CoreSv1.Sleep","params":[{"Duration":200000000}],"id":1}nonsense')
        assert await read_to_end(stream) == b'{"id":1,"result":"OK","error":null}\n'


async def test_a_request_of_a_hundred_megabytes_is_refused_while_it_arrives(start):
    server = await start(max_request_size=1 << 20)
    with structlog.testing.capture_logs() as logs:
        async with await server.connect() as stream:
            with pytest.raises(trio.BrokenResourceError):
                for _ in range(100):
                    await stream.send_all(b'{"method":"CoreSv1.Ping","params":[{"ID":"' + b"x" * 1_000_000)
    assert [entry["reason"] for entry in logs] == ["request larger than 1048576 bytes"]
    assert await is_served(server)


async def test_too_large_a_request_is_answered_before_the_end(start):
    server = await start(max_request_size=1000)
    async with await server.connect() as stream:
        await stream.send_all(b'{"method":"' + b"x" * 1000)
        assert await read_to_end(stream) == (b'{"id":null,"result":null,"error":"request larger than 1000 bytes"}\n')


async def test_a_stalled_request_is_given_up(start, autojump_clock):
    server = await start(request_timeout=5 * SECOND_NS)
    with structlog.testing.capture_logs() as logs:
        async with await server.connect() as stream:
            await stream.send_all(PING + PING[:20])
            began = trio.current_time()
            assert await read_to_end(stream) == PONG
            assert 5 <= trio.current_time() - began < 6
    assert logs[0]["reason"] == "a request did not arrive whole within 5 s"


async def test_an_idle_connection_is_left_alone(start, autojump_clock):
    server = await start(request_timeout=5 * SECOND_NS)
    async with await server.connect() as stream:
        await trio.sleep(100)
        await stream.send_all(PING)
        assert await read(stream, len(PONG)) == PONG


LARGE = b'{"method":"CoreSv1.No' + b"x" * 50_000 + b'","params":[{}],"id":1}'


async def test_a_client_that_never_reads_is_not_read_from_and_then_closed(start, autojump_clock):
    server = await start(max_reply_backlog=1 << 20, send_timeout=5 * SECOND_NS)
    with structlog.testing.capture_logs() as logs:
        async with await server.connect() as stream:
            shrink_receive_buffer(stream)
            with pytest.raises(trio.BrokenResourceError):
                for _ in range(2000):
                    await stream.send_all(LARGE)
    assert [entry["reason"] for entry in logs] == ["the client read nothing for 5 s"]
    assert await is_served(server)


async def test_a_client_that_reads_late_gets_everything(start):
    server = await start(max_reply_backlog=1 << 20)
    count = 200
    expected = b'{"id":1,"result":null,"error":"rpc: can\'t find method CoreSv1.No%b"}\n' % (b"x" * 50_000)
    async with await server.connect() as stream, trio.open_nursery() as nursery:

        async def send() -> None:
            for _ in range(count):
                await stream.send_all(LARGE)

        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        assert await read(stream, count * len(expected)) == expected * count


async def test_one_reply_may_be_longer_than_what_may_wait(start):
    server = await start(max_reply_backlog=1 << 20)
    async with await server.connect() as stream:
        await stream.send_all(b'{"method":"CoreSv1.Ping","params":[{}],"id":"%b"}' % (b"i" * 20_000_000))
        expected = b'{"id":"%b","result":"Pong","error":null}\n' % (b"i" * 20_000_000)
        assert await read(stream, len(expected)) == expected


async def test_connections_above_the_limit_are_refused(start):
    server = await start(max_connections=2)
    async with await server.connect() as first, await server.connect() as second:
        for stream in (first, second):
            await stream.send_all(PING)
            assert await read(stream, len(PONG)) == PONG
        with structlog.testing.capture_logs() as logs:
            async with await server.connect() as third:
                assert await read_to_end(third) == b""
        assert logs[0]["limit"] == 2
    assert await is_served(server)


async def test_ten_thousand_levels_are_answered_and_more_end_the_connection(start):
    server = await start()
    async with await server.connect() as stream:
        for depth, answer in ((9_990, PONG), (10_010, b"")):
            text = b"[" * depth + b"1" + b"]" * depth
            await stream.send_all(b'{"method":"CoreSv1.Ping","params":[{"Event":{"n":%b}}],"id":1}' % text)
            assert await read(stream, len(PONG)) == answer


class Nobody:
    def deliver(self, reply: bytes) -> None:
        raise AssertionError("nothing is held here")


JSON = st.recursive(
    st.sampled_from(
        [b"1e400", b"-1", b"10" * 20, b"0.1", b"null", b"true", b'"x"', b'"\\ud800"', b'"\xff"', b"[]", b"{}"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: b"[" + b",".join(items) + b"]")
        | st.lists(
            st.tuples(st.sampled_from([b"Tenant", b"event", b"Time", b"Duration", b"APIOpts", b"x"]), inner), max_size=3
        ).map(lambda pairs: b"{" + b",".join(b'"' + key + b'":' + value for key, value in pairs) + b"}")
    ),
    max_leaves=8,
)


@given(params=JSON, id_=JSON, method=st.sampled_from([b'"CoreSv1.Ping"', b'"CoreSv1.Status"', b'"X.Y"', b"null", b"5"]))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
def test_any_request_is_answered_with_one_line_or_told_to_be_no_json(params, id_, method):
    dispatcher = Dispatcher(World({"general": {}}, lambda: "id"), MemoryCommitter(), lambda: 0)
    frame = b'{"method":%b,"params":%b,"id":%b}' % (method, params, id_)
    try:
        reply = dispatcher.receive(frame, Nobody())
    except NotJson:
        return
    assert reply is not None
    assert reply.startswith(b'{"id":')
    assert reply.endswith(b"}\n")
    assert reply.count(b"\n") == 1
    assert dispatcher.counts["failures"] == 0
