from collections.abc import Callable
from typing import Any, Self, TypeVar

from cgrcore._fast.tables import Undo

State = TypeVar("State")

class Terms:
    destination_ids: dict[str, bool] | None
    rating_subject: str
    categories: dict[str, bool] | None
    shared_groups: dict[str, bool] | None
    timings: tuple[Any, ...] | None
    timing_ids: dict[str, bool] | None
    factors: dict[str, int] | None
    def fields(self) -> tuple[Any, ...]: ...

class Balance:
    uuid: str
    id: str
    value_nano: int
    expires_at: int
    weight_nano: int
    destination_ids: dict[str, bool] | None
    rating_subject: str
    categories: dict[str, bool] | None
    shared_groups: dict[str, bool] | None
    timings: tuple[Any, ...] | None
    timing_ids: dict[str, bool] | None
    factors: dict[str, int] | None
    is_disabled: bool
    is_blocker: bool
    is_dirty: bool
    expires_offset_min: int
    def __init__(
        self,
        uuid: str = "",
        id: str = "",
        type: str = "",
        value_nano: int = 0,
        *,
        expires_at: int = ...,
        weight_nano: int = 0,
        destination_ids: dict[str, bool] | None = None,
        rating_subject: str = "",
        categories: dict[str, bool] | None = None,
        shared_groups: dict[str, bool] | None = None,
        timings: tuple[Any, ...] | None = None,
        timing_ids: dict[str, bool] | None = None,
        is_disabled: bool = False,
        factors: dict[str, int] | None = None,
        is_blocker: bool = False,
    ) -> None: ...
    @property
    def type(self) -> str: ...
    def copy(self) -> Balance: ...
    @staticmethod
    def unpack(fields: list[Any], type: str, unpack_terms: Callable[[bytes], tuple[Any, ...]]) -> Balance: ...
    def is_expired_at(self, at: int) -> bool: ...

class AccountBase:
    balances: dict[str, list[Balance] | None]
    unit_counters: dict[str, Any] | None
    triggers: Any
    allow_negative: bool
    is_disabled: bool
    updated_at: int
    def __init__(
        self,
        id: str = "",
        balances: dict[str, list[Balance] | None] | None = None,
        *,
        unit_counters: dict[str, Any] | None = None,
        triggers: Any = None,
        allow_negative: bool = False,
        is_disabled: bool = False,
        updated_at: int = ...,
    ) -> None: ...
    @property
    def id(self) -> str: ...
    def copy(self) -> Self: ...
    def pack(self, pack_terms: Callable[[tuple[Any, ...]], bytes]) -> dict[str, list[tuple[Any, ...]] | None]: ...
    def values(self) -> dict[Balance, int]: ...
    def states(
        self, kinds: tuple[str, ...], initial: dict[Balance, int] | None, make: Callable[..., State]
    ) -> list[State]: ...
    def has_expired(self, at: int) -> bool: ...

class ValueUndo(Undo): ...

def find_uuid(balances: list[Balance], uuid: str) -> Balance | None: ...
