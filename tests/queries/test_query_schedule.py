"""Scheduling queries: on request, by the configuration, again and again."""

from collections.abc import Iterator
from typing import Any

import pytest

from cgrcore.config import read_settings
from cgrcore.errors import NotFound, PartiallyExecuted
from cgrcore.queries import next_due_at, run_due, schedule, schedule_configured, scheduled_of
from cgrcore.timing import SECOND_NS, ZERO_AT
from cgrcore.trends import TrendProfile, remove_profile, store_profile
from cgrcore.world import World

NOW = 1_800_000_000 * SECOND_NS
TABLES = ("trend_profiles", "scheduled_trends")


@pytest.fixture
def world() -> Iterator[World]:
    made = World(read_settings([], {}, ()), lambda: "id", NOW)
    made.state.begin()
    for name, text in (("A", "@every 10s"), ("B", "@every 10s"), ("BAD", "bogus")):
        store_profile(made, TrendProfile("t", name, text))
    yield made
    made.state.rollback()


def run(world: World) -> list[str]:
    queried: list[str] = []

    def query(_: World, profile: Any) -> None:
        queried.append(profile.id)

    run_due(world, *TABLES, query)
    return queried


def test_a_stored_profile_is_not_scheduled(world: World) -> None:
    assert next_due_at(world, "scheduled_trends") is None
    with pytest.raises(NotFound):
        scheduled_of(world, "scheduled_trends", "t", ())


def test_a_scheduled_profile_is_queried_when_it_is_due_and_again(world: World) -> None:
    assert schedule(world, *TABLES, "t", ("A",)) == 1
    assert run(world) == []
    for turn in (1, 2):
        world.now_at = NOW + turn * 10 * SECOND_NS
        assert run(world) == ["A"]
    (scheduled,) = scheduled_of(world, "scheduled_trends", "t", ())
    assert (scheduled.previous_at, scheduled.next_at) == (world.now_at, world.now_at + 10 * SECOND_NS)


def test_what_was_missed_is_queried_once(world: World) -> None:
    schedule(world, *TABLES, "t", ("A",))
    world.now_at = NOW + 95 * SECOND_NS
    assert run(world) == ["A"]
    assert next_due_at(world, "scheduled_trends") == NOW + 105 * SECOND_NS


@pytest.mark.parametrize("wrong", ["BAD", "NOPE"])
def test_a_profile_that_cannot_be_scheduled_leaves_the_others_scheduled(world: World, wrong: str) -> None:
    with pytest.raises(PartiallyExecuted):
        schedule(world, *TABLES, "t", (wrong, "B"))
    assert [found.id for found in scheduled_of(world, "scheduled_trends", "t", ())] == ["B"]


def test_what_is_scheduled_is_found_by_how_its_id_begins(world: World) -> None:
    schedule(world, *TABLES, "t", ("A", "B"))
    (found,) = scheduled_of(world, "scheduled_trends", "t", ("B", "X"))
    assert (found.id, found.previous_at) == ("B", ZERO_AT)


def test_a_removed_profile_is_queried_no_more(world: World) -> None:
    schedule(world, *TABLES, "t", ("A",))
    remove_profile(world, "t:A")
    assert next_due_at(world, "scheduled_trends") is None


def test_a_profile_whose_schedule_was_made_unreadable_is_dropped(world: World) -> None:
    schedule(world, *TABLES, "t", ("A",))
    store_profile(world, TrendProfile("t", "A", "bogus"))
    world.now_at = NOW + 10 * SECOND_NS
    assert run(world) == []
    assert next_due_at(world, "scheduled_trends") is None


@pytest.mark.parametrize(("named", "scheduled"), [(["B", "NOPE"], ["B"]), ([], ["A", "B"])])
def test_the_configuration_schedules_what_it_names(world: World, named: list[str], scheduled: list[str]) -> None:
    world.settings["trends"]["scheduled_ids"] = {"t": named}
    schedule_configured(world, *TABLES, "trends")
    assert [found.id for found in scheduled_of(world, "scheduled_trends", "t", ())] == scheduled


def test_a_change_of_the_schedule_wakes_who_waits_for_it(world: World) -> None:
    woken: list[bool] = []
    world.parts["wake_queries"] = lambda: woken.append(True)
    schedule(world, *TABLES, "t", ("A",))
    for call in world.state.effects.after:
        call()
    assert woken == [True]
