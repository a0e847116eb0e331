# cython: language_level=3
from libc.stdint cimport int32_t

cdef struct Node:
    int32_t branches[10]
    #: Its place plus one, so that a node of zeros has none.
    int32_t prefix

cdef class PrefixIndex:
    cdef Node *nodes
    cdef int32_t node_count
    cdef int32_t room
    cdef list texts
    cdef dict others
    cdef list lengths

    cdef int grow(self, int32_t room) except -1
    cdef int add(self, str text, int32_t number) except -1
    cdef int32_t find(self, const unsigned char *digits, Py_ssize_t size) noexcept nogil
    cpdef int32_t longest(self, str number) except -2
    cpdef str text(self, int32_t place)
