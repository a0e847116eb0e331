# cython: language_level=3
from libc.stdint cimport int64_t

from cgrcore._fast.accounts cimport int128

cdef enum Cap:
    CAP_NONE = 0
    CAP_FREE = 1
    CAP_DISCONNECT = 2

cdef class Terms:
    cdef readonly object interval
    cdef readonly str matched_subject
    cdef readonly str matched_prefix
    cdef readonly str matched_destination_id
    cdef readonly str rating_plan_id
    cdef int128 fee
    cdef int128 max_cost
    cdef Cap cap

cdef class PricedSpan:
    cdef readonly int64_t start_at
    cdef readonly int64_t end_at
    cdef readonly int64_t duration_index_ns
    cdef readonly int64_t increment_ns
    cdef readonly int64_t increment_count
    cdef int128 cost
    cdef Terms terms

cdef PricedSpan priced(object span)
