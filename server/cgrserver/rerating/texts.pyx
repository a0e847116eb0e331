"""Columns of texts read as durations and as instants, with the GIL released.

Rules: what is read here means what `cgrcore.timing` says of the same text; a text that is none of the usual layouts is
left, never guessed. Columns are Arrow's: text i is `data[offsets[i]:offsets[i + 1]]`. Does not know: zones, which a row
without an offset waits for. Benchmark: bench/workloads/rerate.py; oracle: cgrcore.timing, in
tests/rerating/test_texts.py.
"""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t

__all__ = ["EMPTY", "INSTANT", "LEFT", "LOCAL", "READ", "read_durations", "read_instants"]

#: What became of a row: read; read on a clock whose offset is not said; an instant, without a clock; nothing there; not
#: read.
READ = 0
LOCAL = 1
INSTANT = 2
EMPTY = 3
LEFT = 4

cdef enum:
    IS_READ = 0
    IS_LOCAL = 1
    IS_INSTANT = 2
    IS_EMPTY = 3
    IS_LEFT = 4
    #: More digits than this may not fit.
    MOST_DIGITS = 18

cdef int64_t SECOND = 1_000_000_000
cdef int64_t DAY_S = 86_400
#: Instants are read within so many seconds of 1970; those at the very edge of int64 are left.
cdef int64_t MOST_S = 9_223_372_000
cdef int[13] BEFORE_MONTH = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
cdef int[13] DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def read_durations(const int32_t[::1] offsets, const uint8_t[::1] data, int64_t unit_ns, int64_t[::1] usages_ns,
                   uint8_t[::1] states):
    """Read Go's durations ("1h2m3.5s") and whole numbers of `unit_ns` into (n,) int64; `states` (n,) uint8 tell how.

    Raises ValueError when the columns differ in length.
    """
    cdef Py_ssize_t row, count = usages_ns.shape[0]
    check(offsets, data, count, states.shape[0])
    if not count:
        return
    cdef const uint8_t *texts = &data[0] if data.shape[0] else NULL
    with nogil:
        for row in range(count):
            usages_ns[row] = 0
            states[row] = duration(texts + offsets[row], offsets[row + 1] - offsets[row], unit_ns, &usages_ns[row])


def read_instants(const int32_t[::1] offsets, const uint8_t[::1] data, int64_t unit_ns, int64_t[::1] at,
                  int32_t[::1] offsets_s, uint8_t[::1] states):
    """Read instants into (n,) int64 ns since 1970 and (n,) int32 seconds east of UTC; `states` (n,) uint8 tell how.

    A row that is LOCAL holds the time of its clock as if it were UTC. Numbers are counted in `unit_ns`; 0 tells it by
    their digits: 10 are seconds, 13 milliseconds, 16 microseconds, 19 nanoseconds. Raises ValueError as above.
    """
    cdef Py_ssize_t row, count = at.shape[0]
    check(offsets, data, count, min(states.shape[0], offsets_s.shape[0]))
    if not count:
        return
    cdef const uint8_t *texts = &data[0] if data.shape[0] else NULL
    with nogil:
        for row in range(count):
            at[row] = 0
            offsets_s[row] = 0
            states[row] = instant(texts + offsets[row], offsets[row + 1] - offsets[row], unit_ns, &at[row],
                                  &offsets_s[row])


cdef check(const int32_t[::1] offsets, const uint8_t[::1] data, Py_ssize_t count, Py_ssize_t other):
    if offsets.shape[0] < count + 1 or other != count:
        raise ValueError("the columns differ in length")
    if count and not 0 <= offsets[0] <= offsets[count] <= data.shape[0]:
        raise ValueError("the offsets lead out of the texts")


cdef inline bint is_digit(uint8_t character) noexcept nogil:
    return c"0" <= character <= c"9"


cdef inline int64_t number(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    """A number of up to 18 digits, -1 when it is none."""
    cdef int64_t value = 0
    cdef Py_ssize_t place
    if not 0 < size <= MOST_DIGITS:
        return -1
    for place in range(size):
        if not is_digit(text[place]):
            return -1
        value = value * 10 + (text[place] - c"0")
    return value


cdef uint8_t duration(const uint8_t *text, Py_ssize_t size, int64_t unit_ns, int64_t *usage) noexcept nogil:
    cdef Py_ssize_t place = 0, begin
    cdef int64_t total = 0, whole, fraction, scale, tenth
    if size == 0:
        return IS_EMPTY
    whole = number(text, size)
    if whole >= 0:
        if whole > INT64_MAX / unit_ns:
            return IS_LEFT
        usage[0] = whole * unit_ns
        return IS_READ
    while place < size:
        begin = place
        while place < size and is_digit(text[place]):
            place += 1
        whole = number(text + begin, place - begin)
        if whole < 0:
            return IS_LEFT
        fraction = 0
        begin = place
        if place < size and text[place] == c".":
            place += 1
            begin = place
            while place < size and is_digit(text[place]):
                place += 1
            if not 0 < place - begin <= 9:
                return IS_LEFT
            fraction = number(text + begin, place - begin)
        tenth = place - begin
        scale = unit(text, size, &place)
        if scale == 0 or whole > (INT64_MAX / 4) / scale:
            return IS_LEFT
        whole *= scale
        while tenth > 0 and scale % 10 == 0:
            scale //= 10
            tenth -= 1
        # An hour of ns has eleven zeros, so only a unit below a second runs out of tenths: those digits are cut.
        while tenth > 0 and scale == 1:
            fraction //= 10
            tenth -= 1
        if tenth > 0:
            return IS_LEFT
        whole += fraction * scale
        if total > INT64_MAX / 4 or whole > INT64_MAX / 2:
            return IS_LEFT
        total += whole
    usage[0] = total
    return IS_READ


cdef int64_t unit(const uint8_t *text, Py_ssize_t size, Py_ssize_t *place) noexcept nogil:
    """The ns of the unit that stands at a place, which moves behind it; 0 for what is none."""
    cdef Py_ssize_t at = place[0]
    cdef uint8_t first, second
    if at >= size:
        return 0
    first = text[at]
    second = text[at + 1] if at + 1 < size else 0
    if second == c"s" and first in (c"n", c"u", c"m"):
        place[0] = at + 2
        return 1 if first == c"n" else 1_000 if first == c"u" else 1_000_000
    if second != 0 and not is_digit(second):
        return 0
    place[0] = at + 1
    if first == c"s":
        return SECOND
    if first == c"m":
        return 60 * SECOND
    return 3600 * SECOND if first == c"h" else 0


cdef uint8_t instant(const uint8_t *text, Py_ssize_t size, int64_t unit_ns, int64_t *at,
                     int32_t *offset_s) noexcept nogil:
    if size == 0 or (size == 1 and text[0] == c"0"):
        return IS_EMPTY
    if size >= 19 and text[4] == c"-" and text[7] == c"-" and text[13] == c":" and text[16] == c":":
        return dashed(text, size, at, offset_s)
    if size == 14 and is_digit(text[1]) and unit_ns == 0:
        return civil(number(text, 4), number(text + 4, 2), number(text + 6, 2), number(text + 8, 2),
                     number(text + 10, 2), number(text + 12, 2), at)
    if size == 19 and text[2] == text[5] and text[2] in (c".", c"/") and text[10] == c" " and (
            text[13] == c":" and text[16] == c":"):
        return civil(number(text + 6, 4), number(text + 3, 2), number(text, 2), number(text + 11, 2),
                     number(text + 14, 2), number(text + 17, 2), at)
    return counted(text, size, unit_ns, at)


cdef uint8_t counted(const uint8_t *text, Py_ssize_t size, int64_t unit_ns, int64_t *at) noexcept nogil:
    """A number of seconds, or of less, since 1970."""
    cdef int64_t value, last
    if unit_ns == 0:
        unit_ns = SECOND if size == 10 else 1_000_000 if size == 13 else 1_000 if size == 16 else 1 if size == 19 else 0
    if unit_ns == 0:
        return IS_LEFT
    value = number(text, min(size, MOST_DIGITS))
    if size == 19 and value >= 0 and is_digit(text[18]):
        last = text[18] - c"0"
        if value > (INT64_MAX - last) / 10:
            return IS_LEFT
        value = value * 10 + last
    elif size > MOST_DIGITS:
        return IS_LEFT
    if value < 0 or value > INT64_MAX / unit_ns:
        return IS_LEFT
    at[0] = value * unit_ns
    return IS_INSTANT


cdef uint8_t dashed(const uint8_t *text, Py_ssize_t size, int64_t *at, int32_t *offset_s) noexcept nogil:
    """2026-01-31T12:30:00, with T or a space, a fraction and an offset or without."""
    cdef Py_ssize_t place = 19, begin
    cdef int64_t fraction = 0, hours, minutes = 0
    cdef uint8_t state
    cdef bint is_postgres = text[10] == c" "
    if text[10] != c"T" and not is_postgres:
        return IS_LEFT
    state = civil(number(text, 4), number(text + 5, 2), number(text + 8, 2), number(text + 11, 2),
                  number(text + 14, 2), number(text + 17, 2), at)
    if state != IS_LOCAL:
        return state
    if place < size and text[place] in (c".", c","):
        begin = place + 1
        place = begin
        while place < size and is_digit(text[place]):
            place += 1
        if not 0 < place - begin <= 9:
            return IS_LEFT
        fraction = number(text + begin, place - begin)
        for _ in range(9 - (place - begin)):
            fraction *= 10
    at[0] += fraction
    if place == size:
        return IS_LOCAL
    if text[place] == c"Z" and place + 1 == size:
        return IS_READ
    if text[place] not in (c"+", c"-"):
        return IS_LEFT
    hours = number(text + place + 1, 2) if place + 3 <= size else -1
    if place + 6 == size and text[place + 3] == c":":
        minutes = number(text + place + 4, 2)
    elif not (is_postgres and place + 3 == size):
        return IS_LEFT
    if not (0 <= hours <= 23 and 0 <= minutes <= 59):
        return IS_LEFT
    offset_s[0] = <int32_t>(hours * 3600 + minutes * 60)
    if text[place] == c"-":
        offset_s[0] = -offset_s[0]
    at[0] -= offset_s[0] * SECOND
    return IS_READ


cdef uint8_t civil(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute, int64_t second,
                   int64_t *at) noexcept nogil:
    """The seconds of a date and a time of day, as if its clock were UTC's."""
    cdef int64_t past, days, seconds
    cdef bint is_leap
    if not (year > 0 and 1 <= month <= 12 and day >= 1 and 0 <= hour <= 23 and 0 <= minute <= 59
            and 0 <= second <= 59):
        return IS_LEFT
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > DAYS[month] + (is_leap and month == 2):
        return IS_LEFT
    past = year - 1
    days = past * 365 + past // 4 - past // 100 + past // 400 + BEFORE_MONTH[month] + (is_leap and month > 2) + day - 1
    seconds = (days - 719_162) * DAY_S + hour * 3600 + minute * 60 + second
    if not -MOST_S < seconds < MOST_S - DAY_S:
        return IS_LEFT
    at[0] = seconds * SECOND
    return IS_LOCAL
