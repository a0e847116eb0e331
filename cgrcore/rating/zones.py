"""The clock of a tariff whose hours are those of a place: its offsets from UTC, and when they change.

Rules: a price follows the clock on the wall. An hour that a spring night skips is never reached, one that an autumn
night has twice is priced twice by the same hours; a call under way when the clock moves is cut there, as at midnight.
Before 1960 and from 2100 on a zone has the offset of that border. Does not know: which tenant has which zone, prices.
"""

from bisect import bisect_right
from functools import lru_cache
from typing import Protocol

import msgspec
import numpy
from numpy import bool_, int32, int64
from numpy.typing import NDArray

from cgrcore.rating.calls import Call
from cgrcore.rating.columns import Coded
from cgrcore.timing import DAY_NS, SECOND_NS, clock_moves_at, zone_offset

__all__ = ["Zone", "clocks_of", "zone_of"]

FIRST_AT = -3653 * DAY_NS
UNTIL_AT = 47482 * DAY_NS

#: No zone moves its clock there and back in less.
STEP_NS = 7 * DAY_NS

#: Zones kept at hand; a deployment has a handful.
MOST_ZONES = 64


class Zone:
    """An IANA zone: `changes_at` (ns UTC, rising), `offsets_s` (seconds east of UTC), one before each and one after."""

    __slots__ = ("_changes", "_next", "_offsets", "changes_at", "name", "offsets_s")

    def __init__(self, name: str) -> None:
        self.name = name
        self.changes_at: list[int] = []
        self.offsets_s = [zone_offset(name, FIRST_AT)]
        for from_at in range(FIRST_AT, UNTIL_AT, STEP_NS):
            offset_s = zone_offset(name, from_at + STEP_NS)
            if offset_s != self.offsets_s[-1]:
                moves_s = clock_moves_at(name, from_at // SECOND_NS, (from_at + STEP_NS) // SECOND_NS)
                self.changes_at.append(moves_s * SECOND_NS)
                self.offsets_s.append(offset_s)
        self._changes = numpy.array(self.changes_at, dtype=int64)
        self._next = numpy.array([*self.changes_at, numpy.iinfo(int64).max], dtype=int64)
        self._offsets = numpy.array(self.offsets_s, dtype=int32)

    def offset_at(self, at: int) -> int:
        """Return the offset in seconds at an instant."""
        return self.offsets_s[bisect_right(self.changes_at, at)]

    def changes_within(self, start_at: int, end_at: int) -> list[int]:
        """Return the instants after the start and before the end at which the clock moves."""
        first = bisect_right(self.changes_at, start_at)
        until = bisect_right(self.changes_at, end_at - 1)
        return self.changes_at[first:until]

    def place(self, call: Call) -> Call:
        """Return the call with this zone's offset at its start, whatever clock it was given on."""
        return msgspec.structs.replace(call, offset_s=self.offset_at(call.start_at))

    def offsets_at(self, ats: NDArray[int64]) -> NDArray[int32]:
        """Return the offsets in seconds at instants. `ats`: (n,) int64 ns UTC; returns (n,) int32."""
        return self._offsets[numpy.searchsorted(self._changes, ats, side="right")]

    def clocks_at(self, starts_at: NDArray[int64], usages_ns: NDArray[int64]) -> tuple[NDArray[int32], NDArray[bool_]]:
        """Return the offsets in seconds at which n calls begin, and which are under way when the clock moves.

        (n,) int64 ns each; returns (n,) int32 and (n,) bool.
        """
        places = numpy.searchsorted(self._changes, starts_at, side="right")
        return self._offsets[places], starts_at + usages_ns > self._next[places]


@lru_cache(maxsize=MOST_ZONES)
def zone_of(name: str) -> Zone:
    """Return a zone by its IANA name, such as Europe/Rome. Raises BadRequest for an unknown one."""
    return Zone(name)


class Zoned(Protocol):
    """A tariff: which zone each tenant has, if any."""

    def zone_of(self, tenant: str) -> Zone | None: ...


def clocks_of(
    tariff: Zoned,
    tenants: Coded | str,
    starts_at: NDArray[int64],
    usages_ns: NDArray[int64],
    offsets_s: int | NDArray[int32],
) -> tuple[NDArray[int32], NDArray[bool_]]:
    """Return the offsets that the hours of n calls are read on, and which calls are under way when a clock moves.

    `starts_at`, `usages_ns`: (n,) int64; `offsets_s` are those the calls came with, which stay where a tenant has no
    zone. Returns (n,) int32 and (n,) bool.
    """
    count = len(starts_at)
    offsets = numpy.full(count, offsets_s, dtype=int32) if isinstance(offsets_s, int) else offsets_s.copy()
    is_moved = numpy.zeros(count, dtype=bool_)
    names = [tenants] if isinstance(tenants, str) else tenants.names
    for place, tenant in enumerate(names):
        zone = tariff.zone_of(tenant)
        if zone is None:
            continue
        rows = slice(None) if isinstance(tenants, str) else numpy.flatnonzero(tenants.indices == place)
        offsets[rows], is_moved[rows] = zone.clocks_at(starts_at[rows], usages_ns[rows])
    return offsets, is_moved
