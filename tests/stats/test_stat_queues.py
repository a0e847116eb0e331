"""Statistics over events."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.config import read_settings
from cgrcore.errors import NotFound, PartiallyExecuted
from cgrcore.event import CgrEvent
from cgrcore.stats import (
    Item,
    Metric,
    StatProfile,
    StatQueue,
    Total,
    drop_queue,
    install,
    numbers_of,
    process_event,
    profile_of,
    queue_as_wire,
    remove_profile,
    store_profile,
    texts_of,
)
from cgrcore.thresholds import ThresholdProfile, threshold_of
from cgrcore.thresholds import store_profile as store_threshold
from cgrcore.timing import SECOND_NS
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


def put(world: World, *metrics: str, profile_id: str = "Q", **more: Any) -> StatProfile:
    more.setdefault("ttl_ns", -1)
    more.setdefault("threshold_ids", ("*none",))
    profile = StatProfile("t", profile_id, metrics=tuple(Metric(name) for name in metrics), **more)
    store_profile(world, profile)
    return profile


def event(world: World, event_id: str = "e", **fields: Any) -> list[str]:
    return process_event(world, CgrEvent("t", event_id, None, fields, {}))


@pytest.mark.parametrize(
    ("metric", "events", "text", "number"),
    [
        ("*asr", [{"AnswerTime": "2026-01-01T00:00:00Z"}, {"AnswerTime": ""}, {}], "33.33333%", Decimal("33.33333")),
        ("*acd", [{"Usage": "1m"}, {"Usage": 60}, {}], "30s", 30 * SECOND_NS),
        ("*tcd", [{"Usage": "1m"}, {"Usage": "x"}], "1m0s", 60 * SECOND_NS),
        ("*acc", [{"Cost": Decimal("0.1")}, {"Cost": "0.2"}, {"Cost": -1}], "0.15", Decimal("0.15")),
        ("*tcc", [{"Cost": Decimal("0.1")}] * 3, "0.3", Decimal("0.3")),
        ("*pdd", [{"PDD": "2s"}, {"PDD": "2s"}, {"PDD": "3s"}], "2.33333s", 2_333_330_000),
        ("*ddc", [{"Destination": "1"}, {"Destination": "1"}, {"Destination": ""}], "2", 2),
        ("*sum#~*req.B", [{"B": 5}, {"B": "10s"}, {"B": "x"}, {"B": True}], "10000000005", 10_000_000_005),
        ("*sum#1", [{}, {}], "2", 2),
        ("*sum", [{}], "0", 0),
        ("*average#~*req.B", [{"B": 1}, {"B": 2}], "1.5", Decimal("1.5")),
        ("*distinct#~*req.C", [{"C": "a"}, {"C": 5}, {"C": "a"}], "2", 2),
        ("*distinct#1", [{}], "N/A", -1),
        ("*highest#~*req.B", [{"B": 5}, {"B": -7}], "5", 5),
        ("*lowest#~*req.B", [{"B": 5}, {"B": -7}], "-7", -7),
        ("*repsc", [{"ReplyState": "OK"}, {"ReplyState": "ok"}, {}], "1", 1),
        ("*repfc", [{"ReplyState": "OK"}, {"ReplyState": ""}, {}], "1", 1),
        ("*repfc#X", [{"ReplyState": "X"}, {"ReplyState": "Y"}], "1", 1),
    ],
)
def test_a_metric_measures(
    world: World, metric: str, events: list[dict[str, Any]], text: str, number: int | Decimal
) -> None:
    profile = put(world, metric)
    for fields in events:
        event(world, **fields)
    assert (texts_of(world, profile), numbers_of(world, profile)) == ({metric: text}, {metric: number})


def test_an_empty_queue_measures_nothing_but_sums(world: World) -> None:
    profile = put(world, "*acd", "*sum#1")
    assert texts_of(world, profile) == {"*acd": "N/A", "*sum#1": "0"}
    assert numbers_of(world, profile) == {"*acd": -1, "*sum#1": 0}


def test_a_metric_is_not_available_below_its_least_events(world: World) -> None:
    profile = put(world, "*sum#1", min_items=2)
    event(world)
    assert texts_of(world, profile) == {"*sum#1": "N/A"}
    event(world)
    assert texts_of(world, profile) == {"*sum#1": "2"}


def test_only_the_latest_events_count(world: World) -> None:
    profile = put(world, "*sum#~*req.B", "*highest#~*req.B", "*ddc", queue_length=2)
    for value in (9, 1, 2):
        event(world, B=value, Destination=str(value))
    assert texts_of(world, profile) == {"*sum#~*req.B": "3", "*highest#~*req.B": "2", "*ddc": "2"}


def test_an_event_counts_for_its_time_only(world: World) -> None:
    profile = put(world, "*tcc", ttl_ns=SECOND_NS)
    event(world, Cost=1)
    world.now_at += SECOND_NS
    assert texts_of(world, profile) == {"*tcc": "N/A"}


def test_a_queue_without_bounds_keeps_totals_only(world: World) -> None:
    profile = put(world, "*tcc", "*ddc", queue_length=-1)
    event(world, "a", Cost=1, Destination="1")
    event(world, "b", Cost=2, Destination="1")
    assert texts_of(world, profile) == {"*tcc": "3", "*ddc": "1"}
    assert queue_as_wire(world, profile)["SQItems"] is None
    assert not world.state.table("stat_items").records


def test_an_event_that_comes_twice_counts_twice(world: World) -> None:
    profile = put(world, "*tcc")
    event(world, Cost=1)
    event(world, Cost=2)
    shown = queue_as_wire(world, profile)["SQMetrics"]["*tcc"]
    assert (shown["Sum"], shown["Events"]) == (3, {"e": {"Stat": Decimal("1.5"), "CompressFactor": 2}})


def test_a_metric_counts_the_events_that_pass_its_own_filters(world: World) -> None:
    metrics = (Metric("*sum#1", ("*string:~*req.A:1",)), Metric("*tcc"))
    profile = StatProfile("t", "Q", metrics=metrics, ttl_ns=-1, threshold_ids=("*none",))
    store_profile(world, profile)
    event(world, A="1", Cost=1)
    event(world, A="2", Cost=1)
    assert texts_of(world, profile) == {"*sum#1": "1", "*tcc": "2"}


def test_the_heaviest_queue_comes_first_and_a_blocker_ends_the_list(world: World) -> None:
    put(world, "*sum#1", profile_id="S1", weight_nano=1)
    put(world, "*sum#1", profile_id="S2", weight_nano=2, is_blocker=True)
    put(world, "*sum#1", profile_id="S3", weight_nano=3)
    assert event(world) == ["S3", "S2"]


def test_a_profile_that_measures_otherwise_starts_again(world: World) -> None:
    put(world, "*tcc")
    event(world, Cost=1)
    profile = put(world, "*tcc", weight_nano=5)
    assert texts_of(world, profile) == {"*tcc": "1"}
    profile = put(world, "*tcc", queue_length=5)
    assert texts_of(world, profile) == {"*tcc": "N/A"}


def test_metrics_that_stay_keep_what_they_have(world: World) -> None:
    put(world, "*tcc", "*ddc")
    event(world, Cost=1, Destination="1")
    profile = put(world, "*tcc", "*acc")
    assert texts_of(world, profile) == {"*tcc": "1", "*acc": "N/A"}
    event(world, Cost=3)
    assert texts_of(world, profile) == {"*tcc": "4", "*acc": "3"}


def test_a_metric_that_does_not_exist_leaves_a_profile_without_a_queue(world: World) -> None:
    with pytest.raises(PartiallyExecuted, match=r"unsupported metric type <\*bogus>"):
        put(world, "*bogus")
    with pytest.raises(NotFound):
        event(world)
    with pytest.raises(NotFound):
        texts_of(world, profile_of(world, "t:Q"))


def test_a_queue_goes_with_its_profile_and_leaves_nothing(world: World) -> None:
    put(world, "*tcc")
    event(world, Cost=1)
    remove_profile(world, "t:Q")
    assert not any(world.state.table(name).records for name in ("stat_profiles", "stat_queues", "stat_items"))


def test_a_reset_queue_measures_anew(world: World) -> None:
    profile = put(world, "*tcc")
    event(world, Cost=1)
    drop_queue(world, profile)
    event(world, Cost=2)
    assert texts_of(world, profile) == {"*tcc": "2"}


def test_thresholds_see_what_a_queue_measures(world: World) -> None:
    world.settings["stats"]["thresholds_conns"] = ["*internal"]
    filters = ("*string:~*req.StatID:Q", "*gte:~*req.*tcc:3")
    store_threshold(world, ThresholdProfile("t", "T", filters, max_hits=-1))
    put(world, "*tcc", threshold_ids=())
    for cost in (2, 1, 1):
        assert event(world, Cost=cost) == ["Q"]
    assert threshold_of(world, "t:T").hits == 2


def test_filters_read_metrics(world: World) -> None:
    install(world)
    put(world, "*tcc", "*sum#~*req.B")
    event(world, Cost=1, B=7)
    read = world.parts["filter_sources"]["*stats"]
    assert read(world, "t", ("Q", "*tcc")) == 1
    assert read(world, "t", ("Q", "*sum#~*req", "B")) == 7
    with pytest.raises(NotFound):
        read(world, "t", ("Q", "*acd"))


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=30), st.integers(1, 5))
def test_totals_are_those_of_the_events_held(values: list[int], length: int) -> None:
    made = new_world()
    profile = put(made, "*sum#~*req.B", "*highest#~*req.B", "*lowest#~*req.B", "*distinct#~*req.B", queue_length=length)
    for value in values:
        event(made, B=value)
    held = values[-length:]
    wanted = (sum(held), max(held), min(held), len(set(held)))
    assert tuple(numbers_of(made, profile).values()) == wanted


def test_records_survive_their_encoding() -> None:
    for record in (
        StatProfile("t", "Q", metrics=(Metric("*acd", ("F",)),)),
        StatQueue("t", "Q", {"*ddc": Total(1, 0, {"1": 1})}, 3, 4),
        Item("e", NOW, {"*ddc": "1", "*tcc": 5}),
    ):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=type(record)) == record
