"""The dispatcher profiles and hosts of APIerSv1."""

from decimal import Decimal
from typing import Any

from cgrcore.dispatchers import DispatcherHost, DispatcherProfile, ProfileHost
from cgrcore.world import World
from cgrserver.rpc.profiles import (
    IntervalArgs,
    change_cache,
    declare_profiles,
    interval_of,
    store,
    texts,
    weight_of,
)
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []

PROFILES = "dispatcher_profiles"
HOSTS = "dispatcher_hosts"


class ProfileHostArgs(Args):
    ID: str = ""
    FilterIDs: list[str] | None = None
    Weight: Decimal = Decimal(0)
    Params: dict[str, Any] | None = None
    Blocker: bool = False

    def record(self) -> ProfileHost:
        return ProfileHost(self.ID, texts(self.FilterIDs), weight_of(self.Weight), self.Params, self.Blocker)


class DispatcherArgs(Args):
    Tenant: str = ""
    ID: str = ""
    Subsystems: list[str] | None = None
    FilterIDs: list[str] | None = None
    ActivationInterval: IntervalArgs | None = None
    Strategy: str = ""
    StrategyParams: dict[str, Any] | None = None
    Weight: Decimal = Decimal(0)
    Hosts: list[ProfileHostArgs] | None = None
    APIOpts: dict[str, Any] | None = None


class HostArgs(Args):
    Tenant: str = ""
    ID: str = ""
    Address: str = ""
    Transport: str = ""
    ConnectAttempts: int = 0
    Reconnects: int = 0
    MaxReconnectInterval: int = 0
    ConnectTimeout: int = 0
    ReplyTimeout: int = 0
    TLS: bool = False
    ClientKey: str = ""
    ClientCertificate: str = ""
    CaCertificate: str = ""
    APIOpts: dict[str, Any] | None = None


@method("APIerSv1.SetDispatcherProfile", mandatory=("ID",), aliases=apier_names("SetDispatcherProfile"))
def set_dispatcher_profile(world: World, args: DispatcherArgs) -> str:
    """Keep a dispatcher profile, in place of one with the same id."""
    record = DispatcherProfile(
        tenant=world.tenant(args.Tenant),
        id=args.ID,
        subsystems=texts(args.Subsystems),
        filter_ids=texts(args.FilterIDs),
        activation=interval_of(world, args.ActivationInterval),
        strategy=args.Strategy,
        strategy_parameters=args.StrategyParams,
        weight_nano=weight_of(args.Weight),
        hosts=None if args.Hosts is None else tuple(host.record() for host in args.Hosts),
    )
    store(world, PROFILES, record, args.APIOpts)
    return "OK"


declare_profiles("DispatcherProfile", PROFILES, "dispatcher profile")


@method("APIerSv1.SetDispatcherHost", mandatory=("ID",), aliases=apier_names("SetDispatcherHost"))
def set_dispatcher_host(world: World, args: HostArgs) -> str:
    """Keep where a node listens, in place of one with the same id."""
    change_cache(world, HOSTS, args)
    record = DispatcherHost(
        tenant=world.tenant(args.Tenant),
        id=args.ID,
        address=args.Address,
        transport=args.Transport,
        connect_attempts=args.ConnectAttempts,
        reconnects=args.Reconnects,
        max_reconnect_interval_ns=args.MaxReconnectInterval,
        connect_timeout_ns=args.ConnectTimeout,
        reply_timeout_ns=args.ReplyTimeout,
        uses_tls=args.TLS,
        client_key=args.ClientKey,
        client_certificate=args.ClientCertificate,
        ca_certificate=args.CaCertificate,
    )
    world.state.table(HOSTS).put(f"{record.tenant}:{record.id}", record)
    return "OK"


declare_profiles("DispatcherHost", HOSTS, "dispatcher host")
