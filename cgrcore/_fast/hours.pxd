# cython: language_level=3
from libc.stdint cimport int64_t, uint64_t

#: More rates than a destination has, and more years than hours name; beyond them a call is left to rating in general.
cdef enum:
    RATES = 16
    YEARS = 8

cdef struct RateHours:
    uint64_t months
    uint64_t month_days
    uint64_t week_days
    int64_t start_ns
    int64_t years[YEARS]
    int year_count
    int rank
    bint is_any_day
    bint is_never

#: A day by its count since 1970; its place in the calendar is worked out when first asked for.
cdef struct Day:
    int64_t days
    int64_t year
    int month
    int month_day
    bint is_known

cdef class DayHours:
    cdef RateHours rates[RATES]
    cdef int count
    cdef int throughout(self, int64_t start_at, int64_t usage, int64_t offset) except -2

cdef int read_hours(RateHours *own, object hours) except -1
cdef bint is_active(const RateHours *own, Day *day, int64_t clock) noexcept nogil
cdef int day_of_month(int64_t days) noexcept nogil
