"""StatSv1, and the stat queue profiles of APIerSv1."""

from decimal import Decimal
from typing import Any

from cgrcore.errors import CgrError, server_error
from cgrcore.filters import check_filters
from cgrcore.stats import (
    Metric,
    StatProfile,
    drop_queue,
    numbers_of,
    process_event,
    profile_of,
    profiles_for,
    queue_as_wire,
    queue_of,
    remove_profile,
    store_profile,
    texts_of,
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

TABLE = "stat_profiles"


class MetricArgs(Args):
    MetricID: str = ""
    FilterIDs: list[str] | None = None


class ProfileArgs(Args):
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: IntervalArgs | None = None
    QueueLength: int = 0
    TTL: int = 0
    MinItems: int = 0
    Metrics: list[MetricArgs] | None = None
    Stored: bool = False
    Blocker: bool = False
    Weight: Decimal = Decimal(0)
    ThresholdIDs: list[str] | None = None
    APIOpts: dict[str, Any] | None = None


@method("APIerSv1.SetStatQueueProfile", mandatory=("ID",), aliases=apier_names("SetStatQueueProfile"))
def set_stat_queue_profile(world: World, args: ProfileArgs) -> str:
    """Keep a stat queue profile, in place of one with the same id."""
    change_cache(world, TABLE, args)
    metrics = args.Metrics
    record = StatProfile(
        tenant=world.tenant(args.Tenant),
        id=args.ID,
        filter_ids=texts(args.FilterIDs),
        activation=interval_of(world, args.ActivationInterval),
        queue_length=args.QueueLength,
        ttl_ns=args.TTL,
        min_items=args.MinItems,
        metrics=None if metrics is None else tuple(Metric(item.MetricID, texts(item.FilterIDs)) for item in metrics),
        is_stored=args.Stored,
        is_blocker=args.Blocker,
        weight_nano=weight_of(args.Weight),
        threshold_ids=texts(args.ThresholdIDs),
    )
    try:
        check_filters(world, record.tenant, record.filter_ids, record.id)
        store_profile(world, record)
    except CgrError as error:
        raise server_error(error) from None
    return "OK"


declare_profiles(
    "StatQueueProfile",
    TABLE,
    "stat queue profile",
    drop=remove_profile,
    removed="Remove a stat queue profile and what it measured.",
)


def _profile(world: World, args: TenantIdArgs) -> StatProfile:
    return profile_of(world, f"{world.tenant(args.Tenant)}:{args.ID}")


@method("StatSv1.ProcessEvent")
def process(world: World, args: EventArgs) -> list[str]:
    """Take an event into all queues it matches and return their ids."""
    return process_event(world, args.full_event(world, "ID"))


@method("StatSv1.GetStatQueuesForEvent")
def get_stat_queues_for_event(world: World, args: EventArgs) -> list[str]:
    """Return the ids of the queues that would take an event in."""
    return [profile.id for profile in profiles_for(world, args.full_event(world, "ID"))]


@method("StatSv1.GetStatQueue", mandatory=("ID",))
def get_stat_queue(world: World, args: TenantIdArgs) -> dict[str, Any]:
    """Return a queue with its events and what each metric holds of them."""
    return queue_as_wire(world, _profile(world, args))


@method("StatSv1.GetQueueStringMetrics", mandatory=("ID",))
def get_queue_string_metrics(world: World, args: TenantIdArgs) -> dict[str, str]:
    """Return what a queue measures, as texts."""
    return texts_of(world, _profile(world, args))


@method("StatSv1.GetQueueFloatMetrics", mandatory=("ID",))
def get_queue_float_metrics(world: World, args: TenantIdArgs) -> dict[str, int | Decimal]:
    """Return what a queue measures, as numbers; -1 for what is not available."""
    return numbers_of(world, _profile(world, args))


@method("StatSv1.GetQueueIDs")
def get_queue_ids(world: World, args: TenantArgs) -> list[str]:
    """Return the ids of a tenant's queues."""
    prefix = world.tenant(args.Tenant) + ":"
    return sorted(key[len(prefix) :] for key in world.state.table(TABLE) if key.startswith(prefix))


@method("StatSv1.ResetStatQueue", mandatory=("ID",))
def reset_stat_queue(world: World, args: TenantIdArgs) -> str:
    """Forget what a queue has measured."""
    profile = _profile(world, args)
    queue_of(world, profile)
    drop_queue(world, profile)
    return "OK"
