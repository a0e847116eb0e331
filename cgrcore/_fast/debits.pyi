from typing import Any

from cgrcore._fast.accounts import AccountBase
from cgrcore._fast.payments import Part, Source

class Debit:
    account: Any
    parts: list[Part]
    touched: list[Any]
    start_at: int
    end_at: int
    duration_index_ns: int
    is_fee_owed: bool
    is_capped: bool
    is_default_asked: bool
    has_cap: bool
    is_blocked: bool
    def __init__(
        self, account: AccountBase, call: Any, units: list[Source], money: list[Source], rules: Any, is_dry: bool
    ) -> None: ...
    @property
    def is_covered(self) -> bool: ...
    @property
    def max_cost_so_far_nano(self) -> int: ...
    def run(self) -> bool: ...
    def undo(self) -> None: ...
    def overdraw(self, may_go_negative: bool) -> None: ...
