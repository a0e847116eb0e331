from typing import Any

from cgrcore._fast.flatprices import PricedSpan
from cgrcore._fast.prefixes import PrefixIndex

class Plans:
    tariff: Any
    plan_ids: list[str]
    destination_ids: list[str]
    def __init__(self, tariff: Any, index: PrefixIndex, owners: list[tuple[str, ...]], step_nano: int) -> None: ...
    def spans(self, call: Any) -> list[PricedSpan] | None: ...
