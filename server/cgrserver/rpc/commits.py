"""What the dispatcher asks of whoever makes effects durable, and the one that keeps them in memory only.

Rules: tickets rise in the order of `add`; `durable` never falls; callbacks run in the thread of trio, after `durable`
has moved. A commit that fails is the committer's to shout about: it never moves `durable` again, so no reply that
waits behind it leaves. Does not know: replies.
"""

from collections.abc import Callable
from typing import Protocol

from cgrcore.state import Effects

__all__ = ["Committer", "MemoryCommitter"]


class Committer(Protocol):
    """Gathers effects and commits them in groups."""

    @property
    def durable(self) -> int:
        """The ticket up to which all is durable."""
        ...

    def add(self, effects: Effects) -> int:
        """Take the effects of one decision and return the ticket of their commit: durable once `durable >= ticket`.

        Raises CgrError when they cannot be kept; then the decision must be undone.
        """
        ...

    def on_durable(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever `durable` has moved."""
        ...

    def flush(self) -> None:
        """A batch of decisions is over: start committing what waits, if nothing is under way."""
        ...


class MemoryCommitter:
    """Durability `memory`: what is decided counts at once, and is gone with the process.

    With `is_held` nothing becomes durable until `release` is called, as if a disk were slow.
    """

    def __init__(self, *, is_held: bool = False) -> None:
        self.durable = 0
        self.effects_count = 0
        self._is_held = is_held
        self._callbacks: list[Callable[[], None]] = []

    def add(self, effects: Effects) -> int:
        self.effects_count += 1
        if not self._is_held:
            self.durable = self.effects_count
        return self.effects_count

    def on_durable(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def flush(self) -> None:
        return None

    def release(self, count: int | None = None) -> None:
        """Make the oldest `count` waiting decisions durable, all of them without a count."""
        waiting = self.effects_count - self.durable
        self.durable += waiting if count is None else min(count, waiting)
        for callback in self._callbacks:
            callback()
