# cython: overflowcheck=False
# The check knows 64-bit integers only; amounts have 128 bits. `times` and `later` check what could leave its range.
"""Who may pay for a call, and what was paid: the records of the debit kernel, and its arithmetic.

Does not know: prices, in which order balances of all kinds pay.
"""

cimport cython
from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t

from cgrcore._fast.accounts cimport AccountBase, Balance, int128, int_of
from cgrcore._fast.flatprices cimport PricedSpan

from cgrcore.errors import BadRequest

#: Amounts stay within this, in nano.
cdef int128 LIMIT = <int128>1000000000000000000 * 1000000000000000000


@cython.no_gc
@cython.freelist(16)
cdef class Source:
    """A balance that may pay, and its account. `precision` is the length of the prefix it was chosen by."""

    def __init__(self, Balance balance, AccountBase account, int64_t precision=0):
        self.balance = balance
        self.account = account
        self.precision = precision


@cython.no_gc
@cython.freelist(16)
cdef class Payment:
    """`count` increments of `usage_ns`, each costing `cost_nano`, and what paid them.

    `unit` gave `unit_amount_nano` for each and held `unit_value_nano` after the last; `money` gave the cost and held
    `money_value_nano`. A subject is given when the balance was rated by one of its own.
    """

    @property
    def cost_nano(self):
        return int_of(self.cost)

    @property
    def unit_amount_nano(self):
        return int_of(self.unit_amount)

    @property
    def unit_value_nano(self):
        return int_of(self.unit_value)

    @property
    def money_value_nano(self):
        return int_of(self.money_value)


@cython.no_gc
@cython.freelist(16)
cdef class Part:
    """A stretch of the call that is paid: a span of the tariff, or of `free_units`, cut where the payer had no more."""


def plain_sources(AccountBase account, str kind, int64_t at):
    """Return the balances of a type (and `*generic`) that may pay at an instant, the heaviest first.

    None when one asks for a destination, a category or a shared group: then more must be known of the call.
    """
    cdef list found = []
    if not add_plain(account, kind, at, found):
        return None
    if kind != "*monetary" and kind != "*generic" and not add_plain(account, "*generic", at, found):
        return None
    return found


cdef enum Role:
    PASSED_OVER, PAYING, RESTRICTED


cdef inline Role role_of(Balance balance, int64_t at) noexcept:
    """What a balance does in a payment at an instant where it is told without the call."""
    if balance.is_disabled or (balance.expires_at != INT64_MIN and balance.expires_at < at):
        return PASSED_OVER
    if balance.terms.is_restricted:
        return RESTRICTED
    if balance.value <= 0 and not balance.is_blocker:
        return PASSED_OVER
    return PAYING


cdef bint add_plain(AccountBase account, str kind, int64_t at, list found) except -1:
    cdef object group = account.balances.get(kind)
    cdef Balance balance
    cdef Source source, other
    cdef Py_ssize_t place
    cdef Role role
    if group is None:
        return True
    for balance in <list>group:
        role = role_of(balance, at)
        if role == RESTRICTED:
            return False
        if role == PASSED_OVER:
            continue
        source = Source.__new__(Source)
        source.balance = balance
        source.account = account
        place = len(found)
        while place > 0:
            other = found[place - 1]
            if other.balance.weight >= balance.weight:
                break
            place -= 1
        found.insert(place, source)
    return True


cdef Balance heaviest(AccountBase account, str kind, int64_t at, Balance best, bint *is_plain):
    """The one of a type that `add_plain` puts first, or `best` if none is heavier. Not `is_plain` where it is False."""
    cdef object group = account.balances.get(kind)
    cdef Balance balance
    cdef Role role
    if group is None:
        return best
    for balance in <list>group:
        role = role_of(balance, at)
        if role == RESTRICTED:
            is_plain[0] = False
            return None
        if role == PASSED_OVER:
            continue
        if best is None or balance.weight > best.weight:
            best = balance
    return best


cdef int128 times(int128 amount, int64_t count) except? -1:
    """Return amount × count. Raises BadRequest beyond ±10^36."""
    if amount != 0 and count != 0 and (amount if amount > 0 else -amount) > LIMIT / count:
        raise BadRequest(f"number out of range: {int_of(amount)} nano x {count}")
    return amount * count


cdef int64_t later(int64_t at, int64_t step, int64_t count) except? -1:
    """Return the instant `count` steps later. Raises BadRequest beyond 64 bits."""
    cdef int128 found = <int128>at + <int128>step * count
    if found > INT64_MAX:
        raise BadRequest(f"instant out of range: {count} x {step}ns")
    return <int64_t>found


cdef Payment money_payment(Source source, int64_t usage, int128 cost, int64_t count):
    cdef Payment payment = Payment.__new__(Payment)
    payment.usage_ns = usage
    payment.count = count
    payment.cost = cost
    payment.account_id = source.account.id
    payment.money = source.balance
    payment.money_value = source.balance.value
    return payment


cdef Payment free_payment(Source source, int64_t usage, int64_t count, str subject):
    cdef Payment payment = money_payment(source, usage, 0, count)
    payment.money_subject = subject
    return payment


cdef Payment unpaid(str account_id, PricedSpan span):
    """Increments that cost nothing and that no balance paid."""
    cdef Payment payment = Payment.__new__(Payment)
    payment.usage_ns = span.increment_ns
    payment.count = span.increment_count
    payment.account_id = account_id
    return payment
