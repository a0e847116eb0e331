"""The task of the rating queue: charges what waits, batch after batch, each durable before the next is begun.

So the queue never runs ahead of the disk, and requests come in between. A batch that breaks is made CDR by CDR, and the
one that breaks it is passed over until the next start, with its reason in the log. Does not know: what charging is.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
import trio

from cgrcore.cdrs import keys_in_order, rate_waiting
from cgrcore.errors import CgrError
from cgrcore.world import World

__all__ = ["RatingQueueTask"]

log = structlog.get_logger()

#: How long to wait after a commit that was lost.
RETRY_S = 1.0

#: Makes a decision and waits until it is durable.
Perform = Callable[[str, Callable[[World], Any]], Awaitable[Any]]


class RatingQueueTask:
    """Charges what waits. `world.parts["wake_rating"]` wakes it after a commit; `rated_count` is for the telemetry."""

    def __init__(self, world: World, perform: Perform) -> None:
        self._world = world
        self._perform = perform
        self._batch_size: int = world.settings["cdrs"]["rating_batch"]
        self._changed = trio.Event()
        self._broken: set[str] = set()
        self.rated_count = 0
        world.parts["wake_rating"] = self.wake

    def wake(self) -> None:
        """Look at the queue again."""
        self._changed.set()

    async def run(self) -> None:
        """Charge, until cancelled. A batch under way is not cut: it is decided and committed whole, or not at all."""
        while True:
            self._changed = trio.Event()
            keys = [key for key in keys_in_order(self._world) if key not in self._broken]
            for start in range(0, len(keys), self._batch_size):
                await self._charge(keys[start : start + self._batch_size])
            if not keys:
                await self._changed.wait()

    async def _charge(self, keys: Sequence[str]) -> None:
        while True:
            try:
                self.rated_count += await self._perform("rating queue", lambda world: rate_waiting(world, keys))
                return
            except CgrError as error:
                log.error("the rating queue has to wait", why=str(error), next_try_s=RETRY_S)
                await trio.sleep(RETRY_S)
            except Exception:  # our own mistake: the others are to be charged all the same
                if len(keys) == 1:
                    log.exception("a CDR cannot be charged and stays in the queue", cdr=keys[0])
                    self._broken.update(keys)
                    return
                for key in keys:
                    await self._charge([key])
                return
