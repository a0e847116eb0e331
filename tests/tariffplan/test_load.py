"""Loading plans: what they become, what is refused, and that a refusal changes nothing."""

from typing import Any

import pytest

from cgrcore.errors import CgrError
from cgrcore.money import NANO
from cgrcore.rating import Activation, Rate
from cgrcore.scheduling.due import reload_schedule
from cgrcore.tariffplan import PlanRefused, load, unload
from cgrcore.timing import SECOND_NS, ZERO_AT
from cgrcore.world import World
from tests.tariffplan.worlds import SMALL, empty_world, load_files, plan_of

ACCOUNTS: dict[str, tuple[str, ...]] = {
    "Actions.csv": ("ACT,*topup_reset,,,main,*monetary,,,,,*unlimited,,10,5,false,false,10",),
    "ActionPlans.csv": ("AP,ACT,*asap,10", "AP,ACT,*monthly,10"),
    "ActionTriggers.csv": ("TRG,low,*min_balance,2,true,1h,,,main,*monetary,,,,,,,,,,ACT,10",),
    "AccountActions.csv": ("cgrates.org,1001,AP,TRG,true,",),
}


@pytest.fixture
def world() -> World:
    return empty_world()


def contents(world: World) -> dict[str, dict[str, Any]]:
    return {name: dict(table.records) for name, table in world.state.tables.items() if table.records}


def refusal(world: World, rows: dict[str, tuple[str, ...]]) -> PlanRefused:
    with pytest.raises(PlanRefused) as refused:
        load_files(world, rows)
    return refused.value


def test_a_destination_has_each_prefix_once(world: World) -> None:
    load_files(world, {"Destinations.csv": ("D,49", "D,43", "D,49")})
    assert world.state.table("destinations").require("D").prefixes == ("49", "43")


def test_a_rating_takes_its_fee_from_the_first_row_and_its_slots_in_order_of_usage(world: World) -> None:
    load_files(world, {**SMALL, "Rates.csv": ("RT_DE,0.4,0.6,60s,1s,60s", "RT_DE,0.9,1.2,60s,60s,0s")})
    rating = world.state.table("rating_plans").require("RP_DE").destination_rates["DST_DE"][0].rating
    assert rating.connect_fee_nano == 400_000_000
    assert rating.rates == (
        Rate(0, 1_200_000_000, 60 * SECOND_NS, 60 * SECOND_NS),
        Rate(60 * SECOND_NS, 600_000_000, SECOND_NS, 60 * SECOND_NS),
    )


def test_the_same_rate_hours_and_weight_count_once(world: World) -> None:
    load_files(
        world, {**SMALL, "RatingPlans.csv": ("RP_DE,DR_DE,*any,10", "RP_DE,DR_DE,*any,10", "RP_DE,DR_DE,*any,20")}
    )
    assert len(world.state.table("rating_plans").require("RP_DE").destination_rates["DST_DE"]) == 2


def test_a_rating_profile_has_an_activation_for_each_row(world: World) -> None:
    rows = ("cgrates.org,call,1001,,RP_DE,a;b", "cgrates.org,call,1001,1709542800,RP_DE,")
    load_files(world, {**SMALL, "RatingProfiles.csv": rows})
    assert world.state.table("rating_profiles").require("*out:cgrates.org:call:1001").activations == (
        Activation(ZERO_AT, "RP_DE", ("a", "b")),
        Activation(1709542800 * SECOND_NS, "RP_DE", ()),
    )


def test_what_is_no_number_in_a_timing_is_left_out_and_day_seven_is_sunday(world: World) -> None:
    load_files(world, {"Timings.csv": ("T,x;2026,*any,,5;7;x,09:00:00;17:00:00", "W,soon,,,,")})
    timing = world.state.table("timings").require("T")
    assert (timing.years, timing.months, timing.week_days) == ((2026,), (), (5, 0))
    assert (timing.start_time, timing.end_time) == ("09:00:00", "17:00:00")
    assert world.state.table("timings").require("W").years is None


def test_any_in_an_action_is_nothing_said(world: World) -> None:
    load_files(world, {"Actions.csv": ("A,*topup,,,m,*monetary,*any,*any,*any,*any,,,1,*any,*any,,10",)})
    balance = world.state.table("actions").require("A").actions[0].balance
    assert (balance.destination_ids, balance.categories, balance.rating_subject, balance.weight_nano) == (
        {},
        {},
        "",
        None,
    )


def test_an_account_is_set_up_with_its_triggers_and_flags_and_gets_what_its_plan_gives_at_once(world: World) -> None:
    load_files(world, ACCOUNTS)
    reload_schedule(world)
    account = world.state.table("accounts").require("cgrates.org:1001")
    assert [balance.value_nano for balance in account.balances["*monetary"]] == [10 * NANO]
    assert (account.allow_negative, account.is_disabled) == (True, False)
    assert [trigger.unique_id for trigger in account.triggers] == ["low"]


def test_an_account_that_is_set_up_again_keeps_its_balances(world: World) -> None:
    load_files(world, ACCOUNTS)
    reload_schedule(world)
    load_files(world, {**ACCOUNTS, "AccountActions.csv": ("cgrates.org,1001,,,false,true",)})
    account = world.state.table("accounts").require("cgrates.org:1001")
    assert [balance.value_nano for balance in account.balances["*monetary"]] == [10 * NANO]
    assert (account.allow_negative, account.is_disabled, account.triggers) == (False, True, None)


def test_an_action_plan_that_is_loaded_again_keeps_its_accounts_and_the_ids_of_its_timings(world: World) -> None:
    load_files(world, ACCOUNTS)
    before = world.state.table("action_plans").require("AP")
    load_files(world, {name: rows for name, rows in ACCOUNTS.items() if name != "AccountActions.csv"})
    after = world.state.table("action_plans").require("AP")
    assert after.account_ids == {"cgrates.org:1001": True}
    assert after.timings[0].uuid == before.timings[0].uuid


MISTAKES = [
    ("DestinationRates.csv", "DR_DE,NOPE,RT_DE,*up,4,0,", 'could not get destination for tag "NOPE"', 7),
    ("DestinationRates.csv", "DR_DE,DST_DE,NOPE,*up,4,0,", 'could not find rate for tag "NOPE"', 14),
    ("RatingPlans.csv", "RP_DE,NOPE,*any,10", 'could not find destination rate for tag "NOPE"', 7),
    ("RatingPlans.csv", "RP_DE,DR_DE,NOPE,10", 'could not get timing for tag "NOPE"', 13),
    ("RatingPlans.csv", "RP_DE,DR_DE,*monthly_nope,10", 'could not get timing for tag "*monthly_nope"', 13),
    ("RatingPlans.csv", "RP_DE,DR_DE,*asap,10", "invalid data", 13),
    ("RatingProfiles.csv", "t,call,s,2024-01-01T00:00:00Z,NOPE,", 'could not load rating plans for tag: "NOPE"', 31),
    ("RatingProfiles.csv", "t,call,s,soon,RP_DE,", "cannot parse activation time from soon", 10),
    ("Rates.csv", "RT_DE,0,1,60s,-60s,0s", "invalid data", 15),
    ("Rates.csv", "RT_DE,0,1e40,60s,60s,0s", "number out of range: 1E+40", 9),
    ("ActionPlans.csv", "AP,NOPE,*asap,10", '[ActionPlans] Could not load the action for tag: "NOPE"', 4),
    ("ActionPlans.csv", "AP,ACT,NOPE,10", '[ActionPlans] Could not load the timing for tag: "NOPE"', 8),
    ("Actions.csv", "ACT,*topup,,,m,*monetary,,,,,,,many,5,false,false,10", "Invalid value: many", 32),
    (
        "Actions.csv",
        "ACT,*topup,,,m,*monetary,,,,,,,1,5,perhaps,false,10",
        'strconv.ParseBool: parsing "perhaps": invalid syntax',
        36,
    ),
    (
        "ActionTriggers.csv",
        "TRG,low,*min_balance,2,true,long,,,main,*monetary,,,,,,,,,,ACT,10",
        'time: invalid duration "long"',
        29,
    ),
    (
        "ActionTriggers.csv",
        "TRG,low,*min_balance,2,true,1h,someday,,main,*monetary,,,,,,,,,,ACT,10",
        "Unsupported time format",
        32,
    ),
    (
        "ActionTriggers.csv",
        "TRG,low,*min_balance,2,true,1h,,,main,*monetary,,,,,,,heavy,,,ACT,10",
        'strconv.ParseFloat: parsing "heavy": invalid syntax',
        55,
    ),
    ("AccountActions.csv", "t,a,NOPE,,,", 'could not get action plan for tag "NOPE"', 5),
    ("AccountActions.csv", "t,a,,NOPE,,", 'could not get action triggers for tag "NOPE"', 6),
    ("Chargers.csv", "t,C,NOPE,,r,*none,0", "broken reference to filter: <NOPE> for item with ID: t:C", 5),
    ("Filters.csv", "t,F,*string,~*req.A,a,bad", "Unsupported time format", 23),
    (
        "Attributes.csv",
        "t,A,*any,,,,*req.A,*variable,~*req.B{*,,",
        "invalid converter terminator in rule: <~*req.B{*>",
        30,
    ),
    ("Stats.csv", "t,S,,,1,1h,1,*tcc;*nope,,,,,", "unsupported metric type <*nope>", 14),
    ("Resources.csv", "t,R,,,1h,five,,,,,", 'strconv.ParseFloat: parsing "five": invalid syntax', 10),
    ("Trends.csv", "t,T,@every 1h,S,,long,,,,,,", 'time: invalid duration "long"', 18),
    ("Thresholds.csv", "t,T,,,1,1,long,,10,,,", 'time: invalid duration "long"', 11),
]


@pytest.mark.parametrize(("file", "row", "text", "column"), MISTAKES)
def test_a_mistake_is_told_in_the_known_words_with_its_place(
    world: World, file: str, row: str, text: str, column: int
) -> None:
    rows = {**SMALL, **ACCOUNTS, file: ("#a comment", row)}
    mistake = refusal(world, rows).mistakes[0]
    assert (mistake.text, mistake.file, mistake.line, mistake.column) == (text, file, 2, column)


def test_a_refused_plan_changes_nothing(world: World) -> None:
    load_files(world, SMALL)
    before = contents(world)
    refusal(
        world, {**SMALL, **ACCOUNTS, "Destinations.csv": ("DST_DE,48",), "RatingPlans.csv": ("RP_DE,DR_DE,NOPE,1",)}
    )
    assert contents(world) == before


def test_every_mistake_is_reported_in_order_of_files_and_lines(world: World) -> None:
    refused = refusal(world, {**SMALL, "Rates.csv": (), "RatingPlans.csv": ("RP_DE,DR_DE,NOPE,1",)})
    assert refused.report == [
        "DestinationRates.csv:1:14: expected a tag of Rates.csv, got 'RT_DE'",
        "RatingPlans.csv:1:13: expected a tag of Timings.csv or a built-in timing, got 'NOPE'",
    ]
    assert str(refused) == 'could not find rate for tag "RT_DE"'


def test_what_is_in_force_may_be_referred_to(world: World) -> None:
    load_files(world, SMALL)
    load_files(world, {"RatingProfiles.csv": ("t,call,s,,RP_DE,",)})
    rows = {name: lines for name, lines in SMALL.items() if name != "Destinations.csv"}
    load_files(world, {**rows, "RatingPlans.csv": ("RP_2,DR_DE,TM_DAY,10",)})
    assert world.state.table("rating_plans").require("RP_2").destination_rates["DST_DE"][0].timing.id == "TM_DAY"


def test_loading_the_same_tariff_again_writes_nothing(world: World) -> None:
    load_files(world, SMALL)
    world.state.take()
    load_files(world, SMALL)
    assert not world.state.effects


DOUBTFUL: list[dict[str, tuple[str, ...]]] = [
    {"Rates.csv": ("RT_DE,0,1,60s,60s,0s", "RT_DE,0,1,60s,1s,90s")},
    {"Rates.csv": ("RT_DE,0,1,60s,60s,0s", "RT_DE,0,1,60s,1s,0s")},
    {"Rates.csv": ("RT_DE,0,1,60s,0,0s", "RT_DE,0,1,60s,1s,60s")},
    {"RatingPlans.csv": ("RP_DE,DR_DE,TM_DAY,10",)},
    {"Timings.csv": ("TM_DAY,2024,,,1;2;3;4;5;6;7,00:00:00",), "RatingPlans.csv": ("RP_DE,DR_DE,TM_DAY,10",)},
]


@pytest.mark.parametrize("rows", DOUBTFUL)
def test_a_doubtful_plan_is_refused_only_when_asked_to(world: World, rows: dict[str, tuple[str, ...]]) -> None:
    plan = plan_of({**SMALL, **rows})
    with pytest.raises(CgrError, match="invalid data"):
        load(world, plan, must_be_sound=True)
    assert contents(world) == {}
    load(world, plan)


@pytest.mark.parametrize(
    "rows",
    [
        {},
        {"Timings.csv": ("TM_DAY,,,,1;2;3;4;5;6;7,00:00:00",), "RatingPlans.csv": ("RP_DE,DR_DE,TM_DAY,10",)},
        {"Rates.csv": ("RT_DE,0,1,60s,90s,0s",)},
    ],
)
def test_a_sound_plan_is_sound(world: World, rows: dict[str, tuple[str, ...]]) -> None:
    load(world, plan_of({**SMALL, **rows}), must_be_sound=True)


def test_unloading_removes_what_the_plan_names_and_keeps_accounts(world: World) -> None:
    rows = {**SMALL, **ACCOUNTS}
    load_files(world, rows)
    unload(world, plan_of(rows))
    assert set(contents(world)) <= {"accounts", "tasks"}
    assert "cgrates.org:1001" in world.state.table("accounts")
