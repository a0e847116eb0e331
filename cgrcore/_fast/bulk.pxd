# cython: language_level=3
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint64_t

from cgrcore._fast.accounts cimport int128
from cgrcore._fast.plans cimport Entry, Plan, Plans, Profile
from cgrcore._fast.timespans cimport Info, Piece, Rates

#: Parts of a day with one rate each; a day with more takes the longer way.
cdef enum:
    PARTS = 8

#: A kind of day: where its parts end, and which rate holds in each (-1: that takes a longer look).
cdef struct Schedule:
    int64_t until[PARTS]
    int8_t rate[PARTS]

#: A rate of one slot or two in closed form, by whether a call goes beyond the border of the slots: `base` and so many
#: increments at `cost`. From `settled` increments on rounding an increment does not depend on how many there are.
cdef struct Line:
    int64_t base[2]
    int64_t increment[2]
    int64_t cost[2]
    int64_t border
    uint16_t settled[2]
    uint8_t mode
    uint8_t decimals
    uint8_t is_usable

#: Which kind of day each day is.
cdef struct Calendar:
    const uint8_t *kinds
    const Schedule *schedules

#: The columns of one chunk. NULL columns are the same for all rows: the first value, or the number beside them.
cdef struct Columns:
    Py_ssize_t count
    const uint8_t *data
    const uint8_t *data_end
    const int32_t *ends_32
    const int64_t *ends_64
    Py_ssize_t width
    const int64_t *starts
    const int64_t *usages
    const int32_t *offsets
    int64_t offset
    const int32_t *keys
    Profile **profiles
    const int32_t *tors
    const uint8_t *is_voice
    const int64_t *limits
    int64_t *costs
    int32_t *destinations
    int32_t *plans
    uint8_t *errors

#: Different texts on their way to numbers: the hash of each, the row it first came in, and a table to find it by.
cdef struct Codes:
    size_t count
    size_t room
    uint64_t *hashes
    int32_t *rows
    int32_t *places

cdef class BulkRater:
    cdef readonly Plans plans
    cdef dict calendars, lines, subjects
    cdef bint has_other_prefixes

    cdef Py_ssize_t run(self, Columns *columns, Py_ssize_t first, int128 *total) noexcept nogil
    cdef void classify(self, const Columns *columns, Py_ssize_t first, Py_ssize_t count,
                       int32_t *classes) noexcept nogil
    cdef bint look_up(self, Columns *columns, Py_ssize_t first, Py_ssize_t count, const int32_t *classes,
                      const Entry **entries) noexcept nogil
    cdef bint price(self, Columns *columns, Py_ssize_t first, Py_ssize_t count, const int32_t *classes,
                    const Line **lines, int128 *total) noexcept nogil
    cdef int general(self, Columns *columns, Py_ssize_t row, int32_t number_class, Plan **wanted,
                     int128 *total) noexcept nogil
    cdef int cut_row(self, const Columns *columns, Py_ssize_t row, int32_t number_class, Plan **wanted, Info *infos,
                     Piece *pieces) noexcept nogil
    cdef int32_t class_of_row(self, const Columns *columns, Py_ssize_t row) except? -1
    cdef int settle(self, Columns *columns, Py_ssize_t row, int128 *total) except -1
    cdef int make_ready(self, Entry *entry) except -1
    cdef Calendar *calendar_of(self, const Rates *rates) except? NULL
