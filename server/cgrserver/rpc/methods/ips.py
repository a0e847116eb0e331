"""The profiles of addresses of APIerSv1."""

from decimal import Decimal
from typing import Any

from cgrcore.ips import IpPool, IpProfile
from cgrcore.world import World
from cgrserver.rpc.profiles import (
    IntervalArgs,
    declare_profiles,
    interval_of,
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


declare_profiles("IPProfile", TABLE, "address profile")
