"""Profiles of addresses as they are kept.

Does not know: which addresses are in use.
"""

from typing import Any

import msgspec

from cgrcore.filters.records import ActivationInterval
from cgrcore.money import number_from_nano

__all__ = ["IpPool", "IpProfile"]


class IpPool(msgspec.Struct, frozen=True):
    """Addresses for events that pass the filters."""

    id: str
    filter_ids: tuple[str, ...] | None = None
    type: str = ""
    range: str = ""
    strategy: str = ""
    message: str = ""
    weight_nano: int = 0
    is_blocker: bool = False

    def as_wire(self) -> dict[str, Any]:
        return {
            "ID": self.id,
            "FilterIDs": None if self.filter_ids is None else list(self.filter_ids),
            "Type": self.type,
            "Range": self.range,
            "Strategy": self.strategy,
            "Message": self.message,
            "Weight": number_from_nano(self.weight_nano),
            "Blocker": self.is_blocker,
        }


class IpProfile(msgspec.Struct, frozen=True):
    """Pools for events that pass the filters; an address is kept for `ttl_ns`. Table "ip_profiles"."""

    tenant: str
    id: str
    filter_ids: tuple[str, ...] | None = None
    activation: ActivationInterval | None = None
    weight_nano: int = 0
    ttl_ns: int = 0
    is_stored: bool = False
    pools: tuple[IpPool, ...] | None = None

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "FilterIDs": None if self.filter_ids is None else list(self.filter_ids),
            "ActivationInterval": None if self.activation is None else self.activation.as_wire(),
            "Weight": number_from_nano(self.weight_nano),
            "TTL": self.ttl_ns,
            "Stored": self.is_stored,
            "Pools": None if self.pools is None else [pool.as_wire() for pool in self.pools],
        }
