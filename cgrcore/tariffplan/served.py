"""Which subsystem takes which profiles of a plan, and how."""

from collections.abc import Callable
from typing import Any, NamedTuple

from cgrcore.rankings import store_profile as keep_ranking
from cgrcore.resources import store_profile as keep_resource
from cgrcore.stats import store_profile as keep_stat
from cgrcore.tariffplan.kinds import KINDS
from cgrcore.tariffplan.node_profiles import build_dispatcher_host, build_dispatcher_profile, build_ip_profile
from cgrcore.tariffplan.profiles import build_attribute_profile, build_charger, build_filter, build_threshold
from cgrcore.tariffplan.query_profiles import build_ranking, build_trend
from cgrcore.tariffplan.refer import Building
from cgrcore.tariffplan.subsystem_profiles import build_resource, build_route_profile, build_stat
from cgrcore.thresholds import store_profile as keep_threshold
from cgrcore.trends import store_profile as keep_trend
from cgrcore.world import World

__all__ = ["SERVED", "Served", "build_profiles"]


class Served(NamedTuple):
    """Profiles that a subsystem takes: their table, how a record is built of one, how it is kept (None: as it is)."""

    table: str
    build: Callable[[Building, str, Any], Any]
    keep: Callable[[World, Any], None] | None = None


#: By kind. A subsystem that begins to take its profiles adds a line here; nothing else knows.
SERVED: dict[str, Served] = {
    "filters": Served("filters", build_filter),
    "resources": Served("resource_profiles", build_resource, keep_resource),
    "stats": Served("stat_profiles", build_stat, keep_stat),
    "trends": Served("trend_profiles", build_trend, keep_trend),
    "rankings": Served("ranking_profiles", build_ranking, keep_ranking),
    "routes": Served("route_profiles", build_route_profile),
    "thresholds": Served("threshold_profiles", build_threshold, keep_threshold),
    "attributes": Served("attributes", build_attribute_profile),
    "chargers": Served("chargers", build_charger),
    "ips": Served("ip_profiles", build_ip_profile),
    "dispatcher_profiles": Served("dispatcher_profiles", build_dispatcher_profile),
    "dispatcher_hosts": Served("dispatcher_hosts", build_dispatcher_host),
}


def build_profiles(building: Building) -> dict[str, dict[str, Any]]:
    """Return the plan's filters and profiles by table, then by `tenant:id`."""
    found: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        served = SERVED.get(kind.name)
        if served is not None:
            for key, item in building.items(kind.name).items():
                found.setdefault(served.table, {})[key] = served.build(building, key, item)
    return found
