"""Which destinations a number belongs to: those that own a prefix of it, the longest first.

Immutable. A look-up grows with the digits dialled, not with the number of destinations. Does not know: plans, prices.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from operator import attrgetter

from cgrcore._fast.prefixes import PrefixIndex
from cgrcore.rating.records import Destination

__all__ = ["Prefixes"]

_ID, _PREFIXES = attrgetter("id"), attrgetter("prefixes")


class Prefixes:
    """The prefixes of some destinations. Destinations that share a prefix are in order of their ids."""

    __slots__ = ("index",)

    def __init__(self, destinations: Iterable[Destination]) -> None:
        records = list(destinations)
        texts = list(chain.from_iterable(map(_PREFIXES, records)))
        owners: list[tuple[str, ...] | None] = []
        if all(map(_PREFIXES, records)) and len(texts) == len(records):
            owners += zip(map(_ID, records), strict=True)
        else:
            for destination in records:
                owners += ((destination.id,),) * len(destination.prefixes)
        #: The prefixes by their places, and the owners of each.
        self.index = PrefixIndex(texts, owners)

    def __iter__(self) -> Iterator[str]:
        return (self.index.text(place) for place, owners in enumerate(self.index.owners) if owners is not None)

    def longest_of(self, number: str) -> str:
        """Return the longest known prefix of the number, "" when there is none."""
        return self.index.text(self.index.longest(number))

    def destinations_of(self, number: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield (prefix, destination ids) for each known prefix of the number, longest first."""
        place = self.index.longest(number)
        while place >= 0:
            prefix = self.index.text(place)
            yield prefix, self.index.owners[place] or ()
            place = self.index.longest(prefix[:-1])

    def owners(self, prefix: str) -> tuple[str, ...]:
        """Return the ids of the destinations that have exactly this prefix."""
        place = self.index.longest(prefix)
        return (self.index.owners[place] or ()) if place >= 0 and self.index.text(place) == prefix else ()
