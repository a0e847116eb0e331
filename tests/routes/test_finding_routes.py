"""Which routes an event may take, best first."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.config import read_settings
from cgrcore.errors import BadRequest, NotFound, Refused
from cgrcore.event import CgrEvent
from cgrcore.money import NANO
from cgrcore.resources import ResourceProfile, allocate
from cgrcore.resources import store_profile as store_resource
from cgrcore.routes import Route, RouteProfile, find_routes, install, profiles_for, remove_profile, store_profile
from cgrcore.stats import Metric, StatProfile, process_event
from cgrcore.stats import store_profile as store_stat
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


def put(world: World, *routes: Route, profile_id: str = "R", sorting: str = "*weight", **more: Any) -> None:
    store_profile(world, RouteProfile("t", profile_id, sorting=sorting, routes=routes, **more))


def call(fields: dict[str, Any] | None = None, **options: Any) -> CgrEvent:
    named = {f"*rou{name}": value for name, value in options.items()}
    return CgrEvent("t", "e", None, {"Account": "1001"} if fields is None else fields, named)


def found(world: World, event: CgrEvent | None = None) -> list[str]:
    return [route.text for routes in find_routes(world, event or call()) for route in routes.routes]


def route(route_id: str, weight: int = 0, **more: Any) -> Route:
    return Route(route_id, weight_nano=weight * NANO, **more)


def test_the_heaviest_route_comes_first(world: World) -> None:
    put(world, route("light", 1), route("heavy", 2, parameters="sip:7"))
    assert found(world) == ["heavy:sip:7", "light"]


def test_of_two_routes_with_one_id_the_heavier_stays(world: World) -> None:
    put(world, route("a", 1, parameters="one"), route("a", 2, parameters="two"))
    assert found(world) == ["a:two"]


def test_routes_are_filtered_by_fields_but_not_by_options(world: World) -> None:
    put(
        world,
        route("by_field", filter_ids=("*string:~*req.Account:1001",)),
        route("other", filter_ids=("*string:~*req.Account:1002",)),
        route("by_option", filter_ids=("*exists:~*opts.*rouLimit:",)),
    )
    assert found(world, call(Limit=3)) == ["by_field"]


def test_profiles_come_heaviest_first_and_can_be_limited(world: World) -> None:
    put(world, route("a"), profile_id="LIGHT")
    put(world, route("b"), profile_id="HEAVY", weight_nano=NANO)
    assert found(world) == ["b", "a"]
    assert [profile.id for profile in profiles_for(world, call())] == ["HEAVY", "LIGHT"]
    assert found(world, call(ProfileCount=1)) == ["b"]


def test_limit_and_offset_count_over_all_profiles(world: World) -> None:
    put(world, route("a", 2), route("b", 1), profile_id="LIGHT")
    put(world, route("c", 2), route("d", 1), profile_id="HEAVY", weight_nano=NANO)
    assert found(world, call(Limit=3)) == ["c", "d", "a"]
    assert found(world, call(Offset=1, Limit=2)) == ["d", "a"]
    assert found(world, call(Offset=2)) == ["a", "b"]
    with pytest.raises(NotFound):
        found(world, call(Offset=4))


def test_without_a_profile_there_are_no_routes(world: World) -> None:
    with pytest.raises(NotFound, match="NOT_FOUND"):
        found(world)


def test_an_unknown_strategy_is_told(world: World) -> None:
    put(world, route("a"), sorting="*bogus")
    with pytest.raises(BadRequest, match=r"SERVER_ERROR: unsupported sorting strategy: \*bogus"):
        found(world)


@pytest.mark.parametrize(
    ("sorting", "missing"),
    [
        ("*lc", "RatingPlanIDs or AccountIDs"),
        ("*hc", "RatingPlanIDs or AccountIDs"),
        ("*reas", "ResourceIDs"),
        ("*reds", "ResourceIDs"),
        ("*load", "StatIDs"),
    ],
)
def test_a_strategy_says_what_routes_lack(world: World, sorting: str, missing: str) -> None:
    put(world, route("a"), sorting=sorting)
    with pytest.raises(BadRequest, match=rf"MANDATORY_IE_MISSING: \[{missing}\]"):
        found(world, call(IgnoreErrors=True))


def put_statistics(world: World) -> None:
    for name, cost in (("S0", 3), ("S1", 1), ("S2", 2)):
        metrics = (Metric("*sum#~*req.Cost"),)
        filters = (f"*string:~*req.Via:{name}",)
        store_stat(world, StatProfile("t", name, filters, None, 9, -1, 0, metrics, threshold_ids=("*none",)))
        process_event(world, CgrEvent("t", name, None, {"Via": name, "Cost": cost}, {}))


def test_quality_orders_by_the_parameters(world: World) -> None:
    put_statistics(world)
    routes = [route(name, stat_ids=(name,)) for name in ("S0", "S1", "S2")]
    put(world, *routes, route("none"), sorting="*qos", sorting_parameters=("*sum#~*req.Cost",))
    assert found(world) == ["S0", "S2", "S1", "none"]


def test_load_is_shared_by_ratio(world: World) -> None:
    put_statistics(world)
    routes = [route(name, stat_ids=(name,)) for name in ("S0", "S1", "S2")]
    put(world, *routes, sorting="*load", sorting_parameters=("S0:9", "S2:0", "*default:1"))
    assert found(world) == ["S0", "S1"]


def test_a_ratio_must_be_a_number(world: World) -> None:
    with pytest.raises(BadRequest, match="invalid syntax"):
        put(world, sorting="*load", sorting_parameters=("S0:many",))


def test_missing_statistics_fail_unless_errors_are_ignored(world: World) -> None:
    put_statistics(world)
    put(world, route("S0", stat_ids=("S0",)), route("gone", stat_ids=("NONE",)), sorting="*load")
    with pytest.raises(NotFound, match=r"^NOT_FOUND$"):
        found(world)
    assert found(world, call(IgnoreErrors=True)) == ["S0"]


@pytest.mark.parametrize(("sorting", "order"), [("*reas", ["idle", "busy"]), ("*reds", ["busy", "idle"])])
def test_resources_order_by_what_is_used(world: World, sorting: str, order: list[str]) -> None:
    for name in ("BUSY", "IDLE"):
        filters = (f"*string:~*req.Via:{name}",)
        resource = ResourceProfile("t", name, filters, limit_nano=9 * NANO, usage_ttl_ns=-1, threshold_ids=("*none",))
        store_resource(world, resource)
    allocate(world, CgrEvent("t", "u", None, {"Via": "BUSY"}, {"*rsUsageID": "u", "*rsUnits": 2}))
    put(world, route("busy", resource_ids=("BUSY",)), route("idle", resource_ids=("IDLE",)), sorting=sorting)
    assert found(world) == order


def test_filters_read_what_a_route_is_ordered_by(world: World) -> None:
    put_statistics(world)
    light = ("*lt:~*vars.Load:3",)
    routes = [route(name, stat_ids=(name,), filter_ids=light) for name in ("S0", "S1", "S2")]
    put(world, *routes, sorting="*load")
    assert found(world) == ["S1", "S2"]


def test_a_cost_needs_the_events_destination_and_time(world: World) -> None:
    put(world, route("a", rating_plan_ids=("RP",)), sorting="*lc")
    with pytest.raises(BadRequest, match=r"MANDATORY_IE_MISSING: \[Destination\]"):
        found(world)
    with pytest.raises(BadRequest, match=r"MANDATORY_IE_MISSING: \[SetupTime\]"):
        found(world, call({"Destination": "+49"}))


def test_a_destination_without_a_price_is_refused(world: World) -> None:
    put(world, route("a", rating_plan_ids=("RP",)), sorting="*lc")
    event = call({"Destination": "+49", "SetupTime": "2026-01-01T00:00:00Z"})
    with pytest.raises(Refused, match="SERVER_ERROR: UNAUTHORIZED_DESTINATION"):
        found(world, event)


def test_sessions_ask_for_routes(world: World) -> None:
    install(world)
    put(world, route("a"), route("b", 1))
    [profile] = world.parts["routes_for_sessions"](world, call(), None)
    assert [item["RouteID"] for item in profile["Routes"]] == ["b", "a"]
    assert profile["Sorting"] == "*weight"


def test_a_profile_is_removed_once(world: World) -> None:
    put(world, route("a"))
    remove_profile(world, "t:R")
    with pytest.raises(NotFound):
        remove_profile(world, "t:R")


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(0, 7), st.integers(1, 7))
def test_pages_are_cuts_of_the_whole(weights: list[int], offset: int, limit: int) -> None:
    world = new_world()
    put(world, *(route(f"r{index}", weight) for index, weight in enumerate(weights)))
    whole = found(world)
    try:
        page = found(world, call(Offset=offset, Limit=limit))
    except NotFound:
        page = []
    assert page == whole[offset : offset + limit]
