"""What is to be rated, and the timespans it falls into.

Rules: instants are ns UTC, `offset_s` is the clock the tariff's hours are read from. Usage is ns for voice, plain units
for everything else. Does not know: tariffs, balances.
"""

import msgspec

from cgrcore.rating.records import PlanRate

__all__ = ["Call", "Span"]


class Call(msgspec.Struct, frozen=True, gc=False):
    """A call, or a slice of one.

    `duration_index_ns` is the usage of the whole call up to the end of this slice (raised to `usage_ns` when below);
    `is_first` says that the connect fee applies; `extra_fields` are the event's, of which `BalanceFactorID` counts;
    `end_offset_s` is the clock its end was given on, that of the start when None.
    """

    tenant: str
    category: str
    subject: str
    account: str
    destination: str
    tor: str
    start_at: int
    usage_ns: int
    offset_s: int = 0
    duration_index_ns: int = 0
    is_first: bool = True
    max_cost_so_far_nano: int = 0
    extra_fields: dict[str, str] = {}
    max_rate_nano: int = 0
    max_rate_unit_ns: int = 0
    end_offset_s: int | None = None

    @property
    def end_at(self) -> int:
        return self.start_at + self.usage_ns

    @property
    def is_voice(self) -> bool:
        return self.tor in ("", "*voice")


class Span(msgspec.Struct, gc=False):
    """A part of a call with one price: `increment_count` steps of `increment_ns`, each `increment_cost_nano`.

    `duration_index_ns` is the usage of the whole call at the span's end. Without increments (a rate whose first slot
    begins later) the span is free.
    """

    start_at: int
    end_at: int
    duration_index_ns: int
    interval: PlanRate | None
    increment_ns: int
    increment_cost_nano: int
    increment_count: int
    matched_subject: str
    matched_prefix: str
    matched_destination_id: str
    rating_plan_id: str

    @property
    def usage_ns(self) -> int:
        return self.end_at - self.start_at

    @property
    def cost_nano(self) -> int:
        return self.increment_cost_nano * self.increment_count
