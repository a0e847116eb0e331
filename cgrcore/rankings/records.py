"""Rankings as they are kept: which stat queues are compared by what, and the order that the last query found."""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.timing import ZERO_AT, format_time

__all__ = ["Ranking", "RankingProfile"]


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


class RankingProfile(msgspec.Struct, frozen=True):
    """Which stat queues are put in order, by which of their metrics (`metric_ids` None and none: all are read).

    `sorting_parameters` are metrics, the first that differs decides; `:false` after one turns its order round.
    """

    tenant: str
    id: str
    schedule: str = ""
    stat_ids: tuple[str, ...] | None = None
    metric_ids: tuple[str, ...] | None = None
    sorting: str = ""
    sorting_parameters: tuple[str, ...] | None = None
    is_stored: bool = False
    threshold_ids: tuple[str, ...] | None = None

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "Schedule": self.schedule,
            "StatIDs": _listed(self.stat_ids),
            "MetricIDs": _listed(self.metric_ids),
            "Sorting": self.sorting,
            "SortingParameters": _listed(self.sorting_parameters),
            "Stored": self.is_stored,
            "ThresholdIDs": _listed(self.threshold_ids),
        }


class Ranking(msgspec.Struct, frozen=True):
    """What the last query read, by stat queue and metric, and the stat queues in order; ZERO_AT: no query yet."""

    tenant: str
    id: str
    updated_at: int = ZERO_AT
    metrics: dict[str, dict[str, Decimal]] = {}
    sorting: str = ""
    sorting_parameters: tuple[str, ...] | None = None
    sorted_stat_ids: tuple[str, ...] = ()

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "LastUpdate": format_time(self.updated_at),
            "Metrics": self.metrics,
            "Sorting": self.sorting,
            "SortingParameters": _listed(self.sorting_parameters),
            "SortedStatIDs": list(self.sorted_stat_ids),
        }

    def summary(self) -> dict[str, Any]:
        """Return the order alone under its wire names."""
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "LastUpdate": format_time(self.updated_at),
            "SortedStatIDs": list(self.sorted_stat_ids),
        }
