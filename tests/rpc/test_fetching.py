"""Requests on accounts that are in the store alone: answered as if all were in memory, nothing lost, in order."""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from cgrserver.commit import Committer
from cgrserver.rpc.dispatcher import CallLimits, Dispatcher
from cgrserver.rpc.fetching import Fetching
from cgrserver.rpc.registry import Args, Method
from cgrserver.storage.reads import StoreReads
from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgrcore.errors import NotFound, Refused, Unavailable
from cgrcore.state import Effects
from cgrcore.world import World
from tests.storage.conftest import TABLES, balance, put_account


class MoveArgs(Args):
    Source: str = ""
    Target: str = ""
    Amount: int = 0


def _amount(world: World, key: str) -> Any:
    return world.state.table("accounts").require(key).balances["*monetary"][0]


def create(world: World, args: MoveArgs) -> str:
    if args.Source in world.state.table("accounts"):
        raise Refused("EXISTS")
    put_account(world, args.Source, balance(world.new_id(), args.Amount))
    return "OK"


def move(world: World, args: MoveArgs) -> list[int]:
    table = world.state.table("accounts")
    for key, amount in ((args.Source, -args.Amount), (args.Target, args.Amount)):
        table.edit(key)
        _amount(world, key).value_nano += amount
    if _amount(world, args.Source).value_nano < 0:
        raise Refused("INSUFFICIENT_CREDIT")
    args.Amount = 10**9  # a decision that is made again gets its arguments as they came
    return [_amount(world, key).value_nano for key in (args.Source, args.Target)]


def read(world: World, args: MoveArgs) -> int:
    return int(_amount(world, args.Source).value_nano)


def remove(world: World, args: MoveArgs) -> bool:
    return world.state.table("accounts").remove(args.Source) is not None


def listed(world: World, args: MoveArgs) -> list[Any]:
    table = world.state.table("accounts")
    return [[key, _amount(world, key).value_nano] for key in sorted(table)]


def count(world: World, args: MoveArgs) -> int:
    return len(world.state.table("accounts"))


DECISIONS: dict[str, Callable[[World, MoveArgs], Any]] = {
    "Create": create,
    "Move": move,
    "Read": read,
    "Remove": remove,
    "List": listed,
    "Count": count,
}
FETCHED: list[str] = []


async def look(store: Any, world: World, args: MoveArgs) -> int:
    """What a decision needs of the store: how often it was asked for."""
    await trio.lowlevel.checkpoint()
    FETCHED.append(args.Source)
    return len(FETCHED)


def look_at_once(store: Any, world: World, args: MoveArgs) -> int:
    return read(world, args)


def told(world: World, args: MoveArgs, found: int) -> list[int]:
    return [found, read(world, args), read(world, MoveArgs(Source=args.Target))]


METHODS = {f"Test.{name}": Method(f"Test.{name}", decide, MoveArgs) for name, decide in DECISIONS.items()}
METHODS["Test.Told"] = Method("Test.Told", told, MoveArgs, fetch=look)
METHODS["Test.ToldAtOnce"] = Method("Test.ToldAtOnce", told, MoveArgs, fetch=look_at_once)


class Commits:
    """The committer as the dispatcher asks for it."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer

    @property
    def durable(self) -> int:
        return self._committer.durable

    def add(self, effects: Effects) -> int:
        return self._committer.add(effects, now_at=1)

    def on_durable(self, callback: Callable[[], None]) -> None:
        self._committer.on_durable(lambda durable: callback())

    def flush(self) -> None:
        return None


class Client:
    """Sends requests and waits for their replies, by number."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._number = 0
        self.replies: dict[int, Any] = {}
        self.order: list[int] = []
        self._answered = trio.Event()

    def deliver(self, reply: bytes) -> None:
        told = msgspec.json.decode(reply)
        self.replies[told["id"]] = told["error"] or told["result"]
        self.order.append(told["id"])
        self._answered.set()

    def send(self, name: str, source: str = "", target: str = "", amount: int = 0) -> int:
        self._number += 1
        params = {"Source": source, "Target": target, "Amount": amount}
        frame = msgspec.json.encode({"method": f"Test.{name}", "params": [params], "id": self._number})
        self._dispatcher.begin_batch()
        reply = self._dispatcher.receive(frame, self)
        self._dispatcher.end_batch()
        if reply is not None:
            self.deliver(reply)
        return self._number

    async def answer(self, number: int) -> Any:
        while number not in self.replies:
            self._answered = trio.Event()
            await self._answered.wait()
        return self.replies[number]

    async def ask(self, name: str, source: str = "", target: str = "", amount: int = 0) -> Any:
        return await self.answer(self.send(name, source, target, amount))


class Node:
    """A dispatcher on a SQLite store, with `limit` accounts in memory at most (0: all)."""

    def __init__(self, folder: Path, limit: int) -> None:
        codecs = Codecs(TABLES)
        ids = iter(range(10**9))
        self.world = World({"general": {}}, lambda: f"id{next(ids)}")
        self.accounts = self.world.state.table("accounts")
        self.accounts.limit = limit
        self.store = SqliteStore(folder / "store.db", codecs, is_every_commit_synced=False)
        self.store.load(self.world)
        self.committer = Committer(self.store, self.world, codecs)
        self.reads = StoreReads(self.store, self.committer)
        self.dispatcher = Dispatcher(
            self.world, Commits(self.committer), lambda: 1, methods=METHODS, store=self.reads, limits=CallLimits()
        )
        self.fetching = Fetching(self.accounts, self.reads, lambda: self.committer.unwritten("accounts"), 10)
        self.dispatcher.fetching = self.fetching
        self.committer.on_durable(lambda durable: self.fetching.trim())
        self.committer.on_failure(self.dispatcher.suspend)
        self.committer.on_recovery(self.dispatcher.resume)


@asynccontextmanager
async def serving(folder: Path, limit: int) -> AsyncIterator[Node]:
    node = Node(folder, limit)
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(node.committer.run)
            await nursery.start(node.dispatcher.run)
            yield node
            await node.committer.drain()
            nursery.cancel_scope.cancel()
    node.store.close()


KEYS = [f"t:{name}" for name in "abcdefgh"]
REQUESTS = st.lists(
    st.tuples(
        st.sampled_from((*("Move",) * 4, "Create", "Read", "Remove", "List", "Count")),
        st.sampled_from(KEYS),
        st.sampled_from(KEYS),
        st.integers(1, 60),
    ),
    max_size=40,
)
FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


async def open_accounts(folder: Path) -> None:
    async with serving(folder, 0) as node:
        client = Client(node.dispatcher)
        for key in KEYS[:6]:
            await client.ask("Create", key, amount=100)


@FEW
@given(REQUESTS, st.integers(1, 4))
def test_replies_are_those_of_a_node_that_holds_all(requests: Any, limit: int) -> None:
    async def replies(limit: int) -> list[Any]:
        with tempfile.TemporaryDirectory() as folder:
            await open_accounts(Path(folder))
            async with serving(Path(folder), limit) as node:
                client = Client(node.dispatcher)
                found = [await client.ask(*request) for request in requests]
                await node.committer.drain()
                assert limit == 0 or len(node.accounts.records) + len(node.accounts.older) <= limit
                return [*found, await client.ask("List")]

    assert trio.run(replies, limit) == trio.run(replies, 0)


@FEW
@given(st.lists(REQUESTS, max_size=4), st.integers(1, 4))
def test_what_many_clients_do_at_once_adds_up(bursts: Any, limit: int) -> None:
    async def check() -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            await open_accounts(folder)
            total = 600
            async with serving(folder, limit) as node:
                client = Client(node.dispatcher)
                for burst in bursts:
                    numbers = {client.send(*request): request for request in burst if request[0] != "Remove"}
                    for number, (method, _, _, amount) in numbers.items():
                        answer = await client.answer(number)
                        total += amount if (method, answer) == ("Create", "OK") else 0
                held = await client.ask("List")
            async with serving(folder, 0) as node:
                assert await Client(node.dispatcher).ask("List") == held
                for key, value in held:
                    assert sum(line.amount_nano for line in node.store.history(key)) == value
            assert sum(value for _, value in held) == total

    trio.run(check)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    await open_accounts(tmp_path)
    async with serving(tmp_path, 2) as made:
        yield made


async def test_requests_on_one_account_are_decided_in_the_order_they_came(node: Node) -> None:
    client = Client(node.dispatcher)
    numbers = [client.send("Move", "t:e", "t:f", 10) for _ in range(12)]
    answers = [await client.answer(number) for number in numbers]
    assert answers == [[100 - 10 * n, 100 + 10 * n] for n in range(1, 11)] + ["INSUFFICIENT_CREDIT"] * 2
    assert client.order == numbers


async def test_requests_on_accounts_in_memory_do_not_wait_for_others(node: Node) -> None:
    client = Client(node.dispatcher)
    waits, goes = client.send("Read", "t:f"), client.send("Read", "t:a")
    assert client.order == [goes]
    assert await client.answer(waits) == 100


async def test_one_query_serves_all_that_wait(node: Node) -> None:
    client = Client(node.dispatcher)
    for number in [client.send("Read", key) for key in KEYS[2:6]]:
        await client.answer(number)
    assert node.fetching.fetched_count == 4
    assert len(node.accounts.records) + len(node.accounts.older) == 2


async def test_an_account_that_is_nowhere_is_asked_for_once(node: Node) -> None:
    client = Client(node.dispatcher)
    assert await client.ask("Read", "t:z") == str(NotFound())
    assert client.replies[client.send("Read", "t:z")] == str(NotFound())


async def test_an_account_that_was_removed_is_not_brought_back(node: Node) -> None:
    client = Client(node.dispatcher)
    removed, again = client.send("Remove", "t:f"), client.send("Remove", "t:f")
    assert (await client.answer(removed), await client.answer(again)) == (True, False)
    assert await client.ask("Count") == 5


async def test_who_waits_is_told_when_the_store_cannot_be_read(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(account_ids: Any) -> Any:
        raise Unavailable("gone")

    client = Client(node.dispatcher)
    with monkeypatch.context() as patch:
        patch.setattr(node.store, "find_accounts", fail)
        assert await client.ask("Read", "t:f") == "SERVER_ERROR: the store cannot be read: gone"
    assert await client.ask("Read", "t:f") == 100


async def test_what_was_read_of_the_store_before_an_account_was_fetched_is_read_again(node: Node) -> None:
    FETCHED.clear()
    client = Client(node.dispatcher)
    assert await client.ask("Told", "t:e", "t:f") == [3, 100, 100]
    assert await client.ask("Told", "t:e", "t:f") == [4, 100, 100]
    assert node.dispatcher.in_work_count == 0


async def test_what_is_read_of_the_store_may_need_accounts_too(node: Node) -> None:
    assert await Client(node.dispatcher).ask("ToldAtOnce", "t:e", "t:f") == [100, 100, 100]
    assert await Client(node.dispatcher).ask("ToldAtOnce", "t:y", "t:z") == str(NotFound())


async def test_calls_that_wait_count_as_calls_in_work(node: Node) -> None:
    client = Client(node.dispatcher)
    number = client.send("Read", "t:f")
    assert node.dispatcher.in_work_count == 1
    await client.answer(number)
    assert node.dispatcher.in_work_count == 0


async def test_after_a_failed_commit_accounts_are_as_the_store_has_them(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(batch: Any) -> None:
        monkeypatch.undo()
        raise Unavailable("disk full")

    client = Client(node.dispatcher)
    recovered = trio.Event()
    node.committer.on_recovery(recovered.set)
    monkeypatch.setattr(node.store, "start_commit", fail)
    assert "disk full" in await client.ask("Move", "t:e", "t:a", 30)
    await recovered.wait()
    assert [value for _, value in await client.ask("List")] == [100] * 6
    assert await client.ask("Move", "t:e", "t:a", 30) == [70, 130]


async def test_a_decision_nobody_waits_for_is_made_once_its_accounts_are_there(node: Node) -> None:
    done = trio.Event()

    def spend(world: World) -> None:
        world.state.table("accounts").edit("t:f").balances["*monetary"][0].value_nano -= 1
        world.state.effects.after.append(done.set)

    node.dispatcher.decide_soon("test", spend)
    await done.wait()
    assert await Client(node.dispatcher).ask("Read", "t:f") == 99


async def test_what_a_decision_of_the_servers_own_is_given_is_read_again_too(node: Node) -> None:
    reads = iter(range(1, 10))

    async def look_up() -> int:
        return next(reads)

    def decide(world: World, found: int) -> list[int]:
        return told(world, MoveArgs(Source="t:e", Target="t:f"), found)

    assert await node.dispatcher.perform("test", decide, look_up) == [3, 100, 100]


async def test_a_turn_is_taken_again_until_it_misses_nothing(node: Node) -> None:
    def held(key: str) -> int:
        return node.dispatcher.decide("test", lambda world: read(world, MoveArgs(Source=key)))

    def turn() -> list[int]:
        return [held(key) for key in KEYS[:6]]

    assert await node.dispatcher.complete(turn) == [100] * 6
    with pytest.raises(NotFound):
        await node.dispatcher.complete(lambda: held("t:z"))
