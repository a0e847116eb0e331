"""The store as decisions read it: in threads, and never older than what was decided before.

A read waits until everything decided by then is written, so a request sees what an earlier one changed although that
is not acknowledged yet. Cancelling a read abandons its thread's answer and leaves nothing behind.
"""

from collections.abc import Callable
from typing import TypeVar

import trio

from cgrcore.cdrs.filter import CdrFilter
from cgrcore.cdrs.records import Cdr, SessionCost
from cgrcore.ports import LedgerLine, Store
from cgrserver.commit import Committer

__all__ = ["StoreReads"]

T = TypeVar("T")

#: Queries that run at once; more wait their turn, so that reports do not crowd out charging.
MAX_READERS = 4


class StoreReads:
    """Reads of a store, each behind the commits that came before it. Errors are the store's and the committer's."""

    def __init__(self, store: Store, committer: Committer) -> None:
        self._store = store
        self._committer = committer
        self._limiter = trio.CapacityLimiter(MAX_READERS)

    async def _read(self, call: Callable[[], T]) -> T:
        await self._committer.drain()
        return await trio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._limiter)

    async def find_cdrs(self, criteria: CdrFilter) -> list[Cdr]:
        return await self._read(lambda: self._store.find_cdrs(criteria))

    async def count_cdrs(self, criteria: CdrFilter) -> int:
        return await self._read(lambda: self._store.count_cdrs(criteria))

    async def get_cdr(self, cgrid: str, run_id: str) -> Cdr | None:
        return await self._read(lambda: self._store.get_cdr(cgrid, run_id))

    async def find_session_costs(
        self, cgrid: str = "", run_id: str = "", origin_host: str = "", origin_id_prefix: str = ""
    ) -> list[SessionCost]:
        return await self._read(lambda: self._store.find_session_costs(cgrid, run_id, origin_host, origin_id_prefix))

    async def history(
        self, account_id: str, from_at: int | None = None, until_at: int | None = None
    ) -> list[LedgerLine]:
        return await self._read(lambda: self._store.history(account_id, from_at, until_at))

    async def balances_at(self, account_id: str, at: int) -> list[LedgerLine]:
        return await self._read(lambda: self._store.balances_at(account_id, at))
