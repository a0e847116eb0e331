"""What clients are told and asked about their sessions: the method and the argument of each call.

Rules: `sessions.client_protocol` says which methods clients speak: from 2 on AgentV1 with whole events, from 1 on
SessionSv1, below 1 SMGClientV1 where it has the method. Does not know: connections, answers that fail to come.
"""

from typing import Any

from cgrcore.event import usage_of
from cgrcore.sessions.finding import cgrid_of
from cgrcore.sessions.records import Session
from cgrcore.timing import format_time
from cgrcore.world import World

__all__ = ["alteration", "asking_for_calls", "disconnection", "low_balance", "spending", "told_calls"]

#: A method of the client, and its argument.
ClientCall = tuple[str, Any]


def disconnection(world: World, session: Session, tenant: str, told: dict[str, Any]) -> ClientCall:
    """Return the call that makes a client end a session. `told` are fields of the event besides those of the session.

    `DisconnectCause` among them is the reason.
    """
    protocol = world.settings["sessions"]["client_protocol"]
    if protocol >= 2:
        return "AgentV1.DisconnectSession", _event(world, session, tenant, told)
    service = "SessionSv1" if protocol >= 1 else "SMGClientV1"
    return f"{service}.DisconnectSession", {"EventStart": _started(session), "Reason": told.get("DisconnectCause", "")}


def alteration(world: World, session: Session, tenant: str, changes: dict[str, Any]) -> ClientCall:
    """Return the call that makes a client alter a session."""
    return "AgentV1.AlterSession", _event(world, session, tenant, changes)


def low_balance(world: World, session: Session) -> ClientCall:
    """Return the call that warns a client: the credit of its session is nearly used up."""
    service = "AgentV1" if world.settings["sessions"]["client_protocol"] >= 2 else "SessionSv1"
    return f"{service}.WarnDisconnect", _started(session)


def spending(world: World, session: Session) -> ClientCall:
    """Return the call that tells a client of Diameter Sy: a policy counter of its session has another status."""
    return "AgentV1.SpendingStatusNotification", _event(world, session, session.tenant, {})


def asking_for_calls(world: World) -> ClientCall:
    """Return the call that asks a client which sessions it has."""
    service = "AgentV1" if world.settings["sessions"]["client_protocol"] >= 2 else "SessionSv1"
    return f"{service}.GetActiveSessionIDs", ""


def told_calls(answer: Any) -> set[str]:
    """Return the CGRIDs that a client told: of its list of {OriginHost, OriginID}, None for none.

    Raises TypeError for what is no such list.
    """
    if answer is None:
        return set()
    if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
        raise TypeError("not a list of sessions")
    return {cgrid_of({"OriginID": item.get("OriginID"), "OriginHost": item.get("OriginHost")}) for item in answer}


def _started(session: Session) -> dict[str, Any]:
    """Return the event that began a session, its usage as a number of nanoseconds."""
    event = dict(sorted(session.event.items()))
    if "Usage" in event:
        event["Usage"] = usage_of(event["Usage"])
    return event


def _event(world: World, session: Session, tenant: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "Tenant": tenant,
        "ID": world.new_id(),
        "Time": format_time(world.now_at),
        "Event": dict(sorted({**_started(session), **fields}.items())),
        "APIOpts": None,
    }
