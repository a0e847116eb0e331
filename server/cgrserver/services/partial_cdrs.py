"""The task of interim records: those of calls whose last record does not come are charged with what is known.

Does not know: how records are merged or charged.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog
import trio

from cgrcore.cdrs import StoredCdrs, configured, expired_pieces, pieces_as_event, process_events, switches_for
from cgrcore.errors import CgrError, Unavailable
from cgrcore.world import World

__all__ = ["PartialCdrsTask"]

log = structlog.get_logger()

#: How often is looked for records whose time has passed; they may be late by that.
LOOK_S = 1.0

#: Makes a decision on what was read before, and waits until it is durable.
Perform = Callable[..., Awaitable[Any]]


class PartialCdrsTask:
    """Charges what has waited longer than `cdrs.partial_ttl`."""

    def __init__(self, world: World, perform: Perform, store: Any, clock_ns: Callable[[], int]) -> None:
        self._world = world
        self._perform = perform
        self._store = store
        self._clock_ns = clock_ns
        self._ttl_ns: int = world.settings["cdrs"]["partial_ttl"]

    async def run(self) -> None:
        """Charge until cancelled; a call is charged whole or waits on."""
        while True:
            await self.run_once()
            await trio.sleep(LOOK_S)

    async def run_once(self) -> None:
        """Charge the calls whose time has passed."""
        for cgrid in expired_pieces(self._world, self._clock_ns() - self._ttl_ns):
            try:
                await self._charge(cgrid)
            except Unavailable as error:
                log.warning("interim records wait for the store", cgrid=cgrid, why=str(error))
                return
            except CgrError as error:  # most likely the call had its CDR before
                log.error("interim records are dropped", cgrid=cgrid, why=str(error))
                await self._perform("drop interim records", partial(pieces_as_event, cgrid=cgrid))

    async def _charge(self, cgrid: str) -> None:
        async def read() -> StoredCdrs:
            cdrs, costs = await self._store.find_calls([cgrid])
            return StoredCdrs(
                {(cdr.cgrid, cdr.run_id): cdr for cdr in cdrs}, {(cost.cgrid, cost.run_id): cost for cost in costs}
            )

        def charge(world: World, stored: StoredCdrs) -> None:
            event = pieces_as_event(world, cgrid)
            if event is not None:
                process_events(world, [event], switches_for(configured(world), event.options, ()), stored)

        await self._perform("interim records", charge, read)
