from collections.abc import Callable
from typing import Any

from cgrcore._fast.flatprices import PricedSpan
from cgrcore._fast.prefixes import PrefixIndex

class Plans:
    tariff: Any
    plan_ids: list[str]
    destination_ids: list[str]
    def __init__(self, tariff: Any, index: PrefixIndex, make_hours: Callable[[Any], Any], step_nano: int) -> None: ...
    def destination_place(self, destination_id: str) -> int: ...
    def plan_place(self, plan_id: str) -> int: ...
    def spans(self, call: Any) -> list[PricedSpan] | None: ...
