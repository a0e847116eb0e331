"""A request with an idempotency key is decided once."""

from typing import Any

import msgspec
import pytest
from cgrserver.rpc.answers import FORGET_LIMIT, Answers
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.rpc.registry import Args, Method

from cgrcore.errors import PartiallyExecuted, Refused
from cgrcore.world import World

TTL_NS = 1000


class Count(Args):
    Name: str = ""
    APIOpts: dict[str, Any] | None = None


def count(world: World, args: Count) -> int:
    if args.Name == "refused":
        raise Refused("NO")
    if args.Name == "partly":
        world.state.table("counts").put("partly", len(world.state.table("counts")) + 1)
        raise PartiallyExecuted
    counts = world.state.table("counts")
    value = (counts.get(args.Name) or 0) + 1
    counts.put(args.Name, value)
    return value


class Node:
    def __init__(self) -> None:
        self.now_at = 1
        self.world = World({"general": {"default_tenant": "cgrates.org"}}, new_id=lambda: "id")
        methods = {name: Method(name, count, Count) for name in ("A.Count", "B.Count")}
        self.dispatcher = Dispatcher(self.world, MemoryCommitter(), lambda: self.now_at, methods=methods)
        self.answers = self.dispatcher.replays = Answers(self.world, TTL_NS)

    def call(self, key: Any = None, method: str = "A.Count", name: str = "x") -> Any:
        params = {"Name": name, "APIOpts": {"*idempotencyKey": key}}
        self.dispatcher.begin_batch()
        request = msgspec.json.encode({"method": method, "params": [params], "id": 1})
        reply = self.dispatcher.receive(request, None)  # type: ignore[arg-type]
        assert reply is not None
        answer = msgspec.json.decode(reply)
        return answer["error"] or answer["result"]


@pytest.fixture
def node() -> Node:
    return Node()


def test_a_repeated_request_gets_the_first_answer(node: Node) -> None:
    assert [node.call("k"), node.call("k"), node.call("k")] == [1, 1, 1]


def test_without_a_key_every_request_is_a_first_one(node: Node) -> None:
    assert [node.call(), node.call("")] == [1, 2]


def test_another_key_is_another_request(node: Node) -> None:
    assert [node.call("k"), node.call("l")] == [1, 2]


def test_a_key_counts_per_method(node: Node) -> None:
    assert [node.call("k"), node.call("k", "B.Count")] == [1, 2]


def test_an_error_is_not_an_answer(node: Node) -> None:
    assert node.call("k", name="refused") == "NO"
    assert node.call("k") == 1


def test_an_error_that_keeps_its_changes_is_an_answer(node: Node) -> None:
    assert [node.call("k", name="partly"), node.call("k", name="x")] == ["PARTIALLY_EXECUTED", "PARTIALLY_EXECUTED"]
    assert list(node.world.state.table("counts").records) == ["partly"]


def test_an_answer_is_forgotten_after_its_time(node: Node) -> None:
    node.call("k")
    node.now_at += TTL_NS
    assert node.call("k") == 2


def test_forgetting_removes_what_is_too_old_and_nothing_else(node: Node) -> None:
    node.call("old")
    node.now_at += TTL_NS // 2
    node.call("young")
    node.now_at += TTL_NS // 2
    assert node.dispatcher.decide("forget", node.answers.forget) == 1
    assert list(node.world.state.table("answers").records) == ["A.Count:young"]


def test_an_answer_given_anew_outlives_the_one_before(node: Node) -> None:
    node.call("k")
    node.now_at += TTL_NS
    node.call("k")
    assert node.dispatcher.decide("forget", node.answers.forget) == 0
    assert node.call("k") == 2


def test_forgetting_goes_in_portions(node: Node) -> None:
    for i in range(FORGET_LIMIT + 1):
        node.call(str(i))
    node.now_at += TTL_NS
    assert [node.dispatcher.decide("forget", node.answers.forget) for _ in range(2)] == [FORGET_LIMIT, 1]


@pytest.mark.parametrize("key", [5, ["a"], "x" * 600])
def test_a_key_that_is_none_is_refused(node: Node, key: Any) -> None:
    assert "*idempotencyKey must be a text" in node.call(key)


class Record(msgspec.Struct):
    """Arguments as CGRateS has them, without a place for options."""

    Name: str = ""


def test_arguments_without_a_place_for_options_may_carry_a_key(node: Node) -> None:
    method = Method("A.Count", count, Record)
    node.dispatcher = Dispatcher(node.world, MemoryCommitter(), lambda: node.now_at, methods={"A.Count": method})
    node.dispatcher.replays = node.answers
    assert [node.call("k"), node.call("k"), node.call("l"), node.call()] == [1, 1, 2, 3]


def test_nothing_is_fetched_for_a_repeated_request(node: Node) -> None:
    fetched = []
    method = Method("A.Count", lambda world, args, _: count(world, args), Count, fetch=lambda *args: fetched.append(1))
    node.dispatcher = Dispatcher(node.world, MemoryCommitter(), lambda: node.now_at, methods={"A.Count": method})
    node.dispatcher.replays = node.answers
    assert [node.call("k"), node.call("k"), len(fetched)] == [1, 1, 1]
