"""SessionSv1: listing sessions and steering them from outside."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import msgspec
import trio

from cgrcore.cdrs import process_ended_session
from cgrcore.codecs import encode
from cgrcore.errors import NotFound, PartiallyExecuted, Refused
from cgrcore.event import time_of
from cgrcore.sessions import (
    Session,
    SessionRun,
    activate,
    active_sessions,
    alteration,
    candidates,
    count_runs,
    deactivate,
    disconnect,
    external_session,
    forget,
    list_runs,
    matching_runs,
    passive_sessions,
    session_from_wire,
    stand_by,
)
from cgrcore.state import Table
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method
from cgrserver.services.session_clients import KnownCalls, SessionClients
from cgrserver.services.session_replicas import SessionReplicas
from cgrserver.services.sessions import end_unknown

#: The table that a method is about.
SessionsOf = Callable[[World], Table[Session]]


class SessionFilterArgs(Args):
    """Which sessions a request is about."""

    Limit: int | None = None
    Filters: list[str] | None = None
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


class SessionIdsArgs(Args):
    IDs: list[str] | None = None
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


#: Sessions that are looked at before others have their turn: a few milliseconds.
LOOKED_AT_ONCE = 200


async def _in_steps(
    world: World, sessions: Table[Session], args: SessionFilterArgs
) -> AsyncGenerator[list[tuple[Session, SessionRun]], None]:
    """Yield the matching runs of many sessions, those of a few sessions at a time."""
    filters, tenant = args.Filters or [], world.tenant(args.Tenant)
    keys = candidates(sessions, filters)
    for start in range(0, len(keys), LOOKED_AT_ONCE):
        yield list(matching_runs(world, sessions, tenant, filters, keys[start : start + LOOKED_AT_ONCE]))
        await trio.lowlevel.checkpoint()


def _fetch_list(sessions_of: SessionsOf) -> Callable[[Any, World, SessionFilterArgs], Any]:
    """Return the fetch of a list: of many sessions it is made in steps, of few when it is decided (None)."""

    async def show(world: World, args: SessionFilterArgs) -> msgspec.Raw:
        node_id = str(world.settings["general"]["node_id"])
        limit = args.Limit if args.Limit is not None and args.Limit > 0 else None
        shown: list[bytes] = []
        count = 0
        async with aclosing(_in_steps(world, sessions_of(world), args)) as steps:
            async for found in steps:
                found = found if limit is None else found[: limit - count]
                count += len(found)
                if found:
                    shown.append(encode([external_session(session, run, node_id) for session, run in found])[1:-1])
                if limit is not None and count >= limit:
                    break
        if not count:
            raise NotFound
        return msgspec.Raw(b"[%b]" % b",".join(shown))

    def fetch(store: Any, world: World, args: SessionFilterArgs) -> Any:
        return show(world, args) if len(sessions_of(world).records) > LOOKED_AT_ONCE else None

    return fetch


def _fetch_count(sessions_of: SessionsOf) -> Callable[[Any, World, SessionFilterArgs], Any]:
    """Return the fetch of a count, likewise."""

    async def count(world: World, args: SessionFilterArgs) -> int:
        async with aclosing(_in_steps(world, sessions_of(world), args)) as steps:
            return sum([len(found) async for found in steps])

    def fetch(store: Any, world: World, args: SessionFilterArgs) -> Any:
        return count(world, args) if len(sessions_of(world).records) > LOOKED_AT_ONCE else None

    return fetch


def _list(world: World, sessions: Table[Session], args: SessionFilterArgs, listed: msgspec.Raw | None) -> Any:
    len(sessions)  # the reply waits for what it may have seen
    if listed is not None:
        return listed
    found = list_runs(world, sessions, world.tenant(args.Tenant), args.Filters or [], args.Limit)
    node_id = str(world.settings["general"]["node_id"])
    return [external_session(session, run, node_id) for session, run in found]


def _count(world: World, sessions: Table[Session], args: SessionFilterArgs, counted: int | None) -> int:
    len(sessions)  # the reply waits for what it may have seen
    return count_runs(world, sessions, world.tenant(args.Tenant), args.Filters or []) if counted is None else counted


@method("SessionSv1.GetActiveSessions", fetch=_fetch_list(active_sessions))
def get_active_sessions(world: World, args: SessionFilterArgs, listed: msgspec.Raw | None) -> Any:
    """List the runs of sessions charged here."""
    return _list(world, active_sessions(world), args, listed)


@method("SessionSv1.GetPassiveSessions", fetch=_fetch_list(passive_sessions))
def get_passive_sessions(world: World, args: SessionFilterArgs, listed: msgspec.Raw | None) -> Any:
    """List the runs of sessions that stand by for another node."""
    return _list(world, passive_sessions(world), args, listed)


@method("SessionSv1.GetActiveSessionsCount", fetch=_fetch_count(active_sessions))
def get_active_sessions_count(world: World, args: SessionFilterArgs, counted: int | None) -> int:
    """Count the runs of sessions charged here."""
    return _count(world, active_sessions(world), args, counted)


@method("SessionSv1.GetPassiveSessionsCount", fetch=_fetch_count(passive_sessions))
def get_passive_sessions_count(world: World, args: SessionFilterArgs, counted: int | None) -> int:
    """Count the runs of sessions that stand by."""
    return _count(world, passive_sessions(world), args, counted)


class SessionChangeArgs(SessionFilterArgs):
    """Sessions, and fields that their clients are told."""

    Event: dict[str, Any] | None = None


@method("SessionSv1.ForceDisconnect")
def force_disconnect(world: World, args: SessionChangeArgs) -> str:
    """End sessions with the usage reserved, write their CDRs, and tell their clients."""
    ended, is_whole = disconnect(world, world.tenant(args.Tenant), args.Filters or [], args.Limit)
    _close(world, ended, is_whole, args.Tenant, args.Event or {})
    return "OK"


def _close(world: World, ended: list[Session], is_whole: bool, tenant: str, told: dict[str, Any]) -> None:
    """Write the CDRs of sessions that have ended, and have their clients told once that is committed.

    Raises PartiallyExecuted at the end when something failed for one.
    """
    clients = _clients(world)
    for session in ended:
        try:
            process_ended_session(world, session)
        except PartiallyExecuted:
            is_whole = False
        if clients is not None:
            world.state.effects.after.append(partial(clients.tell_ended, session, told, tenant))
    if not is_whole:
        raise PartiallyExecuted


def _clients(world: World) -> SessionClients | None:
    found: SessionClients | None = world.parts.get("session_clients")
    return found


def _ask_for_calls(store: Any, world: World, args: SessionIdsArgs) -> Any:
    """Ask the clients that are connected which sessions they have."""
    clients = _clients(world)
    return KnownCalls(set(), set()) if clients is None or not len(clients) else clients.ask_for_calls()


@method("SessionSv1.SyncSessions", fetch=_ask_for_calls)
def sync_sessions(world: World, args: SessionIdsArgs, known: KnownCalls) -> str:
    """End the sessions that no client knows. A client that does not answer keeps its own."""
    end_unknown(world, known, _clients(world))
    return "OK"


@method("SessionSv1.ActivateSessions")
def activate_sessions(world: World, args: SessionIdsArgs) -> str:
    """Take over sessions that stand by."""
    if activate(world, args.IDs or []):
        raise PartiallyExecuted
    return "OK"


@method("SessionSv1.DeactivateSessions")
def deactivate_sessions(world: World, args: SessionIdsArgs) -> str:
    """Let sessions stand by."""
    if deactivate(world, args.IDs or []):
        raise PartiallyExecuted
    return "OK"


def _ask_to_alter(store: Any, world: World, args: SessionChangeArgs) -> Any:
    """Ask the clients of the sessions, and return how many did not do it. Raises NotFound."""
    tenant = world.tenant(args.Tenant)
    found = list_runs(world, active_sessions(world), tenant, args.Filters or [], args.Limit)
    sessions = list({session.cgrid: session for session, _ in found}.values())
    clients = _clients(world)
    if clients is None or not any(clients.can_ask(session) for session in sessions):
        return len(sessions)
    return clients.ask_each([(it, *alteration(world, it, args.Tenant, args.Event or {})) for it in sessions])


@method("SessionSv1.AlterSessions", fetch=_ask_to_alter)
def alter_sessions(world: World, args: SessionChangeArgs, refused: int) -> str:
    """Ask the clients of sessions to alter them."""
    if refused:
        raise PartiallyExecuted
    return "OK"


class PeerArgs(Args):
    OriginHost: str = ""
    OriginRealm: str = ""
    RemoteAddr: str = ""
    DisconnectCause: int = 0


def _tell_peers(store: Any, world: World, args: PeerArgs) -> Any:
    """Tell every client, and return how many did not do it."""
    clients = _clients(world)
    if clients is None or not len(clients):
        return 0
    argument = {name: getattr(args, name) for name in ("OriginHost", "OriginRealm", "RemoteAddr", "DisconnectCause")}
    return clients.tell_all("AgentV1.DisconnectPeer", argument)


@method("SessionSv1.DisconnectPeer", mandatory=("OriginHost", "OriginRealm"), fetch=_tell_peers)
def disconnect_peer(world: World, args: PeerArgs, refused: int) -> str:
    """Have the Diameter agents among the clients disconnect a peer."""
    if refused:
        raise PartiallyExecuted
    return "OK"


@method("SessionSv1.RegisterInternalBiJSONConn")
def register_internal_connection(world: World, args: str) -> str:
    """Do nothing: agents inside this process need no connection."""
    return "OK"


@method("SessionSv1.CapsError")
def caps_error(world: World, args: Any) -> str:
    """Refuse, as calls beyond `cores.caps` are: for trying out how clients take it."""
    raise Refused("MAX_CONCURRENT_RPC_EXCEEDED")


@method("SessionSv1.ThresholdNotify")
def threshold_notify(world: World, args: str) -> str:
    """Tell the client of a session (by CGRID) that a policy counter has another status, if it is connected."""
    session, clients = active_sessions(world).get(args), _clients(world)
    if session is not None and clients is not None:
        world.state.effects.after.append(partial(clients.tell_spending, session))
    return "OK"


@method("SessionSv1.BackupActiveSessions")
def backup_active_sessions(world: World, args: str) -> int:
    """Count the active sessions: they are in the database with every change."""
    return len(active_sessions(world))


class PassiveSessionArgs(Args):
    CGRID: str = ""
    Tenant: str = ""
    EventStart: dict[str, Any] | None = None
    OptsStart: dict[str, Any] | None = None
    DebitInterval: int = 0
    Chargeable: bool = True
    SRuns: list[dict[str, Any]] | None = None
    UpdatedAt: str | None = None


@method("SessionSv1.SetPassiveSession", mandatory=("CGRID",))
def set_passive_session(world: World, args: PassiveSessionArgs) -> str:
    """Keep, or without EventStart forget, a session that another node charges."""
    if args.EventStart is None:
        updated = time_of(args.UpdatedAt, world.now_at)
        forget(world, args.CGRID, None if updated is None else updated.at)
    else:
        stand_by(world, session_from_wire(world, msgspec.structs.asdict(args)))
    return "OK"


class ReplicateArgs(Args):
    CGRID: str = ""
    Passive: bool = False
    ConnIDs: list[str] | None = None


def _send(store: Any, world: World, args: ReplicateArgs) -> Any:
    """Send the sessions to the nodes that the connections lead to; return how many did not take them."""
    sessions = passive_sessions(world) if args.Passive else active_sessions(world)
    chosen = [args.CGRID] if args.CGRID else list(sessions)
    found = [sessions.records[cgrid] for cgrid in chosen if cgrid in sessions]
    replicas: SessionReplicas | None = world.parts.get("session_replicas")
    if not found or not args.ConnIDs:
        return 0
    return len(found) if replicas is None else replicas.send(found, args.ConnIDs)


@method("SessionSv1.ReplicateSessions", fetch=_send)
def replicate_sessions(world: World, args: ReplicateArgs, refused: int) -> str:
    """Send a session (all, without CGRID) to other nodes, which stand by with it."""
    if refused:
        raise PartiallyExecuted
    return "OK"
