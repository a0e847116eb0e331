"""Filters as they are kept: rules that an event must pass, and the interval in which something is active.

A filter has all its rules pass or fails; a rule passes when one of its values does. Does not know: how rules are
evaluated.
"""

from typing import Any

import msgspec

from cgrcore.errors import BadRequest
from cgrcore.timing import ZERO_AT, Moment, format_time, parse_time

__all__ = ["ActivationInterval", "Filter", "FilterRule", "interval_from_text", "interval_from_wire"]

_OPEN = Moment(ZERO_AT, 0)


class ActivationInterval(msgspec.Struct, frozen=True):
    """When something is active: after `start` and before `end`; the zero time leaves a side open."""

    start: Moment = _OPEN
    end: Moment = _OPEN

    def is_active_at(self, at: int) -> bool:
        """Tell whether the interval holds an instant (ns UTC)."""
        return (self.start.at == ZERO_AT or self.start.at < at) and (self.end.at == ZERO_AT or at < self.end.at)

    def as_wire(self) -> dict[str, Any]:
        return {
            "ActivationTime": format_time(self.start.at, self.start.offset_s),
            "ExpiryTime": format_time(self.end.at, self.end.offset_s),
        }


class FilterRule(msgspec.Struct, frozen=True):
    """One rule: a type (`*string`, `*notprefix`), the element it looks at and the values it compares with."""

    type: str
    element: str
    values: tuple[str, ...] | None


class Filter(msgspec.Struct, frozen=True):
    """A stored filter. `activation` None: always active."""

    tenant: str
    id: str
    rules: tuple[FilterRule, ...]
    activation: ActivationInterval | None = None

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "Rules": [
                {"Type": r.type, "Element": r.element, "Values": None if r.values is None else list(r.values)}
                for r in self.rules
            ],
            "ActivationInterval": None if self.activation is None else self.activation.as_wire(),
        }


def interval_from_text(text: str, now_at: int) -> ActivationInterval | None:
    """Return the interval a tariff plan gives as `start;end` or `start`, None for "". Raises BadRequest."""
    if not text:
        return None
    start, _, end = text.partition(";")
    return ActivationInterval(parse_time(start, now_at), parse_time(end, now_at))


def interval_from_wire(value: dict[str, Any] | None, now_at: int) -> ActivationInterval | None:
    """Return the interval of a request, None for none. Raises BadRequest for a time that cannot be read."""
    if value is None:
        return None
    bounds = []
    for name in ("ActivationTime", "ExpiryTime"):
        text = value.get(name) or ""
        if not isinstance(text, str):
            raise BadRequest("Time.UnmarshalJSON: input is not a JSON string")
        bounds.append(parse_time(text, now_at))
    return ActivationInterval(*bounds)
