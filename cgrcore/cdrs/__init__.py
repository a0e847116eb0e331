"""Call detail records: what is kept of every call, and how it is charged when no session did."""

from cgrcore.cdrs.correct import Correction, correct_cdr
from cgrcore.cdrs.filter import CdrFilter
from cgrcore.cdrs.partial import Pieces, expired_pieces, is_piece, keep_piece, pieces_as_event, whole_event
from cgrcore.cdrs.process import StoredCdrs, as_charged, process_events
from cgrcore.cdrs.processed import Processed, event_of
from cgrcore.cdrs.queue import Waiting, keys_in_order, rate_waiting, take_out
from cgrcore.cdrs.records import Cdr, cdr_from_event
from cgrcore.cdrs.retention import forget_closed, forget_taken
from cgrcore.cdrs.session_cdr import process_ended_session, process_session_cdr, session_of_cdr
from cgrcore.cdrs.switches import Switches, configured, switches_for

__all__ = [
    "TABLES",
    "Cdr",
    "CdrFilter",
    "Correction",
    "Pieces",
    "Processed",
    "StoredCdrs",
    "Switches",
    "Waiting",
    "as_charged",
    "cdr_from_event",
    "configured",
    "correct_cdr",
    "event_of",
    "expired_pieces",
    "forget_closed",
    "forget_taken",
    "is_piece",
    "keep_piece",
    "keys_in_order",
    "pieces_as_event",
    "process_ended_session",
    "process_events",
    "process_session_cdr",
    "rate_waiting",
    "session_of_cdr",
    "switches_for",
    "take_out",
    "whole_event",
]

#: The tables of this subject, by "CGRID:RunID". Identities of CDRs that were taken, and of those that were charged or
#: changed lately, are rebuilt by what comes in.
TABLES = {"cdr_ids": None, "rating_queue": Waiting, "cdrs_changed": None, "partial_cdrs": Pieces}
