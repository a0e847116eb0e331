"""Trends and rankings of a plan."""

import pytest

from cgrcore.rankings import Ranking, RankingProfile
from cgrcore.tariffplan import PlanRefused
from cgrcore.trends import TrendProfile
from tests.tariffplan.worlds import empty_world, load_files

TRENDS = {"Trends.csv": ("t,T,0 12 1 * *,S,*tcc;*tcd,10s,5,2,*average,2.5,true,*none",)}
RANKINGS = {"Rankings.csv": ("t,R,@hourly,S1;S2,,*desc,*tcc,true,*none",)}


def test_a_trend_becomes_a_profile() -> None:
    world = empty_world()
    load_files(world, TRENDS)
    assert world.state.table("trend_profiles").require("t:T") == TrendProfile(
        tenant="t",
        id="T",
        schedule="0 12 1 * *",
        stat_id="S",
        metrics=("*tcc", "*tcd"),
        ttl_ns=10 * 10**9,
        queue_length=5,
        min_items=2,
        correlation="*average",
        tolerance_nano=2_500_000_000,
        is_stored=True,
        threshold_ids=("*none",),
    )


def test_a_ranking_becomes_a_profile() -> None:
    world = empty_world()
    load_files(world, RANKINGS)
    profile: RankingProfile = world.state.table("ranking_profiles").require("t:R")
    assert (profile.stat_ids, profile.sorting, profile.sorting_parameters) == (("S1", "S2"), "*desc", ("*tcc",))


def test_loading_does_not_schedule() -> None:
    world = empty_world()
    load_files(world, {**TRENDS, **RANKINGS})
    assert not world.state.table("scheduled_trends").records
    assert not world.state.table("scheduled_rankings").records


def test_a_ranking_loaded_again_unchanged_keeps_what_it_found() -> None:
    world = empty_world()
    load_files(world, RANKINGS)
    world.state.table("rankings").put("t:R", Ranking("t", "R", 1))
    world.state.take()
    load_files(world, RANKINGS)
    assert world.state.table("rankings").require("t:R").updated_at == 1


def test_a_tolerance_that_is_no_number_is_a_mistake() -> None:
    with pytest.raises(PlanRefused):
        load_files(empty_world(), {"Trends.csv": ("t,T,@hourly,S,,,,,,much,,",)})
