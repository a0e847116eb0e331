"""Lists and counts of many sessions: made in small steps, between which others have their turn."""

import json
from typing import Any

import pytest
import trio
from cgrserver.rpc import methods
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher

from cgrcore.config import read_settings
from cgrcore.sessions import Session, SessionRun
from cgrcore.timing import Moment
from cgrcore.world import World

COUNT = 1000


class Reply:
    def __init__(self) -> None:
        self.done = trio.Event()
        self.data = b""

    def deliver(self, reply: bytes) -> None:
        self.data = reply
        self.done.set()


class Node:
    """A world of sessions, every tenth of a rich account, and what asks it."""

    def __init__(self, count: int = COUNT) -> None:
        methods.load_all()
        self.world = World(read_settings([]), lambda: "id")
        self.sessions = self.world.state.table("sessions")
        for number in range(count):
            event = {"OriginID": f"o{number}", "Account": "rich" if number % 10 == 0 else "poor", "RunID": "*default"}
            run = SessionRun("*default", event, "*rated", Moment(0, 0), 0)
            key = f"c{number:05}"
            self.sessions.put(key, Session(key, "cgrates.org", event, {}, [run]))
        self.world.state.take()
        self.dispatcher = Dispatcher(self.world, MemoryCommitter(), lambda: 1_000)

    async def ask(self, method: str, **params: Any) -> Any:
        reply = Reply()
        call = json.dumps({"method": f"SessionSv1.{method}", "params": [params], "id": 1})
        at_once = self.dispatcher.receive(call.encode(), reply)
        if at_once is None:
            await reply.done.wait()
        answer = json.loads(at_once or reply.data)
        return answer["result"] if answer["error"] is None else answer["error"]


@pytest.fixture
async def node(nursery: trio.Nursery) -> Node:
    made = Node()
    await nursery.start(made.dispatcher.run)
    return made


RICH = "*string:~*req.Account:rich"


async def test_a_long_list_is_whole_and_in_order(node: Node) -> None:
    assert [it["CGRID"] for it in await node.ask("GetActiveSessions")] == sorted(node.sessions.records)


async def test_a_filter_chooses_among_many(node: Node) -> None:
    assert len(await node.ask("GetActiveSessions", Filters=[RICH])) == COUNT // 10


async def test_a_limit_bounds_a_long_list(node: Node) -> None:
    assert [it["CGRID"] for it in await node.ask("GetActiveSessions", Filters=[RICH], Limit=3)] == [
        "c00000",
        "c00010",
        "c00020",
    ]


async def test_one_call_is_found_among_many(node: Node) -> None:
    found = await node.ask("GetActiveSessions", Filters=["*string:~*req.OriginID:o777"])
    assert [it["CGRID"] for it in found] == ["c00777"]


async def test_many_are_counted(node: Node) -> None:
    assert (await node.ask("GetActiveSessionsCount"), await node.ask("GetActiveSessionsCount", Filters=[RICH])) == (
        COUNT,
        COUNT // 10,
    )


async def test_none_of_many_is_not_found(node: Node) -> None:
    assert await node.ask("GetActiveSessions", Filters=["*string:~*req.Account:x"]) == "NOT_FOUND"


async def test_a_filter_that_does_not_exist_is_not_found(node: Node) -> None:
    assert (await node.ask("GetActiveSessionsCount", Filters=["FLT"])).startswith("NOT_FOUND")


async def test_sessions_that_end_meanwhile_are_left_out(node: Node) -> None:
    async with trio.open_nursery() as nursery:

        async def end_all() -> None:
            await trio.lowlevel.checkpoint()
            for key in list(node.sessions.records):
                node.sessions.remove(key)
            node.world.state.take()

        nursery.start_soon(end_all)
        assert len(await node.ask("GetActiveSessions")) < COUNT


@pytest.mark.parametrize("method", ["GetActiveSessions", "GetActiveSessionsCount"])
async def test_others_have_their_turn_meanwhile(node: Node, method: str) -> None:
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as others:
        others.start_soon(take_turns)
        await node.ask(method, Filters=["*string:~*req.Account:rich"])
        others.cancel_scope.cancel()
    assert turns >= COUNT // 200


async def test_few_are_listed_at_once(nursery: trio.Nursery) -> None:
    node = Node(3)
    assert len(await node.ask("GetActiveSessions")) == 3
