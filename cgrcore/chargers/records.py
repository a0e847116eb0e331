"""Charger profiles as they are kept: each that matches an event is one charging run of it."""

from typing import Any

import msgspec

from cgrcore.filters.records import ActivationInterval
from cgrcore.money import number_from_nano

__all__ = ["ChargerProfile"]


class ChargerProfile(msgspec.Struct, frozen=True):
    """A run of events that pass the filters.

    `attribute_ids` ("*none",): the event is charged as it is; empty: what AttributeS finds.
    """

    tenant: str
    id: str
    filter_ids: tuple[str, ...] | None = None
    activation: ActivationInterval | None = None
    run_id: str = ""
    attribute_ids: tuple[str, ...] | None = None
    weight_nano: int = 0

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "FilterIDs": None if self.filter_ids is None else list(self.filter_ids),
            "ActivationInterval": None if self.activation is None else self.activation.as_wire(),
            "RunID": self.run_id,
            "AttributeIDs": None if self.attribute_ids is None else list(self.attribute_ids),
            "Weight": number_from_nano(self.weight_nano),
        }
