"""Finding the routes of an event, best first.

Rules: attributes may alter the event before. Profiles come heaviest first; each orders its own routes. A route's
filters see the event's fields and, once they are known, the data it is ordered by, but not the options. A route that
fails makes the request fail, unless errors are to be ignored. Of two routes with one id the heavier stays.
Does not know: what the order is for.
"""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.attributes import process as process_attributes
from cgrcore.errors import BadRequest, CgrError, NotFound, server_error
from cgrcore.event import CgrEvent, boolean_option, integer_option, text_of
from cgrcore.filters import Scope, infer, matching, passes_in
from cgrcore.money import nano_from_number, number_from_nano
from cgrcore.routes.costs import cost_of_event
from cgrcore.routes.records import Route, RouteProfile
from cgrcore.routes.strategies import strategy_of
from cgrcore.world import World

__all__ = ["SortedRoute", "SortedRoutes", "find_routes", "profiles_for"]


class SortedRoute(msgspec.Struct, frozen=True):
    """One route with the data it was ordered by."""

    id: str
    parameters: str
    data: dict[str, Any]

    def as_wire(self) -> dict[str, Any]:
        return {"RouteID": self.id, "RouteParameters": self.parameters, "SortingData": self.data}

    @property
    def text(self) -> str:
        """The route as agents take it: `id:parameters`."""
        return f"{self.id}:{self.parameters}" if self.parameters else self.id


class SortedRoutes(msgspec.Struct, frozen=True):
    """The routes of one profile, best first."""

    profile_id: str
    sorting: str
    routes: tuple[SortedRoute, ...]

    def as_wire(self) -> dict[str, Any]:
        return {
            "ProfileID": self.profile_id,
            "Sorting": self.sorting,
            "Routes": [route.as_wire() for route in self.routes],
        }


class _Wishes(msgspec.Struct):
    """What the event's options and the configuration ask for."""

    ignores_errors: bool
    max_cost_nano: int | None
    profile_count: int | None
    limit: int | None
    offset: int


def profiles_for(world: World, event: CgrEvent) -> list[RouteProfile]:
    """Return the route profiles that an event matches, heaviest first. Raises NotFound, `SERVER_ERROR: ...`."""
    try:
        found = list(matching(world, "route_profiles", event))
    except CgrError as error:
        raise server_error(error) from None
    if not found:
        raise NotFound(subject="route profile")
    return found


def find_routes(world: World, event: CgrEvent) -> list[SortedRoutes]:
    """Return the routes of an event by profile, best first. Raises NotFound, `SERVER_ERROR: ...` for the rest."""
    event = _altered(world, event)
    profiles = profiles_for(world, event)
    try:
        return _find(world, event, profiles)
    except NotFound as error:
        raise NotFound(subject="route") if str(error) == "NOT_FOUND" else server_error(error) from None
    except CgrError as error:
        raise server_error(error) from None


def _altered(world: World, event: CgrEvent) -> CgrEvent:
    settings = world.settings.get("routes", {})
    if not settings.get("attributes_conns"):
        return event
    try:
        return process_attributes(world, event, (settings.get("opts") or {}).get("*context") or "*routes").event
    except NotFound as error:
        if str(error).startswith("SERVER_ERROR"):
            raise
        return event


def _wishes(world: World, event: CgrEvent) -> _Wishes:
    defaults = world.settings.get("routes", {}).get("opts") or {}
    options = event.options

    def whole(option: str, key: str) -> int | None:
        value = options.get(option)
        if value is None:
            value = defaults.get(key)
        return None if value is None else integer_option({option: value}, option, 0)

    return _Wishes(
        ignores_errors=boolean_option(options, "*rouIgnoreErrors", bool(defaults.get("*ignoreErrors", False))),
        max_cost_nano=_max_cost(world, event, options.get("*rouMaxCost", defaults.get("*maxCost"))),
        profile_count=whole("*rouProfileCount", "*profileCount"),
        limit=whole("*rouLimit", "*limit"),
        offset=max(whole("*rouOffset", "*offset") or 0, 0),
    )


def _max_cost(world: World, event: CgrEvent, value: Any) -> int | None:
    if value is None or value == "":
        return None
    if value == "*event_cost":
        return cost_of_event(world, event)
    if isinstance(value, str):
        number = infer(value, world.now_at)
        if isinstance(number, str | tuple):
            raise BadRequest(f'strconv.ParseFloat: parsing "{value}": invalid syntax')
        value = number
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise BadRequest(f"cannot convert field: {text_of(value)} to float64")
    return nano_from_number(int(value) if isinstance(value, int) else value)


def _find(world: World, event: CgrEvent, profiles: list[RouteProfile]) -> list[SortedRoutes]:
    wishes = _wishes(world, event)
    if wishes.profile_count is not None:
        profiles = profiles[: max(wishes.profile_count, 0)]
    offset, left = wishes.offset, wishes.limit
    found = []
    for profile in profiles:
        if left is not None and left <= 0:
            break
        count = len(profile.routes or ())
        if offset >= count:
            offset -= count
            continue
        routes = _sorted(world, event, profile, wishes)[offset:]
        offset = 0
        if left is not None:
            routes = routes[:left]
            left -= len(routes)
        if routes:
            found.append(SortedRoutes(profile.id, profile.sorting, tuple(routes)))
    if not found:
        raise NotFound(subject="route")
    return found


def _sorted(world: World, event: CgrEvent, profile: RouteProfile, wishes: _Wishes) -> list[SortedRoute]:
    strategy = strategy_of(profile)
    kept: list[tuple[tuple[Any, ...], SortedRoute]] = []
    for route in _unique(profile):
        if not _passes(world, event, route, None):
            continue
        try:
            data = strategy.read(world, event, profile, route)
        except CgrError:
            if wishes.ignores_errors:
                continue
            raise
        data["Weight"] = number_from_nano(route.weight_nano)
        if data.get("Ratio") == 0 or _is_too_dear(data, wishes) or not _passes(world, event, route, data):
            continue
        order = (*strategy.order(profile, data), -route.weight_nano, route.id)
        kept.append((order, SortedRoute(route.id, route.parameters, data)))
    kept.sort(key=lambda pair: pair[0])
    return [route for _, route in kept]


def _unique(profile: RouteProfile) -> list[Route]:
    heaviest: dict[str, Route] = {}
    for route in profile.routes or ():
        before = heaviest.get(route.id)
        if before is None or before.weight_nano < route.weight_nano:
            heaviest[route.id] = route
    return list(heaviest.values())


def _is_too_dear(data: dict[str, Any], wishes: _Wishes) -> bool:
    return "Cost" in data and wishes.max_cost_nano is not None and nano_from_number(data["Cost"]) > wishes.max_cost_nano


def _passes(world: World, event: CgrEvent, route: Route, data: dict[str, Any] | None) -> bool:
    """Tell whether a route's filters pass: those on the event alone before the data is known, all of them after."""
    filter_ids = route.filter_ids or ()
    if data is None:
        filter_ids = tuple(filter_id for filter_id in filter_ids if "~*vars" not in filter_id)
    containers = {"*req": event.event, "*tenant": event.tenant, "*vars": data or {}}
    return passes_in(Scope(world, containers), event.tenant, filter_ids)
