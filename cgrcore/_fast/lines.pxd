# cython: language_level=3
from libc.stdint cimport INT64_MAX, int8_t, int64_t, uint8_t, uint16_t

from cgrcore._fast.accounts cimport int128
from cgrcore._fast.plans cimport Plans
from cgrcore._fast.timespans cimport ROUND_DOWN, ROUND_UP, Rate, Rates

cdef extern from *:
    """
    static inline int does_not_fit(long long count, long long cost, long long base, long long *sum) {
        return __builtin_mul_overflow(count, cost, sum) || __builtin_add_overflow(*sum, base, sum);
    }
    """
    bint does_not_fit(long long count, long long cost, long long base, long long *sum) noexcept nogil

#: Days whose kinds are worked out: 1990 to 2059. Calls of other days take the longer way.
cdef enum:
    FIRST_DAY = 7305
    DAYS = 25567

#: Parts of a day with one rate each; a day with more takes the longer way.
cdef enum:
    PARTS = 8

#: A kind of day: where its parts end, and which rate holds in each (-1: that takes a longer look).
cdef struct Schedule:
    int64_t until[PARTS]
    int8_t rate[PARTS]

#: A rate of one slot or two in closed form, by whether a call goes beyond the border of the slots: `base` and so many
#: increments at `cost`. From `settled` increments on rounding an increment does not depend on how many there are; so it
#: is for those counts below it, up to eight, whose bits `alike` has, in the last slot.
cdef struct Line:
    int64_t base[2]
    int64_t increment[2]
    int64_t cost[2]
    int64_t border
    uint16_t settled[2]
    uint8_t mode
    uint8_t decimals
    uint8_t is_usable
    uint8_t alike

#: Which kind of day each day is.
cdef struct Calendar:
    const uint8_t *kinds
    const Schedule *schedules

cdef Calendar *calendar_of(Plans plans, const Rates *rates) except? NULL
cdef void read_line(Line *line, const Rate *rate, int128 step) noexcept nogil


cdef inline bint is_alike(const Line *line, int64_t increments, bint is_over) noexcept nogil:
    """Whether each of so many increments costs what a single one does, though others below `settled` do not."""
    if increments == 1:
        return True
    return 2 <= increments <= 8 and (is_over or line.border == INT64_MAX) and line.alike >> (increments - 1) & 1


cdef inline int64_t rounded_64(int64_t amount, uint8_t mode, int64_t step) noexcept nogil:
    """What `timespans.rounded` says, of 64 bits."""
    cdef int64_t steps = amount // step
    cdef int64_t rest = amount - steps * step
    if mode == ROUND_UP:
        steps += rest > 0
    elif mode == ROUND_DOWN:
        steps -= rest < 0
    elif 2 * rest >= step:
        steps += 1
    elif -2 * rest >= step:
        steps -= 1
    return steps * step
