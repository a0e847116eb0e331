# cython: language_level=3, overflowcheck=False, boundscheck=False, wraparound=False, initializedcheck=False
# Columns are read by address; their lengths and offsets are checked before.
"""Columns by their addresses: where the values of a chunk lie, and texts numbered by what they say.

Does not know: prices; who made the columns.
Benchmark: bench/workloads/bulk.py; oracle: tests/rating/test_bulk.py.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy

import numpy

from cgrcore._fast.prefixes cimport word_at
from cgrcore._fast.search cimport Profile

cdef int64_t SECOND_NS = 1000000000


def code_texts(texts, int32_t[::1] codes):
    """Number different texts in the order they first come in; return the row in which each does, (k,) int32.

    `texts` as in `Chunk.texts`; `codes` (n,) int32 is written. Raises MemoryError.
    """
    cdef Columns columns
    cdef Codes found
    cdef bint is_done
    columns.count = codes.shape[0]
    read_texts(&columns, texts)
    found.room = 1024
    found.count = 0
    found.hashes = <uint64_t *>malloc(found.room * sizeof(uint64_t))
    found.rows = <int32_t *>malloc(found.room * sizeof(int32_t))
    found.places = <int32_t *>calloc(2 * found.room, sizeof(int32_t))
    try:
        if found.hashes == NULL or found.rows == NULL or found.places == NULL:
            raise MemoryError
        if columns.count:
            with nogil:
                is_done = number_texts(&columns, &found, &codes[0])
            if not is_done:
                raise MemoryError
        rows = numpy.empty(found.count, dtype=numpy.int32)
        if found.count:
            memcpy(<void *>address(rows), found.rows, found.count * sizeof(int32_t))
        return rows
    finally:
        free(found.hashes)
        free(found.rows)
        free(found.places)


cdef bint number_texts(const Columns *columns, Codes *found, int32_t *codes) noexcept nogil:
    """Write the number of each text; False without memory."""
    cdef Py_ssize_t row
    cdef const uint8_t *text
    cdef const uint8_t *other
    cdef int64_t size
    cdef uint64_t hashed
    cdef size_t place
    cdef int32_t code
    for row in range(columns.count):
        size = name_at(columns, row, &text)
        hashed = hash_of(text, size, columns.data_end)
        place = hashed & (2 * found.room - 1)
        while True:
            # Places hold a number plus one: 0 is a free one.
            code = found.places[place] - 1
            if code < 0:
                if found.count == found.room and not grow_codes(found):
                    return False
                place = hashed & (2 * found.room - 1)
                while found.places[place]:
                    place = (place + 1) & (2 * found.room - 1)
                code = <int32_t>found.count
                found.places[place] = code + 1
                found.hashes[code] = hashed
                found.rows[code] = <int32_t>row
                found.count += 1
                break
            if found.hashes[code] == hashed and name_at(columns, found.rows[code], &other) == size and memcmp(
                    text, other, size) == 0:
                break
            place = (place + 1) & (2 * found.room - 1)
        codes[row] = code
    return True


cdef bint grow_codes(Codes *found) noexcept nogil:
    """Make room for twice as many different texts; False without memory."""
    cdef size_t room = 2 * found.room, code, place
    cdef void *hashes = realloc(found.hashes, room * sizeof(uint64_t))
    cdef void *rows
    cdef void *places
    if hashes == NULL:
        return False
    found.hashes = <uint64_t *>hashes
    rows = realloc(found.rows, room * sizeof(int32_t))
    if rows == NULL:
        return False
    found.rows = <int32_t *>rows
    places = calloc(2 * room, sizeof(int32_t))
    if places == NULL:
        return False
    free(found.places)
    found.places = <int32_t *>places
    found.room = room
    for code in range(found.count):
        place = found.hashes[code] & (2 * room - 1)
        while found.places[place]:
            place = (place + 1) & (2 * room - 1)
        found.places[place] = <int32_t>code + 1
    return True


cdef inline int64_t name_at(const Columns *columns, Py_ssize_t row, const uint8_t **text) noexcept nogil:
    """Tell where a row's text is and return its size, without the zero bytes that pad it."""
    cdef int64_t size = number_at(columns, row, text)
    while columns.width and size and text[0][size - 1] == 0:
        size -= 1
    return size


cdef inline uint64_t hash_of(const uint8_t *text, int64_t size, const uint8_t *limit) noexcept nogil:
    cdef uint64_t found = <uint64_t>size
    cdef const uint8_t *end = text + size
    while text < end:
        found = (found ^ word_at(text, end, limit)) * <uint64_t>0x9E3779B97F4A7C15
        found ^= found >> 29
        text += 8
    return found


cdef int read_columns(Columns *columns, given) except -1:
    """Note where the columns of a chunk lie. They are contiguous and of one length: who makes chunks sees to it."""
    columns.count = len(given.starts_at)
    read_texts(columns, given.texts)
    columns.starts = <const int64_t *>address(given.starts_at)
    columns.usages = <const int64_t *>address(given.usages_ns)
    columns.offsets = NULL
    columns.offset = 0
    if isinstance(given.offsets_s, int):
        columns.offset = <int64_t>given.offsets_s * SECOND_NS
    else:
        columns.offsets = <const int32_t *>address(given.offsets_s)
    columns.keys = <const int32_t *>address(given.keys)
    columns.profiles = <Profile **>address(given.profiles)
    columns.tors = <const int32_t *>address(given.tors)
    columns.is_voice = <const uint8_t *>address(given.is_voice)
    columns.limits = <const int64_t *>address(given.limits_ns)
    columns.costs = <int64_t *>address(given.costs_nano)
    columns.destinations = <int32_t *>address(given.destinations)
    columns.plans = <int32_t *>address(given.plans)
    columns.errors = <uint8_t *>address(given.errors)
    return 0


cdef int read_texts(Columns *columns, texts) except -1:
    """Note where texts lie."""
    columns.ends_32 = NULL
    columns.ends_64 = NULL
    columns.width = 0
    if isinstance(texts, tuple):
        data = texts[1]
        if texts[0].dtype == numpy.int32:
            columns.ends_32 = <const int32_t *>address(texts[0])
        else:
            columns.ends_64 = <const int64_t *>address(texts[0])
    else:
        data = texts
        columns.width = texts.shape[1]
    columns.data = <const uint8_t *>address(data)
    columns.data_end = columns.data + <Py_ssize_t>data.size
    return 0


cdef size_t address(array) except? 0:
    """Where an array's values lie, 0 for None."""
    return 0 if array is None else array.ctypes.data


cdef bint is_number(const uint8_t *text, int64_t size) noexcept nogil:
    """Whether a text, which a zero byte ends, has digits only, behind a plus or none."""
    cdef int64_t place
    for place in range(size):
        if text[place] == 0:
            return True
        if not c"0" <= text[place] <= c"9" and (place or text[place] != c"+"):
            return False
    return True
