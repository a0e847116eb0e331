"""Resources as they are kept: counted things an event takes for a time, such as channels of a trunk."""

from typing import Any

import msgspec

from cgrcore.filters import ActivationInterval
from cgrcore.money import number_from_nano
from cgrcore.timing import ZERO_AT, format_time

__all__ = ["WITHOUT_LIMIT_NANO", "Resource", "ResourceProfile", "Usage"]

#: `limit_nano` of a resource that is never used up.
WITHOUT_LIMIT_NANO = -(10**9)


class ResourceProfile(msgspec.Struct, frozen=True):
    """How much there is for events that pass the filters, and for how long a usage lasts.

    `usage_ttl_ns` 0: usages are not kept at all; -1: until they are released. Amounts are scaled by 10^-9.
    """

    tenant: str
    id: str
    filter_ids: tuple[str, ...] | None = None
    activation: ActivationInterval | None = None
    usage_ttl_ns: int = 0
    limit_nano: int = 0
    allocation_message: str = ""
    is_blocker: bool = False
    is_stored: bool = False
    weight_nano: int = 0
    threshold_ids: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """What an allocation answers."""
        return self.allocation_message or self.id

    def counts_like(self, other: "ResourceProfile") -> bool:
        """Tell whether the usages of one of them are still right for the other."""
        return (self.usage_ttl_ns, self.limit_nano) == (other.usage_ttl_ns, other.limit_nano)

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "FilterIDs": None if self.filter_ids is None else list(self.filter_ids),
            "ActivationInterval": None if self.activation is None else self.activation.as_wire(),
            "UsageTTL": self.usage_ttl_ns,
            "Limit": number_from_nano(self.limit_nano),
            "AllocationMessage": self.allocation_message,
            "Blocker": self.is_blocker,
            "Stored": self.is_stored,
            "Weight": number_from_nano(self.weight_nano),
            "ThresholdIDs": None if self.threshold_ids is None else list(self.threshold_ids),
        }


class Usage(msgspec.Struct, frozen=True):
    """What one usage has taken, and until when (ns UTC; the zero time: until it is released)."""

    units_nano: int
    expires_at: int = ZERO_AT


class Resource(msgspec.Struct, frozen=True):
    """What is taken of a resource, by usage id; `expiring` are the ids of those that end by themselves."""

    tenant: str
    id: str
    usages: dict[str, Usage] = {}
    expiring: tuple[str, ...] | None = None

    @property
    def used_nano(self) -> int:
        return sum(usage.units_nano for usage in self.usages.values())

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "Usages": {
                usage_id: {
                    "Tenant": self.tenant,
                    "ID": usage_id,
                    "ExpiryTime": format_time(usage.expires_at),
                    "Units": number_from_nano(usage.units_nano),
                }
                for usage_id, usage in self.usages.items()
            },
            "TTLIdx": None if self.expiring is None else list(self.expiring),
        }
