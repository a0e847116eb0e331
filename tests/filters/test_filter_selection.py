"""Which profiles an event matches."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.chargers import ChargerProfile
from cgrcore.event import CgrEvent
from cgrcore.filters import ActivationInterval, Filter, FilterRule, index_entries, matching, passes, users_of_filter
from cgrcore.timing import parse_time
from cgrcore.world import World


def profile(profile_id: str, *filters: str, weight: int = 0, tenant: str = "t", **more: Any) -> ChargerProfile:
    return ChargerProfile(tenant, profile_id, filters or None, weight_nano=weight, **more)


@pytest.fixture
def world() -> Iterator[World]:
    made = World({"general": {"default_tenant": "t"}}, lambda: "id", 0)
    made.state.begin()
    yield made
    made.state.rollback()


def put(world: World, *profiles: ChargerProfile) -> None:
    for item in profiles:
        world.state.table("chargers").put(f"{item.tenant}:{item.id}", item)


def ids(
    world: World, time: str | None = None, named: tuple[str, ...] = (), ignore: bool = False, **fields: Any
) -> list[str]:
    at = None if time is None else parse_time(time, 0)
    event = CgrEvent("t", "e", at, fields, {})
    return [found.id for found in matching(world, "chargers", event, ids=named, ignores_filters=ignore)]


def test_the_heaviest_comes_first_and_ids_break_ties(world: World) -> None:
    put(world, profile("B"), profile("A"), profile("C", weight=5))
    assert ids(world) == ["C", "A", "B"]


def test_profiles_of_other_tenants_are_not_found(world: World) -> None:
    put(world, profile("A", tenant="other"))
    assert ids(world) == []


def test_a_profile_is_found_whatever_its_filters_ask(world: World) -> None:
    put(world, profile("A", "*notstring:~*req.A:x"), profile("B", "*string:~*req.A:y"))
    assert ids(world, A="y") == ["A", "B"]


def test_a_change_of_the_table_is_seen_and_so_is_its_undoing(world: World) -> None:
    put(world, profile("A"))
    world.state.take()
    world.state.begin()
    put(world, profile("B"))
    assert ids(world) == ["A", "B"]
    world.state.undo()
    assert ids(world) == ["A"]


def test_the_interval_of_a_profile_is_held_against_the_time_of_the_event(world: World) -> None:
    interval = ActivationInterval(parse_time("2020-03-01T00:00:00Z", 0), parse_time("2020-09-01T00:00:00Z", 0))
    put(world, profile("A", activation=interval))
    assert ids(world, "2020-04-01T00:00:00Z") == ["A"]
    assert ids(world, "2020-09-01T00:00:00Z") == []
    assert ids(world, "2020-03-01T00:00:00Z") == []
    assert ids(world) == ["A"]


def test_filters_are_left_out_only_for_profiles_that_are_named(world: World) -> None:
    put(world, profile("A", "*string:~*req.A:x"), profile("B", "*string:~*req.A:x"))
    assert ids(world, ignore=True) == []
    assert ids(world, named=("B",), ignore=True) == ["B"]
    assert ids(world, named=("B",)) == []


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from("xyz"), st.integers(0, 3)), max_size=12),
    st.dictionaries(st.sampled_from("AB"), st.sampled_from("xyz")),
)
def test_looking_up_by_field_finds_what_asking_every_profile_finds(
    asked: list[tuple[str, str, int]], fields: dict[str, str]
) -> None:
    made = World({"general": {"default_tenant": "t"}}, lambda: "id", 0)
    made.state.begin()
    profiles = [profile(f"P{n:02}", f"*string:~*req.{f}:{v}", weight=w) for n, (f, v, w) in enumerate(asked)]
    put(made, *profiles)
    event = CgrEvent("t", "e", None, dict(fields), {})
    wanted = sorted(
        (p for p in profiles if passes(made, "t", p.filter_ids or (), event)), key=lambda p: (-p.weight_nano, p.id)
    )
    assert list(matching(made, "chargers", event)) == wanted


def test_indexes_tell_by_what_a_profile_can_be_found(world: World) -> None:
    world.state.table("filters").put("t:FX", Filter("t", "FX", (FilterRule("*prefix", "~*opts.*dst", ("+121",)),)))
    put(world, profile("A", "FX"), profile("B", "*string:~*req.A:1|2", "*gt:~*req.C:5"), profile("C"))
    assert list(index_entries(world, "t", "*chargers", "")) == [
        ("*prefix", "*opts.*dst", "+121", "A"),
        ("*string", "*req.A", "1", "B"),
        ("*string", "*req.A", "2", "B"),
        ("*none", "*any", "*any", "C"),
    ]
    assert users_of_filter(world, "t", "FX") == '{"*charger_filter_indexes":{"A":{}}}'
