"""Speaking to the clients of sessions: what they are told of, what they are asked to do, which sessions they have.

Rules: a session is spoken of to the client on whose connection it began or was last updated. A client that is asked to
end a session is tried `sessions.terminate_attempts` times, each with the deadline `general.reply_timeout`; if it never
says yes, or says yes and does not end the session in time, the session is ended here. Telling delays nobody.
Does not know: how a session is ended or charged.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import structlog
import trio

from cgrcore.errors import CgrError, Refused
from cgrcore.sessions import Session, asking_for_calls, disconnection, low_balance, spending, told_calls
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from cgrserver.clients import Client, Clients

__all__ = ["KnownCalls", "SessionClients"]

log = structlog.get_logger()

#: How long a client may take to end a session after it said that it will.
END_GRACE_NS = 10 * SECOND_NS

#: Tasks that speak to clients at one time; what is told beyond that is dropped and logged.
MAX_TASKS = 10_000

Settings = Mapping[str, Mapping[str, Any]]


class KnownCalls(msgspec.Struct):
    """What clients told of their sessions: CGRIDs, and the connections of those that told nothing."""

    cgrids: set[str]
    unanswered: set[str]


class SessionClients:
    """Speaks to clients, in tasks of its own."""

    def __init__(self, world: World, clients: Clients, settings: Settings) -> None:
        self._world = world
        self._clients = clients
        self._deadline_s = settings["general"]["reply_timeout"] / SECOND_NS
        self._attempts = max(1, settings["sessions"]["terminate_attempts"])
        # The caller of SyncSessions waits for the store's time at most.
        sync_ns = min(settings["sessions"]["channel_sync_timeout"], settings["limits"]["store_timeout"] * 9 // 10)
        self._sync_deadline_s = sync_ns / SECOND_NS
        pauses_ns = sum(_pauses_ms(self._attempts)) * 1_000_000
        #: How long it takes at most until a client that was asked to end a session has done so or never will (ns).
        self.longest_end_ns = self._attempts * settings["general"]["reply_timeout"] + pauses_ns + END_GRACE_NS
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Own the tasks that speak to clients, until cancelled; what was not told yet is not told then."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self._nursery = None

    def __len__(self) -> int:
        """Return how many clients are connected."""
        return len(self._clients)

    def can_ask(self, session: Session) -> bool:
        """Return whether the session's client is connected."""
        return self._nursery is not None and self._clients.get(session.connection_id) is not None

    def tell_ended(self, session: Session, told: dict[str, Any], tenant: str = "") -> None:
        """Tell a session's client that it was ended, if that is connected. `told` as for `disconnection`."""
        log.info("session ended", cgrid=session.cgrid, cause=told.get("DisconnectCause", ""))
        self._start(session, disconnection(self._world, session, tenant, told), self._once)

    def warn(self, session: Session) -> None:
        """Tell a session's client that its credit is nearly used up."""
        self._start(session, low_balance(self._world, session), self._once)

    def tell_spending(self, session: Session) -> None:
        """Tell a session's client that a policy counter has another status."""
        self._start(session, spending(self._world, session), self._once)

    def ask_to_end(self, session: Session, cause: str, give_up: Callable[[], object]) -> None:
        """Ask a session's client to end it; `give_up` is called when it does not say yes."""
        call = disconnection(self._world, session, session.tenant, {"DisconnectCause": cause})

        async def ask(client: Client, method: str, argument: Any) -> None:
            if not await self._again_and_again(client, method, argument):
                give_up()

        self._start(session, call, ask)

    def _start(self, session: Session, call: tuple[str, Any], speak: Callable[..., Any]) -> None:
        client = self._clients.get(session.connection_id)
        if client is None or self._nursery is None:
            return
        if len(self._nursery.child_tasks) >= MAX_TASKS:
            log.error("too many clients are spoken to, one is not", method=call[0], cgrid=session.cgrid)
            return
        self._nursery.start_soon(speak, client, *call)

    async def _once(self, client: Client, method: str, argument: Any) -> bool:
        try:
            await client.call(method, argument, self._deadline_s)
        except CgrError as error:
            log.warning("a client did not do what it was asked", method=method, client=client.id, why=str(error))
            return False
        return True

    async def _again_and_again(self, client: Client, method: str, argument: Any) -> bool:
        for pause_ms in _pauses_ms(self._attempts):
            if await self._once(client, method, argument):
                return True
            await trio.sleep(pause_ms / 1000)
        return False

    async def ask_each(self, sessions: list[tuple[Session, str, Any]]) -> int:
        """Make one call for each session, side by side; return how many clients said no, or could not be asked."""
        refused = 0

        async def ask(session: Session, method: str, argument: Any) -> None:
            nonlocal refused
            client = self._clients.get(session.connection_id)
            if client is None or not await self._once(client, method, argument):
                refused += 1

        async with trio.open_nursery() as nursery:
            for session, method, argument in sessions:
                nursery.start_soon(ask, session, method, argument)
        return refused

    async def tell_all(self, method: str, argument: Any) -> int:
        """Make one call to every client, side by side; return how many said no."""
        refused = 0

        async def tell(client: Client) -> None:
            nonlocal refused
            refused += not await self._once(client, method, argument)

        async with trio.open_nursery() as nursery:
            for client in self._clients:
                nursery.start_soon(tell, client)
        return refused

    async def ask_for_calls(self) -> KnownCalls:
        """Ask every client which sessions it has, side by side, and return what they told in time."""
        known = KnownCalls(set(), set())
        method, argument = asking_for_calls(self._world)

        async def ask(client: Client) -> None:
            try:
                known.cgrids |= told_calls(await client.call(method, argument, self._sync_deadline_s))
            except Refused as error:
                if str(error) != "NO_ACTIVE_SESSION":
                    self._not_told(known, client, str(error))
            except (CgrError, TypeError) as error:
                self._not_told(known, client, str(error))

        async with trio.open_nursery() as nursery:
            for client in self._clients:
                nursery.start_soon(ask, client)
        return known

    def _not_told(self, known: KnownCalls, client: Client, why: str) -> None:
        log.warning("a client did not tell its sessions, they go on", client=client.id, why=why)
        known.unanswered.add(client.id)


def _pauses_ms(count: int) -> list[int]:
    """Return the pauses after attempts: Fibonacci's numbers."""
    pauses, following = [1], 2
    while len(pauses) < count:
        pauses.append(following)
        following += pauses[-2]
    return pauses[:count]
