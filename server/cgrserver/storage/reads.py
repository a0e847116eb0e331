"""The store as decisions read it: in threads, and never older than what was decided before.

A read waits until everything decided by then is written, so a request sees what an earlier one changed although that
is not acknowledged yet. Looking up calls by name, which every CDR does, waits only for those calls, and many requests
share one query. What is found of CDRs is what holds when it is returned: it is read again when decisions changed its
calls meanwhile, or the tables were read again, so a decision that follows at once takes nothing back. Accounts are read
without waiting: only those that no decision has changed are asked for. Cancelling a read abandons its thread's answer
and leaves nothing behind.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import trio

from cgrcore.cdrs.filter import CdrFilter
from cgrcore.cdrs.records import Cdr, SessionCost
from cgrcore.errors import CgrError, Unavailable
from cgrcore.ports import Calls, LedgerLine, Store
from cgrserver.commit import Committer, WaitFor

__all__ = ["StoreReads"]

T = TypeVar("T")

#: Queries that run at once; more wait their turn, so that reports do not crowd out charging.
MAX_READERS = 4

#: Accounts are read for decisions that wait, beside the reports.
MAX_ACCOUNT_READERS = 1


#: How often CDRs that change while they are read are read again.
ATTEMPTS = 20


class StoreReads:
    """Reads of a store, each behind the commits that came before it. Errors are the store's and the committer's."""

    def __init__(self, store: Store, committer: Committer, wait_for: WaitFor | None = None) -> None:
        self._store = store
        self._committer = committer
        self._limiter = trio.CapacityLimiter(MAX_READERS)
        self._account_limiter = trio.CapacityLimiter(MAX_ACCOUNT_READERS)
        self._is_instant = getattr(store, "is_instant", False)
        self._wait_for = wait_for
        self._turn = trio.Lock()
        self._next: _Round | None = None
        self._watches: set[_Watch] = set()
        committer.on_written(self._note_changed)
        committer.on_recovery(self._note_recovery)

    def _note_changed(self, cgrids: set[str]) -> None:
        for watch in self._watches:
            watch.changed |= cgrids

    def _note_recovery(self) -> None:
        for watch in self._watches:
            watch.is_void = True

    @contextmanager
    def _watching(self) -> Iterator["_Watch"]:
        """Note what changes meanwhile."""
        watch = _Watch()
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)

    def _is_stale(self, watch: "_Watch", cgrids: Iterable[str]) -> bool:
        """Tell whether one of the calls was changed since the watch began."""
        changed = watch.changed
        return watch.is_void or any(cgrid in changed or self._committer.is_changing(cgrid) for cgrid in cgrids)

    async def _read(self, call: Callable[[], T]) -> T:
        await self._committer.drain()
        return await self._ask(call, self._limiter)

    async def _ask(self, call: Callable[[], T], limiter: trio.CapacityLimiter) -> T:
        try:
            if self._is_instant:
                return call()
            if self._wait_for is not None:
                found: T = await self._wait_for(call)
                return found
            return await trio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=limiter)
        except Unavailable as error:
            raise Unavailable(f"SERVER_ERROR: the store cannot be read: {error}", subject="store") from error

    async def find_cdrs(self, criteria: CdrFilter) -> list[Cdr]:
        for _ in range(ATTEMPTS):
            with self._watching() as watch:
                found = await self._read(lambda: self._store.find_cdrs(criteria))
                if not self._is_stale(watch, (cdr.cgrid for cdr in found)):
                    return found
        raise Unavailable("SERVER_ERROR: the CDRs change faster than they are read", subject="store")

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

    async def find_accounts(self, account_ids: list[str]) -> dict[str, bytes]:
        """As the store's, of accounts that are written."""
        return await self._read_accounts(lambda: self._store.find_accounts(account_ids))

    async def account_ids(self) -> list[str]:
        """As the store's: what is not written yet does not show."""
        return await self._read_accounts(self._store.account_ids)

    async def _read_accounts(self, call: Callable[[], T]) -> T:
        return await self._ask(call, self._account_limiter)

    async def find_calls(self, cgrids: Sequence[str]) -> Calls:
        """As the store's, in one query with all that are looked up while the query before runs."""
        while True:
            if any(self._committer.is_changing(cgrid) for cgrid in cgrids):
                await self._committer.drain()
            if self._is_instant:
                return self._store.find_calls(cgrids)
            with self._watching() as watch:
                round_ = await self._round_with(cgrids)
                if round_.error is not None:
                    raise round_.error
                if round_.found is not None and not self._is_stale(watch, cgrids):
                    return round_.calls(cgrids)
                # who led the round was cancelled, or the calls were changed

    async def _round_with(self, cgrids: Sequence[str]) -> "_Round":
        """Join the round that is next, or lead it; return it when it is through."""
        round_ = self._next
        if round_ is not None:
            round_.cgrids.update(dict.fromkeys(cgrids))
            await round_.done.wait()
        else:
            round_ = self._next = _Round(cgrids)
            await self._lead(round_)
        return round_

    async def _lead(self, round_: "_Round") -> None:
        """Ask for everybody of a round, once the round before is through."""
        try:
            async with self._turn:
                self._next = None
                names = list(round_.cgrids)
                found = await self._ask(lambda: self._store.find_calls(names), self._limiter)
            round_.keep(found)
        except CgrError as error:
            round_.error = error
        finally:
            if self._next is round_:
                self._next = None
            round_.done.set()


class _Watch:
    """What changed while something was read; `is_void` when all may have."""

    __slots__ = ("changed", "is_void")

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.is_void = False


class _Round:
    """Requests that share a query: the calls they ask for, and what was found."""

    def __init__(self, cgrids: Sequence[str]) -> None:
        self.cgrids = dict.fromkeys(cgrids)
        self.done = trio.Event()
        self.found: dict[str, Calls] | None = None
        self.error: CgrError | None = None

    def keep(self, found: Calls) -> None:
        """Sort what was found by call."""
        self.found = {}
        for cdr in found[0]:
            self.found.setdefault(cdr.cgrid, ([], []))[0].append(cdr)
        for cost in found[1]:
            self.found.setdefault(cost.cgrid, ([], []))[1].append(cost)

    def calls(self, cgrids: Sequence[str]) -> Calls:
        """Return what was found of these calls."""
        assert self.found is not None
        parts = [self.found[cgrid] for cgrid in cgrids if cgrid in self.found]
        return [cdr for cdrs, _ in parts for cdr in cdrs], [cost for _, costs in parts for cost in costs]
