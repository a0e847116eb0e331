"""Whether a store agrees with itself, and with what clients were told.

`check_store` needs nothing but the store: each balance is the sum of its ledger lines, no line is missing between two,
and what left an account is what its CDRs and calls cost. `check_promises` holds it against a run's notes: what was
acknowledged is there, what was asked for twice was done once. Does not know: how the store came about.
"""

import json
from collections import defaultdict
from typing import Any

from cgrcore.cdrs.filter import CdrFilter
from cgrcore.ports import LedgerLine, Store
from cgrcore.world import World
from tests.crash.caller import PRICE_NANO, SAVINGS, STEP_NS, TENANT, Call, Notes

__all__ = ["Books", "check_ends", "check_promises", "check_store", "read_books"]

#: What brings money in; all others spend it or give it back.
INCOME = frozenset(("APIerSv1.AddBalance", "scheduler: run"))

#: A debit that the server makes by itself is at most this far ahead of the clock.
LONGEST_INTERVAL_NS = 3 * STEP_NS


class Books:
    """What a store holds: its tables as a world, its CDRs by OriginID, its ledger by account."""

    def __init__(self, store: Store) -> None:
        self.world = World({}, new_id=lambda: "")
        store.load(self.world)
        self.cdrs = {cdr.origin_id: cdr for cdr in store.find_cdrs(CdrFilter())}
        self.waiting = {waiting.cdr.origin_id for waiting in self.table("rating_queue").values()}
        self.cdr_count = store.count_cdrs(CdrFilter())
        self.costs = store.find_session_costs()
        self.accounts = self.table("accounts")
        self.ledger = {name: store.history(name) for name in self.accounts}
        self.sessions = {session.event["OriginID"]: session for session in self.table("sessions").values()}
        self.closed = {session.event["OriginID"]: session for session in self.table("closed_sessions").values()}

    def table(self, name: str) -> dict[str, Any]:
        table = self.world.state.table(name)
        return {key: table.require(key) for key in table}

    def balance_nano(self, account_id: str) -> int:
        """Return all that an account holds."""
        groups = self.accounts[account_id].balances.values()
        return sum(held.value_nano for group in groups for held in group or ())


def read_books(store: Store) -> Books:
    """Read everything. The store is not changed."""
    return Books(store)


def check_store(books: Books) -> None:
    """Raise AssertionError, saying what does not agree, unless ledger, balances and costs do."""
    for account_id, lines in books.ledger.items():
        _check_chain(account_id, lines)
        held = books.balance_nano(account_id)
        assert sum(line.amount_nano for line in lines) == held, f"{account_id}: ledger and balance differ"
    assert books.cdr_count == len(books.cdrs), "a call has two CDRs"
    assert books.accounts, "the store is empty"
    spent = _spent(books)
    for account_id, lines in books.ledger.items():
        income = sum(line.amount_nano for line in lines if line.reason in INCOME)
        gone = income - books.balance_nano(account_id)
        assert gone == spent[account_id], f"{account_id}: {gone} left it, its calls cost {spent[account_id]} (1e-9)"


def _check_chain(account_id: str, lines: list[LedgerLine]) -> None:
    """Each line begins where the balance's line before ended; one key changes a balance once."""
    values: dict[str, int] = {}
    keyed: set[tuple[str, str]] = set()
    for line in lines:
        before = values.get(line.balance_uuid, 0)
        assert line.before_nano == before, f"{account_id}: a ledger line is missing before line {line.line_id}"
        values[line.balance_uuid] = line.after_nano
        if line.idempotency_key:
            mark = line.idempotency_key, line.balance_uuid
            assert mark not in keyed, f"{account_id}: {line.idempotency_key} was done twice"
            keyed.add(mark)


def _spent(books: Books) -> dict[str, int]:
    """Return what was charged to each account: by CDRs, by calls under way, and by ended ones without a CDR yet."""
    spent: dict[str, int] = defaultdict(int)
    for cdr in books.cdrs.values():
        if cdr.request_type != "*rated":  # those have a cost that nobody pays
            spent[f"{cdr.tenant}:{cdr.account}"] += max(cdr.cost_nano or 0, 0)
    for session in (*books.sessions.values(), *books.closed.values()):
        if session.has_cdr or session.event["OriginID"] in books.cdrs:
            continue
        for run in session.runs:
            if run.cost is not None:
                spent[f"{session.tenant}:{run.event['Account']}"] += run.cost.cost_nano
    for cost in books.costs:
        if cost.origin_id not in books.cdrs and cost.cost_details is not None:
            payer = cost.cost_details.account
            assert payer is not None, f"nobody knows who paid for {cost.origin_id}"
            spent[f"{payer.tenant}:{payer.account}"] += cost.cost_details.cost_nano
    return spent


def check_promises(books: Books, notes: Notes, now_at: int | None = None) -> None:
    """Raise AssertionError unless all that clients were told is true of the store.

    With `now_at` no debit that the server makes by itself may be further ahead than one interval.
    """
    answers = books.table("answers")
    for key, result in notes.answers.items():
        assert key in answers, f"{key} was acknowledged and is lost"
        assert json.loads(answers[key].reply) == result, f"{key} was answered otherwise"
    amounts: dict[str, int] = defaultdict(int)
    for lines in books.ledger.values():
        for line in lines:
            amounts[line.idempotency_key] += line.amount_nano
    for key, (_, amount_nano) in notes.topups.items():
        if key in answers:
            assert amounts[key] == amount_nano, f"{key}: {amount_nano} was to be added, {amounts[key]} was"
    savings = f"{TENANT}:{SAVINGS}"
    if notes.savings_seen_nano:
        assert books.balance_nano(savings) >= notes.savings_seen_nano, "what a client has read was taken back"
    for call in notes.calls.values():
        _check_call(books, call, now_at)


def check_ends(books: Books, notes: Notes) -> None:
    """Raise AssertionError unless every call has come to its end, those too that clients left to the server."""
    for call in notes.calls.values():
        if call.is_silent:
            is_over = call.stage == "refused" or call.origin in books.cdrs
        else:
            is_over = call.stage in ("cdr", "refused")
        assert is_over, f"{call.origin} has not come to its end: {call}"
    refused = {text: count for text, count in notes.refused.items() if text != "NOT_FOUND"}
    assert not refused, f"what had no reason to be refused was: {refused}"
    assert not books.waiting, f"CDRs are still to be charged: {books.waiting}"
    assert not books.sessions, f"calls go on that nobody makes: {list(books.sessions)}"


def _check_call(books: Books, call: Call, now_at: int | None) -> None:
    cdr = books.cdrs.get(call.origin)
    is_over = cdr is not None or call.origin in books.closed or any(c.origin_id == call.origin for c in books.costs)
    session = books.sessions.get(call.origin)
    assert not (session and is_over), f"{call.origin} is under way and over"
    is_wanted_over = call.wanted in ("end", "cdr")
    # What was never debited leaves nothing to remember once it is over and forgotten.
    is_traceless = call.is_ticking or not call.is_exact
    if call.stage == "begin":  # of an end that was asked for the answer may not have come
        may_be_over = is_over and (is_wanted_over or not call.is_exact)
        is_forgotten = is_wanted_over and is_traceless
        assert session or may_be_over or is_forgotten, f"{call.origin} was begun and is lost"
    if call.stage == "end":
        assert session is None and (is_over or is_traceless), f"{call.origin} was ended and is not"
    if call.stage == "cdr":
        assert cdr is not None, f"the CDR of {call.origin} was acknowledged and is lost"
    if call.origin in books.waiting:
        assert cdr is not None, f"{call.origin} is to be charged and has no CDR"
        assert cdr.cost_nano is None, f"{call.origin} is to be charged and was"
    elif cdr is not None and call.stage != "refused" and call.is_exact:
        cost_nano = -(-call.used_ns // STEP_NS) * PRICE_NANO
        if not call.is_ticking or cdr.cost_nano is not None:  # one that was never debited has no cost to show
            assert cdr.cost_nano == cost_nano, f"{call.origin} costs {cdr.cost_nano}, not {cost_nano}"
        assert cdr.usage_ns == call.used_ns, f"{call.origin} lasted {cdr.usage_ns}, not {call.used_ns}"
    if session is not None and call.is_ticking and now_at is not None:
        for run in session.runs:
            ahead_ns = run.start.at + run.total_usage_ns - now_at
            assert ahead_ns <= LONGEST_INTERVAL_NS, f"{call.origin} was debited {ahead_ns} ns ahead"
