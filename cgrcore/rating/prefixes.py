"""Which destinations a number belongs to: those that own a prefix of it, the longest first.

Immutable. A look-up grows with the digits dialled, not with the number of destinations. Does not know: plans, prices.
"""

from collections.abc import Iterable, Iterator

from cgrcore._fast.prefixes import PrefixIndex
from cgrcore.rating.records import Destination

__all__ = ["Prefixes"]


class Prefixes:
    """The prefixes of some destinations. Destinations that share a prefix are in order of their ids."""

    __slots__ = ("_index", "_owners")

    def __init__(self, destinations: Iterable[Destination]) -> None:
        owners: dict[str, tuple[str, ...]] = {}
        shared = set()
        for destination in destinations:
            for prefix in destination.prefixes:
                known = owners.get(prefix)
                if known is None:
                    owners[prefix] = (destination.id,)
                else:
                    owners[prefix] = (*known, destination.id)
                    shared.add(prefix)
        for prefix in shared:
            owners[prefix] = tuple(sorted(set(owners[prefix])))
        self._owners = owners
        self._index = PrefixIndex(owners)

    def __iter__(self) -> Iterator[str]:
        return iter(self._owners)

    def longest_of(self, number: str) -> str:
        """Return the longest known prefix of the number, "" when there is none."""
        return self._index.text(self._index.longest(number))

    def destinations_of(self, number: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield (prefix, destination ids) for each known prefix of the number, longest first."""
        prefix = self.longest_of(number)
        while prefix:
            yield prefix, self._owners[prefix]
            prefix = self.longest_of(prefix[:-1])

    def owners(self, prefix: str) -> tuple[str, ...]:
        """Return the ids of the destinations that have exactly this prefix."""
        return self._owners.get(prefix, ())
