# cython: language_level=3
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

#: A part of a number below a stem: `size` more digits (`key`, as they lie in memory) and the prefix they complete.
cdef struct Tail:
    uint64_t key
    uint32_t size
    uint32_t value

#: A prefix on its way into the index: its digits, their first sixteen packed so that numbers compare as texts do.
cdef struct Entry:
    uint64_t packed
    const uint8_t *digits
    int32_t size
    int32_t place

cdef class PrefixIndex:
    #: Tables of the first five symbols, for numbers without and with a plus; NULL without such prefixes.
    cdef uint32_t *roots[2]
    cdef uint32_t *blocks
    cdef uint32_t block_count, block_room
    cdef Tail *tails
    cdef uint32_t tail_count, tail_room
    cdef list texts
    cdef dict others
    cdef list lengths

    cdef int build(self, int sign, Entry *entries, Py_ssize_t count) except -1
    cdef int64_t node(self, Entry *entries, Py_ssize_t count, int32_t depth, uint32_t held) except -1
    cdef int64_t bucket(self, Entry *entries, Py_ssize_t count, int32_t depth, uint32_t held) except -1
    cdef int64_t block(self, Entry *entries, Py_ssize_t count, int32_t depth, uint32_t held) except -1
    cdef int32_t find(self, const uint8_t *text, int64_t size, const uint8_t *limit) noexcept nogil
    cpdef int32_t longest(self, str number) except -2
    cpdef str text(self, int32_t place)
