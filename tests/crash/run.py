"""One run of crashes: a server on a store, callers that load it, and the checks after each crash.

A run is repeated by its seed: it decides what is asked for and how long the server lives, though not where in the
server's work the end falls. Every failure names the command that repeats it.
"""

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import trio
from cgrserver.storage.postgres import PostgresStore
from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs, declared_tables

from tests.crash.books import Books, check_ends, check_promises, check_store, read_books
from tests.crash.caller import QUEUE_SETTINGS, Caller, Notes, Wish, openings, plan_files
from tests.crash.load import drive
from tests.postgres_server import postgres_settings
from tests.server_process import CallRefused, ServerProcess

__all__ = ["Run", "repeatable", "seed_of"]

ACCOUNTS = ("1001", "1002", "1003", "1004", "1005")
CALLERS = 12

#: The longest a server lives in one cycle.
LONGEST_LIFE_S = 0.6

#: How long callers may take to come to an end, with everything working.
FINISH_TIMEOUT_S = 60

#: How long the server may take to answer again once what was broken works.
RECOVERY_TIMEOUT_S = 15.0


def seed_of(default: int | None = None) -> int:
    """Return the seed of a run: CRASH_SEED, or a new one."""
    given = os.environ.get("CRASH_SEED")
    return int(given) if given else (default if default is not None else random.randrange(10**6))


@contextmanager
def repeatable(seed: int, test: str) -> Iterator[None]:
    """Name the command that repeats what fails inside."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"seed {seed}; to repeat: CRASH_SEED={seed} .venv/bin/python -m pytest {test}")
        raise


class Run:
    """A server under load. `conninfo` leads to an empty PostgreSQL database; without one the store is a SQLite file."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        conninfo: str = "",
        environ: dict[str, str] | None = None,
        settings: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.conninfo = conninfo
        self.random = random.Random(seed)
        self.notes = Notes({}, {}, {}, 0, {}, 0)
        self.open_wishes: dict[Caller, Wish] = {}
        self.callers = [Caller(f"c{i}", seed, ACCOUNTS, time.time_ns, self.notes) for i in range(CALLERS)]
        settings = (*QUEUE_SETTINGS, *settings, *(postgres_settings(conninfo) if conninfo else ()))
        self.log = folder / "log"
        self.server = ServerProcess(folder, ("limits.max_calls=10000", *settings), environ=environ, log=self.log)
        self._set_up()

    def _set_up(self) -> None:
        """Load the tariff, and give every account what its calls will cost."""
        plan = self.folder / "plan"
        plan.mkdir()
        for name, text in plan_files().items():
            (plan / f"{name}.csv").write_text(text)
        assert self.server.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(plan)) == "OK"
        for params in openings(ACCOUNTS):
            self.server.call("APIerSv1.AddBalance", **params)

    def kill_cycle(self, then: Callable[[], object] | None = None) -> None:
        """Load the server, kill it at a random instant (and do more), check what is left, and start it again."""
        life_s = self.random.uniform(0.0, LONGEST_LIFE_S)
        trio.run(self._load_and, partial(_wait_and_call, life_s, self.server.kill))
        if then is not None:
            then()
        self.check()
        self.server.launch()
        if self.random.random() < 0.1:  # it is killed before it is up
            time.sleep(self.random.uniform(0.0, 0.5))
            self.server.kill()
            self.server.launch()
        self.server.wait_until_ready()

    async def _load_and(self, end: Callable[[], object]) -> None:
        """Have the callers ask while `end` runs, which ends the server."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(drive, self.server.port, self.callers, self.open_wishes, keep_trying=False))
            nursery.start_soon(end)  # type: ignore[arg-type]

    async def load_through(self, disturb: Callable[[], object]) -> None:
        """Have the callers ask on while `disturb` runs, which the server is to survive."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(drive, self.server.port, self.callers, self.open_wishes, keep_trying=True))
            await disturb()  # type: ignore[misc]
            nursery.cancel_scope.cancel()

    async def until_it_acknowledges(self) -> None:
        """Wait until callers are acknowledged, again."""
        before = self.notes.acknowledged
        with trio.fail_after(RECOVERY_TIMEOUT_S):
            while self.notes.acknowledged < before + 50:
                await trio.sleep(0.01)

    async def refusal(self) -> str:
        """Return why the server refuses to write, once it does."""
        with trio.fail_after(RECOVERY_TIMEOUT_S):
            while True:
                try:
                    await trio.to_thread.run_sync(lambda: self.server.call("CoreSv1.Ping"))
                except CallRefused as error:
                    return str(error)
                await trio.sleep(0.01)

    def finish(self) -> Books:
        """Let all callers end what they began, stop the server and check; return the books."""
        for caller in self.callers:
            caller.is_finishing = True
        trio.run(self._finish)
        assert self.server.stop() == 0
        books = self.check()
        check_ends(books, self.notes)
        return books

    async def _finish(self) -> None:
        with trio.fail_after(FINISH_TIMEOUT_S):
            await drive(self.server.port, self.callers, self.open_wishes, keep_trying=True)
            while self.server.call("SessionSv1.GetActiveSessionsCount"):
                await trio.sleep(0.1)
            while self.server.call("RatingQueueSv1.GetStatus")["Waiting"]:
                await trio.sleep(0.1)

    def check(self) -> Books:
        """Hold the store against itself and against the notes. The server must be down."""
        with self._opened() as store:
            books = read_books(store)
        check_store(books)
        check_promises(books, self.notes, time.time_ns())
        return books

    @contextmanager
    def _opened(self) -> Iterator[SqliteStore | PostgresStore]:
        """Open the store; a file's copy, so that it is the server that must make good what a crash left."""
        codecs = Codecs(declared_tables())
        if self.conninfo:
            with _closing(PostgresStore(self.conninfo, codecs)) as store:
                yield store
            return
        with tempfile.TemporaryDirectory(prefix="crash-") as copy:
            for name in ("store.db", "store.db-wal"):
                if (self.folder / name).exists():
                    shutil.copy(self.folder / name, copy)
            with _closing(SqliteStore(Path(copy) / "store.db", codecs)) as store:
                yield store

    def close(self) -> None:
        if self.server.process.poll() is None:
            self.server.kill()


@contextmanager
def _closing(store: SqliteStore | PostgresStore) -> Iterator[SqliteStore | PostgresStore]:
    try:
        yield store
    finally:
        store.close()


async def _wait_and_call(wait_s: float, call: Callable[[], object]) -> None:
    await trio.sleep(wait_s)
    call()
