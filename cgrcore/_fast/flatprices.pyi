from collections.abc import Callable
from typing import Any

from cgrcore._fast.hours import DayHours

class Terms:
    interval: Any
    matched_subject: str
    matched_prefix: str
    matched_destination_id: str
    rating_plan_id: str
    def __init__(
        self,
        interval: Any,
        matched_subject: str,
        matched_prefix: str,
        matched_destination_id: str,
        rating_plan_id: str,
    ) -> None: ...

class PricedSpan:
    start_at: int
    end_at: int
    duration_index_ns: int
    increment_ns: int
    increment_count: int
    @property
    def interval(self) -> Any: ...
    @property
    def increment_cost_nano(self) -> int: ...
    @property
    def matched_subject(self) -> str: ...
    @property
    def matched_prefix(self) -> str: ...
    @property
    def matched_destination_id(self) -> str: ...
    @property
    def rating_plan_id(self) -> str: ...
    @property
    def usage_ns(self) -> int: ...
    @property
    def cost_nano(self) -> int: ...

class FlatPrice:
    terms: Terms
    def __init__(self, terms: Terms, slots: list[tuple[int, int, int, int]], step_nano: int) -> None: ...

class TimedPrice:
    def __init__(self, hours: DayHours, prices: list[FlatPrice]) -> None: ...

class Window: ...
class Head: ...

class FlatPrices:
    tariff: Any
    def __init__(
        self,
        tariff: Any,
        profiles: dict[str, Any],
        windows_of: Callable[[Any], tuple[tuple[int, int, Any], ...]],
        resolve: Callable[[Any, Any, str], FlatPrice | TimedPrice | None],
    ) -> None: ...
    def spans(self, call: Any) -> list[PricedSpan] | None: ...
