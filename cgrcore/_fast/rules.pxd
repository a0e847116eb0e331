# cython: language_level=3
from libc.stdint cimport int64_t

from cgrcore._fast.accounts cimport AccountBase
from cgrcore._fast.flatprices cimport FlatPrices
from cgrcore._fast.tables cimport Table

#: The fields of a call that are read for each.
cdef enum:
    FIELDS = 12

cdef class Ask:
    cdef readonly object call
    cdef str tenant, category, subject, account_name, destination, tor
    cdef int64_t asked_ns, offset_s
    cdef bint is_first
    cdef object max_rate
    cdef readonly int64_t start_at, end_at, duration_index_ns
    cdef int read(self, Rules rules, call) except -1

cdef class Rules:
    cdef readonly object world
    cdef Table accounts, destinations, plans, profiles
    cdef long long destinations_version, plans_version, profiles_version
    cdef object tariff
    cdef FlatPrices flat
    cdef dict limits, parts, rals, defaults, steps
    #: The limit of usage for the type of record that was last asked for, and the step of units by default for such one.
    cdef str limited_tor, stepped_tor
    cdef int64_t limit, default_step
    cdef object call_type
    cdef Py_ssize_t places[FIELDS]
    cdef int learn(self, call_type) except -1
    cdef int refresh(self) except -1
    cdef int check_usage(self, Ask ask) except -1
    cdef AccountBase find_account(self, Ask ask)
    cdef list spans(self, Ask ask, str subject, int64_t start_at, int64_t usage, int64_t index_ns)
    cdef int64_t zero_increment(self, str subject, str tor, bint is_unit) except -2
    cdef bint must_settle(self, AccountBase account) except -1
