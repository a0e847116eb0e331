"""What the tests of tariff plans share: an empty world, plans from rows, the folder of ready plans."""

import itertools
from pathlib import Path

from cgrcore.config import read_settings
from cgrcore.tariffplan import Defaults, Plan, load, read_files
from cgrcore.timing import SECOND_NS
from cgrcore.world import World

__all__ = ["NOW_AT", "READY_PLANS", "SMALL", "empty_world", "files_of", "load_files", "plan_of"]

#: 2026-03-04T12:00:00Z
NOW_AT = 1_772_625_600 * SECOND_NS

READY_PLANS = Path(__file__).resolve().parents[2] / "tariffplans"

#: A tariff of one destination, by file.
SMALL: dict[str, tuple[str, ...]] = {
    "Destinations.csv": ("DST_DE,49", "DST_DE,+49"),
    "Timings.csv": ("TM_DAY,*any,*any,*any,1;2;3;4;5,08:00:00",),
    "Rates.csv": ("RT_DE,0.4,0.6,60s,60s,0s", "RT_DE,0.9,0.6,60s,1s,60s"),
    "DestinationRates.csv": ("DR_DE,DST_DE,RT_DE,*up,4,0,",),
    "RatingPlans.csv": ("RP_DE,DR_DE,*any,10",),
    "RatingProfiles.csv": ("cgrates.org,call,*any,2024-01-01T00:00:00Z,RP_DE,",),
}


def empty_world() -> World:
    ids = itertools.count(1)
    return World(read_settings({}), lambda: f"id-{next(ids)}", NOW_AT)


def files_of(rows: dict[str, tuple[str, ...]]) -> dict[str, bytes]:
    return {name: "".join(f"{row}\n" for row in lines).encode() for name, lines in rows.items()}


def plan_of(rows: dict[str, tuple[str, ...]], *, refuse_repeats: bool = True) -> Plan:
    return read_files(files_of(rows), Defaults("cgrates.org"), refuse_repeats=refuse_repeats)


def load_files(world: World, rows: dict[str, tuple[str, ...]]) -> None:
    load(world, plan_of(rows))
