"""The committer: gathers the effects of decisions and keeps them in the store, many in one transaction.

Rules: decisions are kept in the order they were added; while one transaction is written the next gathers; a ticket is
durable once its transaction is. When a commit fails nothing is acknowledged any more, whoever waits is told that it is
lost, and the tables are rebuilt from the store before work goes on. Does not know: requests, replies, what follows a
commit, SQL.
"""

import queue
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

import outcome
import structlog
import trio

from cgrcore.errors import CgrError, Unavailable
from cgrcore.ports import Batch, Store
from cgrcore.state import Effects
from cgrcore.world import World
from cgrserver.storage.gathering import Gathering
from cgrserver.storage.tables import Codecs

__all__ = ["Committer", "Durability", "WaitFor"]

T = TypeVar("T")

#: When a decision counts as durable: once it is on the disk, or at once.
Durability = Literal["commit", "delayed", "memory"]

#: Makes a call that blocks and waits for it: `await wait_for(call)` is what it returned.
WaitFor = Callable[[Callable[[], Any]], Awaitable[Any]]

#: Where nobody waits for the disk, how long decisions gather: a session that four of them change is written once.
GATHER_S = 0.005

#: A commit that takes so long is worth a line in the log: who waits for it wants to know why.
SLOW_S = 1.0

FIRST_RETRY_S = 0.1
LAST_RETRY_S = 5.0

_log = structlog.get_logger("cgrserver.commit")


class Committer:
    """Keeps what decisions changed. One for a world and its store; everything but the writing is on trio's thread, and
    so is the writing to a store that `is_instant`: it takes no longer than handing it over would.

    `durable` is the last ticket that may be acknowledged, `failure` why none may be ("" while all is well). How many
    decisions may wait is bounded by who makes them.
    """

    def __init__(
        self,
        store: Store,
        world: World,
        codecs: Codecs,
        durability: Durability = "commit",
        wait_for: WaitFor | None = None,
    ) -> None:
        self.failure = ""
        self.written = 0
        self.commits = 0
        self._store = store
        self._world = world
        self._codecs = codecs
        self._is_prompt = durability != "commit"
        self._is_instant = getattr(store, "is_instant", False)
        self._wait_for: WaitFor = wait_for or self._in_thread
        self._ticket = 0
        self._gathering = self._gather()
        self._writing = self._gather()
        self._jobs: queue.SimpleQueue[tuple[trio.lowlevel.Task, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._more = trio.lowlevel.ParkingLot()
        self._advanced = trio.lowlevel.ParkingLot()
        self._hurry = trio.lowlevel.ParkingLot()
        self._drains = 0
        self._begun_s: float | None = None
        self._durable_calls: list[Callable[[int], Any]] = []
        self._written_calls: list[Callable[[set[str]], Any]] = []
        self._failure_calls: list[Callable[[int, int, CgrError], Any]] = []
        self._recovery_calls: list[Callable[[], Any]] = []

    @property
    def durable(self) -> int:
        return self._ticket if self._is_prompt else self.written

    @property
    def ticket(self) -> int:
        """The last ticket given: what is durable up to here is all that was decided."""
        return self._ticket

    def add(self, effects: Effects, now_at: int) -> int:
        """Take what a decision changed, at an instant (ns UTC); return the ticket to wait for.

        To be called right after the decision, before the next. Raises Unavailable after a failed commit, Corrupt for a
        table nobody declared; then the decision must be undone.
        """
        if self.failure:
            raise self._unavailable()
        is_idle = not self._gathering.size
        self._gathering.take(effects, now_at)
        self._ticket += 1
        if is_idle:
            self._more.unpark_all()
        return self._ticket

    def is_changing(self, cgrid: str) -> bool:
        """Tell whether CDRs or session costs of the call were decided that the store does not show yet."""
        return cgrid in self._gathering.calls or cgrid in self._writing.calls

    def unwritten(self, table: str) -> set[str]:
        """Return the keys of the table's records that the store does not have yet as they were decided."""
        return {*self._gathering.keys(table), *self._writing.keys(table)}

    def on_durable(self, call: Callable[[int], Any]) -> None:
        """Have `call(durable)` made whenever `durable` has moved by a commit."""
        self._durable_calls.append(call)

    def on_written(self, call: Callable[[set[str]], Any]) -> None:
        """Have `call(cgrids)` made after each commit, with the calls whose CDRs or session costs it changed."""
        self._written_calls.append(call)

    def on_failure(self, call: Callable[[int, int, CgrError], Any]) -> None:
        """Have `call(first, last, error)` made when these tickets are lost.

        Whether the store kept them nobody knows until it is read again: who asked may ask again under the same key.
        """
        self._failure_calls.append(call)

    def on_recovery(self, call: Callable[[], Any]) -> None:
        """Have `call()` made when the tables hold what the store does, before anything is decided again."""
        self._recovery_calls.append(call)

    async def drain(self, ticket: int | None = None) -> None:
        """Wait until everything decided before (or up to a ticket) is written. Raises Unavailable when that fails."""
        wanted = self._ticket if ticket is None else ticket
        self._drains += 1
        self._hurry.unpark_all()
        try:
            while self.written < wanted:
                if self.failure:
                    raise self._unavailable()
                await self._advanced.park()
        finally:
            self._drains -= 1

    async def run(self) -> None:
        """Write until cancelled. A commit under way is finished, and what was added by then is written too."""
        token = trio.lowlevel.current_trio_token()
        thread = threading.Thread(target=self._work, args=(token,), name="committer", daemon=True)
        thread.start()
        try:
            while True:
                if not self._gathering.size:
                    await self._more.park()
                if self._is_prompt and not self._drains:
                    with trio.move_on_after(GATHER_S):
                        await self._hurry.park()
                await self._commit()
        finally:
            with trio.CancelScope(shield=True):
                while self._gathering.size and not self.failure:
                    await self._commit(is_last=True)
            self._jobs.put(None)
            thread.join()

    async def watch(self, limit_s: float) -> None:
        """Say when a commit is slow, and stop acknowledging when one takes longer than a limit, until cancelled.

        Such a commit is still waited for; what became of it is seen when the tables are read again after it.
        """
        told_s: float | None = None
        while True:
            await trio.sleep(SLOW_S / 2)
            begun_s, now_s = self._begun_s, trio.current_time()
            if begun_s is None or self.failure:
                continue
            if now_s - begun_s > limit_s:
                self._fail(Unavailable(f"a commit has taken longer than {limit_s:g} s"))
            elif now_s - begun_s > SLOW_S and told_s != begun_s:
                told_s = begun_s
                _log.warning("the store is slow, answers wait", commit_s=round(now_s - begun_s, 1))

    def _gather(self) -> Gathering:
        """Return an empty gathering. A store that `is_instant` lives as long as the tables and needs no copies."""
        return Gathering(self._codecs, not self._is_instant)

    async def _commit(self, is_last: bool = False) -> None:
        self._writing, self._gathering, last = self._gathering, self._gather(), self._ticket
        try:
            batch = self._writing.close()
            if self._is_instant:
                self._store.commit(batch)
            else:
                self._begun_s = trio.current_time()
                await self._store_batch(batch)
        except Exception as error:  # whatever went wrong, the tables are ahead of the store now
            if not self.failure:
                self._fail(error)
        finally:
            self._begun_s = None
        if self.failure:
            if not is_last:
                await self._recover()
            return
        calls = self._writing.calls
        self._writing = self._gather()
        self.written = last
        self.commits += 1
        for note in self._written_calls:
            note(calls)
        self._advanced.unpark_all()
        for call in self._durable_calls:
            call(self.durable)

    async def _store_batch(self, batch: Batch) -> None:
        """Have the store keep a batch beside the loop, in its own way if it has one, and wait whatever is cancelled."""
        store: Any = self._store
        done = store.start_commit(batch) if hasattr(store, "start_commit") else None
        if done is None:
            await self._wait_for(lambda: self._store.commit(batch))
        else:
            with trio.CancelScope(shield=True):
                await trio.lowlevel.wait_readable(done)
            store.finish_commit()

    def _fail(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        first, last = self.written + 1, self._ticket
        _log.error("commit failed, no longer acknowledging", why=text, first_ticket=first, last_ticket=last)
        self.failure = f"SERVER_ERROR: the store cannot be written: {text}"
        self._gathering, self._writing = self._gather(), self._gather()
        self._advanced.unpark_all()
        for call in self._failure_calls:
            call(first, last, self._unavailable())

    def _unavailable(self) -> Unavailable:
        return Unavailable(self.failure, subject="store")

    async def _recover(self) -> None:
        """Read the state again, until that works, and go on from it."""
        delay_s = FIRST_RETRY_S
        while True:
            try:
                fresh = await self._wait_for(self._reload)
                break
            except CgrError as error:
                _log.error("the store is not back yet", why=str(error), next_try_s=delay_s)
            await trio.sleep(delay_s)
            delay_s = min(2 * delay_s, LAST_RETRY_S)
        tables = self._world.state.tables
        for name in tables.keys() | fresh.state.tables.keys():
            # A table that is not kept is empty now, as after a start: it may tell of what was never written.
            self._world.state.table(name).take_over(fresh.state.table(name))
        self._world.state.effects = Effects()
        self.written = self._ticket
        self.failure = ""
        _log.info("the store is back, serving again from what it holds")
        for call in self._recovery_calls:
            call()

    def _reload(self) -> World:
        fresh = World(self._world.settings, self._world.new_id)
        fresh.state.table("accounts").limit = self._world.state.table("accounts").limit
        self._store.reopen()
        self._store.load(fresh)
        return fresh

    async def _in_thread(self, call: Callable[[], T]) -> T:
        """Run the call on the writer's thread and wait for it, whatever is cancelled meanwhile."""
        self._jobs.put((trio.lowlevel.current_task(), call))
        result: T = await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
        return result

    def _work(self, token: trio.lowlevel.TrioToken) -> None:
        while (job := self._jobs.get()) is not None:
            task, call = job
            token.run_sync_soon(trio.lowlevel.reschedule, task, outcome.capture(call))
