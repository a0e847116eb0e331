"""Rating as a library: what notebooks write, and the page that says how."""

import contextlib
import inspect
import io
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy
import pytest

from cgrcore.errors import BadRequest, NotFound, Refused
from cgrcore.rating import ERRORS, Coded, RatedColumns, Tariff
from cgrcore.tariffplan import PlanRefused
from cgrcore.timing import SECOND_NS
from tests.house.sources import ROOT
from tests.rating.small_tariffs import at

FOSDEM, RETAIL = ROOT / "tariffplans" / "fosdem", ROOT / "tariffplans" / "retail"
START = "2023-06-01T10:00:00Z"


@pytest.fixture(scope="module")
def tariff() -> Tariff:
    return Tariff.load(FOSDEM)


# --- the page --------------------------------------------------------------------------------------------------------


def _examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "library.md").read_text(), re.S)


def _printed(code: str, names: dict[str, Any]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    return printed.getvalue()


def test_five_lines_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    code = _examples()[0]
    assert len(code.strip().splitlines()) == 5
    shown = re.findall(r"```text\n(.*?)```", (ROOT / "docs" / "library.md").read_text(), re.S)[0]
    quote, _, costs = _printed(code, {}).rstrip().rpartition("\n")
    assert quote + "\n" == shown
    assert costs == "[   60000000           0 11411800000] ['DST_FIXED', 'DST_EMERGENCY', 'DST_EU']"


def test_the_example_with_arrow_gives_an_exact_column(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    for code in _examples():
        _printed(code, names)
    assert [str(cost) for cost in names["cost"].to_pylist()] == ["0.060000000", "11.411800000"]


@pytest.mark.slow
def test_the_five_lines_work_in_a_notebook() -> None:
    nbclient = pytest.importorskip("nbclient", reason="nbclient and ipykernel are not installed")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(code) for code in _examples()]
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(ROOT)}}).execute()
    first = "".join(output["text"] for output in notebook.cells[0].outputs)
    assert "0.165" in first
    assert "11411800000" in first


@pytest.mark.parametrize("function", [Tariff.load, Tariff.rate, Tariff.rate_columns], ids=lambda it: it.__name__)
def test_the_page_lists_every_argument(function: Any) -> None:
    page = (ROOT / "docs" / "library.md").read_text()
    section = re.split(rf"^## `\w+\.{function.__name__}\(", page, flags=re.M)[1].partition("\n## ")[0]
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    assert [name for name in names if f"`{name}`" not in section] == []


def test_the_page_lists_every_error_and_field() -> None:
    page = (ROOT / "docs" / "library.md").read_text()
    listed = {*filter(None, ERRORS), *RatedColumns._fields}
    assert [name for name in listed if f"`{name}`" not in page] == []


# --- loading ---------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no folder"):
        Tariff.load(tmp_path / "nowhere")


def test_a_folder_without_a_plan_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file of a tariff plan"):
        Tariff.load(str(tmp_path))


def test_a_plan_with_mistakes_is_refused_with_all_of_them() -> None:
    with pytest.raises(PlanRefused) as refused:
        Tariff.load({"Rates.csv": b"RT_1,0,x,60s,60s,0s\nRT_2,0,1,60s,60s,later\n"})
    assert [line.partition(": ")[0] for line in refused.value.report] == ["Rates.csv:1:8", "Rates.csv:2:18"]


def test_what_prices_do_not_depend_on_is_not_read(tmp_path: Path) -> None:
    for path in FOSDEM.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "Actions.csv").write_text("nonsense\n")
    assert Tariff.load(tmp_path).rate("1002", "1m", START).cost_nano == 2_125_000_000


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(BadRequest, match="unknown time zone"):
        Tariff.load(FOSDEM, zone="Europe/Nowhere")


def test_profiles_that_name_no_tenant_are_of_the_one_given() -> None:
    tariff = Tariff.load(RETAIL, tenant="acme")
    assert tariff.rate("112", "1m", "2024-06-01T10:00:00Z", tenant="acme").cost_nano == 0
    with pytest.raises(Refused, match="RATING_PLAN_NOT_FOUND"):
        tariff.rate("112", "1m", "2024-06-01T10:00:00Z")


def test_the_callers_number_may_be_the_subject() -> None:
    contents = {path.name: path.read_bytes() for path in FOSDEM.glob("*.csv")}
    contents["RatingProfiles.csv"] = b"cgrates.org,call,39,2014-01-14T00:00:00Z,RP_2023,\n"
    by_number = Tariff.load(contents, matches_subject_prefixes=True)
    assert by_number.rate("1002", "1m", START, subject="3906123").cost_nano == 2_125_000_000
    with pytest.raises(Refused):
        Tariff.load(contents).rate("1002", "1m", START, subject="3906123")


# --- one call --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when",
    [
        START,
        "2023-06-01 10:00:00",
        at(START),
        datetime(2023, 6, 1, 10, tzinfo=UTC),
        datetime(2023, 6, 1, 12, tzinfo=timezone(timedelta(hours=2))),
    ],
    ids=str,
)
def test_an_instant_is_a_text_a_number_or_a_datetime(tariff: Tariff, when: Any) -> None:
    assert tariff.rate("1002", "2m10s", when).call.start_at == at(START)


def test_a_datetime_without_an_offset_is_refused(tariff: Tariff) -> None:
    with pytest.raises(BadRequest, match="has no offset"):
        tariff.rate("1002", "1m", datetime(2023, 6, 1, 10))


@pytest.mark.parametrize("when", ["", "*now", "+1h", "yesterday"])
def test_an_instant_does_not_depend_on_the_present(tariff: Tariff, when: str) -> None:
    with pytest.raises(BadRequest):
        tariff.rate("1002", "1m", when)


def test_a_text_without_an_offset_is_of_the_tariffs_zone() -> None:
    rome = Tariff.load(FOSDEM, zone="Europe/Rome")
    assert rome.rate("1002", "1m", "2023-06-01 12:00:00").call.start_at == at(START)


def test_usage_is_a_text_or_a_number(tariff: Tariff) -> None:
    assert tariff.rate("1002", "2m10s", START).cost_nano == tariff.rate("1002", 130 * SECOND_NS, START).cost_nano


# --- columns ---------------------------------------------------------------------------------------------------------

NUMBERS = ["1002", "1001", "44"]
SECONDS = [60, 130, 10]
COSTS = [2_125_000_000, 4_750_000_000, 0]


@pytest.mark.parametrize(
    "starts",
    [
        [START] * 3,
        [at(START)] * 3,
        numpy.full(3, at(START), dtype=numpy.int64),
        numpy.array(["2023-06-01T10:00"] * 3, dtype="M8[m]"),
        numpy.array(["2023-06-01T10:00"] * 3, dtype="M8[ns]"),
    ],
    ids=["texts", "numbers", "int64", "minutes", "nanoseconds"],
)
def test_instants_come_in_many_kinds(tariff: Tariff, starts: Any) -> None:
    rated = tariff.rate_columns(NUMBERS, starts, [second * SECOND_NS for second in SECONDS])
    assert rated.costs_nano.tolist() == COSTS
    assert [ERRORS[code] for code in rated.errors] == ["", "", "UNAUTHORIZED_DESTINATION"]


@pytest.mark.parametrize(
    "usages",
    [
        ["60s", "2m10s", "10s"],
        numpy.array(SECONDS, dtype="m8[s]"),
        numpy.array(SECONDS, dtype=numpy.int64) * SECOND_NS,
    ],
    ids=["texts", "seconds", "int64"],
)
def test_usages_come_in_many_kinds(tariff: Tariff, usages: Any) -> None:
    assert tariff.rate_columns(NUMBERS, [START] * 3, usages).costs_nano.tolist() == COSTS


@pytest.mark.parametrize("kind", ["S", "U", "O"])
def test_numbers_come_as_any_texts_of_numpy(tariff: Tariff, kind: str) -> None:
    numbers = numpy.array(NUMBERS, dtype=kind)
    assert tariff.rate_columns(numbers, [START] * 3, ["60s", "2m10s", "10s"]).costs_nano.tolist() == COSTS


def test_columns_of_arrow_tables_go_in_as_they_are(tariff: Tariff) -> None:
    pa = pytest.importorskip("pyarrow")
    starts = pa.array([at(START) // SECOND_NS] * 3, pa.timestamp("s", tz="Europe/Rome"))
    usages = pa.array(SECONDS, pa.duration("s"))
    table = pa.table({"to": NUMBERS, "at": starts, "usage": usages, "who": ["a", "b", "c"]})
    twice = pa.concat_tables([table, table])
    rated = tariff.rate_columns(twice["to"], twice["at"], twice["usage"], subjects=twice["who"])
    assert rated.costs_nano.tolist() == COSTS * 2


def test_rows_may_differ_in_all_that_a_call_has() -> None:
    tariff = Tariff.load(RETAIL)
    kinds = numpy.arange(3, dtype=numpy.int32)
    rated = tariff.rate_columns(
        ["+3906", "+3906", ""],
        ["2024-06-01T10:00:00Z"] * 3,
        [60 * SECOND_NS, 1, 10_240],
        categories=Coded(kinds, ["call", "sms", "data"]),
        tors=Coded(kinds, ["*voice", "*sms", "*data"]),
    )
    assert rated.costs_nano.tolist() == [190_000_000, 60_000_000, 100_000]


def test_columns_of_different_lengths_are_refused(tariff: Tariff) -> None:
    with pytest.raises(ValueError, match="length"):
        tariff.rate_columns(NUMBERS, [START], ["1m"] * 3)


def test_numbers_that_are_no_texts_are_refused(tariff: Tariff) -> None:
    with pytest.raises(ValueError, match="texts are needed"):
        tariff.rate_columns([1002], [START], ["1m"])


def test_every_row_costs_what_the_call_costs_by_itself(tariff: Tariff) -> None:
    usages = [f"{second}s" for second in range(1, 200, 7)]
    rated = tariff.rate_columns(["1002"] * len(usages), [START] * len(usages), usages)
    assert rated.costs_nano.tolist() == [tariff.rate("1002", usage, START).cost_nano for usage in usages]
