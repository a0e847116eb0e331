"""The task of trends and rankings on a clock that jumps."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import trio
import trio.testing
from cgrserver.services.queries import QueriesTask

from cgrcore import trends
from cgrcore.config import read_settings
from cgrcore.event import CgrEvent
from cgrcore.queries import schedule
from cgrcore.stats import Metric, StatProfile, process_event, store_profile
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.services.test_outside import decider

NOW_AT = 1_800_000_000 * SECOND_NS


async def test_a_trend_that_is_scheduled_while_the_task_sleeps_is_followed(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World(read_settings([], {}, ["trends.enabled=true"]), lambda: "id", NOW_AT)
    start_s = trio.current_time()
    decide = decider(world)

    def clock() -> int:
        return NOW_AT + round((trio.current_time() - start_s) * 10**9)

    def decide_now(reason: str, decision: Callable[[World], Any]) -> Any:
        world.now_at = clock()
        return decide(reason, decision)

    def prepare(world: World) -> None:
        store_profile(world, StatProfile("t", "S", metrics=(Metric("*tcc"),), threshold_ids=("*none",)))
        process_event(world, CgrEvent("t", "e", None, {"Cost": Decimal(1)}, {}))
        trends.store_profile(world, trends.TrendProfile("t", "T", "@every 2s", "S"))
        schedule(world, "trend_profiles", "scheduled_trends", "t", ("T",))

    task = QueriesTask(world, decide_now, clock)
    with trio.move_on_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(task.run)
            await trio.sleep(3.5)
            decide_now("prepare", prepare)
            task.wake()
    assert [(run.at - NOW_AT) / 1e9 for run in trends.trend_of(world, "t:T").runs] == [5.0, 7.0, 9.0]
