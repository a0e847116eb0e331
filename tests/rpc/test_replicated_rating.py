"""A tariff that one node shows is the tariff that another keeps: it costs the same."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from cgrserver.rpc.methods import load_all
from cgrserver.rpc.registry import METHODS
from cgrserver.tariffs import read_folder

from cgrcore.errors import BadRequest, CgrError, NotFound
from cgrcore.rating import Timing, quote
from cgrcore.tariffplan import Defaults, load, read_files
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.house.sources import ROOT
from tests.rating.small_tariffs import call, empty_world

_JSON = msgspec.json.Encoder(decimal_format="number")
RETAIL: Path = ROOT / "tariffplans" / "retail"


def _ask(world: World, name: str, **params: Any) -> Any:
    """Return a method's reply, through JSON and back, as another node has it."""
    load_all()
    method = METHODS[f"ReplicatorSv1.{name}"]
    args = msgspec.json.decode(_JSON.encode(params), type=method.args)
    return msgspec.json.decode(_JSON.encode(method.decide(world, args)))


@pytest.fixture
def world() -> World:
    """A world with a tariff plan of rates with hours, slots and fees."""
    world = empty_world()
    load(world, read_files(read_folder(RETAIL), Defaults("cgrates.org")))
    world.state.take()
    return world


def _copied(world: World) -> World:
    """Return another world that was told all of the tariff."""
    other = empty_world()
    for kind, table in (
        ("Destination", "destinations"),
        ("Timing", "timings"),
        ("RatingPlan", "rating_plans"),
        ("RatingProfile", "rating_profiles"),
    ):
        for key in list(world.state.table(table)):
            assert _ask(other, f"Set{kind}", **_ask(world, f"Get{kind}", Arg=key)) == "OK"
    other.state.take()
    return other


def test_a_copied_tariff_costs_the_same(world: World) -> None:
    other = _copied(world)
    for number in ("+4915112345", "+4930123", "+3906123", "+1212", "112"):
        for start in ("2026-03-02T07:59:30Z", "2026-03-07T17:59:30Z"):
            it = call(150, start, number)
            assert quote(other, it) == quote(world, it)


def test_records_come_back_as_they_were_shown(world: World) -> None:
    other = _copied(world)
    for kind, table in (("Destination", "destinations"), ("RatingPlan", "rating_plans"), ("Timing", "timings")):
        for key in world.state.table(table):
            assert _ask(other, f"Get{kind}", Arg=key) == _ask(world, f"Get{kind}", Arg=key)
    key = "*out:cgrates.org:call:*any"
    assert other.state.table("rating_profiles").require(key) == world.state.table("rating_profiles").require(key)


def test_a_timing_keeps_the_end_that_rates_do_not_look_at() -> None:
    world = empty_world()
    _ask(world, "SetTiming", ID="T", WeekDays=[1, 2], StartTime="08:00:00", EndTime="18:00:00")
    assert world.state.table("timings").require("T") == Timing("T", None, None, None, (1, 2), "08:00:00", "18:00:00")


@pytest.mark.parametrize("kind", ["Destination", "RatingPlan", "RatingProfile", "Timing", "ReverseDestination"])
def test_what_is_not_there_is_not_found(kind: str) -> None:
    with pytest.raises(NotFound, match="NOT_FOUND"):
        _ask(empty_world(), f"Get{kind}", Arg="NOPE")


@pytest.mark.parametrize(
    ("kind", "table", "key"),
    [
        ("Destination", "destinations", "DST_EU"),
        ("RatingPlan", "rating_plans", "RP_VOICE"),
        ("RatingProfile", "rating_profiles", "*out:cgrates.org:call:*any"),
        ("Timing", "timings", "TM_DAY"),
    ],
)
def test_what_is_removed_is_gone_and_may_be_removed_again(world: World, kind: str, table: str, key: str) -> None:
    assert key in world.state.table(table)
    for _ in range(2):
        assert _ask(world, f"Remove{kind}", Arg=key) == "OK"
    assert key not in world.state.table(table)


def test_prefixes_follow_their_destinations(world: World) -> None:
    assert _ask(world, "GetReverseDestination", Arg="+31") == ["DST_EU"]
    assert _ask(world, "SetReverseDestination", Id="DST_EU", Prefixes=["+31"]) == "OK"


def test_fallback_keys_are_kept_as_subjects(world: World) -> None:
    activation = {
        "ActivationTime": "2024-01-01T00:00:00Z",
        "RatingPlanId": "RP_VOICE",
        "FallbackKeys": ["*out:cgrates.org:call:*any"],
    }
    key = "*out:cgrates.org:call:1001"
    _ask(world, "SetRatingProfile", Id=key, RatingPlanActivations=[activation])
    assert _ask(world, "GetRatingProfile", Arg=key)["RatingPlanActivations"] == [activation]
    assert quote(world, call(60, "2026-03-02T07:59:30Z", "112", subject="1001")).rated_usage_ns == 60 * SECOND_NS


def test_a_plan_whose_parts_are_not_listed_is_refused() -> None:
    rates = {"D": [{"Timing": "t", "Rating": "r", "Weight": 10}]}
    with pytest.raises(BadRequest, match="no timing 't' or no rating 'r' is listed"):
        _ask(empty_world(), "SetRatingPlan", Id="P", DestinationRates=rates)


def test_a_time_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(CgrError, match="Unsupported time format"):
        _ask(empty_world(), "SetRatingProfile", Id="x", RatingPlanActivations=[{"ActivationTime": "soon"}])
