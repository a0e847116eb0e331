"""The life of a session: authorise, initiate, update, terminate; messages that are charged at once.

Each function is one decision. A session that could not be started is not active: it is closed as failed, so that its
end and its CDR find it and charge nothing twice. A session that has ended stays ended.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from cgrcore.accounting import max_usage
from cgrcore.chargers import runs_of
from cgrcore.errors import BadRequest, CgrError, Conflict, NotFound, Refused, kept
from cgrcore.event import CgrEvent, boolean_option, duration_option, time_of
from cgrcore.sessions.charging import (
    AUTHORISED,
    DEBITED,
    UNLIMITED,
    default_usage,
    ensure_account,
    grant,
    run_call,
    settle,
    told_usage,
)
from cgrcore.sessions.finding import active_sessions, cgrid_of, closed_sessions, find_active, note_change
from cgrcore.sessions.records import MAIN_FIELDS, Session, SessionRun
from cgrcore.sessions.subscriptions import is_policy, unsubscribe
from cgrcore.sessions.timers import spread, timers_of
from cgrcore.timing import ZERO_AT, Moment
from cgrcore.world import World

__all__ = [
    "authorise",
    "end",
    "end_by_cdr",
    "initiate",
    "message",
    "new_run",
    "new_session",
    "prefixed",
    "terminate",
    "touch",
    "update",
]

P = ParamSpec("P")
R = TypeVar("R")


def prefixed(prefix: str, error: CgrError) -> CgrError:
    """Return the error with the prefix that names the subsystem it came from ("RALS_ERROR:...")."""
    return type(error)(f"{prefix}:{error}", subject=error.subject, subject_id=error.subject_id)


def authorise(world: World, event: CgrEvent) -> dict[str, int]:
    """Return how much each run of the event may use (ns; UNLIMITED), reserving nothing."""
    wanted = told_usage(event.event, "Usage")
    usage_ns = default_usage(world, str(event.event.get("ToR") or "")) if wanted is None else wanted
    event.event.setdefault("CGRID", cgrid_of(event.event))
    event.event.setdefault("Usage", usage_ns)
    session = new_session(world, event)
    allowed = {}
    for run in session.runs:
        allowed[run.run_id] = usage_ns
        if run.request_type in AUTHORISED:
            ensure_account(world, session, run)
            affordable_ns = _rals(max_usage, world, run_call(world, session, run, usage_ns))
            allowed[run.run_id] = min(affordable_ns, usage_ns)
    return allowed


def new_session(world: World, event: CgrEvent) -> Session:
    """Return a session for the event, in no table yet, with one run for each charger. Raises CHARGERS_ERROR:..."""
    try:
        charged = runs_of(world, event)
    except CgrError as error:
        raise prefixed("CHARGERS_ERROR", error) from None
    cgrid = cgrid_of(event.event)
    event.event.setdefault("CGRID", cgrid)  # whoever is shown the event later finds its session by that
    begun = dict(event.event)
    begun["CGRID"] = cgrid
    setup = time_of(begun.get("SetupTime"), world.now_at)
    runs = []
    for charge in charged:
        runs.append(new_run(world, cgrid, charge.run_id, charge.event.event, setup))
    return Session(
        cgrid=cgrid,
        tenant=event.tenant,
        event=begun,
        options=event.options,
        runs=runs,
        debit_interval_ns=duration_option(
            event.options, "*sessionsDebitInterval", world.settings["sessions"]["debit_interval"]
        ),
        is_chargeable=boolean_option(event.options, "*sessionsChargeable", True),
        connection_id=world.client_id,
        updated_at=world.now_at,
    )


def new_run(world: World, cgrid: str, run_id: str, run_event: dict[str, Any], setup: Moment | None) -> SessionRun:
    """Return the run whose own copy of the event that is."""
    run_event["CGRID"] = cgrid
    run_event["RunID"] = run_id
    start = time_of(run_event.get("AnswerTime"), world.now_at) or setup or Moment(ZERO_AT, 0)
    general = world.settings["general"]
    return SessionRun(
        run_id=run_id,
        event=run_event,
        request_type=str(run_event.get("RequestType") or general["default_request_type"]),
        start=start,
        end_at=start.at,
        extra_fields={k: "" if v is None else str(v) for k, v in run_event.items() if k not in MAIN_FIELDS},
    )


def initiate(world: World, event: CgrEvent, *, is_forced: bool = False) -> dict[str, int]:
    """Begin a session and reserve its first slice; return what each run may use (ns).

    UNLIMITED when the server debits by itself. Raises Conflict EXISTS for one that is active or has ended, and
    RALS_ERROR:...
    """
    session = new_session(world, event)
    sessions = active_sessions(world)
    if session.cgrid in sessions or _has_ended(world, event, session):
        raise Conflict("EXISTS", subject="session", subject_id=session.cgrid)
    closed_sessions(world).remove(session.cgrid)
    granted = _rals(grant, world, session, session.event, is_forced=is_forced)
    sessions.put(session.cgrid, session)
    if session.debit_interval_ns > 0:
        for run in session.runs:
            if run.request_type in DEBITED:
                run.next_debit_at = world.now_at
                granted = dict.fromkeys(granted, UNLIMITED)
    touch(world, session)
    return granted


def _has_ended(world: World, event: CgrEvent, session: Session) -> bool:
    """True for what was charged before: its request has come once more, and late. Events without a name are all new."""
    if not event.event.get("OriginID"):
        return False
    ended = closed_sessions(world).get(session.cgrid)
    if ended is not None:
        return not ended.is_failed
    return any(_is_taken(world, session, run) for run in session.runs)


def _is_taken(world: World, session: Session, run: SessionRun) -> bool:
    """True when the run's CDR has come, without a session, a short while ago."""
    return f"{session.cgrid}:{run.run_id}" in world.state.table("cdr_ids")


def record_failed_start(world: World, event: CgrEvent, usage_ns: int | None = None) -> None:
    """Remember a session whose start was refused, so that its end charges nothing and its CDR tells why.

    Its usage is `usage_ns`, or what its end or its CDR will tell. One that was refused before stays as it was first
    asked for, one that has ended stays ended.
    """
    if cgrid_of(event.event) in closed_sessions(world):
        return
    session = new_session(world, event)
    session.is_failed = session.awaits_usage = True
    _note_usage(session, usage_ns)
    closed_sessions(world).put(session.cgrid, session)


def update(
    world: World, event: CgrEvent, *, is_forced: bool = False, charged_runs: Collection[str] = ()
) -> dict[str, int]:
    """Reserve the next slice of a session and return what each run may use (ns). An unknown session is begun.

    Raises NotFound for one that has ended, be it because it was silent or disconnected while the update was on its way.
    `charged_runs` are the runs of an unknown session that were charged before: it has ended, long ago.
    """
    session = find_active(world, event.event)
    if session is None:
        ended = closed_sessions(world).get(cgrid_of(event.event))
        if charged_runs or (ended is not None and not ended.is_failed):
            raise NotFound(subject="session", subject_id=cgrid_of(event.event))
        return initiate(world, event, is_forced=is_forced)
    event.event.setdefault("CGRID", session.cgrid)
    session.connection_id = world.client_id or session.connection_id  # a client may have come back
    change(world, session, event)
    return _rals(grant, world, session, event.event, is_forced=is_forced)


#: What an update may not change.
PROTECTED = frozenset(("CGRID", "OriginHost", "OriginID", "Usage"))


def change(world: World, session: Session, event: CgrEvent) -> None:
    """Take over what a later event of the session says."""
    for name, value in event.event.items():
        if name not in PROTECTED:
            session.event[name] = value
    alter_runs(world, session, event.event)
    session.is_chargeable = boolean_option(event.options, "*sessionsChargeable", True)
    session.options.update(event.options)
    touch(world, session)


def alter_runs(world: World, session: Session, event: dict[str, Any]) -> None:
    """Give the runs the event's values of the fields that may be altered."""
    alterable = world.settings["sessions"]["alterable_fields"]
    for run in session.runs:
        for name in alterable:
            if name in event:
                run.event[name] = event[name]


def touch(world: World, session: Session) -> None:
    """Note that the session was heard of, and when its silence will end it."""
    session.updated_at = world.now_at
    section = world.settings["sessions"]
    usual_ns = 0 if is_policy(session.event) else section["session_ttl"]
    time_to_live_ns = duration_option(session.options, "*sessionsTTL", usual_ns)
    session.expires_at = ZERO_AT
    if time_to_live_ns > 0:
        delay_ns = duration_option(session.options, "*sessionsTTLMaxDelay", section.get("session_ttl_max_delay") or 0)
        session.expires_at = world.now_at + time_to_live_ns + spread(session.cgrid, delay_ns)
    if time_to_live_ns > 0 or session.debit_interval_ns > 0:
        timers_of(world).watch(session)
    note_change(world, session.cgrid)


def terminate(world: World, event: CgrEvent, charged_runs: Collection[str] = ()) -> None:
    """End a session with its final usage. One that is unknown is charged as a whole; one that has ended stays so.

    `charged_runs` are the runs of an unknown session that were charged before: they are not charged again.
    """
    session = find_active(world, event.event)
    if session is not None:
        session.is_chargeable = boolean_option(event.options, "*sessionsChargeable", session.is_chargeable)
        alter_runs(world, session, event.event)
        end(world, session, event)
        return
    closed = closed_sessions(world)
    cgrid = cgrid_of(event.event)
    ended = closed.get(cgrid)
    if ended is not None:
        if ended.is_failed:
            _end_failed(closed.edit(cgrid), event)
        return
    session = new_session(world, event)
    session.runs = [
        run for run in session.runs if run.run_id not in charged_runs and not _is_taken(world, session, run)
    ]
    if session.runs:
        _rals(grant, world, session, session.event)
        end(world, session, event)


def _end_failed(session: Session, event: CgrEvent) -> None:
    """Take over the usage that the event tells of a session whose start was refused. Without one it stays as asked."""
    used = told_usage(event.event, "Usage")
    _note_usage(session, told_usage(event.event, "LastUsed") if used is None else used)


def _note_usage(session: Session, usage_ns: int | None) -> None:
    if usage_ns is not None:
        session.awaits_usage = False
        for run in session.runs:
            run.event["Usage"] = usage_ns


def end(
    world: World,
    session: Session,
    event: CgrEvent | None = None,
    *,
    usage_ns: int | None = None,
    last_used_ns: int | None = None,
) -> None:
    """Settle every run and close the session. Without an event the reserved usage counts, or `usage_ns`.

    Raises what charging the rest raises; the session is closed all the same, with what was charged until then. Nothing
    is left of a Sy session, nor of what it asked for.
    """
    answer_time = None
    failure: CgrError | None = None
    if event is not None:
        usage_ns = told_usage(event.event, "Usage")
        last_used_ns = told_usage(event.event, "LastUsed")
        answer_time = event.event.get("AnswerTime")
    for run in session.runs:
        try:
            settle(world, session, run, usage_ns, last_used_ns)
        except CgrError as error:
            failure = failure or error
        run.event["Usage"] = run.total_usage_ns
        if answer_time:
            run.event["AnswerTime"] = answer_time
    active_sessions(world).remove(session.cgrid)
    note_change(world, session.cgrid)
    session.updated_at = world.now_at
    if is_policy(session.event):
        with suppress(NotFound):
            unsubscribe(world, session.tenant, session.event.get("OriginID"))
        return
    closed_sessions(world).put(session.cgrid, session)
    if failure is not None:
        raise kept(prefixed("RALS_ERROR", failure))


def end_by_cdr(world: World, session: Session, event: CgrEvent) -> None:
    """End a session because its CDR has come, with the CDR's usage; only the difference is charged.

    One whose start was refused is charged nothing here.
    """
    if session.is_failed:
        _end_failed(session, event)
    else:
        end(world, session, event)


def message(world: World, event: CgrEvent, *, is_forced: bool = False) -> dict[str, int]:
    """Charge a one-off event (a text message), once, and return what each run was granted. Raises Conflict EXISTS."""
    session = new_session(world, event)
    if _has_ended(world, event, session):
        raise Conflict("EXISTS", subject="message", subject_id=session.cgrid)
    granted = _rals(grant, world, session, session.event, is_forced=is_forced)
    least = min(granted.values())
    wanted = told_usage(event.event, "Usage") or 0
    for run in session.runs:
        usage_ns = wanted if run.request_type in ("*postpaid", "*rated") else least
        run.event["Usage"] = settle(world, session, run, usage_ns, None)
    closed_sessions(world).put(session.cgrid, session)
    return granted


def _rals(decide: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
    """Call a charging function, with the prefix on its errors that names their origin."""
    try:
        return decide(*args, **named)
    except (Refused, NotFound, BadRequest) as error:
        raise prefixed("RALS_ERROR", error) from None
