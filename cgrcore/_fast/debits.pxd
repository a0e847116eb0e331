# cython: language_level=3
from libc.stdint cimport int64_t

from cgrcore._fast.accounts cimport AccountBase, Balance, int128

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
