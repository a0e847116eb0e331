# cython: language_level=3
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    static const unsigned long long cgr_first_bytes[9] = {
        0, 0xFFULL, 0xFFFFULL, 0xFFFFFFULL, 0xFFFFFFFFULL, 0xFFFFFFFFFFULL, 0xFFFFFFFFFFFFULL, 0xFFFFFFFFFFFFFFULL,
        0xFFFFFFFFFFFFFFFFULL
    };
    static const unsigned int cgr_no_prefix = 0;
    #define cgr_prefetch(address) __builtin_prefetch(address)
    """
    #: Masks of a word's first n bytes.
    const uint64_t FIRST "cgr_first_bytes" [9]
    const uint32_t NO_PREFIX "cgr_no_prefix"
    void prefetch "cgr_prefetch" (const void *address) noexcept nogil

#: A part of a number below a stem: `size` more digits (`key`, as they lie in memory) and the prefix they complete.
cdef struct Tail:
    uint64_t key
    uint32_t size
    uint32_t value

#: A prefix on its way into the index: its digits, their first sixteen packed so that numbers compare as texts do.
cdef struct Entry:
    uint64_t packed
    const uint8_t *digits
    int32_t size
    int32_t place

#: Symbols of a place in a number: ten digits and the end.
cdef enum:
    SYMBOLS = 11
    ROOT_DEPTH = 5
    ROOT_SIZE = 161051
    BLOCK_SIZE = 121

#: What an entry is: a prefix (its place plus one, 0 for none), else a block or, with the second bit, a list of tails.
cdef enum:
    LIST_BIT = 30
    LINK_BIT = 31

#: The tables of the first five symbols, for numbers without and with a plus (NULL without such prefixes), the tables of
#: two symbols below them, and the lists.
cdef struct Tables:
    uint32_t *roots[2]
    uint32_t *blocks
    Tail *tails

#: Tails behind the last one, of no meaning: lists are read two tails at a time.
cdef enum:
    SPARE = 1

cdef class PrefixIndex:
    cdef Tables tables
    cdef uint32_t block_count, block_room
    cdef uint32_t tail_count, tail_room
    cdef char *settled
    cdef list texts
    cdef dict others
    cdef list lengths

    #: The ids of the destinations of each prefix, None beside those that stand again.
    cdef readonly list owners
    cdef Py_ssize_t united(self, Entry *entries, Py_ssize_t count) except -1
    cdef int build(self, int sign, Entry *entries, Py_ssize_t count) except -1
    cdef int64_t node(self, Entry *entries, Py_ssize_t count, int32_t depth, uint32_t held) except -1
    cdef int settle(self) except -1
    cdef int make_room(self, Py_ssize_t count) except -1
    cdef int64_t bucket(self, Entry *entries, Py_ssize_t count, int32_t depth, uint32_t held) except -1
    cdef int64_t block(self, Entry *entries, Py_ssize_t count, int32_t depth, uint32_t held) except -1
    cpdef int32_t longest(self, str number) except -2
    cpdef str text(self, int32_t place)


cdef inline uint64_t word_at(const uint8_t *text, const uint8_t *end, const uint8_t *limit) noexcept nogil:
    """The next eight bytes of a text, zero behind its end. `limit` is where memory that may be read ends."""
    cdef uint64_t word = 0
    cdef int64_t left = end - text
    if left <= 0:
        return 0
    if text + 8 <= limit:
        memcpy(&word, text, 8)
        return word if left >= 8 else word & ((<uint64_t>1 << (8 * left)) - 1)
    memcpy(&word, text, left if left < 8 else 8)
    return word


cdef inline uint64_t symbols_of(uint64_t word) noexcept nogil:
    """The symbols of eight bytes, each in its place: 0 to 9 for digits, 10 for anything else."""
    cdef uint64_t symbols = word ^ <uint64_t>0x3030303030303030
    # The highest bit of each byte that is above 9.
    cdef uint64_t others = (((symbols & <uint64_t>0x7F7F7F7F7F7F7F7F) + <uint64_t>0x7676767676767676) | symbols) \
        & <uint64_t>0x8080808080808080
    if others == 0:
        return symbols
    others = (others >> 7) * 0xFF
    return (symbols & ~others) | (others & <uint64_t>0x0A0A0A0A0A0A0A0A)


cdef inline const uint32_t *first_step(const Tables *tables, const uint8_t *text, int64_t size,
                                       const uint8_t *limit) noexcept nogil:
    """Return where the entry is of the first five symbols of a text."""
    cdef int is_plus = size > 0 and text[0] == c"+"
    cdef const uint32_t *root = tables.roots[is_plus]
    cdef uint64_t symbols, pairs, fours
    if root is NULL:
        return &NO_PREFIX
    symbols = symbols_of(word_at(text + is_plus, text + size, limit))
    # In each byte a symbol and the next as one number; then in each two bytes two such.
    pairs = symbols * SYMBOLS + (symbols >> 8)
    fours = (pairs & 0xFF) * BLOCK_SIZE + (pairs >> 16 & 0xFF)
    return &root[fours * SYMBOLS + (symbols >> 32 & 0xFF)]


cdef inline const uint32_t *in_block(const Tables *tables, uint32_t entry, uint64_t word) noexcept nogil:
    """Return where the entry is of the two symbols in which a word begins."""
    cdef uint64_t symbols = symbols_of(word & 0xFFFF)
    return &tables.blocks[<size_t>(entry & (((<uint32_t>1) << LIST_BIT) - 1)) * BLOCK_SIZE + (symbols & 0xFF) * SYMBOLS
                          + (symbols >> 8 & 0xFF)]


cdef inline const Tail *in_list(const Tables *tables, uint32_t entry) noexcept nogil:
    return &tables.tails[entry & (((<uint32_t>1) << LIST_BIT) - 1)]


cdef inline int32_t last_step(const Tables *tables, uint32_t entry, const uint8_t *text, int64_t size,
                              const uint8_t *limit) noexcept nogil:
    """Return the place of the prefix that the entry of the first symbols leads to, -1 for none."""
    cdef const uint8_t *end = text + size
    cdef const Tail *tail
    cdef uint64_t word
    if entry >> LINK_BIT:
        text += ROOT_DEPTH + (text[0] == c"+")
    while entry >> LINK_BIT:
        word = word_at(text, end, limit)
        if entry >> LIST_BIT & 1:
            tail = in_list(tables, entry)
            while FIRST[tail.size] & word != tail.key:
                tail += 1
            return <int32_t>tail.value - 1
        entry = in_block(tables, entry, word)[0]
        text += 2
    return <int32_t>entry - 1


cdef inline int32_t find_longest(const Tables *tables, const uint8_t *text, int64_t size,
                                 const uint8_t *limit) noexcept nogil:
    """Return the place of the longest prefix of digits, or of a plus and digits, that a text begins with, -1 for none.

    Zero bytes end the text, too. `limit` is where memory that may be read ends.
    """
    return last_step(tables, first_step(tables, text, size, limit)[0], text, size, limit)
