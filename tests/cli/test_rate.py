"""`cgrcore rate`: a quote explained, as a table and as JSON, and what it says when there is none."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.test_commands import cgrcore
from tests.house.sources import ROOT

FOSDEM, RETAIL = str(ROOT / "tariffplans" / "fosdem"), str(ROOT / "tariffplans" / "retail")
START = "2023-06-01T10:00:00Z"


def _rate(*more: str, tariff: str = FOSDEM, to: str = "1002", usage: str = "2m10s", at: str = START) -> tuple[int, str]:
    """Return the exit status and what was printed, out or error."""
    done = cgrcore("rate", "--tariff", tariff, "--to", to, "--usage", usage, "--at", at, *more)
    assert not (done.stdout and done.stderr)
    return done.returncode, done.stdout + done.stderr


def test_a_quote_is_told_line_by_line() -> None:
    status, table = _rate("--subject", "1001")
    assert status == 0
    lines = {line.split("  ")[0].strip(): line.split()[-1] for line in table.splitlines()}
    assert lines["connect fee"] == "0.375"
    assert lines["part"] == "4.375"
    assert lines["cost"] == "4.75"
    assert "*out:cgrates.org:call:*any instead of *out:cgrates.org:call:1001" in table
    assert "RP_2023 since 2022-01-01T00:00:00Z" in table
    assert "1002 of destination DST_1002" in table
    assert "5 x 30s at 0.875" in table
    assert "*up to 4 decimals" in table


def test_as_json_it_is_exact() -> None:
    status, text = _rate("--json")
    found = json.loads(text, parse_float=Decimal)
    assert (status, found["Cost"], found["ConnectFee"]) == (0, Decimal("4.75"), Decimal("0.375"))
    assert found["Parts"][0]["IncrementCount"] == 5


def test_a_zone_moves_the_hours() -> None:
    at_noon = "2026-03-02T07:30:00Z"
    in_london = _rate("--zone", "Europe/London", tariff=RETAIL, to="+4915", usage="1m", at=at_noon)
    in_rome = _rate("--zone", "Europe/Rome", tariff=RETAIL, to="+4915", usage="1m", at=at_noon)
    assert (in_london[1].split()[-1], in_rome[1].split()[-1]) == ("0.06", "0.09")


def test_other_types_count_units() -> None:
    status, table = _rate(
        "--category", "data", "--tor", "*data", tariff=RETAIL, to="*any", usage="10240", at="2026-03-02T08:00:00Z"
    )
    assert (status, table.split()[-1]) == (0, "0.0001")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"to": "44"}, "UNAUTHORIZED_DESTINATION: the plans of *out:cgrates.org:call:*any have no rate for 44"),
        ({"usage": "130"}, "--usage 130 has no unit: write 130s for seconds, 130ns for nanoseconds"),
        ({"usage": "1x"}, 'unknown unit "x" in duration "1x"'),
        ({"usage": "-1s"}, "negative usage"),
        ({"usage": "73h"}, "MAX_USAGE_EXCEEDED: longer than a call of this type may be"),
        ({"at": "today"}, "Unsupported time format"),
        ({"at": "*now"}, "an instant is needed, such as 2026-01-31T10:00:00Z"),
        ({"tariff": "nowhere"}, "no folder nowhere"),
    ],
    ids=lambda it: next(iter(it.values())) if isinstance(it, dict) else "",
)
def test_what_is_wrong_is_told_on_one_line(more: dict[str, str], told: str) -> None:
    status, text = _rate(**more)
    assert status == 1
    assert told in text
    assert len(text.splitlines()) == 1


def test_a_missing_profile_is_named() -> None:
    status, text = _rate("--category", "sms", "--subject", "1001")
    assert status == 1
    assert "has no rating profile *out:cgrates.org:sms:1001 or of *any" in text


def test_the_mistakes_of_a_plan_are_lines(tmp_path: Path) -> None:
    (tmp_path / "Rates.csv").write_text("RT_1,0,x,60s,60s,0s\n")
    status, text = _rate(tariff=str(tmp_path))
    assert status == 1
    assert text.startswith("Rates.csv:1:8: ")
