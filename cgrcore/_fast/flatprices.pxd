# cython: language_level=3
cimport cython
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

#: More slots than a rate has; a call that meets more is left to rating in general.
cdef enum:
    SLOTS = 16

#: Each of two days may be cut by every slot: 2 * (SLOTS + 1), which Cython cannot work out in a checked build.
cdef enum:
    PIECES = 34

cdef struct Slot:
    int64_t group_start
    int64_t value
    int64_t increment
    int64_t unit

cdef class FlatPrice:
    cdef Slot slots[SLOTS]
    cdef int slot_count
    cdef int128 step
    cdef readonly Terms terms
    cdef int slot_at(self, int64_t usage) noexcept nogil
    cdef list spans(self, int64_t start_at, int64_t usage, int64_t index_ns, int64_t midnight_at)
    cdef int128 total(self, int64_t start_at, int64_t usage, int64_t midnight_at) noexcept nogil
    cdef int cut(self, int64_t start_at, int64_t usage, int64_t index_ns, int64_t midnight_at, int64_t *starts,
                 int64_t *ends, int64_t *indexes) noexcept nogil
    cdef int cut_at_slots(self, int64_t start_at, int64_t usage, int64_t index_ns, int64_t *starts, int64_t *ends,
                          int64_t *indexes) noexcept nogil
    cdef int grow(self, int place, int count, int64_t *starts, int64_t *ends, int64_t *indexes) noexcept nogil
    cdef PricedSpan span(self, int64_t start_at, int64_t end_at, int64_t index_ns)
    cdef int128 increment_cost(self, int slot, int64_t usage, int64_t increments) noexcept nogil

cdef class FlatPrices:
    cdef readonly object tariff
    cdef dict profiles, windows, heads
    cdef object windows_of, resolve
    cdef list price(self, str tenant, str category, str subject, str destination, str tor, int64_t start_at,
                    int64_t usage, int64_t index_ns, int64_t offset_s)
    cdef tuple head_of(self, str tenant, str category)
    cdef tuple window_at(self, str key, profile, int64_t start_at, int64_t end_at)

cdef bint find_midnight(int64_t start_at, int64_t offset, int64_t usage, int64_t *midnight_at) noexcept nogil


# The check of overflow knows 64-bit integers only.
@cython.overflowcheck(False)
cdef inline int128 half_away(int128 dividend, int128 divisor) noexcept nogil:
    """Divide by a positive divisor, to the nearest, ties away from zero."""
    cdef int128 size = dividend if dividend >= 0 else -dividend
    cdef int128 quotient = size / divisor
    if 2 * (size - quotient * divisor) >= divisor:
        quotient += 1
    return quotient if dividend >= 0 else -quotient
