"""Putting stat queues in order of what they measure.

Rules: `*asc` has the smallest first, `*desc` the largest. A stat queue without a metric comes after those that have it,
in either order; equal ones stay in the profile's order. A stat queue that there is not is left out.
Does not know: when queries are due.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from cgrcore.errors import NotFound
from cgrcore.filters import read
from cgrcore.queries import tell_thresholds, unschedule
from cgrcore.rankings.records import Ranking, RankingProfile
from cgrcore.stats import numbers_of, profile_of
from cgrcore.timing import format_time
from cgrcore.world import World

__all__ = ["in_order", "install", "query", "ranking_of", "remove_profile", "store_profile"]

_ZERO = Decimal(0)


def install(world: World) -> None:
    """Let filters read the order that the last query found (`~*rankings.R.SortedStatIDs[0]`)."""
    world.parts.setdefault("filter_sources", {})["*rankings"] = _read


def _read(world: World, tenant: str, keys: tuple[str | int, ...]) -> Any:
    return read(ranking_of(world, f"{tenant}:{keys[0]}").summary(), keys[1:])


def ranking_of(world: World, key: str) -> Ranking:
    """Return what was found last for a profile (`tenant:id`). Raises NotFound for a profile that there is not."""
    profile: RankingProfile = world.state.table("ranking_profiles").require(key)
    found: Ranking | None = world.state.table("rankings").get(key)
    return found or Ranking(
        profile.tenant, profile.id, sorting=profile.sorting, sorting_parameters=profile.sorting_parameters
    )


def query(world: World, profile: RankingProfile) -> None:
    """Read a profile's stat queues, keep them in order and tell thresholds."""
    metrics: dict[str, dict[str, Decimal]] = {}
    for stat_id in dict.fromkeys(profile.stat_ids or ()):
        try:
            numbers = numbers_of(world, profile_of(world, f"{profile.tenant}:{stat_id}"))
        except NotFound:
            continue
        wanted = profile.metric_ids or tuple(numbers)
        metrics[stat_id] = {name: Decimal(number) for name, number in numbers.items() if name in wanted}
    ordered = in_order(metrics, profile.sorting, profile.sorting_parameters or ())
    ranking = Ranking(
        profile.tenant, profile.id, world.now_at, metrics, profile.sorting, profile.sorting_parameters, ordered
    )
    world.state.table("rankings").put(f"{profile.tenant}:{profile.id}", ranking)
    fields = {
        "RankingID": profile.id,
        "LastUpdate": format_time(world.now_at),
        "SortedStatIDs": list(ordered),
    }
    tell_thresholds(world, "rankings", profile.tenant, profile.threshold_ids, "RankingUpdate", fields)


def in_order(metrics: dict[str, dict[str, Decimal]], sorting: str, parameters: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of stat queues in order of their metrics, as the parameters say."""
    columns = []
    for parameter in parameters:
        name, colon, is_straight = parameter.rpartition(":")
        is_turned = bool(colon) and is_straight == "false"
        if not colon or is_straight not in ("true", "false"):
            name = parameter
        columns.append((name, (sorting == "*desc") != is_turned))

    def place(stat_id: str) -> list[tuple[bool, Decimal]]:
        values = metrics[stat_id]
        return [
            (name not in values, -values.get(name, _ZERO) if is_descending else values.get(name, _ZERO))
            for name, is_descending in columns
        ]

    return tuple(sorted(metrics, key=place))


def store_profile(world: World, profile: RankingProfile) -> None:
    """Keep a profile; what was found stays only when it would be found with the new one."""
    key = f"{profile.tenant}:{profile.id}"
    profiles = world.state.table("ranking_profiles")
    before: RankingProfile | None = profiles.get(key)
    profiles.put(key, profile)
    if before is not None and _asked(before) != _asked(profile):
        world.state.table("rankings").remove(key)


def _asked(profile: RankingProfile) -> tuple[object, ...]:
    return profile.stat_ids, profile.metric_ids, profile.sorting, profile.sorting_parameters


def remove_profile(world: World, key: str) -> None:
    """Remove a profile (`tenant:id`), what was found and its place in the schedule. Raises NotFound."""
    if world.state.table("ranking_profiles").remove(key) is None:
        raise NotFound(subject="ranking profile", subject_id=key)
    world.state.table("rankings").remove(key)
    unschedule(world, "scheduled_rankings", key)
