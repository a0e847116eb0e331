"""The profiles of addresses of APIerSv1."""

from decimal import Decimal
from typing import Any

from cgrcore.ips import IpPool, IpProfile
from cgrcore.world import World
from cgrserver.rpc.profiles import (
    IntervalArgs,
    PageArgs,
    TenantIdArgs,
    find,
    ids_of,
    interval_of,
    remove,
    store,
    texts,
    weight_of,
)
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []

TABLE = "ip_profiles"


class PoolArgs(Args):
    ID: str = ""
    FilterIDs: list[str] | None = None
    Type: str = ""
    Range: str = ""
    Strategy: str = ""
    Message: str = ""
    Weight: Decimal = Decimal(0)
    Blocker: bool = False


class IpProfileArgs(Args):
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: IntervalArgs | None = None
    Weight: Decimal = Decimal(0)
    TTL: int = 0
    Stored: bool = False
    Pools: list[PoolArgs] | None = None
    APIOpts: dict[str, Any] | None = None


@method("APIerSv1.SetIPProfile", mandatory=("ID",), aliases=apier_names("SetIPProfile"))
def set_ip_profile(world: World, args: IpProfileArgs) -> str:
    """Keep a profile of addresses, in place of one with the same id."""
    pools = [
        IpPool(
            pool.ID,
            texts(pool.FilterIDs),
            pool.Type,
            pool.Range,
            pool.Strategy,
            pool.Message,
            weight_of(pool.Weight),
            pool.Blocker,
        )
        for pool in args.Pools or ()
    ]
    record = IpProfile(
        tenant=world.tenant(args.Tenant),
        id=args.ID,
        filter_ids=texts(args.FilterIDs),
        activation=interval_of(world, args.ActivationInterval),
        weight_nano=weight_of(args.Weight),
        ttl_ns=args.TTL,
        is_stored=args.Stored,
        pools=None if args.Pools is None else tuple(pools),
    )
    store(world, TABLE, record, args.APIOpts)
    return "OK"


@method("APIerSv1.GetIPProfile", mandatory=("ID",), aliases=apier_names("GetIPProfile"))
def get_ip_profile(world: World, args: TenantIdArgs) -> dict[str, Any]:
    """Return a profile of addresses."""
    record: IpProfile = find(world, TABLE, args)
    return record.as_wire()


@method("APIerSv1.GetIPProfileIDs", aliases=apier_names("GetIPProfileIDs"))
def get_ip_profile_ids(world: World, args: PageArgs) -> list[str] | None:
    """Return the ids of a tenant's profiles of addresses."""
    return ids_of(world, TABLE, args)


@method("APIerSv1.RemoveIPProfile", mandatory=("ID",), aliases=apier_names("RemoveIPProfile"))
def remove_ip_profile(world: World, args: TenantIdArgs) -> str:
    """Remove a profile of addresses."""
    remove(world, TABLE, args)
    return "OK"
