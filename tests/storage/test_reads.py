"""Reads behind commits, and many look-ups in one query."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
import trio
import trio.testing
from cgrserver.commit import Committer
from cgrserver.storage.reads import StoreReads
from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs

from cgrcore.cdrs.records import Cdr
from cgrcore.errors import Unavailable
from cgrcore.ports import Batch, Calls
from cgrcore.world import World


class Counted:
    """A store that notes the queries for calls, and lets them wait."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.asked: list[list[str]] = []
        self.open = threading.Event()
        self.open.set()
        self.error: Exception | None = None

    def find_calls(self, cgrids: Sequence[str]) -> Calls:
        self.asked.append(list(cgrids))
        assert self.open.wait(10)
        if self.error:
            raise self.error
        return self.store.find_calls(cgrids)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@pytest.fixture
def counted(store: SqliteStore) -> Counted:
    store.commit(Batch(cdrs=[Cdr(cgrid=name) for name in "abcdef"]))
    return Counted(store)


@pytest.fixture
def committer(counted: Counted, world: World, codecs: Codecs) -> Committer:
    return Committer(counted, world, codecs)  # type: ignore[arg-type]


@pytest.fixture
def reads(counted: Counted, committer: Committer) -> StoreReads:
    return StoreReads(counted, committer)  # type: ignore[arg-type]


async def look_up(reads: StoreReads, found: dict[str, Any], *names: str) -> None:
    try:
        cdrs, _ = await reads.find_calls(names)
        found["".join(names)] = [cdr.cgrid for cdr in cdrs]
    except Unavailable as error:
        found["".join(names)] = str(error)


async def until_asked(counted: Counted, times: int) -> None:
    with trio.fail_after(10):
        while len(counted.asked) < times:
            await trio.sleep(0)


async def test_look_ups_that_come_while_one_runs_share_the_next_query(reads: StoreReads, counted: Counted) -> None:
    found: dict[str, Any] = {}
    counted.open.clear()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(look_up, reads, found, "a")
        await until_asked(counted, 1)
        for name in "bcx":
            nursery.start_soon(look_up, reads, found, name)
        nursery.start_soon(look_up, reads, found, "d", "e")
        await trio.testing.wait_all_tasks_blocked()
        counted.open.set()
    assert found == {"a": ["a"], "b": ["b"], "c": ["c"], "x": [], "de": ["d", "e"]}
    assert [sorted(names) for names in counted.asked] == [["a"], ["b", "c", "d", "e", "x"]]


async def test_an_error_is_everybodys(reads: StoreReads, counted: Counted) -> None:
    found: dict[str, Any] = {}
    counted.error = Unavailable("gone")
    async with trio.open_nursery() as nursery:
        for name in "ab":
            nursery.start_soon(look_up, reads, found, name)
    assert found == dict.fromkeys("ab", "SERVER_ERROR: the store cannot be read: gone")
    counted.error = None
    await look_up(reads, found, "a")
    assert found["a"] == ["a"]


async def test_who_waits_is_served_when_the_one_who_asked_for_all_is_cancelled(
    reads: StoreReads, counted: Counted
) -> None:
    found: dict[str, Any] = {}
    counted.open.clear()
    async with trio.open_nursery() as nursery:
        leader = await nursery.start(_cancellable, reads, found, "a")
        await until_asked(counted, 1)
        second = await nursery.start(_cancellable, reads, found, "b")
        nursery.start_soon(look_up, reads, found, "c")
        await trio.testing.wait_all_tasks_blocked()
        second.cancel()
        leader.cancel()
        await trio.testing.wait_all_tasks_blocked()
        counted.open.set()
    assert found == {"c": ["c"]}


async def _cancellable(
    reads: StoreReads, found: dict[str, Any], name: str, *, task_status: trio.TaskStatus[trio.CancelScope]
) -> None:
    with trio.CancelScope() as scope:
        task_status.started(scope)
        await look_up(reads, found, name)


async def test_a_call_that_changes_is_looked_up_behind_its_commit(
    reads: StoreReads, committer: Committer, world: World
) -> None:
    world.state.begin()
    world.state.effects.rows.append(("cdrs", "insert", Cdr(cgrid="new")))
    committer.add(world.state.take(), now_at=1)
    found: dict[str, Any] = {}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(look_up, reads, found, "new")
        await look_up(reads, found, "a")
        assert found == {"a": ["a"]}
        nursery.start_soon(committer.run)
        with trio.fail_after(10):
            while "new" not in found:
                await trio.sleep(0)
        nursery.cancel_scope.cancel()
    assert found["new"] == ["new"]


async def test_what_is_decided_on_a_call_while_it_is_looked_up_is_found(
    reads: StoreReads, counted: Counted, committer: Committer, world: World
) -> None:
    found: list[Any] = []

    async def look() -> None:
        cdrs, _ = await reads.find_calls(["a"])
        found.extend(cdr.cost_nano for cdr in cdrs)

    def decide(cost_nano: int) -> None:
        world.state.begin()
        world.state.effects.rows.append(("cdrs", "update", Cdr(cgrid="a", cost_nano=cost_nano)))
        committer.add(world.state.take(), now_at=1)

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(committer.run)
            counted.open.clear()
            nursery.start_soon(look)
            await until_asked(counted, 1)
            decide(5)
            await committer.drain()
            decide(7)
            counted.open.set()
            while not found:
                await trio.sleep(0)
            nursery.cancel_scope.cancel()
    assert found == [7]
