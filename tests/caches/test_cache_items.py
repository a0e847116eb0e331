"""What the cache shows: look-ups, built indexes, limits and lifetimes."""

from collections.abc import Iterator

import pytest

from cgrcore.caches import change, clear, expires_at, groups_of, items_of, load, note_lookup, remove, remove_group
from cgrcore.caches.items import KEPT_LIMIT
from cgrcore.config import read_settings
from cgrcore.event import CgrEvent
from cgrcore.thresholds import ThresholdProfile, store_profile, thresholds_for
from cgrcore.timing import SECOND_NS, ZERO_AT
from cgrcore.world import World

NOW = 10**18
INDEX = "*threshold_filter_indexes"


def world_with(*overrides: str) -> World:
    made = World(read_settings([], {}, overrides), lambda: "id", NOW)
    made.state.begin()
    return made


@pytest.fixture
def world() -> Iterator[World]:
    made = world_with()
    yield made
    made.state.rollback()


def ask(world: World, tenant: str = "t") -> None:
    """Store a profile that an event matches, and send the event, so that the index is built."""
    store_profile(world, ThresholdProfile(tenant, "T", filter_ids=("*string:~*req.Account:1001",), max_hits=-1))
    thresholds_for(world, CgrEvent(tenant, "e", None, {"Account": "1001"}, {}))


def test_a_record_that_was_not_asked_for_is_not_shown(world: World) -> None:
    store_profile(world, ThresholdProfile("t", "T"))
    assert items_of(world, "*threshold_profiles") == []


def test_a_record_that_was_asked_for_is_shown_even_if_there_is_none(world: World) -> None:
    note_lookup(world, "threshold_profiles", "t:NOPE")
    assert items_of(world, "*threshold_profiles") == ["t:NOPE"]
    assert expires_at(world, "*threshold_profiles", "t:NOPE") == ZERO_AT


def test_items_are_found_by_how_they_begin(world: World) -> None:
    load(world, "*filters", ("t:B", "u:C", "t:A"))
    assert items_of(world, "*filters", "t:") == ["t:A", "t:B"]


def test_with_the_internal_database_a_partition_that_memory_replaces_shows_nothing() -> None:
    world = world_with("data_db.db_type=*internal")
    note_lookup(world, "filters", "t:F")
    note_lookup(world, "threshold_profiles", "t:T")
    assert (items_of(world, "*filters"), items_of(world, "*threshold_profiles")) == ([], ["t:T"])


def test_a_partition_that_is_not_configured_keeps_nothing(world: World) -> None:
    load(world, "*bogus", ("x",))
    assert items_of(world, "*bogus") == []
    assert world.parts == {}


def test_the_oldest_items_are_forgotten_beyond_the_limit(world: World) -> None:
    load(world, "*filters", (str(number) for number in range(KEPT_LIMIT + 2)))
    assert len(items_of(world, "*filters")) == KEPT_LIMIT
    assert expires_at(world, "*filters", "1") is None


def test_an_item_is_forgotten_when_its_time_is_over(world: World) -> None:
    world.settings["caches"]["partitions"]["*filters"]["ttl"] = SECOND_NS
    load(world, "*filters", ("t:F",))
    assert expires_at(world, "*filters", "t:F") == NOW + SECOND_NS
    world.now_at = NOW + SECOND_NS
    assert expires_at(world, "*filters", "t:F") is None
    assert items_of(world, "*filters") == []


def test_an_event_builds_the_index_and_shows_what_it_holds(world: World) -> None:
    ask(world)
    assert groups_of(world, INDEX) == {"t": ["*string:*req.Account:1001", "*none:*any:*any"]}
    assert expires_at(world, INDEX, "t:*string:*req.Account:1001") == ZERO_AT
    assert items_of(world, "*threshold_profiles") == items_of(world, "*thresholds") == ["t:T"]


def test_an_index_that_a_change_outdated_is_not_shown(world: World) -> None:
    ask(world)
    store_profile(world, ThresholdProfile("t", "U"))
    assert groups_of(world, INDEX) == {}


def test_a_dropped_group_leaves_those_of_other_tenants(world: World) -> None:
    for tenant in ("t", "u"):
        ask(world, tenant)
    thresholds_for(world, CgrEvent("t", "e", None, {"Account": "1001"}, {}))
    remove_group(world, INDEX, "t")
    assert list(groups_of(world, INDEX)) == ["u"]


def test_what_is_dropped_answers_as_before(world: World) -> None:
    ask(world)
    event = CgrEvent("t", "e", None, {"Account": "1001"}, {})
    before = thresholds_for(world, event)
    clear(world, INDEX)
    assert items_of(world, INDEX) == []
    assert thresholds_for(world, event) == before


def test_a_removed_item_of_an_index_goes_with_its_tenants_index(world: World) -> None:
    ask(world)
    remove(world, "*threshold_profiles", "t:T")
    assert expires_at(world, "*threshold_profiles", "t:T") is None
    assert groups_of(world, INDEX) == {}


@pytest.mark.parametrize(
    ("word", "left"),
    [
        ("*none", ["t:A", "t:B"]),
        ("*reload", ["t:A", "t:B"]),
        ("", ["t:A", "t:B"]),
        ("*remove", ["t:B"]),
        ("*clear", []),
    ],
)
def test_a_change_drops_what_its_option_says(world: World, word: str, left: list[str]) -> None:
    load(world, "*filters", ("t:A", "t:B"))
    change(world, "filters", "t:A", word)
    assert items_of(world, "*filters") == left


def test_a_change_without_an_option_does_what_is_configured(world: World) -> None:
    world.settings["general"]["default_caching"] = "*clear"
    load(world, "*filters", ("t:A", "t:B"))
    change(world, "filters", "t:A", "")
    assert items_of(world, "*filters") == []
