"""Named locks: taken whole, waited for, freed by time."""

import pytest
import trio
from cgrserver.rpc.methods.guardian import Guardian

from cgrcore.errors import Unavailable


async def test_locks_are_taken_and_given_back():
    guardian = Guardian()
    assert await guardian.lock("r", ["a", "b"], 0)
    assert guardian.unlock("r", trio.current_time()) == ["a", "b"]
    assert guardian.unlock("r", trio.current_time()) is None


async def test_a_reference_in_use_is_refused():
    guardian = Guardian()
    await guardian.lock("r", ["a"], 0)
    assert not await guardian.lock("r", ["b"], 0)


async def test_locks_of_another_are_waited_for(nursery):
    guardian = Guardian()
    await guardian.lock("first", ["a"], 0)
    taken = []

    async def wait() -> None:
        taken.append(await guardian.lock("second", ["b", "a"], 0))

    nursery.start_soon(wait)
    await trio.testing.wait_all_tasks_blocked()
    assert taken == []
    guardian.unlock("first", trio.current_time())
    await trio.testing.wait_all_tasks_blocked()
    assert taken == [True]


async def test_locks_come_free_when_their_time_is_over(autojump_clock):
    guardian = Guardian()
    await guardian.lock("first", ["a"], 5)
    began = trio.current_time()
    assert await guardian.lock("second", ["a"], 0)
    assert trio.current_time() - began == pytest.approx(5)
    assert guardian.unlock("first", trio.current_time()) is None


async def test_waiting_ends(autojump_clock):
    guardian = Guardian()
    await guardian.lock("first", ["a"], 0)
    with pytest.raises(Unavailable, match="REPLY_TIMEOUT"):
        await guardian.lock("second", ["a"], 0)


async def test_who_gives_up_waiting_holds_nothing(autojump_clock):
    guardian = Guardian()
    await guardian.lock("first", ["a"], 0)
    with trio.move_on_after(1):
        await guardian.lock("second", ["b", "a"], 0)
    assert await guardian.lock("third", ["b"], 0)
