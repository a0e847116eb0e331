"""Attribute profiles as they are kept: which events they alter, and how.

A value is a list of RSR texts whose results are joined (`~*req.Account:s/^0/49/`). Does not know: how they are
evaluated.
"""

from typing import Any

import msgspec

from cgrcore.filters.records import ActivationInterval
from cgrcore.money import number_from_nano

__all__ = ["Attribute", "AttributeProfile"]


class Attribute(msgspec.Struct, frozen=True):
    """One change: `value` of `type` goes to `path`, when the event passes the filters."""

    path: str
    type: str
    value: tuple[str, ...] | None
    filter_ids: tuple[str, ...] | None = None

    def as_wire(self) -> dict[str, Any]:
        return {
            "FilterIDs": None if self.filter_ids is None else list(self.filter_ids),
            "Path": self.path,
            "Type": self.type,
            "Value": None if self.value is None else [{"Rules": rule} for rule in self.value],
        }


class AttributeProfile(msgspec.Struct, frozen=True):
    """Changes to events of some contexts.

    The heaviest profile that matches is used; None lists are null on the wire.
    """

    tenant: str
    id: str
    contexts: tuple[str, ...] | None = None
    filter_ids: tuple[str, ...] | None = None
    activation: ActivationInterval | None = None
    attributes: tuple[Attribute, ...] | None = None
    is_blocker: bool = False
    weight_nano: int = 0

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "Contexts": None if self.contexts is None else list(self.contexts),
            "FilterIDs": None if self.filter_ids is None else list(self.filter_ids),
            "ActivationInterval": None if self.activation is None else self.activation.as_wire(),
            "Attributes": None if self.attributes is None else [a.as_wire() for a in self.attributes],
            "Blocker": self.is_blocker,
            "Weight": number_from_nano(self.weight_nano),
        }
