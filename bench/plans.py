"""Tariff plans for the workloads, written as CSV folders."""

from collections.abc import Iterator
from pathlib import Path

__all__ = ["large_plan_prefixes", "write_large_plan", "write_small_plan"]


def write_small_plan(folder: Path) -> None:
    """Write a plan with one destination at 0.6 a minute, charged by the second."""
    _write(folder, [("DST_DE", "49")], [("RT_0", "0.6")], [("DST_DE", "RT_0")])


def write_large_plan(folder: Path, count: int) -> None:
    """Write a plan with `count` destinations of one prefix each, at 100 different prices."""
    destinations = [(f"DST_{number}", prefix) for number, (prefix, _) in enumerate(large_plan_prefixes(count))]
    rates = [(f"RT_{step}", f"0.{step + 100:03d}") for step in range(100)]
    links = [(name, f"RT_{number % 100}") for number, (name, _) in enumerate(destinations)]
    _write(folder, destinations, rates, links)


def large_plan_prefixes(count: int) -> Iterator[tuple[str, str]]:
    """Return the prefixes of the large plan and what a minute costs there, as JSON prints it."""
    for number in range(count):
        yield f"{100_000 + number * 7}", f"0.{number % 100 + 100:03d}".rstrip("0")


def _write(
    folder: Path, destinations: list[tuple[str, str]], rates: list[tuple[str, str]], links: list[tuple[str, str]]
) -> None:
    folder.mkdir()
    files = {
        "Destinations": ["#Id,Prefix", *(f"{name},{prefix}" for name, prefix in destinations)],
        "Rates": [
            "#Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart",
            *(f"{name},0,{price},60s,60s,0s" for name, price in rates),
        ],
        "DestinationRates": [
            "#Id,DestinationId,RatesTag,RoundingMethod,RoundingDecimals,MaxCost,MaxCostStrategy",
            *(f"DR,{destination},{rate},*up,4,0," for destination, rate in links),
        ],
        "RatingPlans": ["#Id,DestinationRatesId,TimingTag,Weight", "RP,DR,*any,10"],
        "RatingProfiles": [
            "#Tenant,Category,Subject,ActivationTime,RatingPlanId,RatesFallbackSubject",
            "cgrates.org,call,*any,2020-01-01T00:00:00Z,RP,",
        ],
        "Chargers": [
            "#Tenant,ID,FilterIDs,ActivationInterval,RunID,AttributeIDs,Weight",
            "cgrates.org,DEFAULT,,,*default,*none,0",
        ],
    }
    for name, lines in files.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
