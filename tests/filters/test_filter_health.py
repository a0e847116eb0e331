"""The list of indexes that an operator may take entries off, and what is missing there."""

from cgrcore.filters import compute_indexes, index_health, listed_entries, remove_indexes
from cgrcore.world import World
from tests.filters.test_filter_selection import ids, profile, put, world

__all__ = ["world"]

SOUND = {"MissingObjects": [], "MissingIndexes": {}, "BrokenIndexes": {}, "MissingFilters": {}}


def listed(world: World) -> list[str]:
    return [entry[3] for entry in listed_entries(world, "t", "*chargers", "")]


def missing(world: World) -> dict[str, list[str]]:
    found: dict[str, list[str]] = index_health(world, "*chargers")["MissingIndexes"]
    return found


def test_indexes_are_sound_by_themselves(world: World) -> None:
    put(world, profile("A", "*string:~*req.F:1"))
    assert index_health(world, "*chargers") == SOUND


def test_removed_indexes_are_missing_from_the_list(world: World) -> None:
    put(world, profile("A", "*string:~*req.F:1", "*exists:~*req.G:"), profile("B", "*string:~*req.F:1"), profile("C"))
    remove_indexes(world, "t", "*chargers", "")
    assert listed(world) == []
    assert missing(world) == {"t:*string:*req.F:1": ["A", "B"], "t:*exists:*req.G": ["A"], "t:*none:*any:*any": ["C"]}


def test_a_profile_whose_index_was_removed_is_found_all_the_same(world: World) -> None:
    put(world, profile("A", "*string:~*req.F:1"))
    remove_indexes(world, "t", "*chargers", "")
    assert ids(world, F="1") == ["A"]


def test_computing_puts_them_back(world: World) -> None:
    put(world, profile("A", "*string:~*req.F:1"))
    remove_indexes(world, "t", "*chargers", "")
    compute_indexes(world, "t", "*chargers", "")
    assert (listed(world), missing(world)) == (["A"], {})


def test_computing_those_of_single_profiles_leaves_the_others(world: World) -> None:
    put(world, profile("A", "*string:~*req.F:1"), profile("B", "*string:~*req.F:2"))
    remove_indexes(world, "t", "*chargers", "")
    compute_indexes(world, "t", "*chargers", "", ["B"])
    assert (listed(world), missing(world)) == (["B"], {"t:*string:*req.F:1": ["A"]})


def test_a_profile_whose_filters_change_is_listed_by_the_new_ones(world: World) -> None:
    put(world, profile("A", "*string:~*req.F:1"))
    remove_indexes(world, "t", "*chargers", "")
    put(world, profile("A", "*string:~*req.F:2"))
    assert (listed(world), missing(world)) == (["A"], {})


def test_a_profile_that_is_gone_is_not_missed(world: World) -> None:
    put(world, profile("A", "*string:~*req.F:1"))
    remove_indexes(world, "t", "*chargers", "")
    world.state.table("chargers").remove("t:A")
    assert missing(world) == {}


def test_another_tenant_keeps_its_indexes(world: World) -> None:
    put(world, profile("A", "*string:~*req.F:1"), profile("A", "*string:~*req.F:1", tenant="u"))
    remove_indexes(world, "u", "*chargers", "")
    assert (listed(world), list(missing(world))) == (["A"], ["u:*string:*req.F:1"])


def test_a_filter_that_does_not_exist_is_named_with_its_users(world: World) -> None:
    put(world, profile("A", "FLT_GONE"))
    assert index_health(world, "*chargers")["MissingFilters"] == {"t:FLT_GONE": ["A"]}
