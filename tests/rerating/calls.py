"""CDRs to rerate, a tariff for them, and `cgrcore rerate` run on both in this process."""

import contextlib
import io
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from cgrserver.cli.rerate import rerate
from cgrserver.rerating.mapping import Mapping
from cgrserver.rerating.rating import Plan, Rater
from cgrserver.tariffs import read_folder

PLAN = {
    "Destinations.csv": "#Id,Prefix\nDST_DE,49\nDST_MOBILE,4915\nDST_IT,39\n",
    "Rates.csv": "#Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart\n"
    "RT_DE,0,0.06,60s,1s,0s\nRT_MOBILE,0.1,0.12,60s,60s,0s\n",
    "DestinationRates.csv": "#Id,DestinationId,RatesTag,RoundingMethod,RoundingDecimals,MaxCost,MaxCostStrategy\n"
    "DR,DST_DE,RT_DE,*up,4,0,\nDR,DST_MOBILE,RT_MOBILE,*up,4,0,\n",
    "RatingPlans.csv": "#Id,DestinationRatesId,TimingTag,Weight\nRP,DR,*any,10\n",
    "RatingProfiles.csv": "#Tenant,Category,Subject,ActivationTime,RatingPlanId,RatesFallbackSubject\n"
    "cgrates.org,call,*any,2020-01-01T00:00:00Z,RP,\n",
}

#: Three calls that can be rated, at 0.06, 0.22 and 0.015, and one to where no rate is.
ROWS: list[dict[str, Any]] = [
    {"Account": "1001", "Destination": "4930111", "AnswerTime": "2026-03-02T10:00:00+01:00", "Usage": "1m0s"},
    {"Account": "1002", "Destination": "4915222", "AnswerTime": "2026-03-02T10:00:00Z", "Usage": "10s"},
    {"Account": "1001", "Destination": "44333", "AnswerTime": "2026-03-02T11:00:00Z", "Usage": "60000000000"},
    {"Account": "1003", "Destination": "4989444", "AnswerTime": "2026-03-02 12:00:00", "Usage": "15s"},
]
COSTS = ["0.060000000", "0.220000000", "", "0.015000000"]


class Ran(NamedTuple):
    """How a run ended: its exit status, what it printed."""

    status: int
    printed: str
    told: str


def write_plan(folder: Path) -> Path:
    folder.mkdir()
    for name, content in PLAN.items():
        (folder / name).write_text(content)
    return folder


def rater(plan: Path, mapping: Mapping | None = None, *, with_breakdown: bool = False) -> Rater:
    return Rater(Plan(read_folder(plan)), mapping or Mapping(), with_breakdown=with_breakdown)


def write_csv(path: Path, rows: list[dict[str, Any]] | None = None) -> Path:
    rows = ROWS if rows is None else rows
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]] | None = None) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS if rows is None else rows), path)
    return path


def run(plan: Path, *inputs: str | Path, output: str | Path, **options: Any) -> Ran:
    """Run the command; it raises CgrError as the command line would print it."""
    printed, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(told):
        status = rerate(tariff=plan, input_=[str(place) for place in inputs], output=str(output), **options)
    return Ran(status, printed.getvalue(), told.getvalue())
