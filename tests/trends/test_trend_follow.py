"""Following metrics from run to run."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from cgrcore.config import read_settings
from cgrcore.errors import NotFound
from cgrcore.event import CgrEvent
from cgrcore.filters import passes
from cgrcore.stats import Metric, StatProfile, process_event
from cgrcore.stats import store_profile as store_stat
from cgrcore.thresholds import ThresholdProfile, threshold_of
from cgrcore.thresholds import store_profile as store_threshold
from cgrcore.timing import SECOND_NS
from cgrcore.trends import (
    Trend,
    TrendProfile,
    growth_of,
    install,
    query,
    remove_profile,
    runs_between,
    store_profile,
    trend_of,
)
from cgrcore.world import World

NOW = 1_800_000_000 * SECOND_NS


@pytest.fixture
def world() -> Iterator[World]:
    overrides = ["trends.thresholds_conns=*internal"]
    made = World(read_settings([], {}, overrides), lambda: "id", NOW)
    made.state.begin()
    store_stat(made, StatProfile("t", "S", metrics=(Metric("*tcc"), Metric("*tcd")), threshold_ids=("*none",)))
    yield made
    made.state.rollback()


def follow(world: World, *costs: str, **more: Any) -> list[tuple[Decimal, str]]:
    """Query once after each event; return growth and label of *tcc in each run that is kept."""
    more.setdefault("correlation", "*last")
    profile = TrendProfile("t", "T", "@every 1s", "S", **more)
    store_profile(world, profile)
    for number, cost in enumerate(costs):
        event = {"Cost": Decimal(cost), "Usage": "70s", "AnswerTime": "2026-01-01T00:00:00Z"}
        process_event(world, CgrEvent("t", f"e{number}", None, event, {}))
        world.now_at += SECOND_NS
        query(world, profile)
    points = [run.points["*tcc"] for run in trend_of(world, "t:T").runs if "*tcc" in run.points]
    return [(point.growth, point.label) for point in points]


def test_the_first_run_has_no_growth(world: World) -> None:
    assert follow(world, "0.375") == [(Decimal(-1), "N/A")]
    metrics = trend_of(world, "t:T").summary()["Metrics"]
    assert metrics["*tcd"] == {"ID": "*tcd", "Value": 70 * 10**9, "TrendGrowth": -1, "TrendLabel": "N/A"}


def test_growth_is_the_percent_since_the_last_run(world: World) -> None:
    assert follow(world, "1", "4", "5")[1:] == [(Decimal(400), "*positive"), (Decimal(100), "*positive")]


def test_growth_is_the_percent_over_the_mean_of_all_runs(world: World) -> None:
    assert follow(world, "1", "2", "4", correlation="*average")[2] == (Decimal(250), "*positive")


def test_a_growth_within_the_tolerance_is_constant(world: World) -> None:
    assert follow(world, "10", "1", tolerance_nano=10 * 10**9)[1] == (Decimal(10), "*constant")


def test_a_growth_beyond_the_tolerance_is_not(world: World) -> None:
    assert follow(world, "10", "1", tolerance_nano=10 * 10**9 - 1)[1] == (Decimal(10), "*positive")


def test_a_loss_is_negative(world: World) -> None:
    store_stat(world, StatProfile("t", "S", queue_length=1, ttl_ns=-1, metrics=(Metric("*tcc"),)))
    assert follow(world, "4", "1")[1] == (Decimal(-75), "*negative")


@pytest.mark.parametrize("correlation", ["", "*median"])
def test_without_a_known_comparison_there_is_no_growth(world: World, correlation: str) -> None:
    assert follow(world, "1", "2", correlation=correlation)[1] == (Decimal(-1), "N/A")


def test_what_was_zero_has_no_growth(world: World) -> None:
    assert follow(world, "0", "2")[1] == (Decimal(-1), "N/A")


@pytest.mark.parametrize(
    ("value", "previous", "percent_nano"),
    [("24.75", "14", 76_785_710_000), ("12.375", "14", -11_607_150_000), ("9.625", "12.5", -23_000_000_000)],
)
def test_growth_is_rounded_as_the_configuration_says(value: str, previous: str, percent_nano: int) -> None:
    assert growth_of(Fraction(value), Fraction(previous), 5) == percent_nano


def test_only_the_metrics_named_are_followed(world: World) -> None:
    follow(world, "1", metrics=("*tcc", "*acd"))
    assert list(trend_of(world, "t:T").runs[0].points) == ["*tcc"]


def test_no_more_runs_are_kept_than_the_profile_says(world: World) -> None:
    assert len(follow(world, "1", "1", "1", queue_length=2)) == 2


def test_a_run_is_forgotten_when_its_time_is_over(world: World) -> None:
    assert len(follow(world, "1", "1", "1", "1", ttl_ns=2 * SECOND_NS)) == 2


def test_without_its_stat_queue_a_trend_has_no_run(world: World) -> None:
    profile = TrendProfile("t", "T", stat_id="NOPE")
    store_profile(world, profile)
    query(world, profile)
    assert trend_of(world, "t:T").runs == ()


def test_thresholds_are_told_once_there_are_enough_runs(world: World) -> None:
    store_threshold(world, ThresholdProfile("t", "TH", filter_ids=("*string:~*req.TrendID:T",), max_hits=-1))
    follow(world, "1", "1", "1", min_items=2)
    assert threshold_of(world, "t:TH").hits == 2


def test_thresholds_are_not_told_when_the_profile_says_so(world: World) -> None:
    store_threshold(world, ThresholdProfile("t", "TH", max_hits=-1))
    follow(world, "1", threshold_ids=("*none",))
    assert threshold_of(world, "t:TH").hits == 0


def test_runs_are_found_by_place_and_time(world: World) -> None:
    follow(world, "1", "1", "1")
    trend = trend_of(world, "t:T")
    first, second, third = trend.runs
    assert runs_between(trend, 1, 0, None, None).runs == (second, third)
    assert runs_between(trend, 0, 2, None, None).runs == (first, second)
    assert runs_between(trend, 0, 0, second.at, third.at).runs == (second,)
    with pytest.raises(NotFound):
        runs_between(trend, 3, 0, None, None)


def test_runs_stay_when_a_profile_is_stored_again_and_mean_the_same(world: World) -> None:
    follow(world, "1")
    store_profile(world, TrendProfile("t", "T", "@hourly", "S", correlation="*last"))
    assert len(trend_of(world, "t:T").runs) == 1


def test_runs_go_when_a_profile_follows_something_else(world: World) -> None:
    follow(world, "1")
    store_profile(world, TrendProfile("t", "T", "@hourly", "S", correlation="*average"))
    assert trend_of(world, "t:T").runs == ()


def test_runs_go_with_their_profile(world: World) -> None:
    follow(world, "1")
    remove_profile(world, "t:T")
    with pytest.raises(NotFound):
        trend_of(world, "t:T")
    assert "t:T" not in world.state.table("trends")


def test_a_trend_is_the_same_after_encoding(world: World) -> None:
    follow(world, "1", "3")
    trend = trend_of(world, "t:T")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(trend), type=Trend) == trend


def test_filters_read_the_last_run(world: World) -> None:
    install(world)
    follow(world, "1", "4")
    event = CgrEvent("t", "e", None, {}, {})
    assert passes(world, "t", ("*string:~*trends.T.Metrics.*tcc.TrendLabel:*positive",), event)
