# cython: language_level=3, overflowcheck=False, boundscheck=False, wraparound=False, initializedcheck=False
# Digits are shifted and multiplied as words on purpose; the tables are raw memory.
"""The longest prefixes of a block of numbers, looked up step by step for all of them.

What `prefixes.find_longest` finds, with hardly a branch that depends on a number: how long it is, whether it begins
with a plus, whether its prefix ends here, in a table or in a list is as good as random from row to row, and a processor
that guesses wrong loses more than a step takes. Rows that have a further step are gathered by its kind, and what they
will read is asked for before it is read.
Does not know: where numbers come from, what a prefix stands for.
Benchmark: bench/workloads/bulk.py; oracle: tests/rating/test_prefixblocks.py.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from cgrcore._fast.prefixes cimport BLOCK_SIZE, FIRST, LINK_BIT, LIST_BIT, NO_PREFIX, ROOT_DEPTH, SYMBOLS, Tables, \
    Tail, in_list, prefetch

cdef extern from *:
    bint unlikely(bint claim) noexcept nogil


cdef void find_block(const Tables *tables, const uint8_t **texts, const int64_t *sizes, Py_ssize_t count,
                     int32_t *places) noexcept nogil:
    """Write the place of the longest prefix of each number, -1 for none.

    At most BLOCK numbers; MARGIN bytes behind each may be read.
    """
    cdef const uint8_t *digits[BLOCK]
    cdef int64_t lefts[BLOCK]
    cdef const uint32_t *steps[BLOCK]
    cdef uint8_t in_lists[BLOCK]
    cdef uint8_t in_blocks[BLOCK]
    cdef const uint32_t *roots[2]
    cdef size_t kept[2]
    cdef Py_ssize_t number, row, list_count = 0, block_count = 0, deeper_count
    cdef int64_t depth = ROOT_DEPTH
    cdef uint32_t entry
    cdef bint is_plus
    for number in range(2):
        roots[number] = &NO_PREFIX if tables.roots[number] == NULL else tables.roots[number]
        kept[number] = 0 if tables.roots[number] == NULL else ~<size_t>0
    for row in range(count):
        is_plus = (texts[row][0] == c"+") & (sizes[row] > 0)
        digits[row] = texts[row] + is_plus
        lefts[row] = sizes[row] - is_plus
        steps[row] = roots[is_plus] + (first_five(digits[row], lefts[row]) & kept[is_plus])
        prefetch(steps[row])
    for row in range(count):
        entry = steps[row][0]
        places[row] = <int32_t>entry - 1
        # In vain where it is none of a list.
        prefetch(in_list(tables, entry))
        in_lists[list_count] = in_blocks[block_count] = <uint8_t>row
        list_count += entry >> LIST_BIT == 3
        block_count += entry >> LIST_BIT == 2
    while list_count or block_count:
        for number in range(block_count):
            row = in_blocks[number]
            steps[row] = &tables.blocks[below(places[row]) * BLOCK_SIZE + first_two(
                word_of(digits[row] + depth, lefts[row] - depth))]
            prefetch(steps[row])
        for number in range(list_count):
            row = in_lists[number]
            places[row] = place_in_list(in_list(tables, <uint32_t>places[row] + 1),
                                        word_of(digits[row] + depth, lefts[row] - depth))
        list_count = deeper_count = 0
        for number in range(block_count):
            row = in_blocks[number]
            entry = steps[row][0]
            places[row] = <int32_t>entry - 1
            prefetch(in_list(tables, entry))
            in_lists[list_count] = in_blocks[deeper_count] = <uint8_t>row
            list_count += entry >> LIST_BIT == 3
            deeper_count += entry >> LIST_BIT == 2
        block_count = deeper_count
        depth += 2


cdef inline size_t below(int32_t place) noexcept nogil:
    """The block that an entry, less one, leads to."""
    return (<uint32_t>place + 1) & ~(<uint32_t>1 << LINK_BIT)


cdef inline uint64_t word_of(const uint8_t *digits, int64_t left) noexcept nogil:
    """The next eight bytes of a number, zero behind its end."""
    cdef uint64_t word
    memcpy(&word, digits, 8)
    return word & FIRST[left if left < 8 else 8]


cdef inline uint64_t symbols_of(uint64_t word) noexcept nogil:
    """The symbols of eight bytes, each in its place: 0 to 9 for digits, 10 for anything else."""
    cdef uint64_t symbols = word ^ <uint64_t>0x3030303030303030
    cdef uint64_t others = (((symbols & <uint64_t>0x7F7F7F7F7F7F7F7F) + <uint64_t>0x7676767676767676) | symbols) \
        & <uint64_t>0x8080808080808080
    others = (others << 1) - (others >> 7)
    return (symbols & ~others) | (others & <uint64_t>0x0A0A0A0A0A0A0A0A)


cdef inline size_t first_five(const uint8_t *digits, int64_t left) noexcept nogil:
    """The first five symbols of a number as one number."""
    cdef uint64_t symbols, pairs
    memcpy(&symbols, digits, 8)
    symbols ^= <uint64_t>0x3030303030303030
    if unlikely((((symbols + <uint64_t>0x7676767676) | symbols) & <uint64_t>0x8080808080) != 0 or left < 5):
        symbols = symbols_of(word_of(digits, left))
    # In every second byte a symbol and the one before as one number; then in two bytes two such.
    pairs = (symbols & <uint64_t>0xFFFFFFFFFF) * (SYMBOLS << 8 | 1) >> 8 & 0xFF00FF
    return (pairs * (BLOCK_SIZE << 16 | 1) >> 16 & 0xFFFF) * SYMBOLS + (symbols >> 32 & 0xFF)


cdef inline size_t first_two(uint64_t word) noexcept nogil:
    cdef uint64_t symbols = symbols_of(word & 0xFFFF)
    return (symbols & 0xFF) * SYMBOLS + (symbols >> 8 & 0xFF)


cdef inline int32_t place_in_list(const Tail *tail, uint64_t word) noexcept nogil:
    """Return the place of the first of a list's tails that a word begins with; the last one always does.

    Two at a time: which of them it is, is no branch. What is read behind the last is of another list, or spare.
    """
    cdef bint is_first, is_second
    while True:
        is_first = (FIRST[tail[0].size] & word) == tail[0].key
        is_second = (FIRST[tail[1].size] & word) == tail[1].key
        if is_first | is_second:
            return <int32_t>tail[not is_first].value - 1
        tail += 2
