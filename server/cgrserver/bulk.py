"""Rating generated CDRs in bulk: the same kernel that charges a call, over columns.

Rules: the generated calls are always the same for the same plan and count; a sample of the costs is held against the
price of a single call before any figure is given. Does not know: servers, accounts that pay.
"""

import time
from pathlib import Path
from typing import NamedTuple

import numpy

from cgrcore.config import read_settings
from cgrcore.errors import CgrError, Corrupt, NotFound
from cgrcore.money import format_nano
from cgrcore.rating import CallColumns, Coded, RatedColumns, call_at, quote, rate_columns, tariff_of
from cgrcore.tariffplan import Defaults, load, read_files
from cgrcore.timing import DAY_NS, SECOND_NS
from cgrcore.world import World
from cgrserver.tariffs import read_folder

__all__ = ["Rated", "generate", "load_plan", "rate_generated"]

TENANT = "cgrates.org"

#: How many costs are compared with the price of the call by itself.
SAMPLE_COUNT = 1000

#: Calls begin within so many years of the first activation of the plan.
YEARS = 12
LONGEST_NS = 2 * 3600 * SECOND_NS

#: Digits that a number may have behind its prefix.
TAIL_DIGITS = 4
SEED = 20230107


class Rated(NamedTuple):
    """How many CDRs were rated, how long that took, and what they cost together as decimal text."""

    rated_count: int
    seconds: float
    total: str


def rate_generated(plan_folder: Path, count: int) -> Rated:
    """Rate generated CDRs of a tariff plan in this process.

    Raises NotFound, BadRequest for a plan that cannot be loaded; Corrupt when a cost is not that of the single call.
    """
    world = load_plan(plan_folder)
    columns = generate(world, count)
    began = time.perf_counter()
    costs = rate_columns(tariff_of(world), columns)
    seconds = time.perf_counter() - began
    _check_sample(world, columns, costs)
    rated_count = count - costs.refused_count
    return Rated(rated_count, seconds, format_nano(costs.total_nano))


def load_plan(folder: Path) -> World:
    """Return a world of its own with the plan in it. Raises as `read_folder` and `load`."""
    ids = iter(range(1, 2**63))
    world = World(read_settings({}), lambda: str(next(ids)), time.time_ns())
    load(world, read_files(read_folder(folder), Defaults(TENANT)))
    world.state.take()
    return world


def generate(world: World, count: int) -> CallColumns:
    """Return calls of the plan's accounts to its destinations: 1 s to 2 h long, at any time of day, over years.

    Raises NotFound without accounts, destinations or rating profiles.
    """
    random = numpy.random.Generator(numpy.random.PCG64(SEED))
    prefixes = sorted(tariff_of(world).prefixes())
    accounts = sorted(key.rpartition(":")[2] for key in world.state.table("accounts"))
    profiles = world.state.table("rating_profiles").records.values()
    first_at = min((activation.at for profile in profiles for activation in profile.activations), default=None)
    if not prefixes or not accounts or first_at is None:
        raise NotFound("the tariff plan has no accounts, destinations or rating profiles")
    numbers = [f"{prefix}{tail}" for prefix in prefixes for tail in ("", *range(10**TAIL_DIGITS))]
    return CallColumns(
        subjects=Coded(random.integers(0, len(accounts), count, dtype=numpy.int32), accounts),
        tenants=TENANT,
        destinations=numpy.array([number.encode() for number in numbers])[random.integers(0, len(numbers), count)],
        starts_at=random.integers(first_at, first_at + YEARS * 365 * DAY_NS, count, dtype=numpy.int64),
        usages_ns=random.integers(1, LONGEST_NS // SECOND_NS + 1, count, dtype=numpy.int64) * SECOND_NS,
    )


def _check_sample(world: World, columns: CallColumns, costs: RatedColumns) -> None:
    """Price some calls by themselves. Raises Corrupt for the first that costs something else."""
    count = len(costs.costs_nano)
    for row in range(0, count, max(1, count // SAMPLE_COUNT)):
        try:
            cost_nano = quote(world, call_at(columns, row)).cost_nano
        except CgrError as error:
            if costs.errors[row]:
                continue
            raise Corrupt(f"call {row} was rated in bulk, and is refused by itself: {error}") from None
        if costs.errors[row] or cost_nano != costs.costs_nano[row]:
            raise Corrupt(f"call {row} costs {costs.costs_nano[row]} in bulk and {cost_nano} by itself (1e-9)")
    if int(costs.costs_nano.astype(object).sum() if count else 0) != costs.total_nano:
        raise Corrupt("the total is not the sum of the costs")
