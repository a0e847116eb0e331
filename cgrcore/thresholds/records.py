"""Thresholds as they are kept: when events cause actions, and how often they did.

A profile says which events count and what they cause; a threshold is its running count.
"""

from typing import Any

import msgspec

from cgrcore.filters import ActivationInterval
from cgrcore.money import number_from_nano
from cgrcore.timing import ZERO_AT, format_time

__all__ = ["WITHOUT_LIMIT", "Threshold", "ThresholdProfile"]

#: `max_hits` of a threshold that is never used up.
WITHOUT_LIMIT = -1


class ThresholdProfile(msgspec.Struct, frozen=True):
    """What events that pass the filters cause: from the `min_hits`-th to the `max_hits`-th, `min_sleep_ns` apart."""

    tenant: str
    id: str
    filter_ids: tuple[str, ...] | None = None
    activation: ActivationInterval | None = None
    max_hits: int = 0
    min_hits: int = 0
    min_sleep_ns: int = 0
    is_blocker: bool = False
    weight_nano: int = 0
    action_ids: tuple[str, ...] | None = None
    is_async: bool = False
    ee_ids: tuple[str, ...] | None = None

    def counts_like(self, other: "ThresholdProfile") -> bool:
        """Tell whether what one of them counted is still right for the other."""
        return self._counting() == other._counting()

    def _counting(self) -> tuple[Any, ...]:
        return self.filter_ids or (), self.max_hits, self.min_hits, self.min_sleep_ns

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "FilterIDs": None if self.filter_ids is None else list(self.filter_ids),
            "ActivationInterval": None if self.activation is None else self.activation.as_wire(),
            "MaxHits": self.max_hits,
            "MinHits": self.min_hits,
            "MinSleep": self.min_sleep_ns,
            "Blocker": self.is_blocker,
            "Weight": number_from_nano(self.weight_nano),
            "ActionIDs": None if self.action_ids is None else list(self.action_ids),
            "Async": self.is_async,
            "EeIDs": None if self.ee_ids is None else list(self.ee_ids),
        }


class Threshold(msgspec.Struct, frozen=True):
    """How many events a threshold counted, and until when (ns UTC) it causes nothing more."""

    tenant: str
    id: str
    hits: int = 0
    snooze_at: int = ZERO_AT

    def as_wire(self) -> dict[str, Any]:
        return {"Tenant": self.tenant, "ID": self.id, "Hits": self.hits, "Snooze": format_time(self.snooze_at)}
