"""Which balances a change or a trigger means, and what a new balance gets: the balance filter.

Rules: a field that is None is not given; an empty text or set is given and empty, which is not the same. Times are
instants (`ZERO_AT`: never), amounts and weights are scaled by 10^-9.
Does not know: balances. What matches what is decided where balances are (accounting).
"""

from typing import Any

import msgspec

from cgrcore.money import number_from_nano
from cgrcore.rating.records import Timing
from cgrcore.timing import format_time

__all__ = ["BalanceFilter", "ValueFormula"]


class ValueFormula(msgspec.Struct, frozen=True):
    """An amount: fixed, or units spread evenly over the increments of an interval (method `*incremental`)."""

    static_nano: int = 0
    method: str = ""
    params: dict[str, Any] | None = None

    def as_wire(self) -> dict[str, Any]:
        return {"Method": self.method, "Params": self.params, "Static": number_from_nano(self.static_nano)}


class BalanceFilter(msgspec.Struct, frozen=True):
    """The balance filter of an action or a trigger. `timings` are what `timing_ids` name, resolved when it was set.

    `expires_offset_s` is the offset of the clock that the expiry was read from, for showing it as it was given.
    """

    uuid: str | None = None
    id: str | None = None
    type: str | None = None
    value: ValueFormula | None = None
    expires_at: int | None = None
    weight_nano: int | None = None
    destination_ids: dict[str, bool] | None = None
    rating_subject: str | None = None
    categories: dict[str, bool] | None = None
    shared_groups: dict[str, bool] | None = None
    timing_ids: dict[str, bool] | None = None
    timings: tuple[Timing, ...] | None = None
    is_disabled: bool | None = None
    factors: dict[str, int] | None = None
    is_blocker: bool | None = None
    expires_offset_s: int = 0

    def as_wire(self) -> dict[str, Any]:
        """Return the fields under their wire names, null for what is not given."""
        factors = self.factors
        return {
            "Uuid": self.uuid,
            "ID": self.id,
            "Type": self.type,
            "Value": None if self.value is None else self.value.as_wire(),
            "ExpirationDate": None if self.expires_at is None else format_time(self.expires_at, self.expires_offset_s),
            "Weight": None if self.weight_nano is None else number_from_nano(self.weight_nano),
            "DestinationIDs": self.destination_ids,
            "RatingSubject": self.rating_subject,
            "Categories": self.categories,
            "SharedGroups": self.shared_groups,
            "TimingIDs": self.timing_ids,
            "Timings": None if self.timings is None else [timing.as_wire() for timing in self.timings],
            "Disabled": self.is_disabled,
            "Factors": None if factors is None else {key: number_from_nano(value) for key, value in factors.items()},
            "Blocker": self.is_blocker,
        }
