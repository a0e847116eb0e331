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

#: A part of a call with one price, as PricedSpan tells of it.
cdef struct Stretch:
    int64_t end_at
    int64_t index_ns
    int64_t increment
    int64_t count
    int128 cost

cdef class FlatPrice:
    cdef Slot slots[SLOTS]
    cdef int slot_count
    cdef int128 step
    cdef readonly Terms terms
    cdef int slot_at(self, int64_t usage) noexcept nogil
    cdef list spans(self, int64_t start_at, int64_t usage, int64_t index_ns, int64_t midnight_at)
    cdef bint single(self, int64_t start_at, int64_t usage, int64_t index_ns, int64_t midnight_at,
                     Stretch *found) noexcept nogil
    cdef int128 total(self, int64_t start_at, int64_t usage, int64_t midnight_at) noexcept nogil
    cdef int cut(self, int64_t start_at, int64_t usage, int64_t index_ns, int64_t midnight_at, int64_t *starts,
                 int64_t *ends, int64_t *indexes) noexcept nogil
    cdef int cut_at_slots(self, int64_t start_at, int64_t usage, int64_t index_ns, int64_t *starts, int64_t *ends,
                          int64_t *indexes) noexcept nogil
    cdef int grow(self, int place, int count, int64_t *starts, int64_t *ends, int64_t *indexes) noexcept nogil
    cdef PricedSpan span(self, int64_t start_at, int64_t end_at, int64_t index_ns)
    cdef int128 increment_cost(self, int slot, int64_t usage, int64_t increments) noexcept nogil

cdef class Window:
    cdef int64_t from_at
    cdef int64_t until_at
    cdef object plan
    cdef dict prices

cdef class Head:
    cdef str tenant, category, start, key
    cdef object profile
    cdef list windows
    #: Profiles of subjects are there, besides the one for all.
    cdef bint has_subjects

cdef class FlatPrices:
    cdef readonly object tariff
    cdef dict profiles, windows, heads
    cdef object windows_of, resolve
    cdef Head last_head
    cdef FlatPrice find(self, str tenant, str category, str subject, str destination, str tor, int64_t start_at,
                        int64_t usage, int64_t offset_s, int64_t *midnight_at)
    cdef Head head_of(self, str tenant, str category)
    cdef Head new_head(self, str tenant, str category)
    cdef list windows_for(self, str key, profile)

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
