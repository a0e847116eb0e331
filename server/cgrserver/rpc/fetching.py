"""Brings records into memory that decisions missed, and has these decisions made again.

Accounts beyond `limits.resident_accounts` are in the store alone. A decision that touches one is undone
(`NotInMemory`) and waits here. Rules: one query at a time, for all that wait by then, so what it returns cannot be
older than what was forgotten before; then the decisions are made again in the order they came; what one of them waited
for is kept until it went through, so each attempt gets further. A record is forgotten only when the store has it as it
is. Cancelled, those that wait are dropped undecided. Does not know: requests, replies, SQL.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import structlog
import trio

from cgrcore.errors import CgrError, Unavailable
from cgrcore.state import NotInMemory, Table

__all__ = ["AccountReads", "Fetching", "Held"]

log = structlog.get_logger()

T = TypeVar("T")

#: The pause before a decision that nobody waits for is tried again when the store could not be read.
RETRY_S = 1.0


class AccountReads(Protocol):
    """Reads of what is in the store, which need not wait for commits."""

    async def find_accounts(self, account_ids: list[str]) -> dict[str, bytes]: ...

    async def account_ids(self) -> list[str]: ...


class _Waiting:
    """A decision that waits: `attempt(None)` makes it, `attempt(error)` gives it up."""

    __slots__ = ("attempt", "keys", "wants_all_names")

    def __init__(self, attempt: Callable[[CgrError | None], None]) -> None:
        self.attempt = attempt
        self.keys: set[str] = set()
        self.wants_all_names = False

    def note(self, missing: NotInMemory) -> None:
        if missing.keys is None:
            self.wants_all_names = True
        else:
            self.keys.update(missing.keys)


class Fetching:
    """The fetches for one table. `unwritten` names the records that the store does not have as they are in memory."""

    def __init__(
        self, table: Table[Any], reads: AccountReads, unwritten: Callable[[], Iterable[str]], timeout_s: float
    ) -> None:
        self._table = table
        self._reads = reads
        self._unwritten = unwritten
        self._timeout_s = timeout_s
        self._queue: deque[_Waiting] = deque()
        self._held: list[Held] = []
        self._more = trio.lowlevel.ParkingLot()
        self.fetched_count = 0
        self.forgotten_count = 0

    def wait(self, missing: NotInMemory, attempt: Callable[[CgrError | None], None]) -> None:
        """Fetch what is missing, then call `attempt(None)`, again and again as long as that raises NotInMemory.

        When the store cannot be read, `attempt` is given the error instead, and it is over.
        """
        waiting = _Waiting(attempt)
        waiting.note(missing)
        self._queue.append(waiting)
        self._more.unpark_all()

    async def complete(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` returns, made again whenever it misses something; raise what it raises.

        While the store cannot be read it is tried again. Nothing is awaited when nothing is missing.
        """
        while True:
            try:
                return attempt()
            except NotInMemory as missing:
                made = _Made(attempt)
                self.wait(missing, made)
            try:
                await made.done.wait()
            finally:
                made.is_dropped = True
            if made.why_lost is None:
                result: T = made.result()
                return result
            log.error("waiting for the store", why=str(made.why_lost), next_try_s=RETRY_S)
            await trio.sleep(RETRY_S)

    @contextmanager
    def holding(self) -> Iterator["Held"]:
        """Keep in memory what is fetched within the block, for a decision that waits for other things too."""
        held = Held(self)
        self._held.append(held)
        try:
            yield held
        finally:
            self._held.remove(held)

    def trim(self) -> None:
        """Forget records beyond the table's limit. Not while names are listed: what goes would be missed."""
        if not any(waiting.wants_all_names for waiting in self._queue):
            self.forgotten_count += self._table.trim(self._unwritten, self._wanted)

    def _wanted(self) -> set[str]:
        return set().union(*(waiting.keys for waiting in self._queue), *(held.keys for held in self._held))

    async def run(self) -> None:
        """Fetch, until cancelled."""
        while True:
            if not self._queue:
                await self._more.park()
            count = len(self._queue)  # those that come during the query missed something after it began
            try:
                await self._fetch(count)
            except CgrError as error:
                for _ in range(count):
                    self._queue.popleft().attempt(error)
                continue
            for _ in range(count):
                waiting = self._queue[0]
                try:
                    waiting.attempt(None)
                except NotInMemory as missing:
                    waiting.note(missing)
                    self._queue.append(waiting)
                self._queue.popleft()
            self._table.names = None
            self.trim()

    async def _fetch(self, count: int) -> None:
        table, loads = self._table, -1
        while loads != table.loads:  # read again what was asked for before the table was
            loads = table.loads
            waiting = [self._queue[place] for place in range(count)]
            keys = [key for key in sorted({key for it in waiting for key in it.keys}) if not table.holds(key)]
            names = None
            try:
                with trio.fail_after(self._timeout_s):
                    found = await self._reads.find_accounts(keys) if keys else {}
                    if any(it.wants_all_names for it in waiting):
                        names = set(await self._reads.account_ids())
            except trio.TooSlowError:
                log.error("the store did not answer in time", limit_s=self._timeout_s)
                raise Unavailable("SERVER_ERROR: the store does not answer", subject="store") from None
        table.keep_fetched(keys, found)
        table.names = names
        self.fetched_count += len(found)


class Held:
    """What one decision was fetched for; kept until that went through."""

    def __init__(self, fetching: Fetching) -> None:
        self._fetching = fetching
        self.keys: set[str] = set()

    async def fetch(self, missing: NotInMemory) -> None:
        """Fetch what is missing. Raises Unavailable."""
        self.keys.update(missing.keys or ())
        made = _Made(lambda: None)
        self._fetching.wait(missing, made)
        try:
            await made.done.wait()
        finally:
            made.is_dropped = True
        if made.why_lost is not None:
            raise made.why_lost


class _Made:
    """An attempt that somebody waits for."""

    def __init__(self, attempt: Callable[[], Any]) -> None:
        self._attempt = attempt
        self._result: Any = None
        self._error: Exception | None = None
        self.done = trio.Event()
        self.is_dropped = False
        self.why_lost: CgrError | None = None

    def __call__(self, why_lost: CgrError | None) -> None:
        if self.is_dropped:
            return
        self.why_lost = why_lost
        if why_lost is None:
            try:
                self._result = self._attempt()
            except Exception as error:  # raised to who waits
                self._error = error
        self.done.set()

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._result
