"""Route profiles as they are kept: the ways that events of a kind may go, and by what they are ordered."""

from typing import Any

import msgspec

from cgrcore.filters import ActivationInterval
from cgrcore.money import number_from_nano

__all__ = ["Route", "RouteProfile"]


class Route(msgspec.Struct, frozen=True):
    """One way: what it costs (accounts, then rating plans), how it fares (stats), what is taken of it (resources)."""

    id: str
    filter_ids: tuple[str, ...] | None = None
    account_ids: tuple[str, ...] | None = None
    rating_plan_ids: tuple[str, ...] | None = None
    resource_ids: tuple[str, ...] | None = None
    stat_ids: tuple[str, ...] | None = None
    weight_nano: int = 0
    is_blocker: bool = False
    parameters: str = ""

    def as_wire(self) -> dict[str, Any]:
        return {
            "ID": self.id,
            "FilterIDs": _list(self.filter_ids),
            "AccountIDs": _list(self.account_ids),
            "RatingPlanIDs": _list(self.rating_plan_ids),
            "ResourceIDs": _list(self.resource_ids),
            "StatIDs": _list(self.stat_ids),
            "Weight": number_from_nano(self.weight_nano),
            "Blocker": self.is_blocker,
            "RouteParameters": self.parameters,
        }


class RouteProfile(msgspec.Struct, frozen=True):
    """The routes of events that pass the filters. `sorting` names a strategy, which reads the `sorting_parameters`."""

    tenant: str
    id: str
    filter_ids: tuple[str, ...] | None = None
    activation: ActivationInterval | None = None
    sorting: str = ""
    sorting_parameters: tuple[str, ...] | None = None
    routes: tuple[Route, ...] | None = None
    weight_nano: int = 0

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "FilterIDs": _list(self.filter_ids),
            "ActivationInterval": None if self.activation is None else self.activation.as_wire(),
            "Sorting": self.sorting,
            "SortingParameters": _list(self.sorting_parameters),
            "Routes": None if self.routes is None else [route.as_wire() for route in self.routes],
            "Weight": number_from_nano(self.weight_nano),
        }


def _list(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)
