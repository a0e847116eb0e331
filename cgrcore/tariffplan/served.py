"""Which subsystem takes which profiles of a plan, and how.

What none takes yet is checked and kept as it was written, in tables `loaded_*`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from cgrcore.rankings import store_profile as keep_ranking
from cgrcore.resources import store_profile as keep_resource
from cgrcore.stats import store_profile as keep_stat
from cgrcore.tariffplan.kinds import KINDS, Kind
from cgrcore.tariffplan.mistakes import Spot
from cgrcore.tariffplan.profile_parts import check_filters, interval
from cgrcore.tariffplan.profiles import build_attribute_profile, build_charger, build_filter, build_threshold
from cgrcore.tariffplan.query_profiles import build_ranking, build_trend
from cgrcore.tariffplan.refer import Building
from cgrcore.tariffplan.subsystem_profiles import build_resource, build_route_profile, build_stat
from cgrcore.thresholds import store_profile as keep_threshold
from cgrcore.trends import store_profile as keep_trend
from cgrcore.world import World

__all__ = ["LOADED", "SERVED", "Served", "build_profiles"]


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
}

#: The kinds of profiles that no subsystem takes yet, by name.
LOADED: dict[str, Kind] = {
    kind.name: kind for kind in KINDS if kind.key == ("Tenant", "ID") and kind.name not in SERVED
}


def build_profiles(building: Building) -> dict[str, dict[str, Any]]:
    """Return the plan's filters and profiles by table, then by `tenant:id`."""
    found: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        served = SERVED.get(kind.name)
        for key, item in building.items(kind.name).items() if served or kind.name in LOADED else ():
            if served is not None:
                found.setdefault(served.table, {})[key] = served.build(building, key, item)
            else:
                _check_profile(building, kind.name, key, item)
                found.setdefault(f"loaded_{kind.name}", {})[key] = item
    return found


def _check_profile(building: Building, name: str, key: str, item: Any) -> None:
    fields = item.__struct_fields__
    if "TTL" in fields:
        building.duration(item.TTL, Spot(name, key, "TTL"))
    if "ActivationInterval" in fields:
        interval(building, name, key, item.ActivationInterval)
    if "FilterIDs" in fields:
        check_filters(building, name, key, item)
