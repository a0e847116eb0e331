"""From a plan's dispatchers and pools of addresses to their records.

Does not know: who answers which request, who has which address.
"""

from cgrcore.dispatchers import DispatcherHost, DispatcherProfile, ProfileHost, named_parameters
from cgrcore.ips import IpPool, IpProfile
from cgrcore.tariffplan.mistakes import Spot
from cgrcore.tariffplan.profile_parts import check_filters, interval, texts
from cgrcore.tariffplan.records import TpDispatcherHost, TpDispatcherProfile, TpHostConn, TpIp
from cgrcore.tariffplan.refer import Building

__all__ = ["build_dispatcher_host", "build_dispatcher_profile", "build_ip_profile"]


def build_dispatcher_profile(building: Building, key: str, item: TpDispatcherProfile) -> DispatcherProfile:
    """Return the dispatcher profile an object describes."""
    check_filters(building, "dispatcher_profiles", key, item)
    hosts = [
        ProfileHost(
            host.ID,
            texts(host.FilterIDs),
            building.amount(host.Weight, Spot("dispatcher_profiles", key, "Weight", index)),
            named_parameters(host.Params or ()),
            host.Blocker,
        )
        for index, host in enumerate(item.Hosts or ())
    ]
    return DispatcherProfile(
        item.Tenant,
        item.ID,
        texts(item.Subsystems),
        texts(item.FilterIDs),
        interval(building, "dispatcher_profiles", key, item.ActivationInterval),
        item.Strategy,
        named_parameters(item.StrategyParams or ()),
        building.amount(item.Weight, Spot("dispatcher_profiles", key, "Weight")),
        tuple(hosts),
    )


def build_dispatcher_host(building: Building, key: str, item: TpDispatcherHost) -> DispatcherHost:
    """Return the host an object describes."""
    conn = item.Conn or TpHostConn()
    return DispatcherHost(
        item.Tenant,
        item.ID,
        conn.Address,
        conn.Transport,
        conn.ConnectAttempts,
        conn.Reconnects,
        conn.MaxReconnectInterval,
        conn.ConnectTimeout,
        conn.ReplyTimeout,
        conn.TLS,
        conn.ClientKey,
        conn.ClientCertificate,
        conn.CaCertificate,
    )


def build_ip_profile(building: Building, key: str, item: TpIp) -> IpProfile:
    """Return the profile of addresses an object describes."""
    check_filters(building, "ips", key, item)
    pools = [
        IpPool(
            pool.ID,
            texts(pool.FilterIDs),
            pool.Type,
            pool.Range,
            pool.Strategy,
            pool.Message,
            building.amount(pool.Weight, Spot("ips", key, "Weight", index)),
            pool.Blocker,
        )
        for index, pool in enumerate(item.Pools or ())
    ]
    return IpProfile(
        item.Tenant,
        item.ID,
        texts(item.FilterIDs),
        interval(building, "ips", key, item.ActivationInterval),
        building.amount(item.Weight, Spot("ips", key, "Weight")),
        building.duration(item.TTL, Spot("ips", key, "TTL")),
        item.Stored,
        tuple(pools),
    )
