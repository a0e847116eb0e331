from typing import Any

from cgrcore._fast.accounts import AccountBase, Balance

class Source:
    balance: Balance
    account: Any
    precision: int
    def __init__(self, balance: Balance, account: Any, precision: int = 0) -> None: ...

class Payment:
    usage_ns: int
    count: int
    account_id: str
    unit: Balance | None
    factor_nano: int
    money: Balance | None
    unit_subject: str | None
    money_subject: str | None
    @property
    def cost_nano(self) -> int: ...
    @property
    def unit_amount_nano(self) -> int: ...
    @property
    def unit_value_nano(self) -> int: ...
    @property
    def money_value_nano(self) -> int: ...

class Part:
    span: Any
    free_units: Balance | None
    start_at: int
    end_at: int
    duration_index_ns: int
    increment_ns: int
    payments: list[Payment]

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

def plain_sources(account: AccountBase, kind: str, at: int) -> list[Source] | None: ...
