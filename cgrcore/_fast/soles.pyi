from typing import Any

from cgrcore._fast.accounts import Balance
from cgrcore._fast.flatprices import Terms
from cgrcore._fast.payments import Part
from cgrcore._fast.rules import Ask

class Sole(Ask):
    account: Any
    parts: list[Part]
    touched: list[Any]
    def only(self) -> tuple[Balance, bool, Terms | None, int, int, int, int, int, int, int] | None: ...
