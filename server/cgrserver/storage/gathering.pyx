# cython: overflowcheck=False
# The check knows 64-bit integers only; what lines tell are values of balances, which have 128.
"""What the next transaction will hold: the effects of decisions, gathered one by one, encoded once.

Rules: a decision's ledger lines are made when it is added, while the tables show what it left: one line for each
balance whose value changed, that came to be (from 0) or went away (to 0). So the amounts of a balance's lines always
add up to its value, whatever code changed it. A record touched by many decisions is encoded once, at the end. Does not
know: the store. Benchmark: bench/commit.py; oracle: tests/oracle/ledger.py.
"""

from libc.stdio cimport snprintf

from cgrcore._fast.accounts cimport AccountBase, Balance, ValueUndo, has_same_uuid, int128, int128_of, int_of
from cgrcore._fast.ledger cimport LedgerLine, line_of
from cgrcore._fast.tables cimport Effects, Table

from cgrcore.money import format_nano
from cgrcore.ports import Batch

__all__ = ["Gathering", "decimal_text", "ledger_lines", "ledger_row"]

cdef enum:
    NANO = 1_000_000_000

#: Amounts up to it are written as numbers of 64 bits.
cdef long long LIMIT = 9_000_000_000_000_000_000


def decimal_text(amount_nano):
    """Return an amount as its shortest decimal text, as `money.format_nano` does."""
    return text_of(int128_of(amount_nano)) if -LIMIT < amount_nano < LIMIT else format_nano(amount_nano)


cdef str text_of(int128 amount_nano):
    """Return an amount as its shortest decimal text."""
    cdef long long amount = <long long>amount_nano
    cdef long long rest
    cdef char text[32]
    cdef int size
    cdef bint is_negative = amount < 0
    if not -LIMIT < amount_nano < LIMIT:
        return format_nano(int_of(amount_nano))
    if is_negative:
        amount = -amount
    rest = amount % NANO
    if rest == 0:
        size = snprintf(text, 32, b"%s%lld", b"-" if is_negative else b"", amount // NANO)
    else:
        size = snprintf(text, 32, b"%s%lld.%09lld", b"-" if is_negative else b"", amount // NANO, rest)
        while text[size - 1] == c"0":
            size -= 1
    return text[:size].decode("ascii")


cpdef tuple ledger_row(LedgerLine line):
    """Return the row of a ledger line, in the order of `rows.LEDGER_COLUMNS`."""
    return (
        line.at,
        line.account_id,
        line.balance_uuid,
        line.balance_id,
        line.balance_type,
        text_of(line.before),
        text_of(line.after),
        text_of(line.after - line.before),
        line.reason,
        line.idempotency_key,
    )


cpdef object ledger_lines(str account_id, AccountBase before, AccountBase after, tuple mark, list into):
    """Append the lines of one account. `before` and `after` are Accounts, None where it is absent.

    `mark` is what all lines of a decision share: its reason, its instant (ns UTC), its idempotency key.
    """
    cdef dict old = {} if before is None else before.balances
    cdef dict new = {} if after is None else after.balances
    cdef list was, now
    cdef Balance held, balance
    cdef Py_ssize_t i
    for kind, balances in new.items():
        was = old.get(kind) or []
        now = balances or []
        if not _is_same_row(was, now):
            _compare(account_id, kind, was, now, mark, into)
            continue
        for i in range(len(now)):
            held = was[i]
            balance = now[i]
            if held.value != balance.value:
                into.append(_line(account_id, balance, kind, held.value, balance.value, mark))
    for kind, balances in old.items():
        if balances and kind not in new:
            _compare(account_id, kind, balances, [], mark, into)


cdef LedgerLine _line(str account_id, Balance balance, str kind, int128 before, int128 after, tuple mark):
    cdef LedgerLine line = line_of(account_id, balance, kind, before, after)
    line.reason, line.at, line.idempotency_key = mark
    return line


cdef bint _is_same_row(list was, list now) except -1:
    """Tell whether both lists name the same balances in the same order, as they nearly always do."""
    cdef Py_ssize_t i
    if len(was) != len(now):
        return False
    for i in range(len(now)):
        if not has_same_uuid(was[i], now[i]):
            return False
    return True


cdef object _compare(str account_id, kind, list was, list now, tuple mark, list into):
    cdef dict missing = {balance.uuid: balance for balance in was}
    cdef Balance balance, held
    for balance in now:
        held = missing.pop(balance.uuid, None)
        if held is None:
            into.append(_line(account_id, balance, kind, 0, balance.value, mark))
        elif held.value != balance.value:
            into.append(_line(account_id, balance, kind, held.value, balance.value, mark))
    for held in missing.values():
        into.append(_line(account_id, held, kind, held.value, 0, mark))


cdef class Gathering:
    """The effects of `size` decisions. `calls` names (by CGRID) those whose CDRs or session costs change.

    Without `keeps_records` the tables themselves are where records are kept, and only lines and rows are gathered.
    """

    cdef readonly Py_ssize_t size
    cdef object _codecs
    cdef object _at
    cdef dict _touched
    cdef bint _keeps_records
    cdef list _ledger
    cdef dict _rows
    cdef dict _removed
    cdef readonly set calls

    def __init__(self, codecs, bint keeps_records=True):
        self.size = 0
        self._keeps_records = keeps_records
        self._codecs = codecs
        self._at = 0
        self._touched = {name: {} for name in codecs.kept}
        self._ledger = []
        self._rows = {"cdrs": {}, "session_costs": {}}
        self._removed = {"cdrs": {}, "session_costs": {}}
        self.calls = set()

    def take(self, Effects effects not None, now_at):
        """Note what a decision changed at an instant. Raises Corrupt, having noted nothing, for an undeclared table."""
        effects.unfold()
        cdef dict before = effects.before
        cdef tuple mark = None
        cdef Table table
        for name, _ in before:
            if name not in self._touched:
                self._codecs.check(name)
        for (name, key), (table, _, record) in before.items():
            keys = self._touched.get(name)
            if keys is None:
                continue
            if self._keeps_records:
                (<dict>keys)[key] = table
            if name == "accounts":
                if mark is None:
                    mark = (effects.reason, now_at, _key_of(before))
                self._take_account(key, record, table.records.get(key), mark)
        for journal, operation, row in effects.rows:
            self._take_row(journal, operation, row)
        if now_at > self._at:
            self._at = now_at
        self.size += 1

    cdef object _take_account(self, str key, record, AccountBase after, tuple mark):
        cdef ValueUndo undo
        cdef Balance balance
        if type(record) is ValueUndo:
            undo = record
            balance = undo.balance
            if after is undo.account:
                if undo.held != balance.value:
                    self._ledger.append(_line(key, balance, balance._type, undo.held, balance.value, mark))
                return
            record = undo.whole()
        ledger_lines(key, record, after, mark, self._ledger)

    cdef object _take_row(self, journal, operation, row):
        name = (row.cgrid, row.run_id)
        self.calls.add(row.cgrid)
        if operation == "delete":
            self._rows[journal].pop(name, None)
            self._removed[journal][name] = None
        else:
            assert operation in ("insert", "update"), operation
            self._rows[journal][name] = row
            self._removed[journal].pop(name, None)

    def keys(self, name):
        """Return the keys of a table that these decisions touched."""
        return self._touched.get(name, {}).keys()

    def close(self):
        """Return the batch: each touched record encoded as the last of the decisions left it."""
        cdef dict records = {}
        cdef list touched
        for name, keys in self._touched.items():
            if not keys:
                continue
            encode = self._codecs.encoder(name)
            touched = []
            for key, table in (<dict>keys).items():
                record = table.records.get(key)
                touched.append((key, None if record is None else encode(record)))
            records[name] = touched
        return Batch(
            at=self._at,
            records=records,
            ledger=self._ledger,
            cdrs=list(self._rows["cdrs"].values()),
            removed_cdrs=list(self._removed["cdrs"]),
            session_costs=list(self._rows["session_costs"].values()),
            removed_session_costs=list(self._removed["session_costs"]),
        )


cdef str _key_of(dict before):
    """Return the idempotency key of the request that a decision answered, "" when it had none."""
    for name, key in before:
        if name == "answers":
            return key
    return ""
