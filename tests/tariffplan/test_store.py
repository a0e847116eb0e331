"""The store of plans: objects by plan and id; loading one of them; writing plans as files."""

from typing import Any

import pytest
from cgrserver.tariffs import read_folder

from cgrcore.errors import BadRequest, NotFound
from cgrcore.tariffplan import (
    KINDS,
    Defaults,
    PlanRefused,
    find_item,
    ids_of_plan,
    load,
    load_account_actions,
    load_destination,
    load_rating_plans,
    load_rating_profiles,
    plan_ids,
    read_files,
    remove_item,
    remove_stored_plan,
    store_item,
    store_plan,
    stored_plan,
    write_files,
)
from cgrcore.tariffplan.records import TpAccountActions, TpDestination, TpRatingProfile
from cgrcore.world import World
from tests.tariffplan.test_load import ACCOUNTS
from tests.tariffplan.worlds import READY_PLANS, SMALL, empty_world, files_of

BY_NAME = {kind.name: kind for kind in KINDS}
DESTINATIONS = BY_NAME["destinations"]


@pytest.fixture
def world() -> World:
    return empty_world()


def keep(world: World, rows: dict[str, tuple[str, ...]], tpid: str = "TP") -> None:
    store_plan(world, read_files(files_of(rows), Defaults("cgrates.org", tpid, "L")))


def test_an_object_is_found_under_its_whole_plan_and_id_only(world: World) -> None:
    store_item(world, DESTINATIONS, TpDestination("AB", "DD", ["1"]))
    assert ids_of_plan(world, DESTINATIONS, "A") == []
    with pytest.raises(NotFound):
        find_item(world, DESTINATIONS, "AB", "D")
    remove_item(world, DESTINATIONS, "AB", "D")
    assert find_item(world, DESTINATIONS, "AB", "DD").Prefixes == ["1"]


def test_removing_a_plan_leaves_the_others(world: World) -> None:
    keep(world, SMALL, "A")
    keep(world, SMALL, "AB")
    remove_stored_plan(world, "A")
    assert plan_ids(world) == ["AB"]


def test_a_stored_plan_loads_as_the_files_do(world: World) -> None:
    keep(world, {**SMALL, **ACCOUNTS})
    load(world, stored_plan(world, "TP"))
    assert "RP_DE" in world.state.table("rating_plans")
    assert "cgrates.org:1001" in world.state.table("accounts")


def test_a_file_with_a_mistake_is_not_stored_and_the_others_are(world: World) -> None:
    keep(world, {**SMALL, "Rates.csv": ("RT_DE,0,x,60s,60s,0s", "RT_2,0,1,60s,60s,0s")})
    assert ids_of_plan(world, BY_NAME["rates"], "TP") == []
    assert ids_of_plan(world, DESTINATIONS, "TP") == ["DST_DE"]


def test_a_rating_plan_is_loaded_alone_with_its_destinations(world: World) -> None:
    keep(world, {**SMALL, "Destinations.csv": ("DST_DE,49", "OTHER,1")})
    load_rating_plans(world, "TP", "RP_DE")
    assert list(world.state.table("destinations")) == ["DST_DE"]
    assert list(world.state.table("rating_profiles")) == []
    load_rating_profiles(world, TpRatingProfile("TP", Subject="*any"))
    assert list(world.state.table("rating_profiles")) == ["*out:cgrates.org:call:*any"]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ({"Rates.csv": ()}, 'no Rates profile with id "RT_DE": NOT_FOUND'),
        ({"RatingPlans.csv": ("RP_DE,DR_DE,NOPE,1",)}, 'no timing with id "NOPE": NOT_FOUND'),
        ({"DestinationRates.csv": ()}, 'no DestinationRates profile with id "DR_DE": NOT_FOUND'),
        ({"Destinations.csv": ()}, 'could not get destination for tag "DST_DE"'),
    ],
)
def test_a_rating_plan_whose_parts_are_missing_is_refused(
    world: World, rows: dict[str, tuple[str, ...]], text: str
) -> None:
    keep(world, {**SMALL, **rows})
    with pytest.raises(PlanRefused) as refused:
        load_rating_plans(world, "TP", "RP_DE")
    assert str(refused.value) == text
    assert list(world.state.table("rating_plans")) == []


def test_what_is_not_stored_cannot_be_loaded(world: World) -> None:
    with pytest.raises(NotFound):
        load_destination(world, "TP", "D")
    with pytest.raises(NotFound):
        load_rating_plans(world, "TP", "")
    with pytest.raises(BadRequest, match=r"no RatingProfile for filter &\{TP  t call x \[\]\}, error: NOT_FOUND"):
        load_rating_profiles(world, TpRatingProfile("TP", "", "t", "call", "x"))
    with pytest.raises(BadRequest, match=r"NOT_FOUND: &\{TPid:TP LoadId: Tenant: Account:a .*AllowNegative:false"):
        load_account_actions(world, TpAccountActions("TP", Account="a"))


def test_account_actions_loaded_alone_attach_the_account_to_the_plan(world: World) -> None:
    keep(world, {**ACCOUNTS, "ActionPlans.csv": ("AP,ACT,*asap,10",)})
    load_account_actions(world, TpAccountActions("TP", "L"))
    assert world.state.table("action_plans").require("AP").account_ids == {"cgrates.org:1001": True}
    assert [task.actions_id for task in world.state.table("tasks").records.values()] == ["ACT"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("ActionPlans.csv", r"NOT_FOUND \(ActionPlan\): AP"),
        ("ActionTriggers.csv", r"NOT_FOUND \(ActionTriggers\): TRG"),
    ],
)
def test_account_actions_need_what_they_name(world: World, file: str, text: str) -> None:
    keep(world, {name: rows for name, rows in ACCOUNTS.items() if name != file})
    with pytest.raises(BadRequest, match=text):
        load_account_actions(world, TpAccountActions("TP"))
    assert list(world.state.table("accounts")) == []


def objects(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    plan = read_files(files, Defaults("t"))
    assert plan.mistakes == []
    return plan.objects


PROFILES: dict[str, tuple[str, ...]] = {
    "Filters.csv": ('t,F,*string,~*req.A,"a,b;c",2024-01-01T00:00:00Z;2025-01-01T00:00:00Z', "t,F,*prefix,~*req.B,1,"),
    "Routes.csv": ("t,P,F;G,,*weight,,R1,,a,RP1;RP2,,,10,true,p,20", "t,P,,,,,R2,F,,,,,,,,"),
    "Stats.csv": ("t,S,,,10,1h,1,*tcc;*acd,F1,true,,20,*none",),
    "DispatcherHosts.csv": ("t,H,1.2.3.4:2012,*json,1,2,1m,2s,,true,k,c,ca",),
    "IPs.csv": ("t,I,,,1h,true,10,P1,F,*ipv4,10.0.0.0/8,*asc,ok,5,false",),
    "Actions.csv": ('ACT,*cgr_rpc,"{""a"": 1, ""b"": ""#""}",,,,,,,,,,,,,,10',),
}


@pytest.mark.parametrize(
    "files",
    [*(read_folder(path.parent) for path in READY_PLANS.glob("*/why.md")), files_of(PROFILES), files_of(ACCOUNTS)],
)
def test_what_is_written_as_files_reads_as_the_same_objects(files: dict[str, bytes]) -> None:
    written = write_files(read_files(files, Defaults("t")), KINDS)
    assert objects(written) == objects(files)
    assert write_files(read_files(written, Defaults("t")), KINDS) == written
