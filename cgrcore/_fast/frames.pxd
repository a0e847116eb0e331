from libc.stdint cimport uint8_t, uint64_t


cdef enum:
    # Go's decoder gives up at this depth, and so do we: deeper values would not fit the C stack of whoever walks them.
    MAX_DEPTH = 10000
    # One bit a level.
    KIND_WORDS = 157


cdef class Frames:
    cdef uint8_t *_buffer
    cdef Py_ssize_t _capacity
    # Bytes of the unfinished frame that are accounted for in the state below.
    cdef Py_ssize_t _scanned
    # All ones inside a string.
    cdef uint64_t _in_string
    cdef uint64_t _escape
    cdef int _depth
    # By level: 1 for {, 0 for [.
    cdef uint64_t _kinds[KIND_WORDS]
    cdef readonly Py_ssize_t held
    cdef readonly Py_ssize_t max_size
    cdef readonly str error

    cdef list take(self, const uint8_t *data, Py_ssize_t size)
    cdef void _reset(self) noexcept
    cdef int _hold(self, const uint8_t *data, Py_ssize_t size) except -1
    cdef Py_ssize_t _end_of_frame(self, const uint8_t *data, Py_ssize_t size) noexcept nogil
    cdef Py_ssize_t _scan(self, const uint8_t *data, Py_ssize_t size) noexcept nogil
