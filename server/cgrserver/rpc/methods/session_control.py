"""SessionSv1: listing sessions and steering them from outside."""

from collections.abc import Iterable
from typing import Any

from cgrcore.cdrs import process_ended_session
from cgrcore.errors import NotFound, PartiallyExecuted, mandatory_missing
from cgrcore.sessions import (
    Session,
    activate,
    active_sessions,
    count_runs,
    deactivate,
    disconnect,
    external_session,
    list_runs,
    passive_sessions,
)
from cgrcore.state import Table
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method


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


def _list(world: World, sessions: Table[Session], args: SessionFilterArgs) -> list[dict[str, Any]]:
    found = list_runs(world, sessions, world.tenant(args.Tenant), args.Filters or [], args.Limit)
    node_id = str(world.settings["general"]["node_id"])
    return [external_session(session, run, node_id) for session, run in found]


@method("SessionSv1.GetActiveSessions")
def get_active_sessions(world: World, args: SessionFilterArgs) -> list[dict[str, Any]]:
    """List the runs of sessions charged here."""
    return _list(world, active_sessions(world), args)


@method("SessionSv1.GetPassiveSessions")
def get_passive_sessions(world: World, args: SessionFilterArgs) -> list[dict[str, Any]]:
    """List the runs of sessions that stand by for another node."""
    return _list(world, passive_sessions(world), args)


@method("SessionSv1.GetActiveSessionsCount")
def get_active_sessions_count(world: World, args: SessionFilterArgs) -> int:
    """Count the runs of sessions charged here."""
    return count_runs(world, active_sessions(world), world.tenant(args.Tenant), args.Filters or [])


@method("SessionSv1.GetPassiveSessionsCount")
def get_passive_sessions_count(world: World, args: SessionFilterArgs) -> int:
    """Count the runs of sessions that stand by."""
    return count_runs(world, passive_sessions(world), world.tenant(args.Tenant), args.Filters or [])


@method("SessionSv1.ForceDisconnect")
def force_disconnect(world: World, args: SessionFilterArgs) -> str:
    """End sessions with the usage reserved, and write their CDRs."""
    _write_cdrs(world, disconnect(world, world.tenant(args.Tenant), args.Filters or [], args.Limit))
    return "OK"


def _write_cdrs(world: World, ended: Iterable[Session]) -> None:
    """Write the CDRs of sessions that have ended. Raises PartiallyExecuted at the end when something failed for one."""
    is_partial = False
    for session in ended:
        try:
            process_ended_session(world, session)
        except PartiallyExecuted:
            is_partial = True
    if is_partial:
        raise PartiallyExecuted


@method("SessionSv1.SyncSessions")
def sync_sessions(world: World, args: SessionIdsArgs) -> str:
    """End the sessions that no connected client knows of."""
    known = world.parts.get("client_sessions")
    alive = known() if known is not None else frozenset()
    ended: list[Session] = []
    for cgrid in [key for key in active_sessions(world) if key not in alive]:
        ended += disconnect(world, world.tenant(args.Tenant), [f"*string:~*req.CGRID:{cgrid}"], None)
    _write_cdrs(world, ended)
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


class AlterArgs(SessionFilterArgs):
    Event: dict[str, Any] | None = None


@method("SessionSv1.AlterSessions")
def alter_sessions(world: World, args: AlterArgs) -> str:
    """Ask the clients of sessions to alter them."""
    list_runs(world, active_sessions(world), world.tenant(args.Tenant), args.Filters or [], args.Limit)
    tell = world.parts.get("tell_client")
    if tell is None:
        raise PartiallyExecuted
    raise PartiallyExecuted


class PassiveSessionArgs(Args):
    CGRID: str = ""
    Tenant: str = ""
    EventStart: dict[str, Any] | None = None
    OptsStart: dict[str, Any] | None = None
    DebitInterval: int = 0
    Chargeable: bool = True
    SRuns: list[dict[str, Any]] | None = None


@method("SessionSv1.SetPassiveSession", mandatory=("CGRID",))
def set_passive_session(world: World, args: PassiveSessionArgs) -> str:
    """Keep, or without EventStart forget, a session that another node charges."""
    if args.EventStart is None:
        if passive_sessions(world).remove(args.CGRID) is None:
            raise NotFound
        return "OK"
    passive_sessions(world).put(
        args.CGRID,
        Session(
            cgrid=args.CGRID,
            tenant=world.tenant(args.Tenant),
            event=args.EventStart,
            options=args.OptsStart or {},
            runs=[],
            debit_interval_ns=args.DebitInterval,
            is_chargeable=args.Chargeable,
            updated_at=world.now_at,
        ),
    )
    return "OK"


class ReplicateArgs(Args):
    CGRID: str = ""
    Passive: bool = False
    ConnIDs: list[str] | None = None


@method("SessionSv1.ReplicateSessions")
def replicate_sessions(world: World, args: ReplicateArgs) -> str:
    """Send a session (all, without CGRID) to other nodes."""
    if args.ConnIDs:
        raise mandatory_missing(("ConnIDs",))
    return "OK"
