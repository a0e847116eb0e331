"""Sessions of Diameter Sy (3GPP TS 29.219): a client wants to be told when what an account holds meets a policy.

Each function is one decision. Rules: such a session is charged nothing, leaves no CDR, is found by every method that
lists, moves or ends sessions, and takes its threshold with it however it ends. Silence ends it only when its own
options say so: its client has nothing to say until a policy changes. Does not know: flags of methods, connections.
"""

from cgrcore.errors import BadRequest, CgrError, Conflict, NotFound, Refused, kept, mandatory_missing
from cgrcore.event import CgrEvent, text_of
from cgrcore.sessions.finding import active_sessions, cgrid_of, find_active, note_change
from cgrcore.sessions.lifecycle import change, new_session, prefixed, touch
from cgrcore.sessions.records import Session
from cgrcore.sessions.subscriptions import POLICY_FILTERS, is_policy, subscribe, unsubscribe
from cgrcore.world import World

__all__ = ["begin_policy", "end_policy", "renew_policy"]


def begin_policy(world: World, event: CgrEvent) -> None:
    """Begin a session whose client is told when the event's account meets the option `*syPolicyFilters`.

    Raises BadRequest for an event without OriginID or Account and for an option that is no list (CAST_FAILED),
    Conflict EXISTS, CHARGERS_ERROR:..., and what filters raise.
    """
    _check_surroundings(world)
    missing = [name for name in ("OriginID", "Account") if not text_of(event.event.get(name))]
    if missing:
        raise mandatory_missing(missing)
    _check_filters(event)
    session = new_session(world, event)
    if session.cgrid in active_sessions(world):
        raise Conflict("EXISTS", subject="session", subject_id=session.cgrid)
    session.debit_interval_ns = 0
    active_sessions(world).put(session.cgrid, session)
    subscribe(world, session)
    touch(world, session)


def renew_policy(world: World, event: CgrEvent) -> None:
    """Take over what an event changes of its session, and have the client told once more from now on.

    Without `*syPolicyFilters` the filters stay. Raises NotFound SESSION_NOT_FOUND, and as `begin_policy`.
    """
    _check_surroundings(world)
    if POLICY_FILTERS in event.options:
        _check_filters(event)
    session = _find(world, event)
    session.connection_id = world.client_id or session.connection_id
    change(world, session, event)
    subscribe(world, session)


def end_policy(world: World, event: CgrEvent) -> None:
    """End a session and have its client told no more.

    Raises NotFound SESSION_NOT_FOUND; THRESHOLDS_ERROR:... when the threshold was gone, and the session is over then.
    """
    _check_surroundings(world)
    session = _find(world, event)
    active_sessions(world).remove(session.cgrid)
    note_change(world, session.cgrid)
    try:
        unsubscribe(world, session.tenant, session.event.get("OriginID"))
    except CgrError as error:
        raise kept(prefixed("THRESHOLDS_ERROR", error)) from None


def _check_surroundings(world: World) -> None:
    section = world.settings["sessions"]
    if not section["apiers_conns"]:
        raise Refused("ApierS is disabled")
    if not section["thresholds_conns"]:
        raise BadRequest("NOT_CONNECTED: ThresholdS")


def _check_filters(event: CgrEvent) -> None:
    filters = event.options.get(POLICY_FILTERS)
    if not isinstance(filters, list) or not all(isinstance(filter_id, str) for filter_id in filters):
        raise BadRequest("CAST_FAILED")


def _find(world: World, event: CgrEvent) -> Session:
    """Return the session of an event, moved to the event's identity if it began as its `InitialOriginID`."""
    session = find_active(world, event.event)
    if session is None or not is_policy(session.event):
        raise NotFound("SESSION_NOT_FOUND", subject="session", subject_id=cgrid_of(event.event))
    initial = event.event.get("InitialOriginID")
    if initial and initial != session.event.get("OriginID"):
        try:
            unsubscribe(world, session.tenant, initial)
        except NotFound:
            return session  # it had been moved before
    return session
