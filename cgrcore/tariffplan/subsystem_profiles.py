"""From a plan's profiles of statistics, resources and routes to their records.

Does not know: what is measured, what is taken, which way a call goes.
"""

from cgrcore.errors import BadRequest
from cgrcore.money import parse_nano
from cgrcore.resources import ResourceProfile
from cgrcore.routes import Route, RouteProfile
from cgrcore.routes.strategies import ratios_of
from cgrcore.stats import Metric, StatProfile
from cgrcore.stats.metrics import kind_of
from cgrcore.tariffplan.mistakes import Spot
from cgrcore.tariffplan.profile_parts import check_filters, interval, texts
from cgrcore.tariffplan.records import TpResource, TpRoute, TpRouteProfile, TpStat
from cgrcore.tariffplan.refer import Building

__all__ = ["build_resource", "build_route_profile", "build_stat"]


def build_resource(building: Building, key: str, item: TpResource) -> ResourceProfile:
    """Return the resource profile an object describes."""
    check_filters(building, "resources", key, item)
    return ResourceProfile(
        item.Tenant,
        item.ID,
        texts(item.FilterIDs),
        interval(building, "resources", key, item.ActivationInterval),
        building.duration(item.UsageTTL, Spot("resources", key, "UsageTTL")),
        _limit(building, key, item.Limit),
        item.AllocationMessage,
        item.Blocker,
        item.Stored,
        building.amount(item.Weight, Spot("resources", key, "Weight")),
        texts(item.ThresholdIDs),
    )


def _limit(building: Building, key: str, text: str) -> int:
    try:
        return parse_nano(text or "0")
    except BadRequest:
        message = f'strconv.ParseFloat: parsing "{text}": invalid syntax'
        building.wrong(Spot("resources", key, "Limit"), message, "a number", text)
        return 0


def build_stat(building: Building, key: str, item: TpStat) -> StatProfile:
    """Return the profile of statistics an object describes."""
    metrics = []
    for index, line in enumerate(item.Metrics or ()):
        try:
            kind_of(line.MetricID)
        except BadRequest as error:
            building.wrong(Spot("stats", key, "MetricID", index), str(error), "the name of a metric", line.MetricID)
        metrics.append(Metric(line.MetricID, texts(line.FilterIDs)))
    check_filters(building, "stats", key, item)
    return StatProfile(
        item.Tenant,
        item.ID,
        texts(item.FilterIDs),
        interval(building, "stats", key, item.ActivationInterval),
        item.QueueLength,
        building.duration(item.TTL, Spot("stats", key, "TTL")),
        item.MinItems,
        tuple(metrics),
        item.Stored,
        item.Blocker,
        building.amount(item.Weight, Spot("stats", key, "Weight")),
        texts(item.ThresholdIDs),
    )


def build_route_profile(building: Building, key: str, item: TpRouteProfile) -> RouteProfile:
    """Return the route profile an object describes; a ratio that is no number is a mistake."""
    check_filters(building, "routes", key, item)
    profile = RouteProfile(
        item.Tenant,
        item.ID,
        texts(item.FilterIDs),
        interval(building, "routes", key, item.ActivationInterval),
        item.Sorting,
        texts(item.SortingParameters),
        tuple(_route(building, key, index, line) for index, line in enumerate(item.Routes or ())),
        building.amount(item.Weight, Spot("routes", key, "Weight")),
    )
    if profile.sorting == "*load":
        try:
            ratios_of(profile)
        except BadRequest as error:
            written = ";".join(item.SortingParameters or ())
            building.wrong(Spot("routes", key, "SortingParameters"), str(error), "ratios such as *default:1", written)
    return profile


def _route(building: Building, key: str, index: int, line: TpRoute) -> Route:
    return Route(
        line.ID,
        texts(line.FilterIDs),
        texts(line.AccountIDs),
        texts(line.RatingPlanIDs),
        texts(line.ResourceIDs),
        texts(line.StatIDs),
        building.amount(line.Weight, Spot("routes", key, "Weight", index)),
        line.Blocker,
        line.RouteParameters,
    )
