# cython: language_level=3
cimport cython
from libc.stdint cimport int64_t

from cgrcore._fast.accounts cimport AccountBase, Balance, int128
from cgrcore._fast.flatprices cimport PricedSpan

cdef class Source:
    cdef readonly Balance balance
    cdef readonly AccountBase account
    cdef readonly int64_t precision

cdef class Payment:
    cdef readonly int64_t usage_ns
    cdef readonly int64_t count
    cdef int128 cost
    cdef readonly str account_id
    cdef readonly Balance unit
    cdef int128 unit_amount
    cdef int128 unit_value
    cdef readonly int64_t factor_nano
    cdef readonly Balance money
    cdef int128 money_value
    cdef readonly str unit_subject
    cdef readonly str money_subject

cdef class Part:
    cdef readonly object span
    cdef readonly Balance free_units
    cdef readonly int64_t start_at
    cdef readonly int64_t end_at
    cdef readonly int64_t duration_index_ns
    cdef readonly int64_t increment_ns
    cdef readonly list payments

cdef bint add_plain(AccountBase account, str kind, int64_t at, list found) except -1
cdef Balance heaviest(AccountBase account, str kind, int64_t at, Balance best, bint *is_plain)
cdef int128 times(int128 amount, int64_t count) except? -1
cdef int64_t later(int64_t at, int64_t step, int64_t count) except? -1
cdef Payment money_payment(Source source, int64_t usage, int128 cost, int64_t count)
cdef Payment free_payment(Source source, int64_t usage, int64_t count, str subject)
cdef Payment unpaid(str account_id, PricedSpan span)


# The check of overflow knows 64-bit integers only, here and below.
@cython.overflowcheck(False)
cdef inline int64_t reach(int128 value, int128 amount, int64_t count) noexcept nogil:
    """How many of `count` increments of `amount` a value pays."""
    cdef int128 times
    if amount <= 0:
        return count
    if value < amount:
        return 0
    times = value / amount
    return count if times > count else <int64_t>times


@cython.overflowcheck(False)
cdef inline int128 units_of(int64_t usage, int64_t factor) noexcept nogil:
    """The units that an increment takes, in nano; with a factor rounded up to five decimals (steps of 10,000 nano)."""
    cdef int128 amount = <int128>usage * factor
    cdef int128 rest
    if factor == 1000000000:
        return amount
    rest = amount % 10000
    if rest > 0:
        amount += 10000 - rest
    return amount
