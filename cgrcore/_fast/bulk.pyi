from collections.abc import Callable
from typing import Any

from numpy import int32, int64, uint8
from numpy.typing import NDArray

from cgrcore._fast.flatprices import FlatPrice
from cgrcore._fast.prefixes import PrefixIndex

class BulkPrices:
    def __init__(
        self,
        index: PrefixIndex,
        windows: list[Any],
        resolve: Callable[[int, int], FlatPrice | None],
        *,
        is_voice: bool,
        offset_ns: int,
        limit_ns: int | None = None,
    ) -> None: ...
    def rate(
        self,
        profiles: NDArray[int32],
        numbers: NDArray[uint8],
        starts_at: NDArray[int64],
        usages_ns: NDArray[int64],
        costs_nano: NDArray[int64],
        is_left: NDArray[uint8],
    ) -> int: ...
