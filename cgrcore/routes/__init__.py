"""Routes: which ways a call may go, and which is best."""

from cgrcore.routes.find import SortedRoute, SortedRoutes, find_routes, profiles_for
from cgrcore.routes.profiles import install, remove_profile, store_profile
from cgrcore.routes.records import Route, RouteProfile

__all__ = [
    "TABLES",
    "Route",
    "RouteProfile",
    "SortedRoute",
    "SortedRoutes",
    "find_routes",
    "install",
    "profiles_for",
    "remove_profile",
    "store_profile",
]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"route_profiles": RouteProfile}
