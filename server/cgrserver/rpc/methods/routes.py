"""RouteSv1, and the route profiles of APIerSv1."""

from decimal import Decimal
from typing import Any

from cgrcore.errors import CgrError, server_error
from cgrcore.filters import check_filters
from cgrcore.routes import Route, RouteProfile, find_routes, profiles_for, remove_profile, store_profile
from cgrcore.world import World
from cgrserver.rpc.profiles import (
    EventArgs,
    IntervalArgs,
    change_cache,
    declare_profiles,
    interval_of,
    texts,
    weight_of,
)
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []

TABLE = "route_profiles"


class RouteArgs(Args):
    ID: str = ""
    FilterIDs: list[str] | None = None
    AccountIDs: list[str] | None = None
    RatingPlanIDs: list[str] | None = None
    ResourceIDs: list[str] | None = None
    StatIDs: list[str] | None = None
    Weight: Decimal = Decimal(0)
    Blocker: bool = False
    RouteParameters: str = ""

    def route(self) -> Route:
        return Route(
            self.ID,
            texts(self.FilterIDs),
            texts(self.AccountIDs),
            texts(self.RatingPlanIDs),
            texts(self.ResourceIDs),
            texts(self.StatIDs),
            weight_of(self.Weight),
            self.Blocker,
            self.RouteParameters,
        )


class ProfileArgs(Args):
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: IntervalArgs | None = None
    Sorting: str = ""
    SortingParameters: list[str] | None = None
    Routes: list[RouteArgs] | None = None
    Weight: Decimal = Decimal(0)
    APIOpts: dict[str, Any] | None = None


@method("APIerSv1.SetRouteProfile", mandatory=("ID",), aliases=apier_names("SetRouteProfile"))
def set_route_profile(world: World, args: ProfileArgs) -> str:
    """Keep a route profile, in place of one with the same id."""
    change_cache(world, TABLE, args)
    record = RouteProfile(
        tenant=world.tenant(args.Tenant),
        id=args.ID,
        filter_ids=texts(args.FilterIDs),
        activation=interval_of(world, args.ActivationInterval),
        sorting=args.Sorting,
        sorting_parameters=texts(args.SortingParameters),
        routes=None if args.Routes is None else tuple(item.route() for item in args.Routes),
        weight_nano=weight_of(args.Weight),
    )
    try:
        check_filters(world, record.tenant, record.filter_ids, record.id)
        store_profile(world, record)
    except CgrError as error:
        raise server_error(error) from None
    return "OK"


declare_profiles("RouteProfile", TABLE, "route profile", drop=remove_profile)


@method("RouteSv1.GetRouteProfilesForEvent")
def get_route_profiles_for_event(world: World, args: EventArgs) -> list[dict[str, Any]]:
    """Return the route profiles that an event matches, heaviest first."""
    return [profile.as_wire() for profile in profiles_for(world, args.full_event(world, "ID"))]


@method("RouteSv1.GetRoutes")
def get_routes(world: World, args: EventArgs) -> list[dict[str, Any]]:
    """Return the routes of an event by profile, best first, with the data they were ordered by."""
    return [routes.as_wire() for routes in find_routes(world, args.full_event(world, "ID"))]


@method("RouteSv1.GetRoutesList")
def get_routes_list(world: World, args: EventArgs) -> list[str]:
    """Return the routes of an event, best first, as `id:parameters`."""
    found = find_routes(world, args.full_event(world, "ID"))
    return [route.text for routes in found for route in routes.routes]
