"""A session and its runs: what is known of a call between its first event and its CDR.

Sessions are kept by CGRID in the tables `sessions` (charged here), `passive_sessions` (standing by for another node)
and `closed_sessions` (ended, until their CDR has come). They change in place after `Table.edit`.
They are stored without the names of their fields, four times a call: a new field goes last and has a default.
Does not know: how a slice is charged, who asks.
"""

from typing import Any

import msgspec

from cgrcore.money import number_from_nano
from cgrcore.rating import EventCost
from cgrcore.timing import ZERO_AT, Moment, format_time

__all__ = ["MAIN_FIELDS", "Session", "SessionRun", "external_session"]

#: The fields of an event that have a column of their own; all others are extra fields.
MAIN_FIELDS = frozenset(
    [
        "CGRID",
        "Source",
        "OriginHost",
        "OriginID",
        "ToR",
        "RequestType",
        "Tenant",
        "Category",
        "Account",
        "Subject",
        "Destination",
        "SetupTime",
        "AnswerTime",
        "Usage",
        "Cost",
        "Rated",
        "Partial",
        "RunID",
        "PreRated",
        "CostSource",
        "CostDetails",
        "ExtraInfo",
        "OrderID",
    ]
)


class SessionRun(msgspec.Struct, array_like=True, gc=False):
    """One charge of a session: the retail one, a reseller's, a supplier's.

    `start` is when charging began, `end_at` how far time is reserved; `total_usage_ns` all usage granted so far,
    `last_usage_ns` that of the latest grant; `reserve_ns` usage that was paid and not used (negative: used, not paid);
    `slices` counts the debits, the first of which carries the connect fee.
    """

    run_id: str
    event: dict[str, Any]
    request_type: str
    start: Moment
    end_at: int
    cost: EventCost | None = None
    reserve_ns: int = 0
    last_usage_ns: int = 0
    total_usage_ns: int = 0
    usage_index_ns: int = 0
    max_cost_so_far_nano: int = 0
    slices: int = 0
    next_debit_at: int = ZERO_AT
    extra_fields: dict[str, str] = {}

    def copy(self) -> "SessionRun":
        return msgspec.structs.replace(self, event=dict(self.event))


class Session(msgspec.Struct, array_like=True, gc=False):
    """One session: the event that began it, with what later events changed, and its runs.

    `expires_at` is when a silent session is ended (ZERO_AT: never); `ends_at` when one is ended that its client was
    asked to end (ZERO_AT: nobody asked); `debit_interval_ns` above 0 means that the server debits by itself;
    `connection_id` names the client that is told of its end; `is_failed` marks a closed session whose start was
    refused, `awaits_usage` such a one of which nobody has told the usage yet, `has_cdr` one whose CDR is written.
    """

    cgrid: str
    tenant: str
    event: dict[str, Any]
    options: dict[str, Any]
    runs: list[SessionRun]
    debit_interval_ns: int = 0
    is_chargeable: bool = True
    connection_id: str = ""
    updated_at: int = 0
    expires_at: int = ZERO_AT
    is_failed: bool = False
    has_cdr: bool = False
    awaits_usage: bool = False
    ends_at: int = ZERO_AT

    def copy(self) -> "Session":
        return msgspec.structs.replace(
            self, event=dict(self.event), options=dict(self.options), runs=[r.copy() for r in self.runs]
        )


def external_session(session: Session, run: SessionRun, node_id: str) -> dict[str, Any]:
    """Return a run as GetActiveSessions shows it."""
    event = run.event

    def text(name: str) -> str:
        value = event.get(name)
        return "" if value is None else str(value)

    def time(name: str) -> str:
        value = event.get(name)
        return str(value) if value else format_time(ZERO_AT)

    return {
        "CGRID": session.cgrid,
        "RunID": run.run_id,
        "ToR": text("ToR"),
        "OriginID": text("OriginID"),
        "OriginHost": text("OriginHost"),
        "Source": "SessionS_" + text("EventName"),
        "RequestType": text("RequestType"),
        "Tenant": session.tenant,
        "Category": text("Category"),
        "Account": text("Account"),
        "Subject": text("Subject"),
        "Destination": text("Destination"),
        "SetupTime": time("SetupTime"),
        "AnswerTime": time("AnswerTime"),
        "Usage": run.total_usage_ns,
        "ExtraFields": dict(run.extra_fields),
        "NodeID": node_id,
        "LoopIndex": run.slices,
        "DurationIndex": run.usage_index_ns,
        "MaxRate": 0,
        "MaxRateUnit": 0,
        "MaxCostSoFar": number_from_nano(run.max_cost_so_far_nano),
        "DebitInterval": session.debit_interval_ns,
        "NextAutoDebit": format_time(run.next_debit_at),
    }
