"""The strategies that order routes: what each needs to know of a route, and which route it puts first.

Rules: routes that a strategy finds equal are ordered by weight, the heaviest first, then by their ids. All comparisons
are exact.
Does not know: which routes an event may take.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from cgrcore.errors import BadRequest, NotFound, mandatory_missing
from cgrcore.event import CgrEvent
from cgrcore.money import number_from_nano
from cgrcore.resources import resource_of
from cgrcore.routes.costs import cost_of_route
from cgrcore.routes.records import Route, RouteProfile
from cgrcore.stats import numbers_of, profile_of
from cgrcore.world import World

__all__ = ["Strategy", "ratios_of", "strategy_of"]

Data = dict[str, Any]

#: What a metric counts that a route has no statistics of; a missing `*pdd` is the worst there is.
MISSING = -1
MISSING_PDD = Decimal("1.7976931348623157E+308")


class Strategy(msgspec.Struct, frozen=True):
    """What a strategy reads of a route (raising NotFound, BadRequest, Refused), and by what it orders them.

    `lacks` tells what every route must name for it, "" when it does.
    """

    lacks: Callable[[Route], str]
    read: Callable[[World, CgrEvent, RouteProfile, Route], Data]
    order: Callable[[RouteProfile, Mapping[str, Any]], tuple[Any, ...]]


def _nothing_lacks(route: Route) -> str:
    return ""


def _weight(world: World, event: CgrEvent, profile: RouteProfile, route: Route) -> Data:
    return {}


def _in_no_order(profile: RouteProfile, data: Mapping[str, Any]) -> tuple[Any, ...]:
    return ()


# --- cost ------------------------------------------------------------------------------------------------------------


def _lacks_cost(route: Route) -> str:
    return "" if route.rating_plan_ids or route.account_ids else "RatingPlanIDs or AccountIDs"


def _cost(world: World, event: CgrEvent, profile: RouteProfile, route: Route) -> Data:
    return cost_of_route(world, event, route)


# --- statistics ------------------------------------------------------------------------------------------------------


def _quality(world: World, event: CgrEvent, profile: RouteProfile, route: Route) -> Data:
    """Read all metrics of the route's statistics, each the mean of those that have it."""
    values: dict[str, list[int | Decimal]] = {}
    for stat_id in route.stat_ids or ():
        for name, value in numbers_of(world, profile_of(world, f"{event.tenant}:{stat_id}")).items():
            values.setdefault(name, []).append(value)
    data: Data = {name: _mean(found) for name, found in values.items()}
    for name in profile.sorting_parameters or ():
        if name not in data:
            data[name] = MISSING_PDD if name == "*pdd" else MISSING
    return data


def _mean(values: list[int | Decimal]) -> int | Decimal:
    if len(values) == 1:
        return values[0]
    mean = Decimal(sum(values)) / len(values)
    return int(mean) if mean == int(mean) else mean


def _by_quality(profile: RouteProfile, data: Mapping[str, Any]) -> tuple[Any, ...]:
    names = profile.sorting_parameters or ()
    return tuple(data[name] if name == "*pdd" else -data[name] for name in names)


def _lacks_stats(route: Route) -> str:
    return "" if route.stat_ids else "StatIDs"


def _load(world: World, event: CgrEvent, profile: RouteProfile, route: Route) -> Data:
    """Read the route's load: the sum of its statistics, or of the one metric that `stat:metric` names."""
    load: int | Decimal = 0
    for part in route.stat_ids or ():
        stat_id, _, wanted = part.partition(":")
        numbers = numbers_of(world, profile_of(world, f"{event.tenant}:{stat_id}"))
        if wanted and wanted not in numbers:
            raise NotFound(subject="metric", subject_id=wanted)
        load += numbers[wanted] if wanted else sum(numbers.values())
    ratios = ratios_of(profile)
    default = int(world.settings.get("routes", {}).get("default_ratio", 1))
    return {"Load": load, "Ratio": ratios.get(route.id, ratios.get("*default", default))}


def ratios_of(profile: RouteProfile) -> dict[str, int]:
    """Return the ratios by route that the sorting parameters give (`route:3`). Raises BadRequest."""
    ratios = {}
    for parameter in profile.sorting_parameters or ():
        route_id, colon, text = parameter.partition(":")
        if not colon or not text.removeprefix("-").removeprefix("+").isdigit():
            raise BadRequest(f'strconv.Atoi: parsing "{text}": invalid syntax')
        ratios[route_id] = int(text)
    return ratios


def _by_load(profile: RouteProfile, data: Mapping[str, Any]) -> tuple[Any, ...]:
    return (Fraction(data["Load"]) / data["Ratio"],)


# --- resources -------------------------------------------------------------------------------------------------------


def _lacks_resources(route: Route) -> str:
    return "" if route.resource_ids else "ResourceIDs"


def _usage(world: World, event: CgrEvent, profile: RouteProfile, route: Route) -> Data:
    used_nano = sum(resource_of(world, f"{event.tenant}:{part}").used_nano for part in route.resource_ids or ())
    return {"ResourceUsage": number_from_nano(used_nano)}


_STRATEGIES = {
    "*weight": Strategy(_nothing_lacks, _weight, _in_no_order),
    "*lc": Strategy(_lacks_cost, _cost, lambda profile, data: (data["Cost"],)),
    "*hc": Strategy(_lacks_cost, _cost, lambda profile, data: (-data["Cost"],)),
    "*qos": Strategy(_nothing_lacks, _quality, _by_quality),
    "*load": Strategy(_lacks_stats, _load, _by_load),
    "*reas": Strategy(_lacks_resources, _usage, lambda profile, data: (data["ResourceUsage"],)),
    "*reds": Strategy(_lacks_resources, _usage, lambda profile, data: (-data["ResourceUsage"],)),
}


def strategy_of(profile: RouteProfile) -> Strategy:
    """Return a profile's strategy. Raises BadRequest for an unknown one and for a route that lacks what it needs."""
    strategy = _STRATEGIES.get(profile.sorting)
    if strategy is None:
        raise BadRequest(f"unsupported sorting strategy: {profile.sorting}")
    for route in profile.routes or ():
        lacking = strategy.lacks(route)
        if lacking:
            raise mandatory_missing((lacking,))
    return strategy
