# cython: boundscheck=False, wraparound=False, initializedcheck=False, overflowcheck=False
# Directives: every index below is bounded by the sizes the functions are given, and masks of bits wrap on purpose;
# tests/codecs/test_frames.py holds the scanner against tests/oracle/frames.py on random bytes.
# Benchmark: `python -m bench frames`.
"""Cuts a byte stream into JSON objects, which follow each other with or without white space, without framing.

Rules: a frame is complete with its last brace; the scanner knows strings, escapes and brackets, nothing else, so what
is broken inside a frame is the decoder's to find. Work is bounded: each byte is looked at once however it arrives
(at most 63 again), nesting and the size of an unfinished frame are limited. A bare `null` counts as a frame once a
byte follows it. Does not know: sockets, JSON-RPC, what a frame says.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memmove

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #ifdef __SSE2__
    #include <emmintrin.h>
    #endif

    typedef struct { uint64_t quotes, slashes, opens, closes; } cgr_masks;

    /* One bit for each of 64 bytes. ORing 0x20 maps [ to { and ] to }, and no other byte to either. */
    static inline void cgr_classify(const uint8_t *data, cgr_masks *out) {
    #ifdef __SSE2__
        const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\\\'), open = _mm_set1_epi8('{'),
                      close = _mm_set1_epi8('}'), bit = _mm_set1_epi8(0x20);
        uint64_t quotes = 0, slashes = 0, opens = 0, closes = 0;
        for (int i = 0; i < 4; i++) {
            __m128i v = _mm_loadu_si128((const __m128i *)(data + 16 * i)), w = _mm_or_si128(v, bit);
            quotes |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, quote)) << (16 * i);
            slashes |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, slash)) << (16 * i);
            opens |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(w, open)) << (16 * i);
            closes |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(w, close)) << (16 * i);
        }
        out->quotes = quotes; out->slashes = slashes; out->opens = opens; out->closes = closes;
    #else
        memset(out, 0, sizeof *out);
        for (int i = 0; i < 64; i++) {
            uint64_t bit = (uint64_t)1 << i;
            if (data[i] == '"') out->quotes |= bit;
            else if (data[i] == '\\\\') out->slashes |= bit;
            else if ((data[i] | 0x20) == '{') out->opens |= bit;
            else if ((data[i] | 0x20) == '}') out->closes |= bit;
        }
    #endif
    }

    /* Bits of the bytes that a backslash escapes; *carry: whether the next block's first byte is. After simdjson's
    paper
       (Langdale and Lemire, 2019), section 3.1.1. */
    static inline uint64_t cgr_escaped(uint64_t slashes, uint64_t *carry) {
        if (!slashes) { uint64_t first = *carry; *carry = 0; return first; }
        slashes &= ~*carry;
        uint64_t follows = (slashes << 1) | *carry, even = 0x5555555555555555ULL;
        uint64_t odd_starts = slashes & ~even & ~follows, runs = odd_starts + slashes;
        *carry = runs < odd_starts;
        return (even ^ (runs << 1)) & follows;
    }

    /* Bit i is the parity of the bits up to i: inside a string between its quotes. */
    static inline uint64_t cgr_parity(uint64_t m) {
        m ^= m << 1; m ^= m << 2; m ^= m << 4; m ^= m << 8; m ^= m << 16; m ^= m << 32;
        return m;
    }
    static inline int cgr_lowest(uint64_t m) { return __builtin_ctzll(m); }
    """
    ctypedef struct cgr_masks:
        uint64_t quotes, slashes, opens, closes
    void cgr_classify(const uint8_t *data, cgr_masks *out) noexcept nogil
    uint64_t cgr_escaped(uint64_t slashes, uint64_t *carry) noexcept nogil
    uint64_t cgr_parity(uint64_t mask) noexcept nogil
    int cgr_lowest(uint64_t mask) noexcept nogil

cdef enum:
    UNFINISHED = -1
    MISMATCH = -2
    TOO_DEEP = -3


cdef inline bint is_space(uint8_t byte) noexcept nogil:
    return byte == 0x20 or byte == 0x0A or byte == 0x0D or byte == 0x09


cdef class Frames:
    """The frames of one stream.

    `feed(data)` returns the frames that are complete, as bytes, in order. `error` says why the stream cannot go on
    ("" while it can); frames before the fault are still returned, and nothing after it. `held` is the number of bytes
    of an unfinished frame. A frame of more than `max_size` bytes is a fault.
    """

    def __cinit__(self, Py_ssize_t max_size):
        self.max_size = max_size
        self.error = ""
        self._reset()

    def __dealloc__(self):
        free(self._buffer)

    def feed(self, const uint8_t[::1] data not None) -> list:
        """Take what arrived and return the frames it completes."""
        return self.take(&data[0] if data.shape[0] else NULL, data.shape[0])

    def finish(self) -> list:
        """The stream has ended: return the last frame, if only its end was awaited (a bare `null`)."""
        if not self.error and self.held == 4 and memcmp(self._buffer, b"null", 4) == 0:
            self.held = 0
            return [b"null"]
        return []

    cdef list take(self, const uint8_t *data, Py_ssize_t size):
        cdef list frames = []
        cdef Py_ssize_t at = 0, end
        if self.error:
            return frames
        if self.held:
            if self._hold(data, size) < 0:
                return frames
            data = self._buffer
            size = self.held
        while True:
            while at < size and is_space(data[at]):
                at += 1
            if at == size:
                break
            end = self._end_of_frame(data + at, size - at)
            if end >= 0:
                if end > self.max_size:
                    self.error = f"request larger than {self.max_size} bytes"
                    break
                frames.append(PyBytes_FromStringAndSize(<const char *>(data + at), end))
                at += end
                self._reset()
                continue
            if end == UNFINISHED:
                if size - at > self.max_size:
                    self.error = f"request larger than {self.max_size} bytes"
            elif end == TOO_DEEP:
                self.error = f"nested deeper than {MAX_DEPTH} levels"
            else:
                self.error = "not JSON"
            break
        if self.error:
            at = size
        if data == self._buffer:
            self.held = size - at
            if at:
                memmove(self._buffer, self._buffer + at, self.held)
        elif at < size:
            self._hold(data + at, size - at)
        if self.held == 0 and self._capacity > 1 << 20:
            free(self._buffer)
            self._buffer = NULL
            self._capacity = 0
        return frames

    cdef void _reset(self) noexcept:
        self._scanned = 0
        self._in_string = 0
        self._escape = 0
        self._depth = 0

    cdef int _hold(self, const uint8_t *data, Py_ssize_t size) except -1:
        cdef Py_ssize_t capacity
        cdef uint8_t *buffer
        if self.held + size > self._capacity:
            capacity = max(self.held + size, 2 * self._capacity, 1024)
            buffer = <uint8_t *>realloc(self._buffer, capacity)
            if buffer == NULL:
                raise MemoryError
            self._buffer = buffer
            self._capacity = capacity
        if size:
            memcpy(self._buffer + self.held, data, size)
        self.held += size
        return 0

    cdef Py_ssize_t _end_of_frame(self, const uint8_t *data, Py_ssize_t size) noexcept nogil:
        """Return the size of the frame that begins at `data`, or why there is none."""
        cdef Py_ssize_t second
        if data[0] == 0x7B:
            if self._scanned == 0:
                # A key or the end must follow: what only looks like JSON for one byte is told at once.
                second = 1
                while second < size and is_space(data[second]):
                    second += 1
                if second < size and data[second] != 0x22 and data[second] != 0x7D:
                    return MISMATCH
            return self._scan(data, size)
        if size <= 4:
            return UNFINISHED if memcmp(data, b"null", size) == 0 else MISMATCH
        return 4 if memcmp(data, b"null", 4) == 0 else MISMATCH

    cdef Py_ssize_t _scan(self, const uint8_t *data, Py_ssize_t size) noexcept nogil:
        cdef uint8_t padded[64]
        cdef const uint8_t *block
        cdef Py_ssize_t at = self._scanned
        cdef cgr_masks masks
        cdef uint64_t escape, quotes, inside, brackets, one = 1
        cdef int depth = self._depth, bit
        while at < size:
            if size - at >= 64:
                block = data + at
            else:
                for bit in range(64):
                    padded[bit] = data[at + bit] if at + bit < size else 0
                block = padded
            cgr_classify(block, &masks)
            escape = self._escape
            quotes = masks.quotes & ~cgr_escaped(masks.slashes, &escape)
            inside = cgr_parity(quotes) ^ self._in_string
            brackets = (masks.opens | masks.closes) & ~inside
            while brackets:
                bit = cgr_lowest(brackets)
                brackets &= brackets - 1
                if (masks.opens >> bit) & 1:
                    if depth == MAX_DEPTH:
                        return TOO_DEEP
                    if block[bit] == 0x7B:
                        self._kinds[depth >> 6] |= one << (depth & 63)
                    else:
                        self._kinds[depth >> 6] &= ~(one << (depth & 63))
                    depth += 1
                else:
                    depth -= 1
                    if ((self._kinds[depth >> 6] >> (depth & 63)) & 1) != (block[bit] == 0x7D):
                        return MISMATCH
                    if depth == 0:
                        return at + bit + 1
            if size - at < 64:
                # The rest of this block has yet to arrive: it is scanned again then, from the state before it. The
                # kinds need no undoing: levels the state does not count are written anew before they are read.
                break
            at += 64
            self._scanned = at
            self._escape = escape
            self._in_string = 0 - (inside >> 63)
            self._depth = depth
        return UNFINISHED


cdef inline Py_ssize_t _special_count(const uint8_t *data, Py_ssize_t size, Py_ssize_t *grown) noexcept nogil:
    cdef Py_ssize_t at, count = 0, growth = 0
    cdef uint8_t byte
    for at in range(size):
        byte = data[at]
        if byte == 0x3C or byte == 0x3E or byte == 0x26:
            count += 1
            growth += 5
        elif byte == 0xE2 and at + 2 < size and data[at + 1] == 0x80 and (data[at + 2] & 0xFE) == 0xA8:
            count += 1
            growth += 3
    grown[0] = growth
    return count


def escape_html(bytes text not None) -> bytes:
    """Return JSON text with < > & and U+2028, U+2029 written as escapes, as Go's encoder does.

    Outside strings valid JSON holds none of them, so every one is replaced.
    """
    cdef const uint8_t *data = text
    cdef Py_ssize_t size = len(text), grown = 0, at = 0, to = 0
    cdef uint8_t byte
    cdef uint8_t *out
    cdef bytes result
    cdef const char *digits = b"0123456789abcdef"
    if _special_count(data, size, &grown) == 0:
        return text
    result = PyBytes_FromStringAndSize(NULL, size + grown)
    out = <uint8_t *>(<char *>result)
    while at < size:
        byte = data[at]
        if byte == 0x3C or byte == 0x3E or byte == 0x26:
            memcpy(out + to, b"\\u00", 4)
            out[to + 4] = digits[byte >> 4]
            out[to + 5] = digits[byte & 15]
            to += 6
            at += 1
        elif byte == 0xE2 and at + 2 < size and data[at + 1] == 0x80 and (data[at + 2] & 0xFE) == 0xA8:
            memcpy(out + to, b"\\u2028" if data[at + 2] == 0xA8 else b"\\u2029", 6)
            to += 6
            at += 3
        else:
            out[to] = byte
            to += 1
            at += 1
    return result


def compact(bytes text not None) -> bytes:
    """Return JSON text without the white space between its parts; strings stay as they are."""
    cdef const uint8_t *data = text
    cdef Py_ssize_t size = len(text), at, to = 0
    cdef bint in_string = False, escaped = False, blank = False
    cdef uint8_t byte
    cdef uint8_t *out
    for at in range(size):
        if is_space(data[at]):
            blank = True
            break
    if not blank:
        return text
    out = <uint8_t *>malloc(size)
    if out == NULL:
        raise MemoryError
    for at in range(size):
        byte = data[at]
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif is_space(byte):
            continue
        out[to] = byte
        to += 1
    try:
        return PyBytes_FromStringAndSize(<char *>out, to)
    finally:
        free(out)
