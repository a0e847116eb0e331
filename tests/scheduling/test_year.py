"""Every kind of schedule over a year on a virtual clock: as often as the calendar says, each in about a second."""

from collections import Counter
from time import process_time

import pytest

from cgrcore.rating.records import Timing
from cgrcore.scheduling import ActionTiming
from cgrcore.scheduling.due import load_schedule, reload_schedule, scheduled_runs
from cgrcore.scheduling.plans import set_plan
from cgrcore.scheduling.texts import TimingText, build_timing
from cgrcore.timing import DAY_NS, HOUR_NS, format_time, parse_time, zone_offset
from cgrcore.world import World
from tests.actions.conftest import ACCOUNT_ID
from tests.scheduling.test_due import START_AT, attach, count_of, live_until, plan, restarted, world

__all__ = ["world"]

BERLIN = "Europe/Berlin"
YEAR_END_AT = START_AT + 365 * DAY_NS - 1


def plan_of(world: World, text: TimingText) -> None:
    timing = build_timing(text, None, world.now_at)
    set_plan(world, "P", [ActionTiming("u", timing, "DAILY")])
    attach(world, ACCOUNT_ID)
    reload_schedule(world)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (TimingText(Time="*hourly"), 365 * 24 - 1),
        (TimingText(Time="*daily"), 364),
        (TimingText(Time="*weekly"), 52),
        (TimingText(Time="*monthly"), 11),
        (TimingText(Time="*month_end"), 12),
        (TimingText(Time="12:00:00", Months="5", MonthDays="17"), 1),
        (TimingText(Time="12:00:00", WeekDays="1;2;3;4;5"), 261),
        (TimingText(Time="12:00:00", Months="1;2;3;4;5;6;7;8;9;10;11;12", MonthDays="31"), 7),
        (TimingText(Time="12:00:00", MonthDays="13", WeekDays="5"), 52 + 12 - 3),
        (TimingText(Time="+36h"), 1),
        (TimingText(Time="*asap"), 1),
    ],
)
def test_a_year_has_as_many_runs_as_the_calendar_says(world: World, text: TimingText, count: int) -> None:
    """The words stand for midnight on 1 January, when the plan is made: that instant itself is not run."""
    plan_of(world, text)
    started = process_time()
    live_until(world, YEAR_END_AT)
    assert process_time() - started < 2
    reload_schedule(world)
    assert count_of(world) == count


def test_what_is_yearly_runs_once_a_year(world: World) -> None:
    plan_of(world, TimingText(Time="*yearly"))
    live_until(world, START_AT + (4 * 365 + 1) * DAY_NS)
    assert count_of(world) == 4


def test_every_minute_of_a_day_is_run(world: World) -> None:
    plan_of(world, TimingText(Time="*every_minute"))
    live_until(world, START_AT + DAY_NS - 1)
    assert count_of(world) == 24 * 60 - 1


@pytest.mark.parametrize("clock", ["02:30:00", "02:00:00", "03:00:00", "00:00:00"])
def test_a_year_of_a_zone_that_moves_its_clock_has_a_run_each_day(world: World, clock: str) -> None:
    world.settings["general"]["default_timezone"] = BERLIN
    plan(world, clock)
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    days = Counter[str]()
    while (run := scheduled_runs(world)[0]).due_at <= YEAR_END_AT:
        days[format_time(run.due_at, zone_offset(BERLIN, run.due_at))[:10]] += 1
        live_until(world, run.due_at)
    assert (len(days), set(days.values())) == (365, {1})


def test_a_year_of_a_zone_that_moves_its_clock_has_every_real_hour(world: World) -> None:
    world.settings["general"]["default_timezone"] = BERLIN
    set_plan(world, "P", [ActionTiming("u", Timing("*hourly", start_time="*:15:00"), "DAILY")])
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    live_until(world, YEAR_END_AT)
    assert count_of(world) == 365 * 24


@pytest.mark.parametrize(("night", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_the_nights_when_the_clock_is_moved_have_23_and_25_hours(world: World, night: str, hours: int) -> None:
    world.settings["general"]["default_timezone"] = BERLIN
    world.now_at = parse_time(f"{night}T00:00:00", 0, BERLIN).at - 1
    set_plan(world, "P", [ActionTiming("u", Timing("*hourly", start_time="*:00:00"), "DAILY")])
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    live_until(world, world.now_at + hours * HOUR_NS)
    assert count_of(world) == hours


@pytest.mark.parametrize(("catch_up", "count"), [("*none", 0), ("*once", 1), ("*all", 1)])
@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25"])
def test_a_server_that_sleeps_through_such_a_night_makes_up_for_one_run(
    world: World, night: str, catch_up: str, count: int
) -> None:
    world.settings["general"]["default_timezone"] = BERLIN
    world.now_at = parse_time(f"{night}T00:00:00", 0, BERLIN).at
    plan(world, "02:30:00")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    again = restarted(world, world.now_at + 12 * HOUR_NS)
    again.settings["general"]["default_timezone"] = BERLIN
    again.settings["schedulers"]["catch_up"] = catch_up
    load_schedule(again)
    live_until(again, again.now_at + HOUR_NS)
    assert count_of(again) == count


def test_a_year_with_a_restart_every_day_has_every_run_once(world: World) -> None:
    plan(world, "10:00:00", "10:00:01", "22:00:00")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    node = world
    for day in range(1, 61):
        live_until(node, START_AT + day * DAY_NS + 10 * HOUR_NS)
        before = node
        node = restarted(before, before.now_at)
        for key, account in before.state.table("accounts").records.items():
            node.state.table("accounts").put(key, account.copy())
        load_schedule(node)
    live_until(node, START_AT + 61 * DAY_NS)
    assert count_of(node) == 61 * 3
