"""Statistics as they are kept: what a queue measures, the events it holds, and its running totals.

A queue's items lie in a table of their own, one record each, numbered from `first` to `next`; an event adds one and
removes those that are over, whatever the length of the queue. Totals are exact: amounts scaled by 10^-9, durations in
ns.
"""

from typing import Any

import msgspec

from cgrcore.filters import ActivationInterval
from cgrcore.money import number_from_nano

__all__ = ["Item", "Metric", "StatProfile", "StatQueue", "Total"]


class Metric(msgspec.Struct, frozen=True):
    """One thing that is measured (`*acd`, `*sum#~*req.Bytes`), of the events that pass the filters."""

    id: str
    filter_ids: tuple[str, ...] | None = None

    def as_wire(self) -> dict[str, Any]:
        return {"FilterIDs": None if self.filter_ids is None else list(self.filter_ids), "MetricID": self.id}


class StatProfile(msgspec.Struct, frozen=True):
    """What is measured of events that pass the filters.

    At most `queue_length` events count (0 and -1: without limit), each for `ttl_ns` (-1: for ever); -1 for both keeps
    totals only. Below `min_items` a metric is not available.
    """

    tenant: str
    id: str
    filter_ids: tuple[str, ...] | None = None
    activation: ActivationInterval | None = None
    queue_length: int = 0
    ttl_ns: int = 0
    min_items: int = 0
    metrics: tuple[Metric, ...] | None = None
    is_stored: bool = False
    is_blocker: bool = False
    weight_nano: int = 0
    threshold_ids: tuple[str, ...] | None = None

    @property
    def keeps_items(self) -> bool:
        return (self.queue_length, self.ttl_ns) != (-1, -1)

    def measures_like(self, other: "StatProfile") -> bool:
        """Tell whether what one of them measured is still right for the other, as far as it measures the same."""
        return self._measuring() == other._measuring()

    def _measuring(self) -> tuple[Any, ...]:
        return self.queue_length, self.ttl_ns, self.min_items

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "FilterIDs": None if self.filter_ids is None else list(self.filter_ids),
            "ActivationInterval": None if self.activation is None else self.activation.as_wire(),
            "QueueLength": self.queue_length,
            "TTL": self.ttl_ns,
            "MinItems": self.min_items,
            "Metrics": None if self.metrics is None else [metric.as_wire() for metric in self.metrics],
            "Stored": self.is_stored,
            "Blocker": self.is_blocker,
            "Weight": number_from_nano(self.weight_nano),
            "ThresholdIDs": None if self.threshold_ids is None else list(self.threshold_ids),
        }


class Item(msgspec.Struct, frozen=True):
    """An event as the queue keeps it: when it is over (ns UTC), and what each metric (by its id) counted of it."""

    event_id: str
    expires_at: int | None
    values: dict[str, int | str]


class Total(msgspec.Struct, frozen=True):
    """What one metric has of all events: how many, and their sum, their extreme, or the values seen and how often."""

    count: int = 0
    amount: int = 0
    seen: dict[str, int] = {}


class StatQueue(msgspec.Struct, frozen=True):
    """The running state of a profile's queue: totals by metric, and the numbers of its items."""

    tenant: str
    id: str
    totals: dict[str, Total]
    first: int = 0
    next: int = 0
