"""Prices in process, call after call from Python: what length, size of the tariff and hours add. Without sockets."""

import gc
import sys
import time
from collections.abc import Callable, Iterator

from bench.plans import large_plan_prefixes
from bench.registry import Context, Measure, Wrong, benchmark
from cgrcore._fast.prefixes import PrefixIndex
from cgrcore.rating import (
    Activation,
    Call,
    Destination,
    PlanRate,
    Rate,
    Rating,
    RatingPlan,
    RatingProfile,
    Tariff,
    Timing,
    quote_by_tariff,
    rate,
)
from cgrcore.timing import SECOND_NS

__all__: list[str] = []

LARGE, SMALL = 100_000, 10
CALLS = 20_000
QUOTES, TURNS = 500, 20

#: 2024-03-12T09:30:00Z, a Tuesday; the hours of the peak end at 19:00.
MORNING_AT = 1_710_235_800 * SECOND_NS
EVENING_AT = 1_710_269_970 * SECOND_NS
WORKDAYS = (1, 2, 3, 4, 5)
KEY = "*out:cgrates.org:call:1001"


def _rating(price_nano: int) -> Rating:
    """Return a rate of a whole minute and then seconds."""
    minute = Rate(0, price_nano, 60 * SECOND_NS, 60 * SECOND_NS)
    return Rating(rates=(minute, Rate(60 * SECOND_NS, price_nano, SECOND_NS, 60 * SECOND_NS)))


FLAT = (PlanRate(Timing("*any"), _rating(600_000_000), 10),)
HOURS = (
    PlanRate(Timing("*any"), _rating(300_000_000), 10),
    PlanRate(Timing("PEAK", week_days=WORKDAYS, start_time="08:00:00"), _rating(600_000_000), 10),
    PlanRate(Timing("EVENING", week_days=WORKDAYS, start_time="19:00:00"), _rating(300_000_000), 10),
)


def _tariff(size: int, rates: tuple[PlanRate, ...]) -> Tariff:
    """Return a tariff of many destinations with a prefix each, all of them for the same price."""
    destinations = {f"D{number}": Destination(f"D{number}", (str(100_000 + number),)) for number in range(size)}
    plan = RatingPlan("RP", dict.fromkeys(destinations, rates))
    return Tariff(destinations, {"RP": plan}, {KEY: RatingProfile(KEY, (Activation(0, "RP"),))})


def _calls(size: int, usage_s: int, start_at: int = MORNING_AT) -> list[Call]:
    """Return calls to numbers that differ, in no order of their prefixes."""
    numbers = (f"{100_000 + number * 7919 % size}{number:06}" for number in range(CALLS))
    return [Call("cgrates.org", "call", "1001", "", it, "*voice", start_at, usage_s * SECOND_NS) for it in numbers]


def _best_us(tariff: Tariff, calls: list[Call], cost_nano: int, seconds: float) -> float:
    """Return the time of one call in the best of the runs that fit into `seconds`. Raises Wrong for another cost."""
    for call in calls:
        found_nano = sum(span.cost_nano for span in rate(tariff, call))
        if found_nano != cost_nano:
            raise Wrong(f"{call.usage_ns // SECOND_NS} s cost {found_nano} nano, not {cost_nano}")
    best = float("inf")
    deadline = time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < deadline:
        began = time.perf_counter_ns()
        for call in calls:
            rate(tariff, call)
        best = min(best, (time.perf_counter_ns() - began) / len(calls))
    return best / 1000


@benchmark("prices")
def prices(context: Context) -> Iterator[Measure]:
    """Price by price: cgrcore/_fast/flatprices.pyx, prefixes.pyx, hours.pyx, timespans.pyx, plans.pyx, search.pyx."""
    began = time.perf_counter()
    large = _tariff(LARGE, FLAT)
    yield Measure("compile", time.perf_counter() - began, "s", {"destinations": LARGE})
    small, timed = _tariff(SMALL, FLAT), _tariff(SMALL, HOURS)
    gc.collect()
    gc.freeze()
    minute_nano, ten_hours_nano = 600_000_000, 360_000_000_000
    share = context.seconds / 5
    for name, tariff, calls, cost_nano in (
        ("a minute", small, _calls(SMALL, 60), minute_nano),
        ("ten hours", small, _calls(SMALL, 36_000), ten_hours_nano),
        ("a minute, 100,000 destinations", large, _calls(LARGE, 60), minute_nano),
        ("a minute, rates with hours", timed, _calls(SMALL, 60), minute_nano),
        ("a minute, over a border of hours", timed, _calls(SMALL, 60, EVENING_AT), minute_nano),
    ):
        yield Measure(name, _best_us(tariff, calls, cost_nano, share), "us")
    minute, *others = _quotes_us((small, SMALL, 60), (small, SMALL, 36_000), (large, LARGE, 60))
    yield Measure("a quote of a minute", minute, "us")
    for name, took in zip(("a quote of ten hours", "a quote of a minute, 100,000 destinations"), others, strict=True):
        yield Measure(name, took, "us", {"times_a_minute": took / minute})
    gc.unfreeze()


def _quotes_us(*cases: tuple[Tariff, int, int]) -> list[float]:
    """Return the time of a quote for each tariff, its size and a length in seconds: the best of turns one by one."""
    calls = [(tariff, _calls(size, usage_s)[:QUOTES]) for tariff, size, usage_s in cases]
    best = [float("inf")] * len(cases)
    for _ in range(TURNS):
        for case, (tariff, of) in enumerate(calls):
            began = time.perf_counter_ns()
            for call in of:
                quote_by_tariff(tariff, call)
            best[case] = min(best[case], (time.perf_counter_ns() - began) / len(of) / 1000)
    return best


@benchmark("match")
def match(context: Context) -> Iterator[Measure]:
    """The longest of 100,000 prefixes of a number: goal 60 ns above an empty call. Of a million: 200 bytes each."""
    prefixes = [prefix for prefix, _ in large_plan_prefixes(LARGE)]
    index = PrefixIndex(prefixes)
    for name, count in (("2,000 numbers", 2000), ("200,000 numbers", 200_000)):
        numbers = [f"{prefixes[place * 7919 % LARGE]}{place:07}" for place in range(count)]
        for place, number in enumerate(numbers):
            if index.text(index.longest(number)) != prefixes[place * 7919 % LARGE]:
                raise Wrong(f"{number} does not match {prefixes[place * 7919 % LARGE]}")
        empty, found = _calls_ns((len, index.longest), numbers, context.seconds / 2)
        yield Measure(f"{name}, above an empty call", found - empty, "ns", {"empty_ns": empty})
    million = PrefixIndex(prefix for prefix, _ in large_plan_prefixes(10 * LARGE))
    yield Measure("a million prefixes", sys.getsizeof(million) / len(million), "bytes each")


def _calls_ns(functions: tuple[Callable[[str], object], ...], numbers: list[str], seconds: float) -> list[float]:
    """Return the time of a call of each function: the best of turns one by one."""
    best = [float("inf")] * len(functions)
    deadline = time.perf_counter() + seconds
    while best[0] == float("inf") or time.perf_counter() < deadline:
        for place, function in enumerate(functions):
            began = time.perf_counter_ns()
            for number in numbers:
                function(number)
            best[place] = min(best[place], (time.perf_counter_ns() - began) / len(numbers))
    return best
