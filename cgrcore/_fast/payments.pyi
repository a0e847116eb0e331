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

def plain_sources(account: AccountBase, kind: str, at: int) -> list[Source] | None: ...
