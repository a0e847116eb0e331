"""Call detail records: what is kept of every call, and how it is charged when no session did."""

from cgrcore.cdrs.filter import CdrFilter
from cgrcore.cdrs.process import StoredCdrs, process_events
from cgrcore.cdrs.processed import Processed, event_of
from cgrcore.cdrs.records import Cdr, cdr_from_event
from cgrcore.cdrs.retention import forget_closed, forget_taken
from cgrcore.cdrs.session_cdr import process_ended_session, process_session_cdr, session_of_cdr
from cgrcore.cdrs.switches import Switches, configured, switches_for

__all__ = [
    "TABLES",
    "Cdr",
    "CdrFilter",
    "Processed",
    "StoredCdrs",
    "Switches",
    "cdr_from_event",
    "configured",
    "event_of",
    "forget_closed",
    "forget_taken",
    "process_ended_session",
    "process_events",
    "process_session_cdr",
    "session_of_cdr",
    "switches_for",
]

#: The tables of this subject: identities of CDRs that were taken, by "CGRID:RunID", rebuilt by what comes in.
TABLES = {"cdr_ids": None}
