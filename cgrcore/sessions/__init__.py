"""Sessions: calls that are under way, from authorisation to the CDR."""

from cgrcore.sessions.charging import UNLIMITED, default_usage
from cgrcore.sessions.control import (
    activate,
    alter,
    auto_debit,
    count_runs,
    deactivate,
    disconnect,
    end_silent,
    end_stale,
    list_runs,
    schedule_end,
    stale_sessions,
)
from cgrcore.sessions.finding import (
    active_sessions,
    candidates,
    cgrid_of,
    closed_sessions,
    find_active,
    is_known,
    matching_runs,
    passive_sessions,
    relocate,
)
from cgrcore.sessions.lifecycle import (
    authorise,
    end,
    end_by_cdr,
    initiate,
    message,
    prefixed,
    record_failed_start,
    terminate,
    update,
)
from cgrcore.sessions.policies import begin_policy, end_policy, renew_policy
from cgrcore.sessions.records import Session, SessionRun, external_session
from cgrcore.sessions.subscriptions import is_policy
from cgrcore.sessions.telling import (
    alteration,
    asking_for_calls,
    disconnection,
    low_balance,
    spending,
    told_calls,
)
from cgrcore.sessions.timers import timers_of
from cgrcore.sessions.wire import forget, session_as_wire, session_from_wire, stand_by

__all__ = [
    "TABLES",
    "UNLIMITED",
    "Session",
    "SessionRun",
    "activate",
    "active_sessions",
    "alter",
    "alteration",
    "asking_for_calls",
    "authorise",
    "auto_debit",
    "begin_policy",
    "candidates",
    "cgrid_of",
    "closed_sessions",
    "count_runs",
    "deactivate",
    "default_usage",
    "disconnect",
    "disconnection",
    "end",
    "end_by_cdr",
    "end_policy",
    "end_silent",
    "end_stale",
    "external_session",
    "find_active",
    "forget",
    "initiate",
    "is_known",
    "is_policy",
    "list_runs",
    "low_balance",
    "matching_runs",
    "message",
    "passive_sessions",
    "prefixed",
    "record_failed_start",
    "relocate",
    "renew_policy",
    "schedule_end",
    "session_as_wire",
    "session_from_wire",
    "spending",
    "stale_sessions",
    "stand_by",
    "terminate",
    "timers_of",
    "told_calls",
    "update",
]

#: The tables of this subject and the records in them.
TABLES = {"sessions": Session, "passive_sessions": Session, "closed_sessions": Session}
