# cython: language_level=3
from libc.stdint cimport int64_t

from cgrcore._fast.accounts cimport AccountBase, Balance, int128
from cgrcore._fast.flatprices cimport PricedSpan, Stretch, Terms
from cgrcore._fast.payments cimport Payment, Source
from cgrcore._fast.rules cimport Ask, Rules

cdef enum Plan:
    PLAN_NONE
    PLAN_UNITS
    PLAN_MONEY

cdef class Sole(Ask):
    cdef Rules rules
    cdef readonly AccountBase account
    cdef bint is_dry
    cdef int128 cost_so_far
    cdef object factor_id
    #: What was paid, part by part; every payment, in the order made; the accounts that changed. None until read.
    cdef list paid, made, changed
    #: Who pays for all, and how.
    cdef Balance sole
    cdef Plan plan
    cdef Terms terms
    cdef int128 sole_fee, sole_each, sole_held
    cdef int64_t sole_factor
    cdef Stretch stretch
    cdef int read_rest(self) except -1
    cdef int64_t factor_of(self, Balance balance) except? -1
    cdef bint make_plan(self) except -1
    cdef bint plan_units(self, Balance units) except -1
    cdef bint plan_money(self, Balance money) except -1
    cdef int follow_plan(self) except -1
    cdef int write_down(self) except -1
    cdef Payment fee_payment(self, Source source)
    cdef PricedSpan whole_span(self, int64_t start_at)
