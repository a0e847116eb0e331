# cython: language_level=3

cdef class Effects:
    cdef public dict before
    cdef public list rows
    cdef public list after
    cdef public str reason
    cdef public list loaded
    cpdef int unfold(self) except -1

cdef class Undo:
    cdef object whole(self)
    cdef object restore(self)

cdef class Table:
    cdef readonly str name
    cdef public dict records
    cdef public long long version
    cdef public dict uncommitted
    cdef public Py_ssize_t limit
    cdef public set names
    cdef readonly dict older
    cdef readonly set absent
    cdef readonly bint is_whole
    cdef readonly long long loads
    cdef object _decode
    cdef object _order
    cdef State _state
    cdef object find(self, key)
    cdef object find_older(self, key)
    cpdef bint holds(self, key) except -1
    cdef bint age(self, set unwritten, set wanted) except -1
    cdef list all_keys(self)
    cpdef object edit(self, key)
    cdef int note(self, key) except -1
    cdef int check(self, key) except -1

cdef class State:
    cdef public dict tables
    cdef public Effects effects
    cdef public long long seen_ticket
    cdef int note_read(self, long long ticket) except -1
