"""ThresholdSv1, and the threshold profiles of APIerSv1."""

from decimal import Decimal
from typing import Any

from cgrcore.errors import CgrError, server_error
from cgrcore.filters import check_filters
from cgrcore.thresholds import (
    ThresholdProfile,
    process_event,
    remove_profile,
    reset,
    stop_watching,
    store_profile,
    threshold_of,
    thresholds_for,
    watch,
)
from cgrcore.world import World
from cgrserver.rpc.profiles import (
    EventArgs,
    IntervalArgs,
    TenantArgs,
    TenantIdArgs,
    change_cache,
    declare_profiles,
    interval_of,
    texts,
    weight_of,
)
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []

TABLE = "threshold_profiles"


class ProfileArgs(Args):
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: IntervalArgs | None = None
    MaxHits: int = 0
    MinHits: int = 0
    MinSleep: int = 0
    Blocker: bool = False
    Weight: Decimal = Decimal(0)
    ActionIDs: list[str] | None = None
    Async: bool = False
    EeIDs: list[str] | None = None
    APIOpts: dict[str, Any] | None = None


@method("APIerSv1.SetThresholdProfile", mandatory=("ID",), aliases=apier_names("SetThresholdProfile"))
def set_threshold_profile(world: World, args: ProfileArgs) -> str:
    """Keep a threshold profile, in place of one with the same id."""
    change_cache(world, TABLE, args)
    record = ThresholdProfile(
        tenant=world.tenant(args.Tenant),
        id=args.ID,
        filter_ids=texts(args.FilterIDs),
        activation=interval_of(world, args.ActivationInterval),
        max_hits=args.MaxHits,
        min_hits=args.MinHits,
        min_sleep_ns=args.MinSleep,
        is_blocker=args.Blocker,
        weight_nano=weight_of(args.Weight),
        action_ids=texts(args.ActionIDs),
        is_async=args.Async,
        ee_ids=texts(args.EeIDs),
    )
    try:
        check_filters(world, record.tenant, record.filter_ids, record.id)
    except CgrError as error:
        raise server_error(error) from None
    store_profile(world, record)
    return "OK"


declare_profiles(
    "ThresholdProfile",
    TABLE,
    "threshold profile",
    drop=remove_profile,
    removed="Remove a threshold profile and its count.",
    is_counted=True,
)


@method("ThresholdSv1.ProcessEvent")
def process(world: World, args: EventArgs) -> list[str]:
    """Count an event, do what its thresholds cause, and return those that counted it."""
    return process_event(world, args.full_event(world, "ID"))


@method("ThresholdSv1.GetThresholdsForEvent")
def get_thresholds_for_event(world: World, args: EventArgs) -> list[dict[str, Any]]:
    """Return the thresholds that an event would count for."""
    return [threshold.as_wire() for threshold in thresholds_for(world, args.full_event(world, "ID"))]


@method("ThresholdSv1.GetThreshold", mandatory=("ID",))
def get_threshold(world: World, args: TenantIdArgs) -> dict[str, Any]:
    """Return what a threshold has counted."""
    return threshold_of(world, f"{world.tenant(args.Tenant)}:{args.ID}").as_wire()


@method("ThresholdSv1.GetThresholdIDs")
def get_threshold_ids(world: World, args: TenantArgs) -> list[str]:
    """Return the ids of a tenant's thresholds."""
    prefix = world.tenant(args.Tenant) + ":"
    return sorted(key[len(prefix) :] for key in world.state.table(TABLE) if key.startswith(prefix))


@method("ThresholdSv1.ResetThreshold", mandatory=("ID",))
def reset_threshold(world: World, args: TenantIdArgs) -> str:
    """Set the count of a threshold back to zero and wake it."""
    reset(world, f"{world.tenant(args.Tenant)}:{args.ID}")
    return "OK"


class ConnectionArgs(Args):
    CGRID: str = ""
    ClientConnID: str = ""
    ThresholdProfileID: str = ""


@method("ThresholdSv1.StoreClientConnID", mandatory=("CGRID", "ThresholdProfileID"))
def store_client_connection(world: World, args: ConnectionArgs) -> str:
    """Have the client of a session told when a threshold fires its `*sy_publish`."""
    watch(world, args.ThresholdProfileID, args.CGRID, args.ClientConnID)
    return "OK"


@method("ThresholdSv1.RemoveClientConnID")
def remove_client_connection(world: World, args: str) -> str:
    """Have nobody told any more when a threshold (the id of its profile) fires."""
    stop_watching(world, args)
    return "OK"
