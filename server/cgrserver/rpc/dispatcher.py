"""Takes requests, runs the decisions they ask for, and lets replies go once what they say is durable.

A request is decoded, checked for its mandatory fields, decided, committed, answered. A method that needs the store
first (`fetch`) runs in a task and is decided when its data is there, so replies of one connection may overtake each
other, as with CGRateS. So is one that missed records which only the store has: it is undone, and made again once they
were fetched. An error undoes its decision. What is not an expected error is logged, counted and answered with
`SERVER_ERROR: internal error`; the client and all others are served on.
Does not know: sockets, storage, what methods mean.
"""

import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import ExitStack
from typing import Any, Protocol, TypeVar

import msgspec
import structlog
import trio

from cgrcore.codecs import NO_PARAMS, Arguments, GoTypes, Request, encode, failure, read_request, success
from cgrcore.errors import BadRequest, CgrError, Unavailable, kept, mandatory_missing
from cgrcore.state import NotInMemory
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from cgrserver.rpc.commits import Committer
from cgrserver.rpc.fetching import Fetching, Held
from cgrserver.rpc.gotypes import load_go_types
from cgrserver.rpc.held import Channel, HeldReplies
from cgrserver.rpc.registry import METHODS, Method

__all__ = ["CallLimits", "Dispatcher", "Replays"]

log = structlog.get_logger()

T = TypeVar("T")

INTERNAL_ERROR = "SERVER_ERROR: internal error"
OVERLOADED = "SERVER_ERROR: too many calls in work"


class CallLimits(msgspec.Struct, frozen=True):
    """Bounds on calls in work.

    `caps` is CGRateS's `cores.caps` (0: none), with `caps_queues` calls above it wait instead of being refused; `calls`
    bounds the calls that wait for the store, a commit or their turn, whatever the configuration; `fetch_s` is how long
    a call may wait for the store.
    """

    caps: int = 0
    caps_queues: bool = False
    calls: int = 100_000
    fetch_s: float = 30.0

    @classmethod
    def of(cls, settings: Mapping[str, Mapping[str, Any]]) -> "CallLimits":
        """Return what the sections `cores` and `limits` say."""
        if "limits" not in settings:
            return cls()
        cores, limits = settings["cores"], settings["limits"]
        return cls(
            caps=cores["caps"],
            caps_queues=cores["caps_strategy"] == "*queue",
            calls=limits["max_calls"],
            fetch_s=limits["store_timeout"] / SECOND_NS,
        )


class Replays(Protocol):
    """Answers kept for requests that carry an idempotency key.

    `name` returns the name of a request with a key, "" for one without. `find` is asked before a decision and returns
    the result (JSON text) of the first request of the name, or raises its error; `keep` runs inside the decision, so
    that the answer is committed with what it changed, and so does `keep_error` for an error that keeps its changes, or
    that undid them and is an answer all the same (`keeps_refusal`).
    """

    def name(self, method: str, args: Any, params: msgspec.Raw) -> str: ...

    def find(self, name: str) -> bytes | None: ...

    def keep(self, name: str, result: bytes) -> None: ...

    def keeps_refusal(self, name: str, error: CgrError) -> bool: ...

    def keep_error(self, name: str, error: CgrError) -> None: ...


class _Entry(msgspec.Struct):
    method: Method
    arguments: Arguments


class Dispatcher:
    """Everything between a frame and its reply. One for the whole server; not thread-safe.

    `clock_ns` is the time of day (ns UTC). `store` is handed to `fetch`. `disabled` names services that are switched
    off. `fetching` is there where not all records are in memory. `counts` are for the telemetry: calls, errors
    (expected), failures (ours), refused.
    """

    def __init__(
        self,
        world: World,
        committer: Committer,
        clock_ns: Callable[[], int],
        *,
        methods: Mapping[str, Method] = METHODS,
        store: Any = None,
        go_types: GoTypes | None = None,
        limits: CallLimits | None = None,
        disabled: frozenset[str] = frozenset(),
    ) -> None:
        self._world = world
        self._committer = committer
        self._clock_ns = clock_ns
        self._methods = methods
        self._store = store
        self._go_types = go_types or load_go_types()
        self._limits = limits or CallLimits()
        self._services = frozenset(name.rpartition(".")[0] for name in methods) - disabled
        self._entries: dict[str, _Entry] = {}
        self._held = HeldReplies(committer, self._delivered)
        self._nursery: trio.Nursery | None = None
        self._running = 0
        self._queue: deque[tuple[_Entry, Request, Channel]] = deque()
        self._flushers: list[Callable[[], None]] = []
        self._suspended = ""
        self.replays: Replays | None = None
        self.fetching: Fetching | None = None
        self.counts = {"calls": 0, "errors": 0, "failures": 0, "refused": 0}

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Own the tasks of calls that wait for the store, until cancelled. Cancelling drops calls not decided yet."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            if self.fetching is not None:
                nursery.start_soon(self.fetching.run)
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self._nursery = None

    def on_delivery(self, flush: Callable[[], None]) -> None:
        """Call `flush` after replies were delivered to channels outside of a batch."""
        self._flushers.append(flush)

    def off_delivery(self, flush: Callable[[], None]) -> None:
        """Undo `on_delivery`."""
        self._flushers.remove(flush)

    def suspend(self, first: int, last: int, error: CgrError) -> None:
        """Commits `first` to `last` are lost: answer who waits for them, and everybody from now on, with the error."""
        self._suspended = str(error)
        self._held.lose(first, last, self._suspended)

    def resume(self) -> None:
        """Decide again: the tables hold what the store does."""
        self._suspended = ""

    @property
    def in_work_count(self) -> int:
        """Calls that are not answered yet."""
        return self._running + self._held.count + len(self._queue)

    def begin_batch(self) -> None:
        """Requests that arrived together follow: they share one instant."""
        self._world.now_at = self._clock_ns()

    def end_batch(self) -> None:
        """All requests that arrived together were received."""
        self._committer.flush()

    def receive(self, frame: bytes, channel: Channel) -> bytes | None:
        """Handle one request. Return its reply, None when `channel` will be given it later. Raises NotJson."""
        request = read_request(frame)
        self.counts["calls"] += 1
        if self._suspended:
            return self._error(request, self._suspended)
        entry = self._entries.get(request.method)
        if entry is None:
            found = self._find(request.method)
            if isinstance(found, str):
                return self._error(request, found)
            entry = found
        if entry.method.fetch is None and not self._limits.caps and self._held.count < self._limits.calls:
            return self._call(entry, request, channel)
        return self._admit(entry, request, channel)

    def decide(self, reason: str, decide: Callable[[World], T]) -> T:
        """Run a decision that no request asked for, and return its result, which may not be durable yet.

        An error undoes it and is raised, and so is NotInMemory: see `complete`.
        """
        if self._suspended:
            raise Unavailable(self._suspended)
        world = self._world
        world.now_at = self._clock_ns()
        world.state.begin(reason)
        try:
            result = decide(world)
        except BaseException as error:
            if getattr(error, "keeps_changes", False):
                self._commit()
            else:
                world.state.rollback()
            raise
        self._commit()
        self._committer.flush()
        return result

    def decide_soon(self, reason: str, decide: Callable[[World], Any]) -> None:
        """As `decide`, now or once what it misses is fetched. Errors that come later are logged."""

        def attempt(why_lost: CgrError | None) -> None:
            try:
                if why_lost is not None:
                    raise why_lost
                self.decide(reason, decide)
            except CgrError as error:
                log.error("a decision failed", reason=reason, why=str(error))

        try:
            self.decide(reason, decide)
        except NotInMemory as missing:
            if self.fetching is None:
                raise
            self.fetching.wait(missing, attempt)

    async def complete(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` returns, a function that decides; fetch what it misses and make it again until it does.

        It must do no harm when it is made again after some of its decisions were. Raises what it raises.
        """
        return attempt() if self.fetching is None else await self.fetching.complete(attempt)

    def _commit(self) -> int:
        """Commit what the open decision changed, or undo it when that cannot be (CgrError).

        Returns the ticket that a reply waits for, 0 for none.
        """
        state = self._world.state
        if not state.effects:
            return self._held.ticket_of_reading(state.seen_ticket)
        try:
            ticket = self._held.commit(state.effects)
        except CgrError:
            state.rollback()
            raise
        state.take()
        return ticket

    async def perform(
        self, reason: str, decide: Callable[..., T], read: Callable[[], Awaitable[Any]] | None = None
    ) -> T:
        """As `decide`, and wait until what it changed or read is durable.

        With `read`, the decision is given what that returns, read again whenever accounts had to be fetched meanwhile.
        Cancelled meanwhile, the decision stands all the same. Raises Unavailable when its commit is lost.
        """
        if read is None:
            result = await self.complete(lambda: self.decide(reason, decide))
        else:
            result = await self._read_and_decide(reason, decide, read)
        ticket = self._held.last_ticket  # at least as late as all it changed and read
        if ticket > self._committer.durable:
            waiter = _Waiter()
            self._held.hold(ticket, waiter, b"")
            await waiter.done.wait()
            if waiter.why_lost:
                raise Unavailable(waiter.why_lost)
        return result

    async def _read_and_decide(
        self, reason: str, decide: Callable[[World, Any], T], read: Callable[[], Awaitable[Any]]
    ) -> T:
        with ExitStack() as until_done:
            held: Held | None = None
            while True:
                found = await read()
                try:
                    return self.decide(reason, lambda world, found=found: decide(world, found))  # type: ignore[misc]
                except NotInMemory as missing:
                    if self.fetching is None:
                        raise
                    held = held or until_done.enter_context(self.fetching.holding())
                    await held.fetch(missing)

    def _find(self, name: str) -> _Entry | str:
        service, dot, _ = name.rpartition(".")
        if not dot:
            return f"rpc: service/method request ill-formed: {name}"
        if service not in self._services:
            return f"rpc: can't find service {name}"
        method = self._methods.get(name)
        if method is None:
            return f"rpc: can't find method {name}"
        go_type = self._go_types.argument(name, method.args)
        entry = self._entries[name] = _Entry(method, Arguments(method.args, go_type, self._go_types))
        return entry

    def _error(self, request: Request, text: str) -> bytes:
        self.counts["errors"] += 1
        return failure(request.id, text)

    def _call(self, entry: _Entry, request: Request, channel: Channel) -> bytes | None:
        """Decode and decide a call that needs nothing from the store."""
        try:
            args = self._arguments(entry, request)
        except BadRequest as error:
            return self._error(request, str(error))
        return self._decide(entry.method, (self._world, args), request, channel)

    def _arguments(self, entry: _Entry, request: Request) -> Any:
        if request.params is NO_PARAMS:
            raise BadRequest("jsonrpc: request body missing params")
        args = entry.arguments.decode(request.params)
        mandatory = entry.method.mandatory
        if mandatory:
            check_mandatory(args, mandatory)
        return args

    def _decide(
        self, method: Method, inputs: tuple[Any, ...], request: Request, channel: Channel, *, is_again: bool = False
    ) -> bytes | None:
        state = self._world.state
        state.begin(method.name)
        try:
            if self.replays is None:
                result = encode(method.decide(*inputs))
            else:
                result = self._decide_once(self.replays, method, inputs, request)
            reply = success(request.id, result)
        except CgrError as error:
            if not error.keeps_changes:
                state.rollback()
            reply = self._error(request, str(error))
        except Exception:  # our own mistake: undone, told to the operators, and nobody else is troubled
            state.rollback()
            self.counts["failures"] += 1
            log.exception("a decision failed", method=method.name)
            reply = failure(request.id, INTERNAL_ERROR)
        except NotInMemory as missing:
            state.rollback()
            if is_again:
                raise
            return self._decide_later(missing, method, inputs, request, channel)
        try:
            ticket = self._commit()
        except CgrError as error:
            return self._error(request, str(error))
        if ticket == 0:
            return reply
        self._held.hold(ticket, channel, reply)
        return None

    def _decide_later(
        self, missing: NotInMemory, method: Method, inputs: tuple[Any, ...], request: Request, channel: Channel
    ) -> bytes | None:
        """Make the decision once what it missed is in memory, with its arguments as they came."""
        if self.fetching is None:
            raise missing
        if self.in_work_count >= self._limits.calls:
            self.counts["refused"] += 1
            return self._error(request, OVERLOADED)
        self._running += 1
        if method.fetch is not None and missing.keys is not None and self._nursery is not None:
            self._nursery.start_soon(self._fetch_again, self.fetching, missing, method, request, channel)
        else:
            self._decide_when_there(self.fetching, missing, method, inputs, request, channel)
        return None

    def _decide_when_there(
        self,
        fetching: Fetching,
        missing: NotInMemory,
        method: Method,
        inputs: tuple[Any, ...],
        request: Request,
        channel: Channel,
    ) -> None:
        """Make the decision at the moment when what it missed is there."""

        def attempt(why_lost: CgrError | None) -> None:
            world = self._world
            if why_lost is not None or self._suspended:
                reply: bytes | None = self._error(request, str(why_lost or self._suspended))
            else:
                args = self._arguments(self._entries[request.method], request)
                world.now_at = self._clock_ns()
                world.client_id = _client_id(channel)
                try:
                    reply = self._decide(method, (world, args, *inputs[2:]), request, channel, is_again=True)
                finally:
                    world.client_id = ""
                self._committer.flush()
            self._running -= 1
            if reply is not None:
                channel.deliver(reply)
            self._delivered()

        fetching.wait(missing, attempt)

    async def _fetch_again(
        self, fetching: Fetching, missing: NotInMemory, method: Method, request: Request, channel: Channel
    ) -> None:
        """Have at hand what the decision missed, then fetch anew what it needs of the store: that may have changed."""

        async def fetch(args: Any, missing: NotInMemory) -> Any:
            await held.fetch(missing)
            assert method.fetch is not None
            fetched = method.fetch(self._store, self._world, args)
            return await fetched if isinstance(fetched, Awaitable) else fetched

        with fetching.holding() as held:
            while True:
                args = self._arguments(self._entries[request.method], request)
                try:
                    await self._fetch_and_decide(method, args, fetch(args, missing), request, channel, is_again=True)
                except NotInMemory as more:
                    missing = more
                else:
                    return

    def _decide_once(self, replays: Replays, method: Method, inputs: tuple[Any, ...], request: Request) -> bytes:
        name = replays.name(method.name, inputs[1], request.params)
        if not name:
            return encode(method.decide(*inputs))
        known = replays.find(name)
        if known is not None:
            return known
        try:
            result = encode(method.decide(*inputs))
        except CgrError as error:
            if not error.keeps_changes and replays.keeps_refusal(name, error):
                self._world.state.undo()
                kept(error)
            if error.keeps_changes:
                replays.keep_error(name, error)
            raise
        replays.keep(name, result)
        return result

    def _is_answered(self, method: Method, args: Any, request: Request) -> bool:
        """Tell whether the request was answered before, so that nothing need be fetched for it."""
        replays = self.replays
        if replays is None or not (name := replays.name(method.name, args, request.params)):
            return False
        try:
            return replays.find(name) is not None
        except CgrError:
            return True

    def _admit(self, entry: _Entry, request: Request, channel: Channel) -> bytes | None:
        """Start a call now, let it wait for its turn, or refuse it."""
        limits = self._limits
        if self.in_work_count >= limits.calls:
            self.counts["refused"] += 1
            return self._error(request, OVERLOADED)
        if limits.caps and self.in_work_count >= limits.caps:
            if not limits.caps_queues:
                self.counts["refused"] += 1
                return self._error(request, "MAX_CONCURRENT_RPC_EXCEEDED")
            self._queue.append((entry, request, channel))
            return None
        return self._start(entry, request, channel)

    def _start(self, entry: _Entry, request: Request, channel: Channel) -> bytes | None:
        if entry.method.fetch is None:
            return self._call(entry, request, channel)
        try:
            args = self._arguments(entry, request)
        except BadRequest as error:
            return self._error(request, str(error))
        try:
            if self._is_answered(entry.method, args, request):
                return self._decide(entry.method, (self._world, args), request, channel)
            fetched = entry.method.fetch(self._store, self._world, args)
        except CgrError as error:
            return self._error(request, str(error))
        except NotInMemory as missing:
            return self._decide_later(missing, entry.method, (self._world, args), request, channel)
        if not hasattr(fetched, "__await__"):  # an instance of Awaitable, told six times as fast
            return self._decide(entry.method, (self._world, args, fetched), request, channel)
        if self._nursery is None:
            if isinstance(fetched, Coroutine):
                fetched.close()
            return self._error(request, "SERVER_ERROR: shutting down")
        self._running += 1
        self._nursery.start_soon(self._fetch_and_decide, entry.method, args, fetched, request, channel)
        return None

    async def _fetch_and_decide(
        self,
        method: Method,
        args: Any,
        fetching: Awaitable[Any],
        request: Request,
        channel: Channel,
        *,
        is_again: bool = False,
    ) -> None:
        reply: bytes | None
        try:
            with trio.fail_after(math.inf if method.is_long else self._limits.fetch_s):
                fetched = await fetching
        except CgrError as error:
            reply = self._error(request, str(error))
        except trio.TooSlowError:
            self.counts["failures"] += 1
            log.error("the store did not answer in time", method=method.name, limit_s=self._limits.fetch_s)
            reply = failure(request.id, "SERVER_ERROR: the store does not answer")
        except Exception:  # the top of a task
            self.counts["failures"] += 1
            log.exception("a fetch failed", method=method.name)
            reply = failure(request.id, INTERNAL_ERROR)
        except NotInMemory as missing:
            if is_again or self.fetching is None:
                raise
            await self._fetch_again(self.fetching, missing, method, request, channel)
            return
        else:
            if self._suspended:
                reply = self._error(request, self._suspended)
            else:
                self._world.now_at = self._clock_ns()
                self._world.client_id = _client_id(channel)
                inputs = (self._world, args, fetched)
                try:
                    reply = self._decide(method, inputs, request, channel, is_again=is_again)
                except NotInMemory as missing:
                    if missing.keys is not None or self.fetching is None:
                        raise
                    # All keys are there for a moment only.
                    self._decide_when_there(self.fetching, missing, method, inputs, request, channel)
                    return
                finally:
                    self._world.client_id = ""
                self._committer.flush()
        self._running -= 1
        if reply is not None:
            channel.deliver(reply)
        self._delivered()

    def _delivered(self) -> None:
        """Calls have ended: let those that waited for their turn have it, and the replies go."""
        while self._queue and self._running + self._held.count < self._limits.caps:
            entry, request, channel = self._queue.popleft()
            self._world.now_at = self._clock_ns()
            self._world.client_id = _client_id(channel)
            reply = self._start(entry, request, channel)
            self._world.client_id = ""
            if reply is not None:
                channel.deliver(reply)
        for flush in self._flushers:
            flush()


def _client_id(channel: Channel) -> str:
    """Return the id of the client that a channel leads to, "" when it cannot be called."""
    client = getattr(channel, "client", None)
    return "" if client is None else client.id


class _Waiter:
    """A channel for those who wait in the server itself."""

    def __init__(self) -> None:
        self.done = trio.Event()
        self.why_lost = ""

    def deliver(self, reply: bytes) -> None:
        self.why_lost = reply.decode()
        self.done.set()


def check_mandatory(args: Any, mandatory: tuple[str, ...]) -> None:
    """Trim the texts among the mandatory fields and raise BadRequest when any field has its zero value."""
    missing = []
    for name in mandatory:
        value = getattr(args, name)
        if type(value) is str:
            trimmed = value.strip()
            if trimmed != value:
                setattr(args, name, trimmed)
            if trimmed:
                continue
        elif value is not None and value != []:
            continue
        missing.append(name)
    if missing:
        raise mandatory_missing(missing)
