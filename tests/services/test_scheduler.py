"""The scheduler's task on a clock that jumps: it runs what is due when it is due, and looks again after a reload."""

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing
from cgrserver.services.scheduler import SchedulerTask

from cgrcore.actions import ActionSet
from cgrcore.errors import Unavailable
from cgrcore.rating.records import Timing
from cgrcore.scheduling import ActionTiming
from cgrcore.scheduling.due import reload_schedule
from cgrcore.scheduling.plans import set_plan
from cgrcore.world import World
from tests.actions.conftest import NOW_AT, make_world, step
from tests.services.test_outside import decider


@pytest.fixture
def world() -> World:
    world = make_world()
    world.state.table("actions").put("SET", ActionSet("SET", (step("*log"),)))
    world.state.take()
    return world


def clock_of(start_s: float) -> Callable[[], int]:
    return lambda: NOW_AT + round((trio.current_time() - start_s) * 10**9)


async def notes_until(world: World, hours: float, meanwhile: Callable[[], Any] | None = None) -> list[float]:
    """Run the task for some hours; return the hours at which actions ran."""
    start_s = trio.current_time()
    clock = clock_of(start_s)
    hours_run: list[float] = []
    world.parts["note"] = lambda _: hours_run.append(round((clock() - NOW_AT) / 3600e9, 3))
    decide = decider(world)

    def decide_now(reason: str, decision: Callable[[World], Any]) -> Any:
        world.now_at = clock()
        return decide(reason, decision)

    with trio.move_on_after(hours * 3600):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(SchedulerTask(world, decide_now, clock).run)
            if meanwhile is not None:
                await trio.sleep(60)
                decide_now("meanwhile", lambda _: meanwhile())
    return hours_run


def plan(world: World, clock: str) -> None:
    set_plan(world, "P", [ActionTiming("u", Timing(start_time=clock), "SET")])


async def test_a_run_happens_at_its_time(world: World, autojump_clock: trio.testing.MockClock) -> None:
    decider(world)("plan", lambda world: plan(world, "15:00:00"))
    assert await notes_until(world, 28) == [3.0, 27.0]


async def test_a_reload_wakes_the_task(world: World, autojump_clock: trio.testing.MockClock) -> None:
    def change() -> None:
        plan(world, "12:30:00")
        reload_schedule(world)

    assert await notes_until(world, 1, change) == [0.5]


async def test_without_a_reload_a_plan_waits(world: World, autojump_clock: trio.testing.MockClock) -> None:
    assert await notes_until(world, 1, lambda: plan(world, "12:30:00")) == []


async def test_while_the_store_is_away_a_run_is_tried_now_and_then(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    decider(world)("plan", lambda world: plan(world, "12:00:30"))
    attempts: list[str] = []

    def refuse(reason: str, decision: Callable[[World], Any]) -> Any:
        attempts.append(reason)
        if reason != "scheduler: load":
            raise Unavailable("away")
        return decider(world)(reason, decision)

    with trio.move_on_after(60):
        await SchedulerTask(world, refuse, clock_of(trio.current_time())).run()
    assert 25 < attempts.count("scheduler: run") <= 31


async def test_a_schedule_that_could_not_be_loaded_is_loaded_later(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    attempts: list[str] = []

    def refuse(reason: str, decision: Callable[[World], Any]) -> Any:
        attempts.append(reason)
        if len(attempts) < 3:
            raise Unavailable("away")
        return decider(world)(reason, decision)

    with trio.move_on_after(60):
        await SchedulerTask(world, refuse, clock_of(trio.current_time())).run()
    assert attempts == ["scheduler: load"] * 3
