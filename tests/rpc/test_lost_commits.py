"""When a commit fails: who waited is told, nobody else is served until the tables are what the store holds."""

from typing import Any

import msgspec
import pytest
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.rpc.registry import Args, Method

from cgrcore.errors import Unavailable
from cgrcore.world import World


class Mark(Args):
    Key: str = ""


def put(world: World, args: Mark) -> str:
    world.state.table("marks").put(args.Key, 1)
    return "OK"


class Client:
    def __init__(self) -> None:
        self.replies: list[Any] = []

    def deliver(self, reply: bytes) -> None:
        self.replies.append(msgspec.json.decode(reply))


@pytest.fixture
def committer() -> MemoryCommitter:
    return MemoryCommitter(is_held=True)


@pytest.fixture
def dispatcher(committer: MemoryCommitter) -> Dispatcher:
    world = World({"general": {"default_tenant": "cgrates.org"}}, new_id=lambda: "id")
    return Dispatcher(world, committer, lambda: 1, methods={"Mark.Put": Method("Mark.Put", put, Mark)})


REQUEST = b'{"method":"Mark.Put","params":[{"Key":"a"}],"id":7}'
WHY = Unavailable("SERVER_ERROR: the store cannot be written: disk full")


def test_who_waited_is_told_that_it_is_lost(dispatcher: Dispatcher, committer: MemoryCommitter) -> None:
    client = Client()
    assert dispatcher.receive(REQUEST, client) is None
    dispatcher.suspend(1, 1, WHY)
    assert client.replies == [{"id": 7, "result": None, "error": str(WHY)}]


def test_a_lost_reply_does_not_leave_when_later_commits_are_durable(
    dispatcher: Dispatcher, committer: MemoryCommitter
) -> None:
    client = Client()
    dispatcher.receive(REQUEST, client)
    dispatcher.suspend(1, 1, WHY)
    dispatcher.resume()
    committer.release()
    assert len(client.replies) == 1


def test_nothing_is_decided_until_the_store_is_back(dispatcher: Dispatcher, committer: MemoryCommitter) -> None:
    dispatcher.suspend(1, 0, WHY)
    reply = dispatcher.receive(REQUEST, Client())
    assert reply is not None and msgspec.json.decode(reply)["error"] == str(WHY)
    assert committer.effects_count == 0
    dispatcher.resume()
    assert dispatcher.receive(REQUEST, Client()) is None


def test_decisions_that_no_request_asked_for_are_refused_too(dispatcher: Dispatcher) -> None:
    dispatcher.suspend(1, 0, WHY)
    with pytest.raises(Unavailable):
        dispatcher.decide("timer", lambda world: None)
