"""What-if: two tariffs side by side, the difference of each row and of groups, printed, written and drawn."""

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from cgrserver.rerating.charts import draw
from cgrserver.rerating.compare import GROUPINGS, Comparer, group_table, in_order
from cgrserver.rerating.rating import Plan, Rater
from cgrserver.tariffs import read_folder

from cgrcore.errors import BadRequest, Unavailable
from tests.rerating.calls import PLAN, ROWS, Ran, run, write_csv, write_parquet

NEW_RATES = "RT_DE,0,0.03,60s,1s,0s\nRT_MOBILE,0.1,0.18,60s,60s,0s\n"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A tariff in which Germany costs half and its mobiles half as much again, and the UK has a price."""
    folder = tmp_path / "other"
    folder.mkdir()
    more = {
        "Rates.csv": NEW_RATES,
        "DestinationRates.csv": PLAN["DestinationRates.csv"] + "DR,DST_UK,RT_DE,*up,4,0,\n",
        "Destinations.csv": PLAN["Destinations.csv"] + "DST_UK,44\n",
    }
    for name, content in {**PLAN, **more}.items():
        (folder / name).write_text(content)
    return folder


def _comparer(plan: Path, other: Path) -> Comparer:
    return Comparer(Plan(read_folder(plan)), Plan(read_folder(other)))


def _compared(plan: Path, other: Path, rows: list[dict[str, Any]] | None = None) -> Comparer:
    """Return the comparer of some rows, which it has rated."""
    comparer = _comparer(plan, other)
    comparer.rate(pa.RecordBatch.from_pylist(ROWS if rows is None else rows))
    return comparer


def _compare(plan: Path, other: Path, output: Path, **options: Any) -> Ran:
    return run(plan, write_csv(output.parent / "in.csv"), output=output, what_if=other, threads=1, **options)


def test_a_row_has_both_costs_and_the_difference(plan: Path, other: Path, tmp_path: Path) -> None:
    _compare(plan, other, tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    costs = [(row["Cost"], row["NewCost"], row["Difference"]) for row in rows]
    assert costs == [
        (Decimal("0.06"), Decimal("0.03"), Decimal("-0.03")),
        (Decimal("0.22"), Decimal("0.28"), Decimal("0.06")),
        (None, Decimal("0.03"), None),
        (Decimal("0.015"), Decimal("0.0075"), Decimal("-0.0075")),
    ]
    assert [row["Error"] for row in rows] == [None, None, "UNAUTHORIZED_DESTINATION", None]
    assert [row["NewDestinationID"] for row in rows] == ["DST_DE", "DST_MOBILE", "DST_UK", "DST_DE"]


def test_each_tariff_costs_what_it_costs_alone(plan: Path, other: Path) -> None:
    batch = pa.RecordBatch.from_pylist(ROWS)
    both = _comparer(plan, other).rate(batch).batch
    for folder, column in ((plan, "Cost"), (other, "NewCost")):
        alone = Rater(Plan(read_folder(folder))).rate(batch).batch
        assert both.column(both.schema.get_field_index(column)).equals(alone.column(alone.num_columns - 4))


def test_a_batch_has_the_columns_that_were_told_before(plan: Path, other: Path) -> None:
    comparer = _comparer(plan, other)
    batch = pa.RecordBatch.from_pylist(ROWS)
    assert comparer.rate(batch).batch.schema.equals(comparer.output_schema(batch.schema))


def test_groups_add_up_the_rows_that_both_price(plan: Path, other: Path) -> None:
    found = {grouping: _compared(plan, other).groups.of(grouping) for grouping in GROUPINGS}
    germany = found["destination"]["DST_DE"]
    assert (germany.row_count, germany.both_count) == (2, 2)
    assert (germany.old_nano, germany.new_nano) == (75_000_000, 37_500_000)
    assert found["destination"]["DST_UK"].only_new_count == 1
    assert found["destination"]["DST_UK"].difference_nano == 0
    assert set(found["subject"]) == {"1001", "1002", "1003"}
    assert set(found["day"]) == {"2026-03-02"}
    assert set(found["plan"]) == {"RP"}


def test_the_day_is_that_of_the_calls_clock(plan: Path, other: Path) -> None:
    rows = [{**ROWS[0], "AnswerTime": text} for text in ("2026-03-02T23:30:00Z", "2026-03-03T00:30:00+01:00")]
    assert set(_compared(plan, other, rows).groups.of("day")) == {"2026-03-02", "2026-03-03"}


def test_a_call_without_a_time_has_no_day(plan: Path, other: Path) -> None:
    rows = [{**ROWS[0], "AnswerTime": text} for text in ("yesterday", "")]
    assert set(_compared(plan, other, rows).groups.of("day")) == {"(none)"}


def test_the_same_tariff_twice_makes_no_difference(plan: Path) -> None:
    groups = _compared(plan, plan).groups
    assert groups.total.difference_nano == 0
    assert all(group.difference_nano == 0 for grouping in GROUPINGS for group in groups.of(grouping).values())


def test_every_grouping_has_the_sums_of_the_rows(plan: Path, other: Path) -> None:
    random = Random(4)
    comparer = _comparer(plan, other)
    wanted = [Decimal(0), Decimal(0), 0]
    for _ in range(3):
        rows = [
            {
                "Account": random.choice(("1001", "1002", "")),
                "Destination": random.choice(("4930", "4915", "44", "39", "1", "")),
                "AnswerTime": f"2026-03-{random.randint(1, 28):02d}T10:00:00Z",
                "Usage": random.choice(("1m", "90s", "x", "0s")),
            }
            for _ in range(200)
        ]
        batch = comparer.rate(pa.RecordBatch.from_pylist(rows)).batch
        for row in batch.to_pylist():
            if row["Difference"] is not None:
                wanted = [wanted[0] + row["Cost"], wanted[1] + row["NewCost"], wanted[2] + 1]
    for grouping in GROUPINGS:
        groups = comparer.groups.of(grouping).values()
        found = [Decimal(sum(group[place] for group in groups)) / 10**9 for place in (4, 5)]
        assert [*found, sum(group.both_count for group in groups)] == wanted, grouping
        assert sum(group.row_count for group in groups) == 600


def test_costs_that_would_overflow_together_are_summed_exactly(plan: Path, other: Path) -> None:
    dear = {**PLAN, "Rates.csv": "RT_DE,0,900000000,60s,1s,0s\nRT_MOBILE,0,900000000,60s,60s,0s\n"}
    contents = {name: content.encode() for name, content in dear.items()}
    comparer = Comparer(Plan(contents), Plan(read_folder(other)))
    comparer.rate(pa.RecordBatch.from_pylist([ROWS[0]] * 50))
    assert comparer.groups.total.old_nano == 50 * 900_000_000 * 10**9


def test_a_column_called_as_one_of_the_result_is_refused(plan: Path, other: Path) -> None:
    batch = pa.RecordBatch.from_pylist([{**ROWS[0], "Difference": "1"}])
    with pytest.raises(BadRequest, match="a column of the input is called Difference"):
        _comparer(plan, other).output_schema(batch.schema)


def test_any_number_of_groups_has_room(plan: Path) -> None:
    comparer = _comparer(plan, plan)
    for first in range(0, 3000, 500):
        rows = [{**ROWS[0], "Account": f"a{number}"} for number in range(first, first + 600)]
        comparer.rate(pa.RecordBatch.from_pylist(rows))
    groups = comparer.groups.of("subject")
    assert len(groups) == 3100
    assert sum(group.row_count for group in groups.values()) == comparer.groups.total.row_count == 3600
    assert groups["a550"].old_nano == 2 * 60_000_000


def test_no_account_and_an_empty_one_are_one_group(plan: Path) -> None:
    rows = [{**ROWS[0], "Account": name} for name in ("", None, "1001", "", None)]
    found = _compared(plan, plan, rows).groups.of("subject")
    assert {name: group.row_count for name, group in found.items()} == {"(none)": 4, "1001": 1}


# --- what is shown, written and drawn --------------------------------------------------------------------------------


def test_the_largest_differences_are_printed(plan: Path, other: Path, tmp_path: Path) -> None:
    printed = _compare(plan, other, tmp_path / "out.csv").printed
    assert "by destination" in printed
    mobile = next(line for line in printed.splitlines() if line.startswith("DST_MOBILE"))
    assert mobile.split() == ["DST_MOBILE", "1", "0.22", "0.28", "0.06", "+27.3"]
    assert "compared 3 of 4 rows: 0.295 would be 0.3175, a difference of 0.0225 (+7.6 %)" in printed
    assert "1 rows have a price in the what-if only" in printed


@pytest.mark.parametrize("name", ["groups.parquet", "groups.csv"])
def test_all_groups_are_written(plan: Path, other: Path, tmp_path: Path, name: str) -> None:
    _compare(plan, other, tmp_path / "out.parquet", groups=tmp_path / name)
    read = pq.read_table if name.endswith("parquet") else pyarrow.csv.read_csv
    rows = read(tmp_path / name).to_pylist()
    assert {row["Grouping"] for row in rows} == set(GROUPINGS)
    mobile = next(row for row in rows if row["Name"] == "DST_MOBILE")
    assert Decimal(str(mobile["Difference"])) == Decimal("0.06")


def test_groups_are_exact_decimals(plan: Path, other: Path) -> None:
    table = group_table(_compared(plan, other).groups)
    assert table.schema.field("Difference").type == pa.decimal128(38, 9)


def test_the_largest_difference_comes_first_and_days_in_order(plan: Path, other: Path) -> None:
    rows = [{**ROWS[0], "AnswerTime": f"2026-03-{day:02d}T10:00:00Z"} for day in (9, 2, 5)]
    groups = _compared(plan, other, [*rows, *ROWS]).groups
    assert next(name for name, _ in in_order(groups, "destination")) == "DST_DE"
    assert [name for name, _ in in_order(groups, "day")] == ["2026-03-02", "2026-03-05", "2026-03-09"]


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "begins"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("html", b"<!DOCTYPE html>")])
def test_groups_are_drawn(plan: Path, other: Path, tmp_path: Path, suffix: str, begins: bytes) -> None:
    pytest.importorskip("altair", reason="altair is not installed")
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    path = tmp_path / f"chart.{suffix}"
    draw(_compared(plan, other).groups, path)
    content = path.read_bytes()
    assert content.lstrip().startswith(begins)
    if suffix != "png":
        assert b"DST_MOBILE" in content
        assert b"https://cdn" not in content


def test_a_chart_of_another_kind_is_refused_before_anything_is_read(plan: Path, other: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"must end in one of \.png, \.svg, \.html"):
        _compare(plan, other, tmp_path / "out.csv", chart=tmp_path / "chart.gif")
    assert not (tmp_path / "out.csv").exists()


def test_groups_of_another_kind_are_refused_before_anything_is_read(plan: Path, other: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"must end in \.parquet or \.csv"):
        _compare(plan, other, tmp_path / "out.csv", groups=tmp_path / "groups.xlsx")
    assert not (tmp_path / "out.csv").exists()


def test_groups_that_cannot_be_written_are_told(plan: Path, other: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nowhere"):
        _compare(plan, other, tmp_path / "out.csv", groups=tmp_path / "nowhere" / "groups.csv")


def test_a_chart_without_another_tariff_is_a_wrong_use(plan: Path, tmp_path: Path) -> None:
    ran = run(plan, write_parquet(tmp_path / "in.parquet"), output=tmp_path / "out.csv", chart=tmp_path / "chart.svg")
    assert (ran.status, ran.told) == (2, "--groups and --chart belong to --what-if\n")
