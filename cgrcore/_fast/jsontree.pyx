# cython: boundscheck=False, wraparound=False, initializedcheck=False
# Directives: every byte is read after its place was compared with the end; tests/codecs/test_jsontree.py holds the
# parser against Python's own json module on random text. Benchmark: `python -m bench jsontree`.
"""Reads JSON text into a tree that keeps what typed decoding loses: the order and repetition of keys, the digits of
numbers.

Used where the fast decoder gave up, to say what is wrong in the words clients know. Rules: the grammar is RFC 8259's,
strictly; bytes that are no UTF-8 become U+FFFD each, and so do lone surrogates, as in Go.
Does not know: types, fields, error texts.
"""

import codecs
from decimal import Context, Decimal

from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t

cdef enum:
    MAX_DEPTH = 10000

REPLACEMENT = "\ufffd"

# The largest double, in full: a range check, no value passes through a double.
_LARGEST = Decimal(2**1024 - 2**970)
_ZERO = Decimal(0)
# Every amount and usage fits in 36 digits; what goes beyond 40 has no meaning.
_CONTEXT = Context(prec=40)


class Number(str):
    """The text of a JSON number."""

    __slots__ = ()


class Pairs(list):
    """A JSON object: its (key, value) pairs in the order written, repeated keys included."""

    __slots__ = ()


class NotJson(ValueError):
    """The text is not JSON. `at` is the offset of the first byte that cannot be."""

    def __init__(self, at: int) -> None:
        super().__init__(f"not JSON at byte {at}")
        self.at = at


def _replace_one_byte(error: UnicodeDecodeError) -> tuple:
    return REPLACEMENT, error.start + 1


codecs.register_error("cgrcore-each-byte", _replace_one_byte)


def parse(bytes text not None) -> object:
    """Return the tree: None, bool, str, Number, list or Pairs. Raises NotJson."""
    cdef _Reader reader = _Reader(text)
    value = reader.value(0)
    reader.skip_space()
    if reader.at != reader.end:
        raise NotJson(reader.at)
    return value


cdef class _Reader:
    cdef const uint8_t *data
    cdef Py_ssize_t at, end
    cdef bytes text

    def __cinit__(self, bytes text):
        self.text = text
        self.data = text
        self.at = 0
        self.end = len(text)

    cdef int skip_space(self) noexcept:
        cdef uint8_t byte
        while self.at < self.end:
            byte = self.data[self.at]
            if byte != 0x20 and byte != 0x0A and byte != 0x0D and byte != 0x09:
                break
            self.at += 1
        return 0

    cdef int peek(self) noexcept:
        """Return the next byte that is no white space, -1 at the end."""
        self.skip_space()
        return self.data[self.at] if self.at < self.end else -1

    cdef object value(self, int depth):
        cdef int byte = self.peek()
        if byte == 0x7B or byte == 0x5B:
            if depth == MAX_DEPTH:
                raise NotJson(self.at)
            self.at += 1
            return self.members(depth + 1) if byte == 0x7B else self.elements(depth + 1)
        if byte == 0x22:
            return self.string()
        if byte == 0x2D or 0x30 <= byte <= 0x39:
            return self.number()
        if byte == 0x74:
            return self.word(b"true", True)
        if byte == 0x66:
            return self.word(b"false", False)
        if byte == 0x6E:
            return self.word(b"null", None)
        raise NotJson(self.at)

    cdef object members(self, int depth):
        pairs = Pairs()
        if self.peek() == 0x7D:
            self.at += 1
            return pairs
        while True:
            if self.peek() != 0x22:
                raise NotJson(self.at)
            key = self.string()
            if self.peek() != 0x3A:
                raise NotJson(self.at)
            self.at += 1
            pairs.append((key, self.value(depth)))
            if self.next_or_end(0x7D):
                return pairs

    cdef object elements(self, int depth):
        cdef list values = []
        if self.peek() == 0x5D:
            self.at += 1
            return values
        while True:
            values.append(self.value(depth))
            if self.next_or_end(0x5D):
                return values

    cdef bint next_or_end(self, int closing) except -1:
        cdef int byte = self.peek()
        if byte != 0x2C and byte != closing:
            raise NotJson(self.at)
        self.at += 1
        return byte == closing

    cdef object word(self, bytes word, object value):
        if self.text[self.at:self.at + len(word)] != word:
            raise NotJson(self.at)
        self.at += len(word)
        return value

    cdef Py_ssize_t digits(self) except -1:
        cdef Py_ssize_t start = self.at
        while self.at < self.end and 0x30 <= self.data[self.at] <= 0x39:
            self.at += 1
        if self.at == start:
            raise NotJson(self.at)
        return self.at - start

    cdef object number(self):
        cdef Py_ssize_t start = self.at
        if self.data[self.at] == 0x2D:
            self.at += 1
        if self.at < self.end and self.data[self.at] == 0x30:
            self.at += 1
        else:
            self.digits()
        if self.at < self.end and self.data[self.at] == 0x2E:
            self.at += 1
            self.digits()
        if self.at < self.end and self.data[self.at] | 0x20 == 0x65:
            self.at += 1
            if self.at < self.end and (self.data[self.at] == 0x2B or self.data[self.at] == 0x2D):
                self.at += 1
            self.digits()
        return Number(self.text[start:self.at].decode("ascii"))

    cdef object string(self):
        cdef list parts = None
        cdef Py_ssize_t start = self.at + 1
        cdef uint8_t byte
        self.at = start
        while self.at < self.end:
            byte = self.data[self.at]
            if byte == 0x22:
                part = self.decoded(start)
                self.at += 1
                if parts is None:
                    return part
                parts.append(part)
                return "".join(parts)
            if byte < 0x20:
                break
            if byte == 0x5C:
                if parts is None:
                    parts = []
                parts.append(self.decoded(start))
                parts.append(self.escape())
                start = self.at
            else:
                self.at += 1
        raise NotJson(self.at)

    cdef object decoded(self, Py_ssize_t start):
        if start == self.at:
            return ""
        return PyUnicode_DecodeUTF8(<const char *>(self.data + start), self.at - start, b"cgrcore-each-byte")

    cdef object escape(self):
        """Read one escape; for a surrogate pair both halves."""
        cdef int byte, code, low
        cdef Py_ssize_t after
        self.at += 1
        byte = self.data[self.at] if self.at < self.end else -1
        self.at += 1
        if byte == 0x75:
            code = self.hexadecimal()
            if 0xD800 <= code < 0xDC00 and self.text[self.at:self.at + 2] == b"\\u":
                after = self.at
                self.at += 2
                low = self.hexadecimal()
                if 0xDC00 <= low < 0xE000:
                    return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
                self.at = after
            return REPLACEMENT if 0xD800 <= code < 0xE000 else chr(code)
        if byte == 0x22 or byte == 0x5C or byte == 0x2F:
            return chr(byte)
        if byte == 0x62:
            return "\b"
        if byte == 0x66:
            return "\f"
        if byte == 0x6E:
            return "\n"
        if byte == 0x72:
            return "\r"
        if byte == 0x74:
            return "\t"
        raise NotJson(self.at - 1)

    cdef int hexadecimal(self) except -1:
        cdef int code = 0, byte, _index
        for _index in range(4):
            byte = self.data[self.at] if self.at < self.end else -1
            if 0x30 <= byte <= 0x39:
                code = code * 16 + byte - 0x30
            elif 0x61 <= (byte | 0x20) <= 0x66 and byte > 0:
                code = code * 16 + (byte | 0x20) - 0x57
            else:
                raise NotJson(self.at)
            self.at += 1
        return code


def members(bytes text not None) -> list:
    """Return the members of the object that `text` is, as (key, its value's text); [] for `null`. Raises NotJson."""
    cdef _Reader reader = _Reader(text)
    cdef list found = []
    cdef Py_ssize_t start
    cdef int byte = reader.peek()
    if byte == 0x6E:
        reader.word(b"null", None)
    elif byte == 0x7B:
        reader.at += 1
        if reader.peek() == 0x7D:
            reader.at += 1
        else:
            while True:
                if reader.peek() != 0x22:
                    raise NotJson(reader.at)
                key = reader.string()
                if reader.peek() != 0x3A:
                    raise NotJson(reader.at)
                reader.at += 1
                reader.peek()
                start = reader.at
                reader.value(1)
                found.append((key, text[start:reader.at]))
                if reader.next_or_end(0x7D):
                    break
    else:
        raise NotJson(reader.at)
    reader.skip_space()
    if reader.at != reader.end:
        raise NotJson(reader.at)
    return found


class TooLarge(ValueError):
    """A number beyond what clients may send: more than a double holds. The text is `str(error)`."""


def fraction(str text not None) -> object:
    """Return a JSON number with a fraction or an exponent as a Decimal, exact, in its plainest form (1.50 is 1.5).

    What is too small for a double is zero; past 40 digits it is rounded, half to even. Raises TooLarge.
    """
    cdef Py_ssize_t size = len(text)
    if size <= 40 and "e" not in text and "E" not in text:
        value = Decimal(text.rstrip("0") if "." in text else text)
        return value if value else _ZERO.copy_sign(value)
    try:
        value = Decimal(text)
    except ArithmeticError:
        return _beyond_decimal(text)
    if not value:
        return _ZERO.copy_sign(value)
    if size > 40:
        value = _CONTEXT.plus(value)
    if value.adjusted() > 308 or abs(value) > _LARGEST:
        raise TooLarge(text)
    if value.adjusted() < -324:
        return _ZERO.copy_sign(value)
    value = _CONTEXT.normalize(value)
    return Decimal(format(value, "f")) if -7 <= value.adjusted() < 21 else value


cdef object _beyond_decimal(str text):
    """An exponent that Decimal itself refuses."""
    mantissa, exponent = text.lower().split("e")
    if exponent.startswith("-") or not mantissa.strip("-0."):
        return _ZERO
    raise TooLarge(text)


cdef object _number(str text):
    if text.lstrip("-").isdigit():
        if len(text) > 308 and _CONTEXT.create_decimal(text).copy_abs() > _LARGEST:
            raise TooLarge(text)
        return int(text)
    return fraction(text)


def plain(tree: object, list too_large not None) -> object:
    """Return a tree as free maps, lists and values: numbers are int or Decimal, of equal keys the last counts.

    Numbers beyond a double are noted in `too_large` by their text, and left out.
    """
    return _plain(tree, too_large)


cdef object _plain(object tree, list too_large):
    if isinstance(tree, Pairs):
        return {key: _plain(value, too_large) for key, value in <list>tree}
    if type(tree) is list:
        return [_plain(value, too_large) for value in <list>tree]
    if isinstance(tree, Number):
        try:
            return _number(str(tree))
        except TooLarge:
            too_large.append(str(tree))
            return None
    return tree
