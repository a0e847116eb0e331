"""The committer: order, group commit, durability, failure and recovery."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing
from cgrserver.commit import Committer, Durability
from cgrserver.storage.reads import StoreReads
from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs

from cgrcore.cdrs.filter import CdrFilter
from cgrcore.cdrs.records import Cdr
from cgrcore.errors import Corrupt, Unavailable
from cgrcore.ports import Batch
from cgrcore.world import World
from tests.storage.conftest import balance, put_account


class Gate:
    """A store whose commits wait at a gate, or break."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.open = threading.Event()
        self.open.set()
        self.sizes: list[int] = []
        self.why_broken = ""

    def start_commit(self, batch: Batch) -> None:
        """Everything goes through the gate."""

    def commit(self, batch: Batch) -> None:
        assert self.open.wait(10)
        self.sizes.append(len(batch.records.get("marks", ())))
        if self.why_broken:
            raise Unavailable(self.why_broken)
        self.store.commit(batch)

    def reopen(self) -> None:
        assert self.open.wait(10)
        self.why_broken = ""
        self.store.reopen()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@pytest.fixture
def gate(store: SqliteStore) -> Gate:
    return Gate(store)


@asynccontextmanager
async def running(
    gate: Gate, world: World, codecs: Codecs, durability: Durability = "commit"
) -> AsyncIterator[Committer]:
    committer = Committer(gate, world, codecs, durability)  # type: ignore[arg-type]
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(committer.run)
            yield committer
            nursery.cancel_scope.cancel()


def mark(world: World, committer: Committer, key: str, value: int = 1) -> int:
    world.state.begin("mark")
    world.state.table("marks").put(key, value)
    return committer.add(world.state.take(), now_at=1)


def stored(gate: Gate) -> dict[str, int]:
    world = World({}, new_id=lambda: "")
    gate.store.load(world)
    return world.state.table("marks").records


async def test_what_is_durable_is_in_the_store(gate: Gate, world: World, codecs: Codecs) -> None:
    async with running(gate, world, codecs) as committer:
        mark(world, committer, "a", 7)
        assert committer.durable == 0
        await committer.drain()
        assert committer.durable == 1
        assert stored(gate) == {"a": 7}


async def test_decisions_gather_while_a_commit_runs(gate: Gate, world: World, codecs: Codecs) -> None:
    async with running(gate, world, codecs) as committer:
        gate.open.clear()
        mark(world, committer, "first")
        await trio.testing.wait_all_tasks_blocked()
        for i in range(20):
            mark(world, committer, str(i))
        gate.open.set()
        await committer.drain()
        assert gate.sizes == [1, 20]


async def test_decisions_of_one_turn_go_together(gate: Gate, world: World, codecs: Codecs) -> None:
    async with running(gate, world, codecs) as committer:
        for i in range(5):
            mark(world, committer, str(i))
        await committer.drain()
        assert gate.sizes == [5]


async def test_callers_are_told_how_far_it_is_durable(gate: Gate, world: World, codecs: Codecs) -> None:
    told: list[int] = []
    async with running(gate, world, codecs) as committer:
        committer.on_durable(told.append)
        for i in range(3):
            mark(world, committer, str(i))
        await committer.drain()
        mark(world, committer, "x")
        await committer.drain()
    assert told == [3, 4]


async def test_a_decision_on_what_is_not_durable_yet_is_kept_behind_it(
    gate: Gate, world: World, codecs: Codecs
) -> None:
    async with running(gate, world, codecs) as committer:
        gate.open.clear()
        for value in (1, 2, 3):
            mark(world, committer, "a", value)
            await trio.testing.wait_all_tasks_blocked()
        gate.open.set()
        await committer.drain()
        assert stored(gate) == {"a": 3}


async def test_delayed_acknowledges_at_once_and_writes_soon(gate: Gate, world: World, codecs: Codecs) -> None:
    async with running(gate, world, codecs, "delayed") as committer:
        mark(world, committer, "a")
        assert committer.durable == 1
        await committer.drain()
        assert stored(gate) == {"a": 1}


async def test_cancelling_writes_what_was_added(gate: Gate, world: World, codecs: Codecs) -> None:
    async with running(gate, world, codecs) as committer:
        gate.open.clear()
        mark(world, committer, "a")
        await trio.testing.wait_all_tasks_blocked()
        mark(world, committer, "b")
        gate.open.set()
    assert stored(gate) == {"a": 1, "b": 1}


async def test_a_failed_commit_acknowledges_nothing(gate: Gate, world: World, codecs: Codecs) -> None:
    told: list[int] = []
    async with running(gate, world, codecs) as committer:
        committer.on_durable(told.append)
        gate.why_broken = "disk full"
        mark(world, committer, "a")
        with pytest.raises(Unavailable, match="disk full"):
            await committer.drain()
    assert told == []


async def test_after_a_failed_commit_nothing_is_accepted_until_the_store_is_back(
    gate: Gate, world: World, codecs: Codecs
) -> None:
    async with running(gate, world, codecs) as committer:
        recovered = trio.Event()
        committer.on_recovery(recovered.set)
        gate.why_broken = "disk full"
        committer.on_failure(lambda *_: gate.open.clear())
        mark(world, committer, "a")
        with pytest.raises(Unavailable):
            await committer.drain()
        with pytest.raises(Unavailable, match="disk full"):
            mark(world, committer, "b")
        gate.open.set()
        await recovered.wait()
        mark(world, committer, "c")
        await committer.drain()
        assert stored(gate) == {"c": 1}


async def test_the_lost_tickets_are_told_with_the_reason(gate: Gate, world: World, codecs: Codecs) -> None:
    lost: list[Any] = []
    async with running(gate, world, codecs) as committer:
        committer.on_failure(lambda first, last, error: lost.append((first, last, str(error))))
        mark(world, committer, "kept")
        await committer.drain()
        gate.open.clear()
        gate.why_broken = "EIO"
        mark(world, committer, "in the failing batch")
        await trio.testing.wait_all_tasks_blocked()
        mark(world, committer, "gathered behind it")
        gate.open.set()
        with pytest.raises(Unavailable):
            await committer.drain()
    assert lost == [(2, 3, "SERVER_ERROR: the store cannot be written: EIO")]


async def test_recovery_brings_the_tables_back_to_what_the_store_holds(
    gate: Gate, world: World, codecs: Codecs
) -> None:
    async with running(gate, world, codecs) as committer:
        recovered = trio.Event()
        committer.on_recovery(recovered.set)
        mark(world, committer, "a", 1)
        await committer.drain()
        gate.why_broken = "EIO"
        mark(world, committer, "a", 2)
        mark(world, committer, "b", 2)
        await recovered.wait()
        assert world.state.table("marks").records == {"a": 1}
        assert committer.failure == ""


async def test_recovery_empties_tables_that_are_not_stored_as_a_start_does(
    gate: Gate, world: World, codecs: Codecs
) -> None:
    async with running(gate, world, codecs) as committer:
        recovered = trio.Event()
        committer.on_recovery(recovered.set)
        gate.why_broken = "EIO"
        world.state.begin()
        world.state.table("caches").put("k", 1)
        world.state.take()
        mark(world, committer, "a")
        await recovered.wait()
        assert world.state.table("caches").records == {}


async def test_a_record_that_cannot_be_encoded_fails_its_commit_and_the_next_works(
    gate: Gate, world: World, codecs: Codecs
) -> None:
    async with running(gate, world, codecs) as committer:
        recovered = trio.Event()
        committer.on_recovery(recovered.set)
        mark(world, committer, "a", object())  # type: ignore[arg-type]
        await recovered.wait()
        mark(world, committer, "b")
        await committer.drain()
        assert stored(gate) == {"b": 1}


async def test_an_undeclared_table_is_refused_at_once(gate: Gate, world: World, codecs: Codecs) -> None:
    async with running(gate, world, codecs) as committer:
        world.state.begin()
        world.state.table("forgotten").put("k", 1)
        with pytest.raises(Corrupt):
            committer.add(world.state.effects, now_at=1)
        world.state.rollback()
        assert committer.ticket == 0


async def test_a_read_sees_what_was_decided_before_it(gate: Gate, world: World, codecs: Codecs) -> None:
    async with running(gate, world, codecs) as committer:
        reads = StoreReads(gate, committer)  # type: ignore[arg-type]
        world.state.begin()
        world.state.effects.rows.append(("cdrs", "insert", Cdr(cgrid="c")))
        put_account(world, "t:a", balance("u", 5))
        committer.add(world.state.take(), now_at=9)
        assert [cdr.cgrid for cdr in await reads.find_cdrs(CdrFilter())] == ["c"]
        assert await reads.count_cdrs(CdrFilter()) == 1
        assert (await reads.get_cdr("c", "*default")) is not None
        assert [line.after_nano for line in await reads.history("t:a")] == [5]
        assert [line.after_nano for line in await reads.balances_at("t:a", 9)] == [5]
        assert await reads.find_session_costs("c") == []


async def test_a_commit_that_is_stuck_is_told_and_what_became_of_it_is_seen_after_it(
    gate: Gate, world: World, codecs: Codecs, autojump_clock: trio.testing.MockClock
) -> None:
    async def wait_for(call: Any) -> Any:
        await trio.sleep(100)
        return call()

    lost: list[Any] = []
    recovered = trio.Event()
    committer = Committer(gate, world, codecs, "commit", wait_for)  # type: ignore[arg-type]
    committer.on_failure(
        lambda first, last, error: lost.append((trio.current_time() - begun_s, first, last, str(error)))
    )
    committer.on_recovery(recovered.set)
    begun_s = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(committer.run)
        nursery.start_soon(committer.watch, 30)
        mark(world, committer, "a")
        await recovered.wait()
        nursery.cancel_scope.cancel()
    assert lost == [(30.5, 1, 1, "SERVER_ERROR: the store cannot be written: a commit has taken longer than 30 s")]
    assert world.state.table("marks").records == {"a": 1}
