"""Taking and giving back resources."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.config import read_settings
from cgrcore.errors import BadRequest, CgrError, NotFound, PartiallyExecuted, Refused
from cgrcore.event import CgrEvent
from cgrcore.money import NANO
from cgrcore.resources import (
    Resource,
    ResourceProfile,
    Usage,
    allocate,
    authorise,
    install,
    release,
    remove_profile,
    resource_of,
    resources_for,
    store_profile,
)
from cgrcore.thresholds import ThresholdProfile, threshold_of
from cgrcore.thresholds import store_profile as store_threshold
from cgrcore.timing import SECOND_NS, ZERO_AT
from cgrcore.world import World

NOW = 10**18


def new_world() -> World:
    made = World(read_settings([], {}, ()), lambda: "id", NOW)
    made.state.begin()
    return made


@pytest.fixture
def world() -> Iterator[World]:
    made = new_world()
    yield made
    made.state.rollback()


def put(world: World, profile_id: str = "R", limit: int = 2, **more: Any) -> None:
    more.setdefault("usage_ttl_ns", -1)
    more.setdefault("threshold_ids", ("*none",))
    store_profile(world, ResourceProfile("t", profile_id, limit_nano=limit * NANO, **more))


def asks(usage_id: str, units: Any = 1, ttl: Any = None, **fields: Any) -> CgrEvent:
    options = {"*rsUsageID": usage_id, "*rsUnits": units, "*rsUsageTTL": ttl}
    return CgrEvent("t", "e", None, fields, {name: value for name, value in options.items() if value is not None})


def used(world: World, profile_id: str = "R") -> dict[str, int]:
    return {key: usage.units_nano // NANO for key, usage in resource_of(world, f"t:{profile_id}").usages.items()}


def test_units_are_taken_while_there_is_room(world: World) -> None:
    put(world)
    assert allocate(world, asks("u1", 2)) == "R"
    with pytest.raises(Refused, match="RESOURCE_UNAVAILABLE"):
        allocate(world, asks("u2"))
    assert used(world) == {"u1": 2}


def test_asking_takes_nothing(world: World) -> None:
    put(world)
    assert authorise(world, asks("u1", 2)) == "R"
    assert used(world) == {}
    with pytest.raises(Refused, match="RESOURCE_UNAUTHORIZED"):
        authorise(world, asks("u2", 3))


def test_units_given_back_can_be_taken_again(world: World) -> None:
    put(world)
    allocate(world, asks("u1", 2))
    release(world, asks("u1"))
    assert allocate(world, asks("u2", 2)) == "R"


def test_the_same_usage_takes_instead_of_what_it_had_and_loses_it_without_room(world: World) -> None:
    put(world)
    allocate(world, asks("u", 1))
    allocate(world, asks("u", 2))
    assert used(world) == {"u": 2}
    with pytest.raises(Refused) as caught:
        allocate(world, asks("u", 3))
    assert caught.value.keeps_changes
    assert used(world) == {}


def test_a_resource_without_limit_has_always_room(world: World) -> None:
    put(world, limit=-1)
    assert allocate(world, asks("u", 1000)) == "R"


def test_units_are_taken_of_every_resource_when_one_has_room(world: World) -> None:
    put(world, "R1", 1, weight_nano=2)
    put(world, "R2", 9, weight_nano=1, allocation_message="TRUNK")
    assert allocate(world, asks("u", 5)) == "TRUNK"
    assert (used(world, "R1"), used(world, "R2")) == ({"u": 5}, {"u": 5})


def test_a_blocker_ends_the_list(world: World) -> None:
    put(world, "R1", 1, weight_nano=2, is_blocker=True)
    put(world, "R2", 9, weight_nano=1)
    assert [resource.id for resource in resources_for(world, asks("u"))] == ["R1"]


def test_a_usage_without_time_to_live_is_not_kept(world: World) -> None:
    put(world, usage_ttl_ns=0)
    allocate(world, asks("u", 2))
    assert used(world) == {}


def test_a_usage_ends_by_itself(world: World) -> None:
    put(world, usage_ttl_ns=SECOND_NS)
    allocate(world, asks("u1", 2))
    assert resource_of(world, "t:R").expiring == ("u1",)
    world.now_at += SECOND_NS
    allocate(world, asks("u2", 2))
    assert used(world) == {"u2": 2}
    with pytest.raises(NotFound, match="cannot find usage record with id: u1"):
        release(world, asks("u1"))


def test_the_event_may_say_how_long_it_takes_units(world: World) -> None:
    put(world, usage_ttl_ns=SECOND_NS)
    allocate(world, asks("u1", ttl="10m"))
    allocate(world, asks("u2", ttl=0))
    usages = resource_of(world, "t:R").usages
    assert (usages["u1"].expires_at, usages["u2"].expires_at) == (NOW + 600 * SECOND_NS, ZERO_AT)


def test_which_resources_a_usage_takes_is_remembered_until_it_is_released(world: World) -> None:
    put(world, "RA", filter_ids=("*string:~*req.A:1",))
    put(world, "RB", filter_ids=("*string:~*req.A:2",))
    authorise(world, asks("u", A="1"))
    with pytest.raises(NotFound):
        allocate(world, asks("u", A="2"))
    assert allocate(world, asks("u", A="2")) == "RB"


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (asks(""), r"MANDATORY_IE_MISSING: \[UsageID\]"),
        (asks("u", "x"), 'strconv.ParseFloat: parsing "x"'),
        (asks("u", True), "cannot convert field: true to float64"),
    ],
)
def test_what_cannot_be_read_is_refused(world: World, event: CgrEvent, error: str) -> None:
    put(world)
    with pytest.raises(BadRequest, match=error):
        allocate(world, event)


def test_a_profile_that_counts_otherwise_starts_again(world: World) -> None:
    put(world)
    allocate(world, asks("u"))
    put(world, weight_nano=5)
    assert used(world) == {"u": 1}
    put(world, limit=3)
    assert used(world) == {}


def test_a_resource_goes_with_its_profile(world: World) -> None:
    put(world)
    remove_profile(world, "t:R")
    with pytest.raises(NotFound):
        resource_of(world, "t:R")


def test_thresholds_see_what_is_taken_and_one_that_is_named_must(world: World) -> None:
    world.settings["resources"]["thresholds_conns"] = ["*internal"]
    store_threshold(world, ThresholdProfile("t", "T", ("*gte:~*req.Usage:2",), max_hits=-1))
    put(world, limit=9, threshold_ids=("T",))
    with pytest.raises(PartiallyExecuted):
        allocate(world, asks("u1"))
    assert allocate(world, asks("u2")) == "R"
    assert threshold_of(world, "t:T").hits == 1


def test_sessions_take_resources_by_the_id_of_their_call(world: World) -> None:
    install(world)
    put(world)
    event = CgrEvent("t", "e", None, {"OriginID": "call"}, {})
    assert world.parts["resources_for_sessions"](world, event, "allocate") == "R"
    assert used(world) == {"call": 1}


def test_filters_read_resources(world: World) -> None:
    install(world)
    put(world)
    allocate(world, asks("u"))
    read = world.parts["filter_sources"]["*resources"]
    assert (read(world, "t", ("R", "TotalUsage")), read(world, "t", ("R", "Available"))) == (1, 1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(1, 4)), max_size=20))
def test_what_is_taken_never_exceeds_the_limit(steps: list[tuple[str, bool, int]]) -> None:
    made = new_world()
    put(made, limit=5)
    for usage_id, takes, units in steps:
        try:
            if takes:
                allocate(made, asks(usage_id, units))
            else:
                release(made, asks(usage_id))
        except CgrError:
            pass
        assert resource_of(made, "t:R").used_nano <= 5 * NANO


def test_records_survive_their_encoding() -> None:
    for record in (
        ResourceProfile("t", "R", ("F",), limit_nano=5),
        Resource("t", "R", {"u": Usage(1, NOW)}, ("u",)),
    ):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=type(record)) == record
