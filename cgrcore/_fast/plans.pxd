# cython: language_level=3
from libc.stdint cimport int32_t, int64_t

from cgrcore._fast.accounts cimport int128
from cgrcore._fast.flatprices cimport Terms
from cgrcore._fast.prefixes cimport PrefixIndex
from cgrcore._fast.search cimport Entry, Plan, Profile
from cgrcore._fast.timespans cimport Info, Rate, Rates

#: A piece of the memory that lasts as long as the plans.
cdef struct Chunk:
    Chunk *next

cdef class Plans:
    cdef readonly object tariff
    cdef PrefixIndex index
    cdef Py_ssize_t number_count
    cdef int32_t *class_of
    cdef Chunk *chunks
    cdef Chunk *slabs
    cdef char *close
    cdef size_t close_left
    cdef int128 step
    cdef int depth_limit
    cdef bint may_finish
    cdef list classes, records, profile_ids, compiled_plans
    cdef readonly list plan_ids, destination_ids
    cdef dict class_places, finals, profiles, plans, rates, single_rates, destination_places, terms, covers
    cdef object make_hours
    cdef dict hours

    cdef void *take(self, size_t size) except NULL
    cdef void *take_close(self, size_t size) except NULL
    cdef Profile *profile(self, str key) except? NULL
    cdef Profile *added(self, str key, dict new, list left) except? NULL
    cdef int complete(self, Profile *own, object record, dict new, list left) except -1
    cdef Plan *plan(self, str plan_id) except? NULL
    cdef int32_t class_at(self, int32_t place) except -1
    cdef int32_t above(self, str prefix) except -2
    cdef bint is_final(self, tuple owners) except -1
    cdef const Rates *rates_for(self, object compiled, str destination_id) except? NULL
    cdef object hours_of(self, object timing)
    cdef int resolve(self, Plan *plan, int32_t number_class) except -1
    cdef int fill(self, Entry *entry, Plan *plan, int32_t number_class) except -1
    cdef list price(self, str tenant, str category, str subject, str destination, bint is_voice, int64_t start_at,
                    int64_t usage, int64_t index_ns, int64_t offset_s)
    cdef Terms terms_of(self, const Info *info, const Rate *rate, int32_t longest)

cdef tuple hours_key(const Rates *rates)
