"""Following metrics: a run reads a stat queue, and compares each metric with the run before or the mean of all.

Rules: growth is (value - previous) x 100 / previous, rounded to general.rounding_decimals; a metric that was not there
before, or was 0, has no growth (-1, N/A). A run is forgotten when its time is over or there are too many, before it is
compared with. Does not know: when runs are due.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from cgrcore.errors import NotFound
from cgrcore.filters import read
from cgrcore.money import div_floor, number_from_nano
from cgrcore.queries import tell_thresholds, unschedule
from cgrcore.stats import numbers_of, profile_of
from cgrcore.timing import format_time
from cgrcore.trends.records import Point, Run, Trend, TrendProfile
from cgrcore.world import World

__all__ = ["growth_of", "install", "query", "remove_profile", "runs_between", "store_profile", "trend_of"]

#: No trend holds more runs than this, whatever its profile says; the oldest go. A run rewrites them all.
MAX_RUNS = 1000

UNKNOWN = (Decimal(-1), "N/A")


def install(world: World) -> None:
    """Let filters read the last run (`~*trends.T.Metrics.*tcc.TrendLabel`)."""
    world.parts.setdefault("filter_sources", {})["*trends"] = _read


def _read(world: World, tenant: str, keys: tuple[str | int, ...]) -> Any:
    return read(trend_of(world, f"{tenant}:{keys[0]}").summary(), keys[1:])


def trend_of(world: World, key: str) -> Trend:
    """Return the runs of a profile (`tenant:id`). Raises NotFound for a profile that there is not."""
    profile: TrendProfile = world.state.table("trend_profiles").require(key)
    found: Trend | None = world.state.table("trends").get(key)
    return found or Trend(profile.tenant, profile.id)


def runs_between(trend: Trend, first: int, end: int, start_at: int | None, end_at: int | None) -> Trend:
    """Return a trend's runs from index `first` up to `end` (0: all), from `start_at` up to `end_at`.

    Raises NotFound for none.
    """
    runs = trend.runs[max(first, 0) : end if end > 0 else None]
    chosen = tuple(
        run for run in runs if (start_at is None or run.at >= start_at) and (end_at is None or run.at < end_at)
    )
    if not chosen:
        raise NotFound(subject="trend", subject_id=trend.id)
    return Trend(trend.tenant, trend.id, chosen)


def query(world: World, profile: TrendProfile) -> None:
    """Add a run to a profile's trend and tell thresholds; a stat queue that there is not is left for the next time."""
    try:
        numbers = numbers_of(world, profile_of(world, f"{profile.tenant}:{profile.stat_id}"))
    except NotFound:
        return
    key = f"{profile.tenant}:{profile.id}"
    runs = _kept(profile, trend_of(world, key).runs, world.now_at)
    decimals = int(world.settings.get("general", {}).get("rounding_decimals", 5))
    points = {}
    for metric_id in profile.metrics or sorted(numbers):
        if metric_id in numbers:
            value = Decimal(numbers[metric_id])
            growth, label = _growth(profile, runs, metric_id, value, decimals)
            points[metric_id] = Point(value, growth, label)
    trend = Trend(profile.tenant, profile.id, (*runs, Run(world.now_at, points)))
    world.state.table("trends").put(key, trend)
    if len(trend.runs) >= profile.min_items:
        fields = {"TrendID": profile.id, "Time": format_time(world.now_at), "Metrics": trend.runs[-1].as_wire()}
        tell_thresholds(world, "trends", profile.tenant, profile.threshold_ids, "TrendUpdate", fields)


def _kept(profile: TrendProfile, runs: tuple[Run, ...], now_at: int) -> tuple[Run, ...]:
    """Return the runs that stay when one more comes."""
    if profile.ttl_ns > 0:
        runs = tuple(run for run in runs if run.at + profile.ttl_ns > now_at)
    limit = profile.queue_length if 0 < profile.queue_length < MAX_RUNS else MAX_RUNS
    return runs[max(0, len(runs) - limit + 1) :]


def _growth(
    profile: TrendProfile, runs: tuple[Run, ...], metric_id: str, value: Decimal, decimals: int
) -> tuple[Decimal, str]:
    values = [Fraction(run.points[metric_id].value) for run in runs if metric_id in run.points]
    if not values or profile.correlation not in ("*last", "*average"):
        return UNKNOWN
    previous = values[-1] if profile.correlation == "*last" else sum(values) / len(values)
    if not previous:
        return UNKNOWN
    growth_nano = growth_of(Fraction(value), Fraction(previous), decimals)
    if abs(growth_nano) <= profile.tolerance_nano:
        label = "*constant"
    else:
        label = "*positive" if growth_nano > 0 else "*negative"
    return Decimal(number_from_nano(growth_nano)), label


def growth_of(value: Fraction, previous: Fraction, decimals: int) -> int:
    """Return the growth in percent as nano, rounded to the nearest; a loss away from zero, as CGRateS does."""
    percent = (value - previous) * 100 / previous
    step: int = 10 ** (9 - min(max(decimals, 0), 9))
    half = Fraction(1, 2) if percent > 0 else Fraction(0)
    shifted = percent * 10**9 / step + half
    return div_floor(shifted.numerator, shifted.denominator) * step


def store_profile(world: World, profile: TrendProfile) -> None:
    """Keep a profile; its runs stay only when they still mean the same."""
    key = f"{profile.tenant}:{profile.id}"
    profiles = world.state.table("trend_profiles")
    before: TrendProfile | None = profiles.get(key)
    profiles.put(key, profile)
    if before is not None and not before.follows_like(profile):
        world.state.table("trends").remove(key)


def remove_profile(world: World, key: str) -> None:
    """Remove a profile (`tenant:id`), its runs and its place in the schedule. Raises NotFound."""
    if world.state.table("trend_profiles").remove(key) is None:
        raise NotFound(subject="trend profile", subject_id=key)
    world.state.table("trends").remove(key)
    unschedule(world, "scheduled_trends", key)
