# cython: language_level=3
from libc.stdint cimport int32_t, int64_t, uint8_t

from cgrcore._fast.prefixes cimport Tables

cdef enum:
    #: Numbers that are looked up together, at most.
    BLOCK = 64
    #: Bytes behind each of them that are read, whatever they are.
    MARGIN = 16

cdef void find_block(const Tables *tables, const uint8_t **texts, const int64_t *sizes, Py_ssize_t count,
                     int32_t *places) noexcept nogil
