"""What data frames make of rating: a join with the ranges of prefixes and one with the prices, in DuckDB and Polars.

Simplified on purpose: the hour a call begins in prices all of it, numbers come as ready keys, the result is a sum. So
their answer is a little off; they show what a general engine needs for a part of the work. Polars is asked for what the
kernel writes as well: a column of costs and one of destinations, in the order of the calls.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy
from numpy import int64
from numpy.typing import NDArray

from bench.cdrs import HOURS, PLANS, TENANT
from cgrcore.rating import CallColumns, PlanRate, Tariff, Texts
from cgrcore.timing import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    import polars

__all__ = ["Joined", "duckdb_total", "joined_of", "polars_columns", "polars_total"]

#: Symbols of a number as digits of its key: the end of the number and ten digits; eighteen of them fit in 64 bits.
BASE, WIDTH = 11, 18
ABOVE = BASE**WIDTH

#: Parts of the week with one price: peak, off-peak, weekend.
PERIODS = 3


class Joined(NamedTuple):
    """Calls and tariff as flat tables: by row of calls; by range of numbers; by destination, plan and period."""

    keys: NDArray[int64]
    plans: NDArray[int64]
    hours: NDArray[int64]
    usages_s: NDArray[int64]
    range_keys: NDArray[int64]
    range_destinations: NDArray[int64]
    minute_nano: NDArray[int64]
    second_nano: NDArray[int64]
    fee_nano: int


def joined_of(tariff: Tariff, columns: CallColumns) -> Joined:
    """Return the tables of the large tariff and calls of it."""
    names = list(tariff.destination_ids())
    minute, second, fee_nano = _prices(tariff, names)
    ranges = _ranges(tariff, {name: place for place, name in enumerate(names)})
    texts = columns.destinations
    assert isinstance(texts, Texts)
    return Joined(
        _keys(texts),
        columns.subjects.indices.astype(int64),
        columns.starts_at // (3600 * SECOND_NS),
        columns.usages_ns // SECOND_NS,
        numpy.array([key for key, _ in ranges]),
        numpy.array([place for _, place in ranges]),
        minute,
        second,
        fee_nano,
    )


def _prices(tariff: Tariff, names: list[str]) -> tuple[NDArray[int64], NDArray[int64], int]:
    minute, second, fee_nano = [], [], 0
    records = [tariff.profile_of(f"*out:{TENANT}:call:s{number}") for number in range(PLANS)]
    plans = [tariff.plan(record.activations[0].plan_id) for record in records if record is not None]
    for name in names:
        for plan in plans:
            assert plan is not None
            rates: tuple[PlanRate, ...] = plan.record.destination_rates[name]
            for hours in (HOURS[1], HOURS[0], HOURS[3]):
                rating = next(rate.rating for rate in rates if rate.timing == hours)
                fee_nano = rating.connect_fee_nano
                value_nano = rating.rates[0].value_nano
                minute.append(value_nano)
                second.append((value_nano // 10_000 + 30) // 60 * 10_000)
    return numpy.array(minute), numpy.array(second), fee_nano


def _ranges(tariff: Tariff, places: dict[str, int]) -> list[tuple[int, int]]:
    """Return the keys at which another destination begins, and which (-1: none), in order."""
    found: dict[int, int] = {}
    open_ranges: list[tuple[int, int]] = []
    ordered = sorted((_key(prefix), len(prefix.lstrip("+")), prefix) for prefix in tariff.prefixes())
    for key, length, prefix in [*ordered, (ABOVE, 0, "")]:
        while open_ranges and open_ranges[-1][0] <= key:
            until, _ = open_ranges.pop()
            found[until] = open_ranges[-1][1] if open_ranges else -1
        place = places[tariff.owners(prefix)[0]] if prefix else -1
        found[key] = place
        open_ranges.append((key + BASE ** (WIDTH - length), place))
    return [(-ABOVE, -1), *sorted((key, place) for key, place in found.items() if -ABOVE < key < ABOVE)]


def _key(number: str) -> int:
    digits = number.lstrip("+")
    key = 0
    for place in range(WIDTH):
        key = key * BASE + (int(digits[place]) + 1 if place < len(digits) else 0)
    return key - ABOVE if number.startswith("+") else key


def _keys(texts: Texts) -> NDArray[int64]:
    starts, lengths = texts.offsets[:-1].astype(int64), numpy.diff(texts.offsets)
    has_plus = texts.data[starts] == ord("+")
    starts, lengths = starts + has_plus, lengths - has_plus
    keys = numpy.zeros(len(starts), dtype=int64)
    for place in range(WIDTH):
        at = numpy.minimum(starts + place, len(texts.data) - 1)
        keys = keys * BASE + numpy.where(place < lengths, texts.data[at].astype(int64) - 47, 0)
    return numpy.where(has_plus, keys - ABOVE, keys)


def duckdb_total(joined: Joined, threads: int) -> Callable[[], int]:
    """Return a function that sums the costs in DuckDB, the tables loaded."""
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    calls = {"key": joined.keys, "plan": joined.plans, "hour": joined.hours, "usage_s": joined.usages_s}
    ranges = {"key": joined.range_keys, "destination": joined.range_destinations}
    codes = numpy.arange(len(joined.minute_nano))
    prices = {"code": codes, "minute": joined.minute_nano, "second": joined.second_nano}
    for name, table in (("calls", calls), ("ranges", ranges), ("prices", prices)):
        connection.register("given", table)
        connection.execute(f"create table {name} as select * from given")
        connection.unregister("given")
    query = f"""
        with matched as (
            select c.usage_s, (r.destination * {PLANS} + c.plan) * {PERIODS} + case
                when (c.hour // 24 + 3) % 7 >= 5 then 2
                when c.hour % 24 between 8 and 19 then 0 else 1 end as code
            from calls c asof join ranges r on c.key >= r.key)
        select sum(case when usage_s = 0 then 0 else
            (({joined.fee_nano} + p.minute + greatest(usage_s - 60, 0) * p.second + 99999) // 100000) * 100000 end)
        from matched m join prices p on m.code = p.code"""
    return lambda: int(connection.execute(query).fetchall()[0][0])


def polars_total(joined: Joined) -> Callable[[], int]:
    """Return a function that sums the costs in Polars, the frames made. Threads are those of POLARS_MAX_THREADS."""
    import polars

    frame = _polars_costs(joined, []).select(polars.col("cost").sum())
    return lambda: int(frame.collect().item())


def polars_columns(joined: Joined) -> Callable[[], int]:
    """Return a function that makes columns of costs and destinations in Polars, and sums the costs."""
    frame = _polars_costs(joined, ["row", "destination"]).sort("row").select("destination", "cost")
    return lambda: int(frame.collect()["cost"].sum())


def _polars_costs(joined: Joined, others: list[str]) -> "polars.LazyFrame":
    """Return the `cost` of calls in any order, with other columns: the `row` of each, its `destination`."""
    import polars

    calls = polars.DataFrame(
        {"key": joined.keys, "plan": joined.plans, "hour": joined.hours, "usage_s": joined.usages_s}
    ).lazy()
    ranges = polars.DataFrame({"key": joined.range_keys, "destination": joined.range_destinations}).lazy()
    codes = numpy.arange(len(joined.minute_nano))
    prices = polars.DataFrame({"code": codes, "minute": joined.minute_nano, "second": joined.second_nano}).lazy()
    hour, usage_s = polars.col("hour"), polars.col("usage_s")
    period = polars.when((hour // 24 + 3) % 7 >= 5).then(2).when((hour % 24).is_between(8, 19)).then(0).otherwise(1)
    code = (polars.col("destination") * PLANS + polars.col("plan")) * PERIODS + period
    cost = (polars.col("minute") + (usage_s - 60).clip(0) * polars.col("second") + joined.fee_nano + 99_999) // 100_000
    return (
        (calls.with_row_index("row") if "row" in others else calls)
        .sort("key")
        .join_asof(ranges.set_sorted("key"), on="key")
        .with_columns(code=code)
        .join(prices, on="code")
        .select(*others, cost=polars.when(usage_s == 0).then(0).otherwise(cost * 100_000))
    )


assert DAY_NS == 24 * 3600 * SECOND_NS
