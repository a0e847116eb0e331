"""Trends as they are kept: what is followed, and each run with its values, growths and labels.

Values are what statistics answer, exact: durations in ns, all else as numbers. Growths are percents.
"""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.money import number_from_nano
from cgrcore.timing import ZERO_AT, format_time

__all__ = ["Point", "Run", "Trend", "TrendProfile"]


class TrendProfile(msgspec.Struct, frozen=True):
    """Which metrics of a stat queue are followed (None and none: all), how often, and what counts as growth.

    At most `queue_length` runs are kept (0 and -1: as many as may be), each for `ttl_ns` (0 and -1: for ever).
    """

    tenant: str
    id: str
    schedule: str = ""
    stat_id: str = ""
    metrics: tuple[str, ...] | None = None
    ttl_ns: int = 0
    queue_length: int = 0
    min_items: int = 0
    correlation: str = ""
    tolerance_nano: int = 0
    is_stored: bool = False
    threshold_ids: tuple[str, ...] | None = None

    def follows_like(self, other: "TrendProfile") -> bool:
        """Tell whether the runs of one of them are right for the other."""
        return (self.stat_id, self.metrics, self.correlation) == (other.stat_id, other.metrics, other.correlation)

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "Schedule": self.schedule,
            "StatID": self.stat_id,
            "Metrics": None if self.metrics is None else list(self.metrics),
            "TTL": self.ttl_ns,
            "QueueLength": self.queue_length,
            "MinItems": self.min_items,
            "CorrelationType": self.correlation,
            "Tolerance": number_from_nano(self.tolerance_nano),
            "Stored": self.is_stored,
            "ThresholdIDs": None if self.threshold_ids is None else list(self.threshold_ids),
        }


class Point(msgspec.Struct, frozen=True):
    """What a metric was in a run, by how many percent it had grown (-1 with label N/A: unknown)."""

    value: Decimal
    growth: Decimal
    label: str

    def as_wire(self, metric_id: str) -> dict[str, Any]:
        return {"ID": metric_id, "Value": self.value, "TrendGrowth": self.growth, "TrendLabel": self.label}


class Run(msgspec.Struct, frozen=True):
    """What one query found, by metric."""

    at: int
    points: dict[str, Point]

    def as_wire(self) -> dict[str, Any]:
        return {metric_id: point.as_wire(metric_id) for metric_id, point in self.points.items()}


class Trend(msgspec.Struct, frozen=True):
    """The runs of a profile, oldest first."""

    tenant: str
    id: str
    runs: tuple[Run, ...] = ()

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "RunTimes": [format_time(run.at) for run in self.runs],
            "Metrics": {format_time(run.at): run.as_wire() for run in self.runs},
        }

    def summary(self) -> dict[str, Any]:
        """Return the last run under its wire names, the zero time and no metrics before the first."""
        last = self.runs[-1] if self.runs else Run(ZERO_AT, {})
        return {"Tenant": self.tenant, "ID": self.id, "Time": format_time(last.at), "Metrics": last.as_wire()}
