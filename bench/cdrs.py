"""A large tariff and the calls of a month on it, for the workloads that rate in bulk.

The tariff: 100,000 prefixes of 1 to 9 digits, half of them with a plus, in 5,000 destinations; four plans, each with a
peak, an off-peak and a weekend price for every destination, a fee, a first minute and then seconds. The traffic:
numbers of 3 to 18 digits, with and without a plus, their prefixes by Zipf's law, calls of two minutes on the average,
one in twenty unanswered, over thirty days.
"""

from typing import NamedTuple

import numpy
from numpy import int64
from numpy.typing import NDArray

from cgrcore.rating import (
    Activation,
    CallColumns,
    Coded,
    Destination,
    PlanRate,
    Rate,
    Rating,
    RatingPlan,
    RatingProfile,
    Tariff,
    Texts,
    Timing,
)
from cgrcore.timing import SECOND_NS

__all__ = ["Traffic", "large_tariff", "traffic"]

PREFIXES = 100_000
DESTINATIONS = 5_000
PLANS = 4
TENANT = "cgrates.org"

#: How many prefixes of so many digits there are among 100,000, as in a wholesale price list.
LENGTHS = (2, 48, 323, 996, 2606, 5714, 10980, 19629, 59702)

#: 2026-06-01T00:00:00Z, a Monday.
FIRST_AT = 1_780_272_000 * SECOND_NS
DAYS = 30
MEAN_S = 120
SHORTEST, LONGEST = 3, 18
ZIPF = 1.2
SEED = 20260601

WORKDAYS = (1, 2, 3, 4, 5)
HOURS = (
    Timing("NIGHT", week_days=WORKDAYS, start_time="00:00:00"),
    Timing("PEAK", week_days=WORKDAYS, start_time="08:00:00"),
    Timing("EVENING", week_days=WORKDAYS, start_time="20:00:00"),
    Timing("WEEKEND", week_days=(0, 6), start_time="00:00:00"),
)


class Traffic(NamedTuple):
    """Calls, and for each the place of its prefix among those of the tariff."""

    columns: CallColumns
    prefix_of: NDArray[int64]


def prefixes_of(count: int) -> list[str]:
    """Return so many different prefixes, in no order."""
    random = numpy.random.Generator(numpy.random.PCG64(SEED))
    found: dict[str, None] = {}
    for length, share in enumerate(LENGTHS, 1):
        wanted = len(found) + min(share * count // sum(LENGTHS), 10**length // 2)
        if length == len(LENGTHS):
            wanted = count
        while len(found) < wanted:
            for number in random.integers(0, 10**length, wanted - len(found)).tolist():
                found.setdefault(f"{number:0{length}}")
    shuffled = list(found)
    return [shuffled[place] for place in random.permutation(count).tolist()]


def large_tariff() -> tuple[Tariff, list[str]]:
    """Return the tariff and its prefixes; subject `s0` has plan `P0`, and so on."""
    random = numpy.random.Generator(numpy.random.PCG64(SEED + 1))
    plain = prefixes_of(PREFIXES // 2)
    names = [f"DST_{number}" for number in range(DESTINATIONS)]
    own: dict[str, list[str]] = {name: [] for name in names}
    for number, prefix in enumerate(plain):
        own[names[number % DESTINATIONS]] += [prefix, f"+{prefix}"]
    destinations = {name: Destination(name, tuple(prefixes)) for name, prefixes in own.items()}
    plans, profiles = {}, {}
    for number in range(PLANS):
        # Cents of a cent a minute; the price of a second is no whole number of the smallest parts.
        prices = random.integers(1, 20_000, (DESTINATIONS, 3)).tolist()
        rates = {name: _rates(*prices[place]) for place, name in enumerate(names)}
        plans[f"P{number}"] = RatingPlan(f"P{number}", rates)
        key = f"*out:{TENANT}:call:s{number}"
        profiles[key] = RatingProfile(key, (Activation(0, f"P{number}"),))
    return Tariff(destinations, plans, profiles), [*plain, *(f"+{prefix}" for prefix in plain)]


def _rates(peak: int, off_peak: int, weekend: int) -> tuple[PlanRate, ...]:
    at_night = _rating(off_peak)
    ratings = (at_night, _rating(peak), at_night, _rating(weekend))
    return tuple(PlanRate(hours, rating, 10 * 10**9) for hours, rating in zip(HOURS, ratings, strict=True))


def _rating(price: int) -> Rating:
    minute_ns = 60 * SECOND_NS
    value_nano = price * 100_000
    slots = (Rate(0, value_nano, minute_ns, minute_ns), Rate(minute_ns, value_nano, SECOND_NS, minute_ns))
    return Rating(10**8, "*up", 4, 0, "", slots)


def traffic(prefixes: list[str], count: int, *, seed: int = SEED + 2, is_even: bool = False) -> Traffic:
    """Return calls in order of time; `is_even`: all prefixes alike, which is the worst for caches."""
    random = numpy.random.Generator(numpy.random.PCG64(seed))
    if is_even:
        prefix_of = random.integers(0, len(prefixes), count)
    else:
        weights = numpy.arange(1, len(prefixes) + 1) ** -ZIPF
        shares = numpy.cumsum(weights) / weights.sum()
        order = random.permutation(len(prefixes))
        prefix_of = order[numpy.searchsorted(shares, random.random(count))]
    answered = random.random(count) >= 0.05
    usages_s = numpy.ceil(random.exponential(MEAN_S, count)).astype(int64) * answered
    columns = CallColumns(
        destinations=_numbers(prefixes, prefix_of, random),
        starts_at=numpy.sort(FIRST_AT + random.integers(0, DAYS * 86_400, count) * SECOND_NS),
        usages_ns=usages_s * SECOND_NS,
        subjects=Coded(random.integers(0, PLANS, count, dtype=numpy.int32), [f"s{number}" for number in range(PLANS)]),
        tenants=TENANT,
    )
    return Traffic(columns, prefix_of)


def _numbers(prefixes: list[str], prefix_of: NDArray[int64], random: numpy.random.Generator) -> Texts:
    """Return numbers of 3 to 18 digits that begin with the prefixes."""
    known = numpy.array([prefix.encode() for prefix in prefixes])
    width = known.itemsize
    sizes = numpy.array([len(prefix) for prefix in prefixes])
    has_plus = numpy.array([prefix.startswith("+") for prefix in prefixes])
    count = len(prefix_of)
    texts = random.integers(48, 58, (count, LONGEST + 1), dtype=numpy.uint8)
    rows = known[prefix_of].view(numpy.uint8).reshape(count, width)
    texts[:, :width] = numpy.where(rows, rows, texts[:, :width])
    lengths = random.integers(SHORTEST, LONGEST + 1, count) + has_plus[prefix_of]
    lengths = numpy.maximum(lengths, sizes[prefix_of])
    offsets = numpy.concatenate(([0], numpy.cumsum(lengths))).astype(numpy.int32)
    return Texts(offsets, texts[numpy.arange(LONGEST + 1) < lengths[:, None]])
