# cython: language_level=3
from libc.stdint cimport int64_t, uint64_t

from cgrcore._fast.accounts cimport Balance, int128

cdef class LedgerLine:
    cdef int128 before, after
    cdef uint64_t uuid_high, uuid_low
    cdef str uuid_text
    cdef readonly str account_id, balance_id, balance_type, reason, idempotency_key
    cdef readonly int64_t at, line_id
    cpdef LedgerLine numbered(self, int64_t line_id)

cdef LedgerLine line_of(str account_id, Balance balance, str kind, int128 before, int128 after)
