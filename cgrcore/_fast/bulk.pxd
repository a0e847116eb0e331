# cython: language_level=3
from libc.stdint cimport int32_t, int64_t

from cgrcore._fast.accounts cimport int128
from cgrcore._fast.columns cimport Columns
from cgrcore._fast.lines cimport Line
from cgrcore._fast.plans cimport Plans
from cgrcore._fast.search cimport Entry, Plan
from cgrcore._fast.timespans cimport Info, Piece, Rate

cdef class BulkRater:
    cdef readonly Plans plans
    cdef dict calendars, lines, alike, subjects
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
    cdef Line *line_of(self, const Rate *rate) except NULL
