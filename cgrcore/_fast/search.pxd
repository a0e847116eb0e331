# cython: language_level=3
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t

from cgrcore._fast.hours cimport Day
from cgrcore._fast.timespans cimport Info, Rates

#: Fallback subjects of fallback subjects, at most.
cdef enum:
    DEEPEST = 8

cdef extern from *:
    """
    #define cgr_publish(flag, value) __atomic_store_n(flag, value, __ATOMIC_RELEASE)
    """
    #: Set a flag that others read without the GIL, behind all that it vouches for.
    void publish "cgr_publish" (uint8_t *flag, uint8_t value) noexcept nogil

#: What looking up answers besides a number of plans, on top of UNUSUAL.
cdef enum:
    NO_PROFILE = -3
    UNAUTHORIZED = -4
    #: A price was not looked at yet: `Search.wanted` tells which plan; `resolve` it with the GIL, then look again.
    WANTED = -5

#: Rates of a destination whose prices are told beside it; those of more are a list by itself.
cdef enum:
    NEAR = 4

#: What a plan has for a class of numbers.
cdef enum Kind:
    UNKNOWN = 0
    SINGLE = 1
    SEVERAL = 2
    NOTHING = 3
    BEYOND = 4

#: One destination that prices a number, `level` known prefixes above the longest one (-1: `*any`).
cdef struct Candidate:
    const Rates *rates
    int64_t weight
    int32_t destination
    int32_t level

#: SINGLE: its rates and destination; SEVERAL: `destination` candidates in `more`, the longest prefix first.
#: Rating in bulk adds to SINGLE what it needs, in `calendar` and `more` (the lines of the rates, in `near` or a list),
#: and then says `is_ready`. An entry lies in one line of the processor's cache.
cdef struct Entry:
    const Rates *rates
    const void *more
    const void *calendar
    int32_t destination
    int16_t level
    uint8_t kind
    uint8_t is_ready
    const void *near[NEAR]

cdef enum:
    PAGE_BITS = 8
    PAGE_SIZE = 256

#: A rating plan: what it has for each class of numbers, in pages that are made when first needed.
cdef struct Plan:
    Entry **pages
    int32_t place

cdef struct Activation:
    int64_t at
    #: NULL: the plan is missing.
    Plan *plan
    #: NULL where a subject has no profile.
    Profile **fallbacks
    int fallback_count

cdef struct Profile:
    Activation *activations
    int count
    int32_t place
    #: The profile of everybody else, NULL for none.
    Profile *any

cdef struct Search:
    int64_t clock
    Day day
    int32_t number_class
    int depth_limit
    Plan *wanted

cdef void begin(Search *search, int64_t start_at, int64_t offset, int32_t number_class, int depth_limit) noexcept nogil
cdef int infos_of(Search *search, const Profile *profile, int64_t start_at, int64_t end_at, Info *out) noexcept nogil


cdef inline Entry *entry_of(const Plan *plan, int32_t number_class) noexcept nogil:
    """What a plan has for a class of numbers, NULL when that was not asked for yet."""
    cdef Entry *page = plan.pages[number_class >> PAGE_BITS]
    if page is NULL or page[number_class & (PAGE_SIZE - 1)].kind == UNKNOWN:
        return NULL
    return &page[number_class & (PAGE_SIZE - 1)]
