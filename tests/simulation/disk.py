"""The store of a simulated node: what outlives its crashes, and the faults that stand between the two.

A `Disk` is kept from node to node. A `Handle` is how one node sees it: it may refuse a commit, keep it and say that it
failed, stay away for a while, or be dead, since its node is. Does not know: nodes, clients, clocks.
"""

import random
from collections.abc import Callable
from copy import copy
from typing import Any

import msgspec
from cgrserver.storage.memory import MemoryStore

from cgrcore.errors import Unavailable
from cgrcore.ports import Batch

__all__ = ["Disk", "Faults", "Handle"]


class Faults(msgspec.Struct):
    """How often what goes wrong, each as a chance; `delay_s` is how long a call of the store takes on average.

    `lost` commits are not kept, `ambiguous` ones are kept and reported as lost; after either the store may stay `away`
    for one more look. `crash_s` is how long a node lives on average, 0 for ever; `jump_s` how far its clock may be set.
    With `is_forgetful` it remembers for 1 s only what calls have ended, and clients give a key to all they ask for.
    `dropped` and `repeated` are messages; `latency_s` is how long one travels on average.
    """

    delay_s: float = 0.002
    lost: float = 0.0
    ambiguous: float = 0.0
    away: float = 0.0
    crash_s: float = 0.0
    jump_s: int = 0
    dropped: float = 0.0
    repeated: float = 0.0
    latency_s: float = 0.01
    is_forgetful: bool = False

    @classmethod
    def drawn(cls, draw: random.Random) -> "Faults":
        """Return some faults: not all of them together, or nothing would ever be done."""
        is_chosen = [draw.random() < 0.6 for _ in range(4)]
        return cls(
            delay_s=draw.choice((0.0005, 0.002, 0.02, 0.2)),
            lost=draw.choice((0.01, 0.05)) if is_chosen[0] else 0.0,
            ambiguous=draw.choice((0.01, 0.05)) if is_chosen[0] else 0.0,
            away=draw.choice((0.0, 0.5)),
            crash_s=draw.choice((1.0, 4.0, 10.0)) if is_chosen[1] else 0.0,
            jump_s=draw.choice((2, 3600)) if draw.random() < 0.15 else 0,
            dropped=draw.choice((0.02, 0.1)) if is_chosen[2] else 0.0,
            repeated=draw.choice((0.05, 0.2)) if is_chosen[2] else 0.0,
            latency_s=draw.choice((0.001, 0.01, 0.3)),
            is_forgetful=draw.random() < 0.4,
        )


class Disk(MemoryStore):
    """What is durable."""

    def twin(self) -> "Disk":
        """Return an independent copy."""
        twin = Disk(self._codecs)
        twin._records = {name: dict(bodies) for name, bodies in self._records.items()}
        twin._ledger = {name: list(lines) for name, lines in self._ledger.items()}
        twin._cdrs = dict(self._cdrs)
        twin._runs = {name: dict(runs) for name, runs in self._runs.items()}
        twin._session_costs = dict(self._session_costs)
        twin._cost_keys = {name: dict(keys) for name, keys in self._cost_keys.items()}
        twin._order_ids = copy(self._order_ids)
        twin._line_ids = copy(self._line_ids)
        return twin

    def bodies(self, table: str) -> dict[str, bytes]:
        """Return the encoded records of a table."""
        return self._records.get(table, {})


class Handle:
    """A disk as one node sees it, with the faults that `faults()` gives at the moment.

    `kept(batch)` is called when a commit was kept, whatever the node is told.
    """

    #: A call of it takes its time, unlike one of the disk.
    is_instant = False

    def __init__(
        self, disk: Disk, faults: Callable[[], Faults], draw: random.Random, kept: Callable[[Batch], None]
    ) -> None:
        self.is_dead = False
        self._disk = disk
        self._faults = faults
        self._draw = draw
        self._kept = kept

    def _reach(self) -> None:
        if self.is_dead:
            raise Unavailable("this node is dead")

    def commit(self, batch: Batch) -> None:
        self._reach()
        chance, faults = self._draw.random(), self._faults()
        if chance < faults.lost:
            raise Unavailable("simulated: not kept")
        self._disk.commit(batch)
        self._kept(batch)
        if chance < faults.lost + faults.ambiguous:
            raise Unavailable("simulated: kept, and reported as lost")

    def reopen(self) -> None:
        self._reach()
        if self._draw.random() < self._faults().away:
            raise Unavailable("simulated: still away")

    def close(self) -> None:
        """There is nothing to give back."""

    def __getattr__(self, name: str) -> Any:
        """Read as the disk does."""
        self._reach()
        return getattr(self._disk, name)
