# cython: language_level=3
"""The longest prefix of a number, found digit by digit.

Prefixes of digits are a tree of ten branches a node in one array: a look-up takes as many steps as the prefix has
digits, however many prefixes there are. Prefixes with other characters are looked up by text, length after length, and
only for numbers that have such characters. Does not know: what a prefix stands for.
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from libc.stdint cimport int32_t
from libc.string cimport memset

cdef extern from "Python.h":
    int PyUnicode_1BYTE_KIND
    int PyUnicode_KIND(object text)
    unsigned char *PyUnicode_1BYTE_DATA(object text)

#: Room for this many nodes at first; doubled whenever it is used up.
cdef int32_t FIRST_NODES = 64


cdef class PrefixIndex:
    """An immutable set of prefixes. The root of the tree is node 0, which nothing leads to: a branch of 0 is none."""

    def __cinit__(self):
        self.nodes = NULL

    def __init__(self, prefixes):
        """Take any texts; an empty one matches nothing. Raises OverflowError beyond 2^31 nodes, MemoryError."""
        cdef Py_ssize_t number
        self.texts = list(prefixes)
        if len(self.texts) >= 2**31:
            raise OverflowError("too many prefixes")
        self.others = {}
        self.grow(FIRST_NODES)
        self.node_count = 1
        for number in range(len(self.texts)):
            text = self.texts[number]
            if text.isascii() and text.isdigit():
                self.add(text, <int32_t>number)
            elif text:
                self.others[text] = number
        self.lengths = sorted({len(text) for text in self.others}, reverse=True)

    def __dealloc__(self):
        PyMem_Free(self.nodes)

    def __len__(self):
        return len(self.texts)

    cdef int grow(self, int32_t room) except -1:
        cdef Node *nodes
        if self.nodes is NULL:
            nodes = <Node *>PyMem_Malloc(room * sizeof(Node))
        else:
            nodes = <Node *>PyMem_Realloc(self.nodes, room * sizeof(Node))
        if nodes is NULL:
            raise MemoryError
        memset(nodes + self.room, 0, (room - self.room) * sizeof(Node))
        self.nodes = nodes
        self.room = room
        return 0

    cdef int add(self, str text, int32_t number) except -1:
        cdef const unsigned char *digits = PyUnicode_1BYTE_DATA(text)
        cdef Py_ssize_t place
        cdef int32_t node = 0, branch
        for place in range(len(text)):
            branch = self.nodes[node].branches[digits[place] - 48]
            if branch == 0:
                if self.node_count == self.room:
                    if self.room >= 2**30:
                        raise OverflowError("too many prefixes")
                    self.grow(2 * self.room)
                branch = self.node_count
                self.node_count += 1
                self.nodes[node].branches[digits[place] - 48] = branch
            node = branch
        self.nodes[node].prefix = number + 1
        return 0

    cdef int32_t find(self, const unsigned char *digits, Py_ssize_t size) noexcept nogil:
        """Return the longest prefix of digits that the text begins with, -1 for none."""
        cdef int32_t node = 0, found = 0
        cdef Py_ssize_t place
        cdef unsigned char digit
        for place in range(size):
            digit = <unsigned char>(digits[place] - 48)
            if digit > 9:
                break
            node = self.nodes[node].branches[digit]
            if node == 0:
                break
            if self.nodes[node].prefix:
                found = self.nodes[node].prefix
        return found - 1

    cpdef int32_t longest(self, str number) except -2:
        """Return the place of the longest prefix that the number begins with, -1 when there is none."""
        cdef int32_t found
        cdef Py_ssize_t matched, length
        cdef bytes narrow
        if PyUnicode_KIND(number) == PyUnicode_1BYTE_KIND:
            found = self.find(PyUnicode_1BYTE_DATA(number), len(number))
        else:
            narrow = number.encode("ascii", "replace")
            found = self.find(narrow, len(narrow))
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
