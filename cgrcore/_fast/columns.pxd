# cython: language_level=3
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from cgrcore._fast.search cimport Profile

#: The columns of one chunk. NULL columns are the same for all rows: the first value, or the number beside them.
cdef struct Columns:
    Py_ssize_t count
    const uint8_t *data
    const uint8_t *data_end
    const int32_t *ends_32
    const int64_t *ends_64
    Py_ssize_t width
    const int64_t *starts
    const int64_t *usages
    const int32_t *offsets
    int64_t offset
    const int32_t *keys
    Profile **profiles
    const int32_t *tors
    const uint8_t *is_voice
    const int64_t *limits
    int64_t *costs
    int32_t *destinations
    int32_t *plans
    uint8_t *errors

#: Different texts on their way to numbers: the hash of each, the row it first came in, and a table to find it by.
cdef struct Codes:
    size_t count
    size_t room
    uint64_t *hashes
    int32_t *rows
    int32_t *places

cdef int read_columns(Columns *columns, object given) except -1
cdef bint is_number(const uint8_t *text, int64_t size) noexcept nogil


cdef inline int64_t number_at(const Columns *columns, Py_ssize_t row, const uint8_t **text) noexcept nogil:
    """Tell where a row's number is and return its size, zero bytes at the end included."""
    if columns.ends_32 != NULL:
        text[0] = columns.data + columns.ends_32[row]
        return columns.ends_32[row + 1] - columns.ends_32[row]
    if columns.ends_64 != NULL:
        text[0] = columns.data + columns.ends_64[row]
        return columns.ends_64[row + 1] - columns.ends_64[row]
    text[0] = columns.data + row * columns.width
    return columns.width
