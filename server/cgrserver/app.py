"""The application: the one place where parts are made and joined.

Starting: read the store, declare what subjects derive from it, then listen. Stopping: accept nothing new, finish what
is under way, write everything, close. Does not know: what any part does.
"""

import errno
import gc
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import structlog
import trio

from cgrcore import rankings, resources, routes, stats, thresholds, trends
from cgrcore.actions.exports import export_event
from cgrcore.actions.triggers import install_triggers
from cgrcore.cdrs.logged import log_cdr
from cgrcore.config import Settings
from cgrcore.errors import BadRequest, CgrError, Unavailable
from cgrcore.ports import Store
from cgrcore.state import Effects
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from cgrserver.clients import Clients
from cgrserver.commit import Committer, WaitFor
from cgrserver.lifecycle import Lifecycle, run, set_up_logging
from cgrserver.rpc import methods
from cgrserver.rpc.answers import Answers
from cgrserver.rpc.dispatcher import CallLimits, Dispatcher
from cgrserver.rpc.fetching import Fetching
from cgrserver.rpc.internal import InternalCalls
from cgrserver.rpc.registry import METHODS
from cgrserver.rpc.responses import Responses
from cgrserver.services import filter_sources
from cgrserver.services.outside import OutsideTask
from cgrserver.services.partial_cdrs import PartialCdrsTask
from cgrserver.services.queries import QueriesTask
from cgrserver.services.rating_queue import RatingQueueTask
from cgrserver.services.scheduler import SchedulerTask
from cgrserver.services.session_clients import SessionClients
from cgrserver.services.session_replicas import SessionReplicas
from cgrserver.services.sessions import SessionTimersTask, SyncTask, forget_what_is_over
from cgrserver.services.stir_keys import StirKeys
from cgrserver.settings import unserved_warning
from cgrserver.storage.reads import StoreReads
from cgrserver.storage.tables import Codecs, declared_tables
from cgrserver.transports.birpc import serve_birpc
from cgrserver.transports.http import serve_http
from cgrserver.transports.json_tcp import serve_json

__all__ = ["Application", "Surroundings", "serve"]

log = structlog.get_logger()


#: How often a listener that waits for its address looks whether it is free.
LISTEN_AGAIN_S = 1.0

#: Parts that wake a task after a commit. One whose fate was unknown has woken nobody, and may have been kept.
WOKEN = ("wake_rating", "wake_queries", "wake_scheduler", "send_outbox")

#: What a request leaves lives as long as its call and is freed by its count of references: a look is seldom worth it.
GC_THRESHOLDS = (10_000, 10, 200)


def _new_id() -> str:
    """Return a random UUID (RFC 9562, version 4); `uuid.uuid4` takes three times as long."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


@dataclass(frozen=True)
class Surroundings:
    """What a node takes from outside: the time of day (ns UTC), fresh ids, the store it finds open (else the configured
    one is opened), and how it waits for what the store does (else on threads)."""

    clock_ns: Callable[[], int] = time.time_ns
    new_id: Callable[[], str] = _new_id
    store: Store | None = None
    wait_for: WaitFor | None = None


class Application:
    """Everything one node runs, joined together but not started."""

    def __init__(self, settings: Settings, around: Surroundings = Surroundings()) -> None:
        methods.load_all()
        self.settings = settings
        self.codecs = Codecs(declared_tables())
        self._clock_ns = around.clock_ns
        self.world = World(settings, around.new_id, around.clock_ns())
        self.store = around.store or open_store(settings, self.codecs)
        accounts = self.world.state.table("accounts")
        if not getattr(self.store, "is_instant", False):  # else the tables are the store
            accounts.limit = settings["limits"]["resident_accounts"]
        self.store.load(self.world)
        gc.freeze()  # or else a full collection walks every account, and all calls wait for a second
        gc.set_threshold(*GC_THRESHOLDS)
        durability = settings["general"]["durability"]
        self.committer = Committer(self.store, self.world, self.codecs, durability, around.wait_for)
        reads, limits = StoreReads(self.store, self.committer, around.wait_for), CallLimits.of(settings)
        self.reads = reads
        commits = _Commits(self.committer, self.world)
        self.dispatcher = Dispatcher(self.world, commits, self._clock_ns, store=reads, limits=limits)
        self.dispatcher.fetching = self.fetching = Fetching(
            accounts, reads, lambda: self.committer.unwritten("accounts"), limits.fetch_s
        )
        self.committer.on_durable(lambda durable: self.fetching.trim())
        self.answers = self.dispatcher.replays = Answers(self.world, settings["general"]["idempotency_ttl"])
        responses = settings["caches"]["partitions"]["*rpc_responses"]
        if responses["limit"] != 0:
            ttl_ns, limit = responses["ttl"], responses["limit"]
            self.dispatcher.replays = Responses(self.world, self.answers, ttl_ns, limit)
        self._join_subjects()
        self._joined = frozenset(self.world.parts)
        self.committer.on_failure(self.dispatcher.suspend)
        self.committer.on_recovery(self._recovered)

    def _join_subjects(self) -> None:
        """Let subjects reach what stands above them: triggers, thresholds, what filters read, methods by name."""
        world = self.world
        world.parts["decide"] = self.dispatcher.decide_soon
        world.parts["perform"] = self.dispatcher.perform
        world.parts["call_method"] = InternalCalls()
        world.parts["log_cdr"] = log_cdr
        self.clients = Clients()
        self.session_clients = world.parts["session_clients"] = SessionClients(world, self.clients, self.settings)
        self.session_replicas = world.parts["session_replicas"] = SessionReplicas(world, self.settings)
        if find_spec("cryptography") is not None:
            keep_s = self.settings["caches"]["partitions"]["*stir"]["ttl"] / SECOND_NS
            world.parts["stir_keys"] = StirKeys(self.settings["general"]["reply_timeout"] / SECOND_NS, keep_s)
        world.parts["note"] = _note
        if world.settings["thresholds"]["ees_conns"]:
            world.parts["export_event"] = export_event
        if world.settings["cdrs"]["ees_conns"] or world.settings["cdrs"]["online_cdr_exports"]:
            world.parts["export_cdr"] = export_event
        install_triggers(world)
        thresholds.install(world)
        stats.install(world)
        resources.install(world)
        routes.install(world)
        trends.install(world)
        rankings.install(world)
        filter_sources.install(world)

    def _recovered(self) -> None:
        """The tables were read again: drop what was derived from them, it is made anew on first use."""
        parts = self.world.parts
        for name in [name for name, part in parts.items() if name not in self._joined and not callable(part)]:
            del parts[name]
        self.answers.read_again()
        self.dispatcher.resume()
        for name in WOKEN:
            if name in parts:
                parts[name]()

    async def serve(self, lifecycle: Lifecycle) -> None:
        """Serve until the lifecycle asks for a stop."""
        self.world.parts["stop"] = lifecycle.stop

        async def listen(nursery: trio.Nursery) -> None:
            lifecycle.announce(await self._listen(nursery))
            await lifecycle.stopping.wait()

        await self.work(listen)

    async def work(self, until: Callable[[trio.Nursery], Awaitable[None]]) -> None:
        """Run all but the listeners until `until` returns, which gets the nursery of what is to end then.

        What was decided is written before this returns.
        """
        async with trio.open_nursery() as committing:
            committing.start_soon(self.committer.run)
            async with trio.open_nursery() as nursery:
                await nursery.start(self.dispatcher.run)
                nursery.start_soon(self.committer.watch, self.settings["limits"]["store_timeout"] / SECOND_NS)
                await nursery.start(self.session_clients.run)
                self._start_services(nursery)
                await until(nursery)
                nursery.cancel_scope.cancel()
            with suppress(Unavailable):  # the committer has said why, and nobody was told that it is done
                await self.committer.drain()
            committing.cancel_scope.cancel()

    async def _listen(self, nursery: trio.Nursery) -> list[tuple[str, str]]:
        """Start the listeners that the configuration has an address for; return the names and addresses of those that
        are up. Only the first is worth not starting for: another that finds its address in use waits until it is free.
        """
        listen, common = self.settings["listen"], (self.dispatcher, self.settings)
        listeners: list[tuple[str, Any, tuple[Any, ...]]] = [
            ("json", serve_json, (listen["rpc_json"], *common)),
            ("birpc_json", serve_birpc, (listen["birpc_json"], self.world, self.clients, *common)),
            ("http", serve_http, (listen["http"], *common)),
        ]
        started = []
        for name, serve_one, args in listeners:
            if not args[0]:
                continue
            try:
                bound = await nursery.start(serve_one, *args)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or name == "json":
                    raise
                log.error("an address is in use, its listener waits", listener=name, address=args[0])
                nursery.start_soon(_listen_once_free, name, serve_one, args)
            else:
                started.append((name, f"{bound[0]}:{bound[1]}"))
        return started

    def _start_services(self, nursery: trio.Nursery) -> None:
        settings = self.settings
        decide, complete = self.dispatcher.decide, self.dispatcher.complete
        timers = SessionTimersTask(self.world, decide, self._clock_ns, self.session_clients, complete)
        nursery.start_soon(timers.run)
        nursery.start_soon(self.session_replicas.run)
        nursery.start_soon(PartialCdrsTask(self.world, self.dispatcher.perform, self.reads, self._clock_ns).run)
        sync_ns = settings["sessions"]["channel_sync_interval"]
        if sync_ns > 0:
            nursery.start_soon(SyncTask(decide, self.session_clients, sync_ns / 10**9, complete).run)
        nursery.start_soon(self.answers.run, decide)
        if settings["schedulers"]["enabled"]:
            nursery.start_soon(SchedulerTask(self.world, decide, self._clock_ns, complete).run)
        nursery.start_soon(QueriesTask(self.world, decide, self._clock_ns, complete).run)
        nursery.start_soon(RatingQueueTask(self.world, self.dispatcher.perform).run)
        nursery.start_soon(OutsideTask(self.world, self.dispatcher.decide_soon, settings, self.reads).run)
        partitions: Mapping[str, Any] = settings["caches"]["partitions"]
        nursery.start_soon(
            forget_what_is_over,
            decide,
            self._clock_ns,
            partitions["*closed_sessions"]["ttl"],
            partitions["*cdr_ids"]["ttl"],
        )

    async def finish(self) -> None:
        """Close the store. Everything decided is written before, by `serve`."""
        self.store.close()


class _Commits:
    """The committer as the dispatcher asks for it: with the world's instant, and calls without arguments."""

    def __init__(self, committer: Committer, world: World) -> None:
        self._committer = committer
        self._world = world

    @property
    def durable(self) -> int:
        return self._committer.durable

    def add(self, effects: Effects) -> int:
        return self._committer.add(effects, self._world.now_at)

    def on_durable(self, callback: Any) -> None:
        self._committer.on_durable(lambda durable: callback())

    def flush(self) -> None:
        return None


async def _listen_once_free(name: str, serve_one: Any, args: tuple[Any, ...]) -> None:
    """Serve as soon as the address is free. Raises OSError for any other reason that it cannot be had."""
    async with trio.open_nursery() as nursery:
        while True:
            await trio.sleep(LISTEN_AGAIN_S)
            try:
                bound = await nursery.start(serve_one, *args)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                log.info("listening at last", listener=name, address=f"{bound[0]}:{bound[1]}")
                return


def open_store(settings: Settings, codecs: Codecs) -> Store:
    """Return the store that `data_db` names, with its schema brought up to date.

    Raises BadRequest, Unavailable, Corrupt.
    """
    section = settings["data_db"]
    kind = section["db_type"]
    if kind == "*internal":
        from cgrserver.storage.memory import MemoryStore

        return MemoryStore(codecs)
    if kind == "*sqlite":
        from cgrserver.storage.sqlite import SqliteStore

        is_synced = settings["general"]["durability"] == "commit"
        return SqliteStore(Path(section["db_name"]), codecs, is_every_commit_synced=is_synced)
    if kind == "*postgres":
        from cgrserver.storage.postgres import PostgresStore, conninfo_of

        is_synced = settings["general"]["durability"] == "commit"
        return PostgresStore(conninfo_of(section), codecs, is_every_commit_synced=is_synced)
    raise BadRequest(f"data_db.db_type {kind} is not supported: expected *sqlite, *postgres or *internal")


def _note(text: str) -> None:
    log.info(text)


def serve(settings: Settings) -> int:
    """Run a node until it is stopped; return the exit status."""
    set_up_logging(settings["general"]["log_level"])
    try:
        application = Application(settings)
    except CgrError as error:
        log.error("the node cannot start", why=str(error))
        return 2
    warning = unserved_warning(settings, METHODS)
    if warning:
        log.warning(warning)
    return run(application.serve, application.finish, settings["cores"]["shutdown_timeout"])
