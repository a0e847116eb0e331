# cython: language_level=3

cdef class Effects:
    cdef public dict before
    cdef public list rows
    cdef public list after
    cdef public str reason

cdef class Table:
    cdef readonly str name
    cdef public dict records
    cdef public long long version
    cdef public dict uncommitted
    cdef State _state
    cdef object find(self, key)
    cpdef object edit(self, key)
    cdef int note(self, key) except -1

cdef class State:
    cdef public dict tables
    cdef public Effects effects
    cdef public long long seen_ticket
    cdef int note_read(self, long long ticket) except -1
