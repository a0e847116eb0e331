# cython: language_level=3
from libc.stdint cimport int64_t, uint64_t

from cgrcore._fast.tables cimport Table, Undo

cdef extern from *:
    # Cython has no word for it: C reckons with it in 128 bits; to and from Python it goes by the two functions below.
    ctypedef long long int128 "__int128_t"

cdef int128 int128_of(object number) except? -1
cdef object int_of(int128 number)
cdef bint parse_uuid(str text, uint64_t *high, uint64_t *low)
cdef str uuid_text_of(uint64_t high, uint64_t low)

cdef class Terms:
    cdef readonly object destination_ids
    cdef readonly str rating_subject
    cdef readonly object categories
    cdef readonly object shared_groups
    cdef readonly object timings
    cdef readonly object timing_ids
    cdef readonly object factors
    #: It asks more of a call than that its balance is there: a destination, a category, membership.
    cdef bint is_restricted
    #: The fields as bytes, made when first stored.
    cdef bytes packed

cdef class Balance:
    cdef int128 value
    cdef public int64_t expires_at
    cdef int64_t weight
    cdef uint64_t uuid_high
    cdef uint64_t uuid_low
    cdef str uuid_text
    cdef str _id
    cdef str _type
    cdef Terms terms
    cdef public bint is_disabled
    cdef public bint is_blocker
    cdef public bint is_dirty
    cdef public short expires_offset_min
    cpdef Balance copy(self)

cdef class AccountBase:
    cdef readonly str id
    cdef public dict balances
    cdef public object unit_counters
    cdef public object triggers
    cdef public bint allow_negative
    cdef public bint is_disabled
    cdef public int64_t updated_at
    cpdef AccountBase copy(self)
    cpdef dict values(self)
    cpdef bint has_expired(self, int64_t at) except -1


cdef class ValueUndo(Undo):
    cdef AccountBase account
    cdef Balance balance
    cdef int128 held
    cdef bint was_dirty

cdef int note_value(Table accounts, AccountBase account, Balance balance) except -1


cdef inline bint has_same_uuid(Balance one, Balance other) except -1:
    """True when both are the same balance, at different times perhaps."""
    if one.uuid_text is None and other.uuid_text is None:
        return one.uuid_high == other.uuid_high and one.uuid_low == other.uuid_low
    return one.uuid_text == other.uuid_text
