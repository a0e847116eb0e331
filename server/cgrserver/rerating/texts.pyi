from typing import Final

from numpy import int32, int64, uint8
from numpy.typing import NDArray

__all__ = ["EMPTY", "INSTANT", "LEFT", "LOCAL", "READ", "read_durations", "read_instants"]

READ: Final[int]
LOCAL: Final[int]
INSTANT: Final[int]
EMPTY: Final[int]
LEFT: Final[int]

def read_durations(
    offsets: NDArray[int32], data: NDArray[uint8], unit_ns: int, usages_ns: NDArray[int64], states: NDArray[uint8]
) -> None: ...
def read_instants(
    offsets: NDArray[int32],
    data: NDArray[uint8],
    unit_ns: int,
    at: NDArray[int64],
    offsets_s: NDArray[int32],
    states: NDArray[uint8],
) -> None: ...
