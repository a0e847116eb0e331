# cython: language_level=3
from libc.stdint cimport int64_t, uint64_t

#: More rates than a destination has; one with more is left to rating in general.
cdef enum:
    RATES = 16

cdef struct RateHours:
    uint64_t months
    uint64_t month_days
    uint64_t week_days
    int64_t start_ns
    int rank
    bint is_any_day
    bint is_never

cdef class DayHours:
    cdef RateHours rates[RATES]
    cdef int count
    cdef list years
    cdef bint is_active(self, int index, int64_t days, int64_t clock) except -1
    cdef int throughout(self, int64_t start_at, int64_t usage, int64_t offset) except -2
