"""ResourceSv1, and the resource profiles of APIerSv1."""

from decimal import Decimal
from typing import Any

from cgrcore.errors import CgrError, server_error
from cgrcore.filters import check_filters
from cgrcore.resources import (
    ResourceProfile,
    allocate,
    authorise,
    release,
    remove_profile,
    resource_of,
    resources_for,
    store_profile,
)
from cgrcore.world import World
from cgrserver.rpc.profiles import (
    EventArgs,
    IntervalArgs,
    TenantIdArgs,
    change_cache,
    declare_profiles,
    find,
    interval_of,
    texts,
    weight_of,
)
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []

TABLE = "resource_profiles"


class ProfileArgs(Args):
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: IntervalArgs | None = None
    UsageTTL: int = 0
    Limit: Decimal = Decimal(0)
    AllocationMessage: str = ""
    Blocker: bool = False
    Stored: bool = False
    Weight: Decimal = Decimal(0)
    ThresholdIDs: list[str] | None = None
    APIOpts: dict[str, Any] | None = None


@method("APIerSv1.SetResourceProfile", mandatory=("ID",), aliases=apier_names("SetResourceProfile"))
def set_resource_profile(world: World, args: ProfileArgs) -> str:
    """Keep a resource profile, in place of one with the same id."""
    change_cache(world, TABLE, args)
    record = ResourceProfile(
        tenant=world.tenant(args.Tenant),
        id=args.ID,
        filter_ids=texts(args.FilterIDs),
        activation=interval_of(world, args.ActivationInterval),
        usage_ttl_ns=args.UsageTTL,
        limit_nano=weight_of(args.Limit),
        allocation_message=args.AllocationMessage,
        is_blocker=args.Blocker,
        is_stored=args.Stored,
        weight_nano=weight_of(args.Weight),
        threshold_ids=texts(args.ThresholdIDs),
    )
    try:
        check_filters(world, record.tenant, record.filter_ids, record.id)
    except CgrError as error:
        raise server_error(error) from None
    store_profile(world, record)
    return "OK"


declare_profiles(
    "ResourceProfile",
    TABLE,
    "resource profile",
    drop=remove_profile,
    removed="Remove a resource profile and what was taken of it.",
)


@method("ResourceSv1.GetResourcesForEvent", mandatory=("ID", "Event"))
def get_resources_for_event(world: World, args: EventArgs) -> list[dict[str, Any]]:
    """Return the resources that an event would take from."""
    return [resource.as_wire() for resource in resources_for(world, args.event(world))]


@method("ResourceSv1.AuthorizeResources", mandatory=("ID", "Event"))
def authorize_resources(world: World, args: EventArgs) -> str:
    """Tell which resource has room for an event, taking nothing."""
    return authorise(world, args.event(world))


@method("ResourceSv1.AllocateResources", mandatory=("ID", "Event"))
def allocate_resources(world: World, args: EventArgs) -> str:
    """Take what an event asks for, and tell which resource has room."""
    return allocate(world, args.event(world))


@method("ResourceSv1.ReleaseResources", mandatory=("ID", "Event"))
def release_resources(world: World, args: EventArgs) -> str:
    """Give back what a usage took."""
    release(world, args.event(world))
    return "OK"


@method("ResourceSv1.GetResource", mandatory=("ID",))
def get_resource(world: World, args: TenantIdArgs) -> dict[str, Any]:
    """Return what is taken of a resource."""
    return resource_of(world, f"{world.tenant(args.Tenant)}:{args.ID}").as_wire()


@method("ResourceSv1.GetResourceWithConfig", mandatory=("ID",))
def get_resource_with_config(world: World, args: TenantIdArgs) -> dict[str, Any]:
    """Return what is taken of a resource, with its profile."""
    profile: ResourceProfile = find(world, TABLE, args)
    return {**get_resource(world, args), "Config": profile.as_wire()}
