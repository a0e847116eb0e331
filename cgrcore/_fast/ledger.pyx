# cython: overflowcheck=False
# The check knows 64-bit integers only; values have 128 bits, and those of balances are bounded by who sets them.
"""A line of the ledger as a compact record: every debit makes one, and texts are made of it when it is written.

Does not know: which change it tells of, the store.
Benchmark: bench/workloads/charging.py; oracle: tests/oracle/ledger.py.
"""

cimport cython
from libc.stdint cimport int64_t

from cgrcore._fast.accounts cimport Balance, int128, int128_of, int_of, parse_uuid, uuid_text_of


@cython.no_gc
@cython.freelist(64)
cdef class LedgerLine:
    """One change of one balance: `before_nano + amount_nano == after_nano`. Never changed.

    A balance that came to be starts at 0, one that went away ends at 0, so the amounts of a balance's lines always
    add up to what it holds. `at` ns UTC; `line_id` orders the lines of the whole ledger and is given by the store.
    """

    def __init__(self, str account_id not None, str balance_uuid not None, str balance_id not None,
                 str balance_type not None, before_nano, after_nano, str reason not None, int64_t at,
                 str idempotency_key not None="", int64_t line_id=0):
        self.account_id = account_id
        if not parse_uuid(balance_uuid, &self.uuid_high, &self.uuid_low):
            self.uuid_text = balance_uuid
        self.balance_id = balance_id
        self.balance_type = balance_type
        self.before = int128_of(before_nano)
        self.after = int128_of(after_nano)
        self.reason = reason
        self.at = at
        self.idempotency_key = idempotency_key
        self.line_id = line_id

    @property
    def balance_uuid(self):
        return uuid_text_of(self.uuid_high, self.uuid_low) if self.uuid_text is None else self.uuid_text

    @property
    def before_nano(self):
        return int_of(self.before)

    @property
    def after_nano(self):
        return int_of(self.after)

    @property
    def amount_nano(self):
        return int_of(self.after - self.before)

    cpdef LedgerLine numbered(self, int64_t line_id):
        """Return the same line with its place in the ledger."""
        cdef LedgerLine line = LedgerLine.__new__(LedgerLine)
        line.account_id = self.account_id
        line.uuid_high, line.uuid_low, line.uuid_text = self.uuid_high, self.uuid_low, self.uuid_text
        line.balance_id, line.balance_type = self.balance_id, self.balance_type
        line.before, line.after = self.before, self.after
        line.reason, line.at, line.idempotency_key = self.reason, self.at, self.idempotency_key
        line.line_id = line_id
        return line

    def _fields(self):
        return (self.account_id, self.balance_uuid, self.balance_id, self.balance_type, self.before_nano,
                self.after_nano, self.reason, self.at, self.idempotency_key, self.line_id)

    def __eq__(self, other):
        return type(other) is LedgerLine and self._fields() == other._fields()

    def __hash__(self):
        return hash(self._fields())

    def __repr__(self):
        return f"LedgerLine{self._fields()!r}"


cdef LedgerLine line_of(str account_id, Balance balance, str kind, int128 before, int128 after):
    """Return the line of a balance without what all lines of a decision share: reason, instant, idempotency key."""
    cdef LedgerLine line = LedgerLine.__new__(LedgerLine)
    line.account_id = account_id
    line.uuid_high = balance.uuid_high
    line.uuid_low = balance.uuid_low
    line.uuid_text = balance.uuid_text
    line.balance_id = balance._id
    line.balance_type = kind
    line.before = before
    line.after = after
    return line
