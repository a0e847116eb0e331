"""Which destinations a number belongs to: those that own a prefix of it, the longest first.

Immutable. A look-up grows with the digits dialled, not with the number of destinations. Does not know: plans, prices.
"""

from collections.abc import Iterable, Iterator

from cgrcore._fast.prefixes import PrefixIndex
from cgrcore.rating.records import Destination

__all__ = ["Prefixes"]


class Prefixes:
    """The prefixes of some destinations. Destinations that share a prefix are in order of their ids."""

    __slots__ = ("index", "owners_by_place")

    def __init__(self, destinations: Iterable[Destination]) -> None:
        places: dict[str, int] = {}
        owners: list[tuple[str, ...]] = []
        shared = set()
        for destination in destinations:
            alone = (destination.id,)
            for prefix in destination.prefixes:
                place = places.setdefault(prefix, len(owners))
                if place == len(owners):
                    owners.append(alone)
                else:
                    owners[place] += alone
                    shared.add(place)
        for place in shared:
            owners[place] = tuple(sorted(set(owners[place])))
        #: The prefixes by their places, and the owners of each.
        self.index = PrefixIndex(places)
        self.owners_by_place = owners

    def __iter__(self) -> Iterator[str]:
        return map(self.index.text, range(len(self.index)))

    def longest_of(self, number: str) -> str:
        """Return the longest known prefix of the number, "" when there is none."""
        return self.index.text(self.index.longest(number))

    def destinations_of(self, number: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield (prefix, destination ids) for each known prefix of the number, longest first."""
        place = self.index.longest(number)
        while place >= 0:
            prefix = self.index.text(place)
            yield prefix, self.owners_by_place[place]
            place = self.index.longest(prefix[:-1])

    def owners(self, prefix: str) -> tuple[str, ...]:
        """Return the ids of the destinations that have exactly this prefix."""
        place = self.index.longest(prefix)
        return self.owners_by_place[place] if place >= 0 and self.index.text(place) == prefix else ()
