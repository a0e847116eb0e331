"""The rows of the SQL stores: which columns CDRs, session costs and ledger lines have, and how they are read back.

Both SQL stores share this. Amounts are written as exact decimal texts, which PostgreSQL reads as NUMERIC.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.cdrs.records import Cdr, SessionCost
from cgrcore.money import nano_from_number, parse_nano
from cgrcore.ports import LedgerLine
from cgrcore.rating.eventcost import EventCost
from cgrcore.timing import Moment
from cgrserver.storage.gathering import decimal_text

__all__ = [
    "CDR_COLUMNS",
    "LEDGER_COLUMNS",
    "RECORD_TABLES",
    "SESSION_COST_COLUMNS",
    "cdr_from_row",
    "cdr_row",
    "latest",
    "ledger_from_row",
    "session_cost_from_row",
    "session_cost_row",
]

#: Tables of the world that are touched by most requests have an SQL table of their own; all others are documents.
RECORD_TABLES = {"accounts": "accounts", "sessions": "sessions", "answers": "idempotency"}

LEDGER_COLUMNS = (
    *("at", "account_id", "balance_uuid", "balance_id", "balance_type"),
    *("before_value", "after_value", "amount", "reason", "idempotency_key"),
)

CDR_COLUMNS = (
    *("cgrid", "run_id", "origin_host", "source", "origin_id", "tor", "request_type", "tenant", "category", "account"),
    *("subject", "destination", "setup_at", "setup_offset_s", "answer_at", "answer_offset_s", "usage_ns"),
    *("extra_fields", "extra_info", "is_partial", "is_prerated", "cost_source", "cost", "cost_details"),
    *("created_at", "updated_at"),
)

SESSION_COST_COLUMNS = (
    *("cgrid", "run_id", "origin_host", "origin_id", "cost_source", "usage_ns", "cost_details", "created_at"),
)

#: What a column of 64 bits holds. Instants and usages beyond are kept as the nearest that fits.
INT64 = 2**63

_json = msgspec.json.Encoder()


def ledger_from_row(row: Sequence[Any]) -> LedgerLine:
    """Return the line of a row of line_id and LEDGER_COLUMNS."""
    line_id, at, account_id, balance_uuid, balance_id, balance_type, before, after, _, reason, key = row
    return LedgerLine(
        *(account_id, balance_uuid, balance_id, balance_type, _nano(before), _nano(after), reason, at, key, line_id)
    )


def cdr_row(cdr: Cdr, at: int) -> tuple[Any, ...]:
    """Return the row of a CDR stored at an instant, in the order of CDR_COLUMNS."""
    return (
        *(cdr.cgrid, cdr.run_id, cdr.origin_host, cdr.source, cdr.origin_id, cdr.tor, cdr.request_type, cdr.tenant),
        *(cdr.category, cdr.account, cdr.subject, cdr.destination),
        *(_int64(cdr.setup_time.at), cdr.setup_time.offset_s, _int64(cdr.answer_time.at), cdr.answer_time.offset_s),
        _int64(cdr.usage_ns),
        _json.encode(cdr.extra_fields).decode(),
        cdr.extra_info,
        cdr.is_partial,
        cdr.is_prerated,
        cdr.cost_source,
        None if cdr.cost_nano is None else decimal_text(cdr.cost_nano),
        None if cdr.cost_details is None else cdr.cost_details.encode(),
        cdr.created_at or at,
        at,
    )


def cdr_from_row(row: Sequence[Any]) -> Cdr:
    """Return the CDR of a row of order_id and CDR_COLUMNS."""
    extra_fields, cost, details = row[18], row[23], row[24]
    return Cdr(
        order_id=row[0],
        cgrid=row[1],
        run_id=row[2],
        origin_host=row[3],
        source=row[4],
        origin_id=row[5],
        tor=row[6],
        request_type=row[7],
        tenant=row[8],
        category=row[9],
        account=row[10],
        subject=row[11],
        destination=row[12],
        setup_time=Moment(row[13], row[14]),
        answer_time=Moment(row[15], row[16]),
        usage_ns=row[17],
        extra_fields=msgspec.json.decode(extra_fields) if isinstance(extra_fields, str) else extra_fields,
        extra_info=row[19],
        is_partial=bool(row[20]),
        is_prerated=bool(row[21]),
        cost_source=row[22],
        cost_nano=None if cost is None else _nano(cost),
        cost_details=None if details is None else EventCost.decode(bytes(details)),
        created_at=row[25],
        updated_at=row[26],
    )


def session_cost_row(cost: SessionCost, at: int) -> tuple[Any, ...]:
    """Return the row of a session's cost, in the order of SESSION_COST_COLUMNS."""
    details = None if cost.cost_details is None else cost.cost_details.encode()
    return (
        *(cost.cgrid, cost.run_id, cost.origin_host, cost.origin_id, cost.cost_source, _int64(cost.usage_ns), details),
        cost.created_at or at,
    )


def session_cost_from_row(row: Sequence[Any]) -> SessionCost:
    """Return the session cost of a row of SESSION_COST_COLUMNS."""
    cgrid, run_id, origin_host, origin_id, cost_source, usage_ns, details, created_at = row
    return SessionCost(
        cgrid=cgrid,
        run_id=run_id,
        origin_host=origin_host,
        origin_id=origin_id,
        cost_source=cost_source,
        usage_ns=usage_ns,
        cost_details=None if details is None else EventCost.decode(bytes(details)),
        created_at=created_at,
    )


def latest(lines: Iterable[LedgerLine]) -> list[LedgerLine]:
    """Return the last line of each balance among lines that are in order."""
    last: dict[tuple[str, str], LedgerLine] = {}
    for line in lines:
        key = line.balance_type, line.balance_uuid
        last.pop(key, None)
        last[key] = line
    return list(last.values())


def _nano(value: str | Decimal) -> int:
    return parse_nano(value) if isinstance(value, str) else nano_from_number(value)


def _int64(value: int) -> int:
    return min(max(value, -INT64), INT64 - 1)
