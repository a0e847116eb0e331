"""Keeping route profiles, and answering sessions that ask for routes."""

from typing import Any

import msgspec

from cgrcore.errors import NotFound
from cgrcore.event import CgrEvent
from cgrcore.routes.find import find_routes
from cgrcore.routes.records import RouteProfile
from cgrcore.routes.strategies import ratios_of
from cgrcore.world import World

__all__ = ["install", "remove_profile", "store_profile"]


def install(world: World) -> None:
    """Let sessions ask for routes (`routes_for_sessions`)."""
    world.parts["routes_for_sessions"] = _for_session


def store_profile(world: World, profile: RouteProfile) -> None:
    """Keep a profile. Raises BadRequest for ratios that are no numbers."""
    if profile.sorting == "*load":
        ratios_of(profile)
    world.state.table("route_profiles").put(f"{profile.tenant}:{profile.id}", profile)


def remove_profile(world: World, key: str) -> None:
    """Remove a profile (`tenant:id`). Raises NotFound."""
    if world.state.table("route_profiles").remove(key) is None:
        raise NotFound(subject="route profile", subject_id=key)


def _for_session(world: World, event: CgrEvent, asked: Any) -> list[dict[str, Any]]:
    """Return the routes a session asks for; `asked` may limit the cost and ignore errors (RoutesMaxCost, ...)."""
    options = dict(event.options)
    if getattr(asked, "RoutesMaxCost", ""):
        options.setdefault("*rouMaxCost", asked.RoutesMaxCost)
    if getattr(asked, "RoutesIgnoreErrors", False):
        options.setdefault("*rouIgnoreErrors", True)
    for name, option in (("Limit", "*rouLimit"), ("Offset", "*rouOffset")):
        if getattr(asked, name, None) is not None:
            options.setdefault(option, getattr(asked, name))
    event = msgspec.structs.replace(event, options=options)
    return [routes.as_wire() for routes in find_routes(world, event)]
