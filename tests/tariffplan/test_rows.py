"""From rows to objects: what rows of one id make together, and what cannot be read."""

from decimal import Decimal

import pytest

from cgrcore.tariffplan import KINDS, Defaults, read_files
from cgrcore.tariffplan.records import TpRateSlot, TpRoute
from tests.tariffplan.worlds import plan_of


def told(rows: dict[str, tuple[str, ...]]) -> list[str]:
    return [str(mistake) for mistake in plan_of(rows).mistakes]


def test_there_are_twenty_three_files_each_once() -> None:
    assert len({kind.file for kind in KINDS}) == len({kind.table for kind in KINDS}) == 23


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_column_fills_a_field_of_its_record(kind: object) -> None:
    assert isinstance(kind, type(KINDS[0]))
    for column in kind.columns:
        record = kind.inner.record if column.is_inner and kind.inner is not None else kind.record
        assert column.field in record.__struct_fields__
    assert set(kind.key) <= set(kind.record.__struct_fields__)


def test_prefixes_of_one_tag_accumulate_in_order() -> None:
    plan = plan_of({"Destinations.csv": ("A,2", "B,9", "A,1")})
    assert plan.objects["destinations"]["A"].Prefixes == ["2", "1"]


def test_rows_of_one_rate_are_its_slots() -> None:
    plan = plan_of({"Rates.csv": ("R,0.4,0.6,60s,60s,0s", "R,,3e-1,60s,1s,60s")})
    assert plan.objects["rates"]["R"].RateSlots == [
        TpRateSlot(Decimal("0.4"), Decimal("0.6"), "60s", "60s", "0s"),
        TpRateSlot(Decimal(0), Decimal("0.3"), "60s", "1s", "60s"),
    ]


def test_an_empty_tenant_is_the_default_one() -> None:
    plan = read_files({"Chargers.csv": b",DEFAULT,,,*default,*none,0\n"}, Defaults("home"))
    assert list(plan.objects["chargers"]) == ["home:DEFAULT"]


def test_scalars_count_from_the_last_row_that_has_them_and_lists_are_united() -> None:
    rows = ("t,C,F1;F2,2024-01-01T00:00:00Z,run1,A1,10", "t,C,F2;F3,,run2,A2,")
    charger = plan_of({"Chargers.csv": rows}).objects["chargers"]["t:C"]
    assert (charger.FilterIDs, charger.AttributeIDs) == (["F1", "F2", "F3"], ["A1", "A2"])
    assert (charger.RunID, charger.Weight) == ("run2", Decimal(10))


def test_a_row_without_the_marked_column_adds_no_inner_object() -> None:
    rows = ("t,F,*string,~*req.Account,a;b,", "t,F,,,,2024-01-01T00:00:00Z")
    item = plan_of({"Filters.csv": rows}).objects["filters"]["t:F"]
    assert [rule.Values for rule in item.Filters] == [["a", "b"]]
    assert item.ActivationInterval.ActivationTime == "2024-01-01T00:00:00Z"


def test_rows_of_one_route_with_the_same_filters_are_one_route() -> None:
    rows = ("t,P,,,*weight,,R1,,,RP1,,,10,,,20", "t,P,,,,,R1,,,RP2,,,,true,p,", "t,P,,,,,R1,F,,,,,,,,")
    routes = plan_of({"Routes.csv": rows}).objects["routes"]["t:P"].Routes
    assert routes[0] == TpRoute("R1", None, None, ["RP1", "RP2"], None, None, Decimal(10), True, "p")
    assert len(routes) == 2


def test_metrics_of_one_row_share_its_filters() -> None:
    item = plan_of({"Stats.csv": ("t,S,,,10,1h,1,*tcc;*acd,F1,true,,20,*none",)}).objects["stats"]["t:S"]
    assert [(metric.MetricID, metric.FilterIDs) for metric in item.Metrics] == [("*tcc", ["F1"]), ("*acd", ["F1"])]


@pytest.mark.parametrize(
    ("file", "row", "mistake"),
    [
        ("Rates.csv", "R,0,cheap,60s,60s,0s", "1:5: expected a number for Rate, got 'cheap'"),
        ("Rates.csv", "R, 0.1,1,60s,60s,0s", "1:3: expected a number for ConnectFee, got ' 0.1'"),
        ("Rates.csv", "R,0,NaN,60s,60s,0s", "1:5: expected a number for Rate, got 'NaN'"),
        (
            "Rates.csv",
            "R,0,1,60s,60s,zero",
            "1:15: expected a duration such as 60s or 1h30m for GroupIntervalStart, got 'zero'",
        ),
        ("DestinationRates.csv", "D,D1,R,*up,4.5,0,", "1:12: expected a whole number for RoundingDecimals, got '4.5'"),
        ("AccountActions.csv", "t,a,,,perhaps,", "1:7: expected true or false for AllowNegative, got 'perhaps'"),
        ("AccountActions.csv", '"t","a,b",,,perhaps,', "1:13: expected true or false for AllowNegative, got 'perhaps'"),
    ],
)
def test_a_field_that_cannot_be_read_is_told_with_its_place(file: str, row: str, mistake: str) -> None:
    assert told({file: (row,)}) == [f"{file}:{mistake}"]


def test_all_mistakes_of_all_files_are_told() -> None:
    assert len(told({"Rates.csv": ("R,x,y,60s,z,0s", "R"), "RatingPlans.csv": ("P,D,*any,heavy",)})) == 5


@pytest.mark.parametrize(
    ("file", "row", "text"),
    [
        ("Timings.csv", "T,,,,,08:00:00", "duplicate timing tag: T"),
        ("AccountActions.csv", "t,a,,,,", 'duplicate account action found: "t:a"'),
    ],
)
def test_what_comes_once_may_not_come_again(file: str, row: str, text: str) -> None:
    mistakes = plan_of({file: (row, row)}).mistakes
    assert [(mistake.text, mistake.line) for mistake in mistakes] == [(text, 2)]
    assert plan_of({file: (row, row)}, refuse_repeats=False).mistakes == []


def test_another_separator_may_part_the_fields() -> None:
    plan = read_files({"Destinations.csv": b"A;49,5\n"}, Defaults("t"), separator=";")
    assert plan.objects["destinations"]["A"].Prefixes == ["49,5"]
