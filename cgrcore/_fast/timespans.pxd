# cython: language_level=3
from libc.stdint cimport int64_t, int32_t

from cgrcore._fast.accounts cimport int128
from cgrcore._fast.flatprices cimport Slot
from cgrcore._fast.hours cimport Day, RateHours

#: More than a call has; one that has more is left to rating in general.
cdef enum:
    RATE_SLOTS = 16
    LIST_RATES = 16
    ROOM = 192
    INFOS = 32

#: What cutting answers besides a number of pieces: the call is not priced, or it is unusual.
cdef enum:
    UNPRICED = -1
    UNUSUAL = -2

cdef enum RoundingMode:
    ROUND_NEAREST = 1
    ROUND_UP = 2
    ROUND_DOWN = 3
    ROUND_NONE = 4

#: A rate of a plan: its hours, its slots in order, and what belongs to the total of a call.
cdef struct Rate:
    RateHours hours
    Slot slots[RATE_SLOTS]
    int slot_count
    int64_t weight
    int128 fee
    int128 most
    bint is_capped
    RoundingMode mode
    int decimals
    #: Its place among the records that the owner keeps.
    int32_t place

#: The rates of a destination, heaviest and then earliest first.
cdef struct Rates:
    #: One of them holds at any time of any day.
    bint is_always
    int count
    Rate *rates[LIST_RATES]

#: A plan that holds from an instant on, with the rates it has for the number (NULL: none).
cdef struct Info:
    int64_t at
    const Rates *rates
    int32_t profile
    int32_t plan
    int32_t destination
    #: How many known prefixes of the number are longer than the matched one; -1: `*any`.
    int32_t level

#: A timespan: its plan by place, and the rate that prices it (NULL: none yet).
cdef struct Piece:
    int64_t start
    int64_t end
    int64_t index
    const Rate *rate
    int32_t info

#: The part of money that each number of decimals keeps, 0 to 9.
cdef int64_t STEPS[10]

cdef int read_rate(Rate *rate, object hours, object rating, int64_t weight) except -1
cdef int cut_call(const Info *infos, int info_count, int64_t start_at, int64_t usage, int64_t index_ns, int64_t offset,
                  bint is_voice, Piece *pieces) noexcept nogil
cdef const Slot *slot_of(const Piece *piece) noexcept nogil
cdef int128 increment_cost(const Slot *slot, int64_t usage, int64_t count, int128 step) noexcept nogil
cdef int128 total_of(const Piece *pieces, int count, int128 step, bint is_first) noexcept nogil
cdef int128 rounded(int128 amount, RoundingMode mode, int decimals) noexcept nogil
