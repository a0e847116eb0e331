"""With a limit for `*rpc_responses`, an event is decided once within a moment, and its reply or error given again."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cgrserver.rpc import methods, responses
from cgrserver.rpc.answers import Answers
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.rpc.registry import METHODS, Args, Method
from cgrserver.rpc.responses import Responses

from cgrcore.errors import PartiallyExecuted, Refused, Unavailable
from cgrcore.world import World
from tests.server_process import CallRefused, ServerProcess

TTL_NS = 1000

AUTHORIZE = "SessionSv1.AuthorizeEvent"
OTHER = "SessionSv1.UpdateSession"


class Count(Args):
    Tenant: str = ""
    ID: str = ""
    Name: str = ""


def count(world: World, args: Count) -> int:
    if args.Name == "away":
        raise Unavailable("RATING_QUEUE_FULL")
    counts = world.state.table("counts")
    counts.put("x", (counts.get("x") or 0) + 1)
    if args.Name == "refused":
        raise Refused("NO")
    if args.Name == "partly":
        raise PartiallyExecuted
    return int(counts.require("x"))


class Node:
    def __init__(self, limit: int = -1) -> None:
        self.now_at = 1
        self.world = World({"general": {"default_tenant": "cgrates.org"}}, new_id=lambda: "id")
        declared = {name: Method(name, count, Count) for name in (AUTHORIZE, OTHER, "SessionSv1.Ping")}
        self.dispatcher = Dispatcher(self.world, MemoryCommitter(), lambda: self.now_at, methods=declared)
        answers = Answers(self.world, TTL_NS)
        self.dispatcher.replays = Responses(self.world, answers, TTL_NS, limit)

    def call(self, event_id: str, method: str = AUTHORIZE, **params: Any) -> Any:
        self.dispatcher.begin_batch()
        request = msgspec.json.encode({"method": method, "params": [{"ID": event_id, **params}], "id": 1})
        reply = self.dispatcher.receive(request, None)  # type: ignore[arg-type]
        assert reply is not None
        answer = msgspec.json.decode(reply)
        return answer["error"] or answer["result"]

    @property
    def count(self) -> int:
        return int(self.world.state.table("counts").get("x") or 0)


@pytest.fixture
def node() -> Node:
    return Node()


def test_an_event_of_the_same_id_gets_the_first_reply(node: Node) -> None:
    assert [node.call("e"), node.call("e"), node.call("f")] == [1, 1, 2]


def test_after_the_time_to_live_it_is_a_new_one(node: Node) -> None:
    node.call("e")
    node.now_at += TTL_NS - 1
    assert node.call("e") == 1
    node.now_at += 1
    assert node.call("e") == 2


def test_an_id_counts_per_method_and_tenant(node: Node) -> None:
    assert [node.call("e"), node.call("e", OTHER), node.call("e", Tenant="other")] == [1, 2, 3]
    assert node.call("e", Tenant="cgrates.org") == 1


def test_events_without_an_id_are_all_new(node: Node) -> None:
    assert [node.call(""), node.call("")] == [1, 2]


def test_other_methods_are_decided_each_time(node: Node) -> None:
    assert [node.call("e", "SessionSv1.Ping"), node.call("e", "SessionSv1.Ping")] == [1, 2]


def test_an_error_is_given_again_and_has_changed_nothing(node: Node) -> None:
    assert [node.call("e", Name="refused"), node.call("e")] == ["NO", "NO"]
    assert node.count == 0


def test_so_is_one_that_keeps_its_changes(node: Node) -> None:
    assert [node.call("e", Name="partly"), node.call("e")] == ["PARTIALLY_EXECUTED", "PARTIALLY_EXECUTED"]
    assert node.count == 1


def test_what_could_not_be_decided_is_asked_for_anew(node: Node) -> None:
    assert [node.call("e", Name="away"), node.call("e")] == ["RATING_QUEUE_FULL", 1]


def test_an_idempotency_key_goes_before_the_id_of_the_event(node: Node) -> None:
    keys = [{"*idempotencyKey": key} for key in ("k", "l", "k")]
    assert [node.call("e", APIOpts=key) for key in keys] == [1, 2, 1]


def test_beyond_the_limit_the_oldest_is_forgotten() -> None:
    node = Node(limit=2)
    assert [node.call(event_id) for event_id in ("a", "b", "c")] == [1, 2, 3]
    assert [node.call("c"), node.call("b"), node.call("a")] == [3, 2, 4]
    assert len(node.world.state.table("rpc_responses")) == 2


def test_replies_that_are_too_old_leave_memory(node: Node) -> None:
    for number in range(5):
        node.call(str(number))
    node.now_at += TTL_NS
    node.call("new")
    assert len(node.world.state.table("rpc_responses")) == 1


def test_all_methods_are_there_and_have_what_tells_their_requests_apart() -> None:
    methods.load_all()
    for name, tell in responses.METHODS.items():
        assert tell(METHODS[name].args()) in ("", ":"), name


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    started = []

    def begin(*settings: str) -> ServerProcess:
        server = ServerProcess(tmp_path, settings)
        started.append(server)
        server.call("APIerSv1.AddBalance", Tenant="cgrates.org", Account="1001", BalanceType="*sms", Value=10)
        server.call(
            "APIerSv1.SetChargerProfile", Tenant="cgrates.org", ID="CH", RunID="*default", AttributeIDs=["*none"]
        )
        return server

    yield begin
    for server in started:
        server.kill()


def send(server: ServerProcess, event_id: str, **fields: str) -> Any:
    event = {"ToR": "*sms", "RequestType": "*prepaid", "Account": "1001", "Destination": "1002", "Usage": "1"}
    event |= {"SetupTime": "2026-01-01T10:00:00Z", **fields}
    return server.call("SessionSv1.ProcessMessage", Debit=True, Tenant="cgrates.org", ID=event_id, Event=event)


def left(server: ServerProcess) -> Any:
    account = server.call("APIerSv2.GetAccount", Tenant="cgrates.org", Account="1001")
    return account["BalanceMap"]["*sms"][0]["Value"]


@pytest.mark.slow
def test_a_message_that_is_sent_twice_is_charged_once(start: Callable[..., ServerProcess]) -> None:
    server = start("caches.partitions.*rpc_responses.limit=-1", "caches.partitions.*rpc_responses.ttl=60s")
    assert send(server, "m1") == send(server, "m1")
    assert left(server) == 9
    for _ in range(2):
        with pytest.raises(CallRefused, match="RALS_ERROR:ACCOUNT_NOT_FOUND"):
            send(server, "m2", Account="nobody")
    send(server, "m3")
    assert left(server) == 8


@pytest.mark.slow
def test_by_default_it_is_charged_twice(start: Callable[..., ServerProcess]) -> None:
    server = start()
    send(server, "m1")
    send(server, "m1")
    assert left(server) == 8
