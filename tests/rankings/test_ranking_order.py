"""Putting stat queues in order."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cgrcore.config import read_settings
from cgrcore.errors import NotFound
from cgrcore.event import CgrEvent
from cgrcore.filters import passes
from cgrcore.rankings import (
    Ranking,
    RankingProfile,
    in_order,
    install,
    query,
    ranking_of,
    remove_profile,
    store_profile,
)
from cgrcore.stats import Metric, StatProfile, process_event
from cgrcore.stats import store_profile as store_stat
from cgrcore.thresholds import ThresholdProfile, threshold_of
from cgrcore.thresholds import store_profile as store_threshold
from cgrcore.timing import SECOND_NS, ZERO_AT
from cgrcore.world import World

NOW = 1_800_000_000 * SECOND_NS
METRICS = {
    "A": {"*tcc": Decimal("14"), "*acc": Decimal(1)},
    "B": {"*tcc": Decimal("3.25"), "*acc": Decimal(1)},
    "C": {"*acc": Decimal(2)},
    "D": {"*tcc": Decimal("3.25"), "*acc": Decimal(3)},
}


@pytest.mark.parametrize(
    ("sorting", "parameters", "order"),
    [
        ("*asc", ("*tcc",), "BDAC"),
        ("*desc", ("*tcc",), "ABDC"),
        ("*asc", ("*tcc:false",), "ABDC"),
        ("*desc", ("*tcc:false",), "BDAC"),
        ("*asc", ("*tcc:true",), "BDAC"),
        ("*desc", ("*tcc", "*acc"), "ADBC"),
        ("*asc", ("*acc", "*tcc:false"), "ABCD"),
        ("*desc", (), "ABCD"),
    ],
)
def test_stat_queues_are_put_in_order(sorting: str, parameters: tuple[str, ...], order: str) -> None:
    assert "".join(in_order(METRICS, sorting, parameters)) == order


@pytest.fixture
def world() -> Iterator[World]:
    made = World(read_settings([], {}, ["rankings.thresholds_conns=*internal"]), lambda: "id", NOW)
    made.state.begin()
    for stat_id, cost in (("S1", "1"), ("S2", "21.25"), ("S3", "2.25")):
        metrics = (Metric("*tcc"), Metric("*sum#1"))
        filters = (f"*string:~*req.Q:{stat_id}",)
        store_stat(made, StatProfile("t", stat_id, filters, metrics=metrics, threshold_ids=("*none",)))
        process_event(made, CgrEvent("t", "e", None, {"Cost": Decimal(cost), "Q": stat_id}, {}))
    yield made
    made.state.rollback()


def rank(world: World, **more: Any) -> Ranking:
    more.setdefault("stat_ids", ("S1", "S2", "S3"))
    profile = RankingProfile("t", "R", "@hourly", sorting="*desc", sorting_parameters=("*tcc",), **more)
    store_profile(world, profile)
    query(world, profile)
    return ranking_of(world, "t:R")


def test_a_query_reads_every_stat_queue_and_orders_them(world: World) -> None:
    found = rank(world)
    assert found.sorted_stat_ids == ("S2", "S3", "S1")
    assert found.metrics["S2"] == {"*tcc": Decimal("21.25"), "*sum#1": Decimal(1)}
    assert found.updated_at == NOW


def test_only_the_metrics_named_are_read(world: World) -> None:
    assert rank(world, metric_ids=("*tcc",)).metrics["S1"] == {"*tcc": Decimal(1)}


def test_a_stat_queue_that_there_is_not_is_left_out(world: World) -> None:
    assert rank(world, stat_ids=("S1", "NOPE")).sorted_stat_ids == ("S1",)


def test_before_the_first_query_there_is_no_order(world: World) -> None:
    store_profile(world, RankingProfile("t", "R", sorting="*asc"))
    found = ranking_of(world, "t:R")
    assert (found.updated_at, found.sorting, found.sorted_stat_ids) == (ZERO_AT, "*asc", ())


def test_thresholds_are_told(world: World) -> None:
    filters = ("*string:~*opts.*eventType:RankingUpdate", "*string:~*req.RankingID:R")
    store_threshold(world, ThresholdProfile("t", "TH", filter_ids=filters, max_hits=-1))
    rank(world)
    assert threshold_of(world, "t:TH").hits == 1


def test_what_was_found_goes_when_the_profile_asks_for_something_else(world: World) -> None:
    rank(world)
    store_profile(world, RankingProfile("t", "R", "@hourly", ("S1",), sorting="*desc"))
    assert ranking_of(world, "t:R").updated_at == ZERO_AT


def test_what_was_found_goes_with_its_profile(world: World) -> None:
    rank(world)
    remove_profile(world, "t:R")
    with pytest.raises(NotFound):
        ranking_of(world, "t:R")
    assert "t:R" not in world.state.table("rankings")


def test_filters_read_the_order(world: World) -> None:
    install(world)
    rank(world)
    assert passes(world, "t", ("*string:~*rankings.R.SortedStatIDs[0]:S2",), CgrEvent("t", "e", None, {}, {}))


def test_a_ranking_is_the_same_after_encoding(world: World) -> None:
    found = rank(world)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Ranking) == found
