"""The scheduler on a virtual clock: what runs, when, how often, and what outlives a restart."""

from time import perf_counter, process_time

import msgspec
import pytest

from cgrcore.accounting import Account
from cgrcore.actions import ActionSet
from cgrcore.errors import NotFound, PartiallyExecuted
from cgrcore.money import NANO
from cgrcore.rating.records import Timing
from cgrcore.scheduling import TABLES, ActionTiming
from cgrcore.scheduling.due import (
    ACCOUNTS_AT_ONCE,
    load_schedule,
    next_due_at,
    reload_schedule,
    run_due,
    scheduled_runs,
)
from cgrcore.scheduling.order import tasks_in_order
from cgrcore.scheduling.plans import attach_plans, detach_account, plans_of, remove_plan, remove_timings, set_plan
from cgrcore.scheduling.replay import replay_plan, replay_plans_for, replay_time
from cgrcore.timing import DAY_NS, HOUR_NS, parse_time
from cgrcore.world import World
from tests.actions.conftest import ACCOUNT_ID, make_world, step

START_AT = parse_time("2026-01-01T00:00:00Z", 0).at


@pytest.fixture
def world() -> World:
    world = make_world(START_AT)
    world.state.table("actions").put("DAILY", ActionSet("DAILY", (step("*topup", 1, type="*sms", id="S"),)))
    return world


def plan(world: World, *clocks: str, plan_id: str = "P", **sets: tuple[int, ...]) -> None:
    timings = [
        ActionTiming(f"{plan_id}-{clock}", Timing(start_time=clock, **sets), "DAILY")  # type: ignore[arg-type]
        for clock in clocks
    ]
    set_plan(world, plan_id, timings)


def attach(world: World, *account_ids: str, plan_id: str = "P") -> None:
    for account_id in account_ids:
        attach_plans(world, account_id, [plan_id], overwrite=False, with_asap=False)


def count_of(world: World, account_id: str = ACCOUNT_ID) -> int:
    account: Account | None = world.state.table("accounts").get(account_id)
    group = account.balances.get("*sms") if account is not None else None
    return group[0].value_nano // NANO if group else 0


def live_until(world: World, end_at: int) -> int:
    """Move the clock from run to run, as the server's task does; return how many decisions that took."""
    decisions = 0
    while (due_at := next_due_at(world)) is not None and due_at <= end_at:
        world.now_at = max(world.now_at, due_at)
        run_due(world)
        decisions += 1
    world.now_at = end_at
    return decisions


def test_a_year_of_a_daily_plan_runs_in_a_second(world: World) -> None:
    plan(world, "10:00:00")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    started = perf_counter()
    live_until(world, START_AT + 365 * DAY_NS)
    assert perf_counter() - started < 1
    assert count_of(world) == 365


def test_nothing_runs_that_was_not_loaded(world: World) -> None:
    plan(world, "10:00:00")
    attach(world, ACCOUNT_ID)
    live_until(world, START_AT + DAY_NS)
    assert count_of(world) == 0


def test_a_run_and_its_next_time_are_one_decision(world: World) -> None:
    plan(world, "10:00:00")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    world.state.take()
    world.now_at = START_AT + 10 * HOUR_NS
    world.state.begin("run")
    run_due(world)
    world.state.rollback()
    assert (count_of(world), next_due_at(world)) == (0, START_AT + 10 * HOUR_NS)


def test_what_comes_once_does_so_even_after_a_reload(world: World) -> None:
    plan(world, "+1h")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    live_until(world, START_AT + 2 * HOUR_NS)
    reload_schedule(world)
    live_until(world, START_AT + DAY_NS)
    assert count_of(world) == 1


def test_a_duration_that_cannot_be_read_is_never_due(world: World) -> None:
    plan(world, "+abc")
    reload_schedule(world)
    assert next_due_at(world) is None


def test_an_impossible_date_is_never_due(world: World) -> None:
    plan(world, "10:00:00", years=(2027,), months=(2,), month_days=(29,))
    reload_schedule(world)
    assert next_due_at(world) is None


def test_a_plan_of_many_accounts_is_run_in_parts(world: World) -> None:
    plan(world, "10:00:00")
    ids = [f"cgrates.org:{number}" for number in range(2 * ACCOUNTS_AT_ONCE + 1)]
    attach(world, *ids)
    reload_schedule(world)
    assert live_until(world, START_AT + 10 * HOUR_NS) == 3
    assert [count_of(world, account_id) for account_id in ids] == [1] * len(ids)


def test_a_detached_account_is_left_out_of_the_runs_ahead(world: World) -> None:
    plan(world, "10:00:00")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    detach_account(world, ACCOUNT_ID)
    live_until(world, START_AT + DAY_NS)
    assert ACCOUNT_ID not in world.state.table("accounts")


def test_a_removed_plan_does_not_run(world: World) -> None:
    plan(world, "10:00:00")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    remove_plan(world, "P")
    live_until(world, START_AT + DAY_NS)
    assert (count_of(world), scheduled_runs(world)) == (0, [])


def restarted(world: World, at: int) -> World:
    """Return a world that holds what the tables held, read back from their encoded form."""
    again = make_world(at)
    for name, kind in {**TABLES, "actions": ActionSet}.items():
        for key, record in world.state.table(name).records.items():
            if hasattr(record, "encode"):
                twin = kind.decode(record.encode())  # type: ignore[attr-defined]
            else:
                twin = msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=kind)
            again.state.table(name).put(key, twin)
    return again


def test_the_schedule_survives_a_restart(world: World) -> None:
    plan(world, "10:00:00")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    again = restarted(world, START_AT + HOUR_NS)
    load_schedule(again)
    live_until(again, START_AT + DAY_NS)
    assert count_of(again) == 1


def test_a_run_missed_while_down_is_skipped_by_default(world: World) -> None:
    plan(world, "10:00:00")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    again = restarted(world, START_AT + 3 * DAY_NS)
    load_schedule(again)
    live_until(again, START_AT + 3 * DAY_NS + HOUR_NS)
    assert count_of(again) == 0


def test_a_run_missed_while_down_is_made_up_for_once_when_so_configured(world: World) -> None:
    plan(world, "10:00:00")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    again = restarted(world, START_AT + 3 * DAY_NS)
    again.settings["schedulers"]["catch_up"] = "*once"
    load_schedule(again)
    live_until(again, START_AT + 3 * DAY_NS + HOUR_NS)
    assert count_of(again) == 1


def test_every_run_missed_while_down_is_made_up_for_when_so_configured(world: World) -> None:
    plan(world, "10:00:00")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    again = restarted(world, START_AT + 3 * DAY_NS)
    again.settings["schedulers"]["catch_up"] = "*all"
    load_schedule(again)
    live_until(again, START_AT + 3 * DAY_NS + HOUR_NS)
    assert count_of(again) == 3


def test_an_asap_timing_runs_at_the_next_reload(world: World) -> None:
    plan(world, "*asap")
    attach(world, ACCOUNT_ID)
    assert count_of(world) == 0
    reload_schedule(world)
    reload_schedule(world)
    assert count_of(world) == 1


def test_a_second_reload_at_the_same_instant_runs_what_was_queued_since(world: World) -> None:
    plan(world, "*asap")
    for number in range(3):
        attach(world, f"cgrates.org:{number}")
        reload_schedule(world)
    assert [count_of(world, f"cgrates.org:{number}") for number in range(3)] == [1, 1, 1]


def test_many_asap_tasks_are_run_in_parts_in_their_order(world: World) -> None:
    plan(world, "*asap")
    ids = [f"cgrates.org:{number}" for number in range(2 * ACCOUNTS_AT_ONCE + 1)]
    attach(world, *ids)
    reload_schedule(world)
    assert [count_of(world, account_id) for account_id in ids] == [1] * ACCOUNTS_AT_ONCE + [0] * (ACCOUNTS_AT_ONCE + 1)
    assert live_until(world, START_AT) == 2
    assert ([count_of(world, account_id) for account_id in ids], len(world.state.table("tasks"))) == ([1] * len(ids), 0)
    assert next_due_at(world) is None


def test_a_restart_goes_on_with_the_tasks_that_were_left(world: World) -> None:
    plan(world, "*asap")
    ids = [f"cgrates.org:{number}" for number in range(ACCOUNTS_AT_ONCE + 10)]
    attach(world, *ids)
    reload_schedule(world)
    again = restarted(world, START_AT + HOUR_NS)
    load_schedule(again)
    live_until(again, START_AT + HOUR_NS)
    assert [account_id for account_id in ids if count_of(again, account_id)] == ids[ACCOUNTS_AT_ONCE:]


def test_tasks_of_one_instant_keep_their_order_through_a_restart(world: World) -> None:
    plan(world, "*asap")
    attach(world, *(f"t:{number}" for number in range(20)))
    again = restarted(world, START_AT)
    table = again.state.table("tasks")
    table.records = dict(sorted(table.records.items(), reverse=True))
    uuids = tasks_in_order(again, START_AT)
    assert [table.records[uuid].account_id for uuid in reversed(uuids)] == [f"t:{number}" for number in range(20)]


def test_thousands_of_plans_due_at_once_take_time_by_their_number(world: World) -> None:
    for number in range(3000):
        plan(world, "10:00:00", plan_id=f"P{number}")
        attach(world, f"t:{number}", plan_id=f"P{number}")
    reload_schedule(world)
    started = process_time()
    assert live_until(world, START_AT + 10 * HOUR_NS) == 3000
    assert process_time() - started < 2
    assert [count_of(world, f"t:{number}") for number in range(3000)] == [1] * 3000


def test_a_plan_of_nothing_but_asap_keeps_an_account_only_when_asked(world: World) -> None:
    plan(world, "*asap")
    attach(world, ACCOUNT_ID)
    assert plans_of(world, ACCOUNT_ID) == ()
    attach_plans(world, ACCOUNT_ID, ["P"], overwrite=True, with_asap=True)
    assert [it.id for it in plans_of(world, ACCOUNT_ID)] == ["P"]


def test_a_task_that_the_filters_stop_waits(world: World) -> None:
    world.settings["schedulers"]["filters"] = ["*string:~*act.AccountID:other"]
    plan(world, "*asap")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    assert (count_of(world), len(world.state.table("tasks"))) == (0, 1)


def test_overwriting_detaches_from_all_other_plans(world: World) -> None:
    plan(world, "10:00:00")
    plan(world, "11:00:00", plan_id="Q")
    attach(world, ACCOUNT_ID)
    attach_plans(world, ACCOUNT_ID, ["Q"], overwrite=True, with_asap=False)
    assert [it.id for it in plans_of(world, ACCOUNT_ID)] == ["Q"]
    assert world.state.table("action_plans").require("P").account_ids == {}


def test_undoing_an_attachment_leaves_the_plan_as_it_was(world: World) -> None:
    plan(world, "10:00:00")
    attach(world, "t:1")
    world.state.take()
    world.state.begin("attach")
    attach(world, "t:2", "t:3")
    world.state.rollback()
    assert world.state.table("action_plans").require("P").account_ids == {"t:1": True}


def test_attaching_many_accounts_at_once_takes_time_by_their_number(world: World) -> None:
    plan(world, "10:00:00")
    started = perf_counter()
    attach(world, *(f"t:{number}" for number in range(20_000)))
    assert perf_counter() - started < 2


def test_an_unknown_plan_attaches_nothing(world: World) -> None:
    with pytest.raises(NotFound):
        attach(world, ACCOUNT_ID, plan_id="NONE")


def test_removing_the_last_timing_removes_the_plan(world: World) -> None:
    plan(world, "10:00:00")
    remove_timings(world, "P", "P-10:00:00", "")
    assert "P" not in world.state.table("action_plans")


def test_a_replay_runs_each_due_time_once_its_end_included(world: World) -> None:
    plan(world, "06:00:00", months=(5,), month_days=(1, 15))
    attach(world, ACCOUNT_ID)
    may = parse_time("2037-05-15T06:00:00Z", 0).at
    replay_time(world, parse_time("2037-04-01T00:00:00Z", 0).at, may - 1)
    assert count_of(world) == 1
    replay_time(world, parse_time("2037-04-01T00:00:00Z", 0).at, may)
    assert count_of(world) == 3


def test_a_plan_run_out_of_turn_leaves_asap_out(world: World) -> None:
    plan(world, "10:00:00", "*asap")
    attach(world, ACCOUNT_ID)
    replay_plan(world, "P")
    assert count_of(world) == 1


def test_a_plan_run_for_an_account_makes_it_and_runs_asap_as_well(world: World) -> None:
    plan(world, "10:00:00", "*asap")
    replay_plans_for(world, ["P"], ACCOUNT_ID)
    assert count_of(world) == 2


def test_what_a_failing_replay_did_before_stays(world: World) -> None:
    plan(world, "10:00:00")
    with pytest.raises(NotFound) as caught:
        replay_plans_for(world, ["P", "NONE"], ACCOUNT_ID)
    assert caught.value.keeps_changes
    assert count_of(world) == 1


def test_a_set_with_an_unknown_action_is_not_scheduled_again(world: World) -> None:
    world.state.table("actions").put("DAILY", ActionSet("DAILY", (step("*no_such_action"),)))
    plan(world, "10:00:00")
    attach(world, ACCOUNT_ID)
    reload_schedule(world)
    live_until(world, START_AT + DAY_NS)
    assert next_due_at(world) is None
    with pytest.raises(PartiallyExecuted):
        replay_plan(world, "P")
