# cython: overflowcheck=False
# The check knows 64-bit integers only; prices are reckoned in 128, which 64 bits of usage times 64 of price fit in.
"""Flat prices over columns: longest prefix, window and price of many calls, with the GIL released.

A row is priced by the C code that prices a single call. A row that has no flat price is left, never guessed.
Does not know: hours, fallbacks, tariffs beyond the prices it was given.
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t

import numpy

from cgrcore._fast.accounts cimport int128, int128_of, int_of
from cgrcore._fast.flatprices cimport CAP_FREE, FlatPrice, Terms, find_midnight, half_away
from cgrcore._fast.prefixes cimport PrefixIndex

#: A price that was not asked for yet, one that a row waits for, and one that does not exist.
cdef enum:
    UNKNOWN = -1
    WANTED = -2
    ABSENT = -3

#: Usage from it on, and instants from twice as much, are left: their sums might not fit.
cdef int64_t LIMIT = <int64_t>1 << 61

cdef enum Mode:
    NEAREST = 1
    UP = 2
    DOWN = 3
    EXACT = 4

cdef dict MODES = {"*middle": NEAREST, "*up": UP, "*down": DOWN, "": EXACT}


cdef struct Price:
    void *flat
    int128 fee
    int128 most
    int128 rounding_step
    bint is_capped
    Mode rounding_mode


cdef class BulkPrices:
    """The flat prices of calls that share their tenant, category, type and clock, by window of a profile and prefix.

    `windows` holds for each profile its activations as (from_at, until_at), `resolve(window, prefix)` returns the
    flat price of a prefix (by its place, -1 for numbers without one) in a window (counted through all profiles), or
    None.
    """

    cdef PrefixIndex index
    cdef bint has_other_prefixes
    cdef object resolve
    cdef int64_t[::1] from_at
    cdef int64_t[::1] until_at
    cdef int32_t[::1] first_window
    cdef int32_t[:, ::1] table
    cdef Price *prices
    cdef Py_ssize_t price_count, price_room
    cdef list alive
    cdef bint is_voice
    cdef int64_t offset
    cdef int64_t limit

    def __init__(self, PrefixIndex index, list windows, resolve, *, bint is_voice, int64_t offset_ns, limit_ns=None):
        cdef list flat = [window for group in windows for window in group]
        cdef Py_ssize_t place = 0, profile
        self.index = index
        self.has_other_prefixes = bool(index.others)
        self.resolve = resolve
        self.is_voice = is_voice
        self.offset = offset_ns
        self.limit = LIMIT - 1 if limit_ns is None else min(limit_ns, LIMIT - 1)
        self.from_at = numpy.array([window[0] for window in flat], dtype=numpy.int64)
        self.until_at = numpy.array([window[1] for window in flat], dtype=numpy.int64)
        self.first_window = numpy.zeros(len(windows) + 1, dtype=numpy.int32)
        for profile in range(len(windows)):
            place += len(windows[profile])
            self.first_window[profile + 1] = place
        self.table = numpy.full((len(flat), len(index) + 1), UNKNOWN, dtype=numpy.int32)
        self.alive = []

    def __dealloc__(self):
        PyMem_Free(self.prices)

    def rate(self, const int32_t[::1] profiles, const uint8_t[:, ::1] numbers, const int64_t[::1] starts_at,
             const int64_t[::1] usages_ns, int64_t[::1] costs_nano, uint8_t[::1] is_left):
        """Write the rows' costs and which rows are left; return the total of those that are not.

        `profiles` (n,) are places in `windows`, `numbers` (n, width) padded with zero bytes. Raises ValueError when
        the columns differ in length, IndexError for a profile that is not there.
        """
        cdef Py_ssize_t count = profiles.shape[0]
        cdef int128 total
        if not (numbers.shape[0] == starts_at.shape[0] == usages_ns.shape[0] == costs_nano.shape[0]
                == is_left.shape[0] == count):
            raise ValueError("the columns differ in length")
        if count and not 0 <= numpy.min(profiles) <= numpy.max(profiles) < self.first_window.shape[0] - 1:
            raise IndexError("a profile that is not there")
        cdef int32_t[::1] windows = numpy.empty(count, dtype=numpy.int32)
        cdef int32_t[::1] prefixes = numpy.empty(count, dtype=numpy.int32)
        with nogil:
            self.match(profiles, numbers, starts_at, usages_ns, windows, prefixes)
        self.find_wanted()
        with nogil:
            total = self.price(windows, prefixes, starts_at, usages_ns, costs_nano, is_left)
        return int_of(total)

    cdef void match(self, const int32_t[::1] profiles, const uint8_t[:, ::1] numbers, const int64_t[::1] starts_at,
                    const int64_t[::1] usages, int32_t[::1] windows, int32_t[::1] prefixes) noexcept nogil:
        """Write each row's window, -1 for none, and prefix; mark the prices that are wanted."""
        cdef Py_ssize_t row
        cdef Py_ssize_t width = numbers.shape[1]
        for row in range(profiles.shape[0]):
            windows[row] = -1
            if width == 0 or numbers[row, 0] == 0 or numbers[row, 0] == c"*":
                continue  # no number, or "*any": these are looked up by another rule
            if self.has_other_prefixes and not is_digits(&numbers[row, 0], width):
                continue
            if not 0 < usages[row] <= self.limit or not -2 * LIMIT < starts_at[row] < 2 * LIMIT:
                continue
            windows[row] = self.window_at(profiles[row], starts_at[row], starts_at[row] + usages[row])
            if windows[row] < 0:
                continue
            # Column 0 is for numbers without a prefix.
            prefixes[row] = self.index.find(&numbers[row, 0], width) + 1
            if self.table[windows[row], prefixes[row]] == UNKNOWN:
                self.table[windows[row], prefixes[row]] = WANTED

    cdef int32_t window_at(self, int32_t profile, int64_t start_at, int64_t end_at) noexcept nogil:
        cdef int32_t window
        for window in range(self.first_window[profile], self.first_window[profile + 1]):
            if self.from_at[window] <= start_at and (end_at < self.until_at[window]
                                                     or self.until_at[window] == INT64_MAX):
                return window
        return -1

    cdef find_wanted(self):
        """Resolve the prices that rows wait for."""
        cdef Py_ssize_t window, prefix
        for window, prefix in zip(*numpy.nonzero(numpy.equal(self.table, WANTED))):
            price = self.resolve(window, prefix - 1)
            self.table[window, prefix] = ABSENT if price is None else self.added(price)

    cdef int32_t added(self, FlatPrice flat) except -1:
        """Keep a price and return its place."""
        cdef Price *grown
        cdef Price price
        cdef Terms terms = flat.terms
        cdef Py_ssize_t index
        rating = terms.interval.rating
        if self.price_count == self.price_room:
            grown = <Price *>PyMem_Malloc((2 * self.price_room + 16) * sizeof(Price))
            if grown == NULL:
                raise MemoryError
            for index in range(self.price_count):
                grown[index] = self.prices[index]
            PyMem_Free(self.prices)
            self.prices = grown
            self.price_room = 2 * self.price_room + 16
        price.flat = <void *>flat
        price.fee = terms.fee
        price.most = terms.max_cost
        price.is_capped = terms.cap == CAP_FREE and terms.max_cost > 0
        price.rounding_mode = MODES.get(rating.rounding_method, EXACT)
        if not 0 < rating.rounding_decimals < 9:
            price.rounding_mode = EXACT
        price.rounding_step = int128_of(10 ** (9 - min(max(rating.rounding_decimals, 0), 9)))
        self.prices[self.price_count] = price
        self.alive.append(flat)
        self.price_count += 1
        return self.price_count - 1

    cdef int128 price(self, const int32_t[::1] windows, const int32_t[::1] prefixes, const int64_t[::1] starts_at,
                      const int64_t[::1] usages, int64_t[::1] costs, uint8_t[::1] is_left) noexcept nogil:
        """Price every row that has a flat price; return the total."""
        cdef Py_ssize_t row
        cdef int32_t found
        cdef int64_t midnight_at
        cdef int128 cost, total = 0
        for row in range(windows.shape[0]):
            costs[row] = 0
            is_left[row] = True
            if windows[row] < 0:
                continue
            found = self.table[windows[row], prefixes[row]]
            midnight_at = INT64_MAX
            if found < 0 or (self.is_voice and not find_midnight(starts_at[row], self.offset, usages[row],
                                                                 &midnight_at)):
                continue
            cost = rounded(&self.prices[found], starts_at[row], usages[row], midnight_at)
            if INT64_MIN < cost <= INT64_MAX:
                costs[row] = <int64_t>cost
                is_left[row] = False
                total += cost
        return total


cdef bint is_digits(const uint8_t *number, Py_ssize_t size) noexcept nogil:
    """Whether a number, which a zero byte ends, has digits only."""
    cdef Py_ssize_t place
    for place in range(size):
        if number[place] == 0:
            return True
        if not c"0" <= number[place] <= c"9":
            return False
    return True


cdef int128 rounded(Price *price, int64_t start_at, int64_t usage, int64_t midnight_at) noexcept nogil:
    """The cost of a call with its fee, capped, and rounded as the tariff says."""
    cdef int128 cost = price.fee + (<FlatPrice>price.flat).total(start_at, usage, midnight_at)
    cdef int128 steps
    if price.is_capped and cost > price.most:
        cost = price.most
    if price.rounding_mode == EXACT:
        return cost
    if price.rounding_mode == NEAREST:
        return half_away(cost, price.rounding_step) * price.rounding_step
    steps = cost / price.rounding_step
    if price.rounding_mode == UP and steps * price.rounding_step < cost:
        steps += 1
    if price.rounding_mode == DOWN and steps * price.rounding_step > cost:
        steps -= 1
    return steps * price.rounding_step
