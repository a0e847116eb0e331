"""Lists of stored CDRs: a long one is made in small steps, between which others have their turn."""

import json
from typing import Any

import cgrserver.rpc.methods.cdr_queries  # noqa: F401 - declares the methods
import pytest
import trio
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher

from cgrcore.cdrs import Cdr, CdrFilter
from cgrcore.config import read_settings
from cgrcore.world import World

CALL = b'{"method":"%b","params":[{"Limit":%d}],"id":1}'
COUNT = 2000


class Shelf:
    """A store of many CDRs."""

    async def find_cdrs(self, criteria: CdrFilter) -> list[Cdr]:
        return [Cdr(cgrid=f"c{number}", origin_id="<o>", usage_ns=1, cost_nano=10**8) for number in range(COUNT)][
            : criteria.limit
        ]


class Reply:
    """A channel that waits for one reply."""

    def __init__(self) -> None:
        self.done = trio.Event()
        self.data = b""

    def deliver(self, reply: bytes) -> None:
        self.data = reply
        self.done.set()


@pytest.fixture
async def dispatcher(nursery: trio.Nursery) -> Dispatcher:
    made = Dispatcher(World(read_settings([]), lambda: "id"), MemoryCommitter(), lambda: 1_000, store=Shelf())
    await nursery.start(made.run)
    return made


async def ask(dispatcher: Dispatcher, method: str, limit: int = COUNT) -> Any:
    reply = Reply()
    assert dispatcher.receive(CALL % (method.encode(), limit), reply) is None
    await reply.done.wait()
    return json.loads(reply.data)


@pytest.mark.parametrize("method", ["CDRsV1.GetCDRs", "APIerSv2.GetCDRs"])
async def test_a_long_list_is_whole_and_in_order(dispatcher: Dispatcher, method: str) -> None:
    found = (await ask(dispatcher, method))["result"]
    assert [it["CGRID"] for it in found] == [f"c{number}" for number in range(COUNT)]


@pytest.mark.parametrize("method", ["CDRsV1.GetCDRs", "APIerSv2.GetCDRs", "APIerSv1.GetCDRs"])
async def test_others_have_their_turn_while_a_long_list_is_made(dispatcher: Dispatcher, method: str) -> None:
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as others:
        others.start_soon(take_turns)
        await ask(dispatcher, method)
        others.cancel_scope.cancel()
    assert turns >= COUNT // 50


async def test_texts_are_escaped_as_in_every_reply(dispatcher: Dispatcher) -> None:
    reply = Reply()
    dispatcher.receive(CALL % (b"CDRsV1.GetCDRs", 1), reply)
    await reply.done.wait()
    assert b"\\u003co\\u003e" in reply.data


async def test_a_list_of_none_is_not_found(dispatcher: Dispatcher) -> None:
    assert (await ask(dispatcher, "CDRsV1.GetCDRs", 0))["error"] == "SERVER_ERROR: NOT_FOUND"
