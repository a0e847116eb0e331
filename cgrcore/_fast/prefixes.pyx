# cython: language_level=3, overflowcheck=False, boundscheck=False
# Packed digits are shifted on purpose; the tables are raw memory.
"""The longest prefix of a number, found in steps of several digits.

Prefixes of digits, with or without a plus in front, lie in tables: one entry for each five first symbols, and below it,
where longer prefixes are, either a table for the next two symbols or, where they are few, a short list of what may
follow. A symbol is a digit or the end (any other character). Every entry knows the longest prefix so far, so a look-up
never goes back; it takes two or three steps, however many prefixes there are, and less than 100 bytes a prefix.
Prefixes with other characters are looked up by text, length after length, and only for numbers that have such
characters. Does not know: what a prefix stands for.
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, qsort
from libc.string cimport memcmp, memcpy, memset

from cgrcore._fast.largepages cimport take_large_pages

cdef extern from "Python.h":
    int PyUnicode_1BYTE_KIND
    int PyUnicode_KIND(object text)
    unsigned char *PyUnicode_1BYTE_DATA(object text)

#: So many prefixes below a stem are a list, more are a table (484 bytes).
cdef enum:
    FEW = 6

#: From so many prefixes on the tables lie in large pages of memory.
cdef enum:
    MANY = 4096

cdef uint32_t LINK = <uint32_t>1 << LINK_BIT
cdef uint32_t LIST = <uint32_t>1 << LIST_BIT
cdef uint32_t PLACE = (<uint32_t>1 << LIST_BIT) - 1


cdef class PrefixIndex:
    """An immutable set of prefixes."""

    def __cinit__(self):
        self.tables.roots[0] = self.tables.roots[1] = NULL
        self.tables.blocks = NULL
        self.tables.tails = NULL

    def __init__(self, prefixes, owners=None):
        """Take any texts; an empty one matches nothing. Raises OverflowError beyond 2^30 prefixes, MemoryError.

        `owners` are the ids of the destinations that each belongs to, a tuple each; a prefix that stands again is one,
        of the owners of both in order.
        """
        cdef Py_ssize_t number, count, plus = 0, plain = 0
        cdef str text
        cdef Entry *entries
        cdef Entry *entry
        self.texts = prefixes if type(prefixes) is list else list(prefixes)
        self.owners = [()] * len(self.texts) if owners is None else owners
        self.others = {}
        count = len(self.texts)
        if count >= PLACE:
            raise OverflowError("too many prefixes")
        entries = <Entry *>PyMem_Malloc((count + 1) * sizeof(Entry))
        if entries is NULL:
            raise MemoryError
        try:
            for number in range(count):
                text = self.texts[number]
                if not text:
                    continue
                # Those with a plus grow from the end.
                entry = &entries[plain]
                if fill(entry, text, 0):
                    plain += 1
                elif text[0] == "+" and fill(entry, text, 1):
                    plus += 1
                    entry.place = <int32_t>number
                    # The place is free: only `plain + plus` of `count` are taken.
                    entries[count - plus] = entry[0]
                    continue
                else:
                    known = self.others.setdefault(text, number)
                    if known != number:
                        self.unite(known, number)
                    continue
                entry.place = <int32_t>number
            self.build(0, entries, plain)
            self.build(1, &entries[count - plus], plus)
            self.make_room(SPARE)
            memset(&self.tables.tails[self.tail_count], 0, SPARE * sizeof(Tail))
        finally:
            PyMem_Free(entries)
        if count >= MANY:
            self.settle()
        self.lengths = sorted({len(text) for text in self.others}, reverse=True)

    def __dealloc__(self):
        if self.settled != NULL:
            free(self.settled)
            return
        free(self.tables.roots[0])
        free(self.tables.roots[1])
        PyMem_Free(self.tables.blocks)
        PyMem_Free(self.tables.tails)

    def __len__(self):
        return len(self.texts)

    def __sizeof__(self):
        """The size of the tables in bytes, with the lists of texts and without the texts."""
        cdef Py_ssize_t roots = (self.tables.roots[0] != NULL) + (self.tables.roots[1] != NULL)
        return (roots * ROOT_SIZE * sizeof(uint32_t) + self.block_room * BLOCK_SIZE * sizeof(uint32_t)
                + self.tail_room * sizeof(Tail) + self.texts.__sizeof__() + self.others.__sizeof__())

    cdef int settle(self) except -1:
        """Move the tables together into large pages of memory."""
        cdef size_t root_size = ROOT_SIZE * sizeof(uint32_t), tail_size = (self.tail_count + SPARE) * sizeof(Tail)
        cdef size_t block_size = <size_t>self.block_count * BLOCK_SIZE * sizeof(uint32_t)
        cdef Tables settled
        cdef int sign
        self.settled = <char *>take_large_pages(2 * root_size + block_size + tail_size)
        if self.settled == NULL:
            raise MemoryError
        settled.tails = <Tail *>self.settled
        settled.blocks = <uint32_t *>(self.settled + tail_size)
        memcpy(settled.tails, self.tables.tails, tail_size)
        memcpy(settled.blocks, self.tables.blocks, block_size)
        for sign in range(2):
            settled.roots[sign] = NULL
            if self.tables.roots[sign] != NULL:
                settled.roots[sign] = <uint32_t *>(self.settled + tail_size + block_size + sign * root_size)
                memcpy(settled.roots[sign], self.tables.roots[sign], root_size)
                free(self.tables.roots[sign])
        PyMem_Free(self.tables.blocks)
        PyMem_Free(self.tables.tails)
        self.tables = settled
        self.tail_room, self.block_room = self.tail_count + SPARE, self.block_count
        return 0

    cdef int build(self, int sign, Entry *entries, Py_ssize_t count) except -1:
        """Lay out the prefixes of one sign."""
        cdef uint32_t *root
        cdef Py_ssize_t place = 0, last
        cdef int32_t stem, width, digit
        if count == 0:
            return 0
        root = self.tables.roots[sign] = <uint32_t *>calloc(ROOT_SIZE, sizeof(uint32_t))
        if root is NULL:
            raise MemoryError
        qsort(entries, count, sizeof(Entry), &in_order)
        count = self.united(entries, count)
        while place < count:
            stem = 0
            width = ROOT_SIZE
            for digit in range(min(entries[place].size, <int32_t>ROOT_DEPTH)):
                width //= SYMBOLS
                stem += (entries[place].digits[digit] - 48) * width
            if entries[place].size <= ROOT_DEPTH:
                # What begins with it comes behind it, and replaces it.
                for digit in range(width):
                    root[stem + digit] = <uint32_t>entries[place].place + 1
                place += 1
                continue
            last = group(entries, place, count, ROOT_DEPTH)
            root[stem] = <uint32_t>self.node(&entries[place], last - place, ROOT_DEPTH, root[stem])
            place = last
        return 0

    cdef Py_ssize_t united(self, Entry *entries, Py_ssize_t count) except -1:
        """Leave one of equal prefixes; return how many are left."""
        cdef Py_ssize_t place, last = 0
        for place in range(1, count):
            if entries[place].packed == entries[last].packed and entries[place].size == entries[last].size and memcmp(
                    entries[place].digits, entries[last].digits, entries[last].size) == 0:
                self.unite(entries[last].place, entries[place].place)
            else:
                last += 1
                entries[last] = entries[place]
        return last + 1

    def unite(self, Py_ssize_t kept, Py_ssize_t again):
        self.owners[kept] = tuple(sorted({*self.owners[kept], *self.owners[again]}))
        self.owners[again] = None

    cdef int64_t node(self, Entry *entries, Py_ssize_t count, int32_t depth, uint32_t held) except -1:
        """Return the entry for prefixes that share `depth` digits, all of them longer; `held` is the longest so far."""
        cdef Py_ssize_t place
        if count <= FEW:
            for place in range(count):
                if entries[place].size - depth > 8:
                    break
            else:
                return self.bucket(entries, count, depth, held)
        return self.block(entries, count, depth, held)

    cdef int64_t bucket(self, Entry *entries, Py_ssize_t count, int32_t depth, uint32_t held) except -1:
        cdef Tail *tail
        cdef Py_ssize_t place
        cdef uint32_t first
        cdef int32_t size
        self.make_room(count + 2)
        if self.tail_count % 4 == 3:
            # The first two of a list lie in one line of the processor's cache.
            memset(&self.tables.tails[self.tail_count], 0, sizeof(Tail))
            self.tail_count += 1
        first = self.tail_count
        # The last in order is the longest of those that begin alike.
        for place in range(count - 1, -1, -1):
            tail = &self.tables.tails[self.tail_count]
            size = entries[place].size - depth
            tail.key = 0
            memcpy(&tail.key, entries[place].digits + depth, size)
            tail.size = size
            tail.value = <uint32_t>entries[place].place + 1
            self.tail_count += 1
        tail = &self.tables.tails[self.tail_count]
        tail.key = 0
        tail.size = 0
        tail.value = held
        self.tail_count += 1
        return LINK | LIST | first

    cdef int make_room(self, Py_ssize_t count) except -1:
        """Have memory for so many more tails."""
        cdef Tail *grown
        if self.tail_count + count > self.tail_room:
            self.tail_room = <uint32_t>(2 * self.tail_room + count + 64)
            if self.tail_room >= PLACE:
                raise OverflowError("too many prefixes")
            grown = <Tail *>PyMem_Realloc(self.tables.tails, self.tail_room * sizeof(Tail))
            if grown is NULL:
                raise MemoryError
            self.tables.tails = grown
        return 0

    cdef int64_t block(self, Entry *entries, Py_ssize_t count, int32_t depth, uint32_t held) except -1:
        cdef uint32_t *grown
        cdef uint32_t block = self.block_count, symbol, kept
        cdef Py_ssize_t place = 0, last
        cdef int64_t below
        if self.block_count == self.block_room:
            self.block_room = 2 * self.block_room + 4
            if self.block_room >= PLACE:
                raise OverflowError("too many prefixes")
            grown = <uint32_t *>PyMem_Realloc(self.tables.blocks,
                                              <size_t>self.block_room * BLOCK_SIZE * sizeof(uint32_t))
            if grown is NULL:
                raise MemoryError
            self.tables.blocks = grown
        self.block_count += 1
        for symbol in range(BLOCK_SIZE):
            self.tables.blocks[<size_t>block * BLOCK_SIZE + symbol] = held
        while place < count:
            symbol = (entries[place].digits[depth] - 48) * SYMBOLS
            if entries[place].size == depth + 1:
                for kept in range(SYMBOLS):
                    self.tables.blocks[<size_t>block * BLOCK_SIZE + symbol + kept] = <uint32_t>entries[place].place + 1
                place += 1
                continue
            symbol += entries[place].digits[depth + 1] - 48
            last = group(entries, place, count, depth + 2)
            kept = self.tables.blocks[<size_t>block * BLOCK_SIZE + symbol]
            while place < last and entries[place].size == depth + 2:
                kept = <uint32_t>entries[place].place + 1
                place += 1
            below = kept if place == last else self.node(&entries[place], last - place, depth + 2, kept)
            # Blocks may have moved.
            self.tables.blocks[<size_t>block * BLOCK_SIZE + symbol] = <uint32_t>below
            place = last
        return LINK | block

    cpdef int32_t longest(self, str number) except -2:
        """Return the place of the longest prefix that the number begins with, -1 when there is none."""
        cdef int32_t found
        cdef Py_ssize_t matched, length
        cdef bytes narrow
        cdef const uint8_t *text
        if PyUnicode_KIND(number) == PyUnicode_1BYTE_KIND:
            text = PyUnicode_1BYTE_DATA(number)
            # A zero byte stands behind every text.
            found = find_longest(&self.tables, text, len(number), text + len(number) + 1)
        else:
            narrow = number.encode("ascii", "replace")
            text = narrow
            found = find_longest(&self.tables, text, len(narrow), text + len(narrow))
        if not self.others or (number.isascii() and number.isdigit()):
            return found
        matched = 0 if found < 0 else len(<str>self.texts[found])
        for length in self.lengths:
            if length <= matched:
                break
            if length <= len(number):
                other = self.others.get(number[:length])
                if other is not None:
                    return other
        return found

    cpdef str text(self, int32_t place):
        """Return a prefix by its place, "" for -1."""
        return "" if place < 0 else self.texts[place]


cdef bint fill(Entry *entry, str text, Py_ssize_t skipped):
    """Note the digits of a prefix behind its sign; False when it has others characters, or no digits and no sign."""
    cdef Py_ssize_t place, size = len(text) - skipped
    cdef const uint8_t *digits
    cdef uint64_t packed = 0
    if PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND:
        return False
    digits = PyUnicode_1BYTE_DATA(text) + skipped
    for place in range(size):
        if not 48 <= digits[place] <= 57:
            return False
        if place < 16:
            packed |= <uint64_t>(digits[place] - 47) << (60 - 4 * place)
    entry.packed = packed
    entry.digits = digits
    entry.size = <int32_t>size
    return True


cdef Py_ssize_t group(Entry *entries, Py_ssize_t first, Py_ssize_t count, int32_t depth) noexcept nogil:
    """Return where those end that share `depth` digits with the first."""
    cdef Py_ssize_t place = first + 1
    while place < count and entries[place].size >= depth and memcmp(
            entries[place].digits, entries[first].digits, depth) == 0:
        place += 1
    return place


cdef int in_order(const void *left, const void *right) noexcept nogil:
    """Compare prefixes as texts; equal ones by their places."""
    cdef const Entry *a = <const Entry *>left
    cdef const Entry *b = <const Entry *>right
    cdef int found
    if a.packed != b.packed:
        return -1 if a.packed < b.packed else 1
    if a.size > 16 or b.size > 16:
        found = memcmp(a.digits, b.digits, min(a.size, b.size))
        if found:
            return found
    if a.size != b.size:
        return -1 if a.size < b.size else 1
    return -1 if a.place < b.place else 1
