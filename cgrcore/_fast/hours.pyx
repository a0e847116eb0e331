# cython: language_level=3, overflowcheck=False
# Masks are shifted and instants near the ends of 64 bits are added on purpose; callers keep usage within a day.
"""Which of several rates holds through a whole call, for calls within a day.

Rates hold from a time of day to midnight, on the days their lists name. Where one begins within the call, or two are
equally good, the answer is left to rating in general. Does not know: prices, slots.
"""

from libc.stdint cimport int64_t

cdef int64_t DAY_NS = 86400000000000
cdef int64_t SECOND_NS = 1000000000


cdef class DayHours:
    """The hours of a destination's rates: (hours, weight_nano), heaviest first and then the earliest.

    Raises OverflowError for more than 16.
    """

    def __init__(self, list rates):
        cdef int index
        if len(rates) > RATES:
            raise OverflowError("too many rates")
        self.count = len(rates)
        ranks = {}
        for index in range(self.count):
            hours, weight_nano = rates[index]
            read_hours(&self.rates[index], hours)
            self.rates[index].rank = ranks.setdefault(weight_nano, index)

    def index_throughout(self, int64_t start_at, int64_t usage, int64_t offset):
        """Return which rate holds from the start to the end, -1 when that takes a longer look."""
        return self.throughout(start_at, usage, offset)

    cdef int throughout(self, int64_t start_at, int64_t usage, int64_t offset) except -2:
        cdef int64_t clock = (start_at + offset) % DAY_NS
        cdef int best = -1, index
        cdef Day day
        if clock < 0:
            clock += DAY_NS
        if usage > DAY_NS - clock:
            return -1
        day.days = (start_at + offset - clock) // DAY_NS
        day.is_known = False
        for index in range(self.count):
            if clock < self.rates[index].start_ns < clock + usage:
                return -1
            if (best < 0 or self.rates[index].rank == self.rates[best].rank) and is_active(&self.rates[index], &day,
                                                                                           clock):
                if best >= 0 and self.rates[index].start_ns == self.rates[best].start_ns:
                    return -1
                # The earliest come first, so this one began later.
                best = index
        return best


cdef int read_hours(RateHours *own, object hours) except -1:
    """Fill in compiled hours (`cgrcore.rating.compile.Hours`). Raises OverflowError for more than eight years."""
    if len(hours.years) > YEARS:
        raise OverflowError("too many years")
    own.months = hours.months
    own.month_days = hours.month_days
    own.week_days = hours.week_days
    own.start_ns = hours.start_s * SECOND_NS
    own.rank = 0
    own.is_any_day = hours.is_any_day
    own.is_never = hours.is_never
    own.year_count = 0
    for year in hours.years:
        own.years[own.year_count] = year
        own.year_count += 1
    return 0


cdef bint is_active(const RateHours *own, Day *day, int64_t clock) noexcept nogil:
    """Whether hours hold at a time of a day, in ns since its midnight."""
    cdef int index
    if own.is_never or clock < own.start_ns:
        return False
    if own.is_any_day:
        return True
    if own.week_days and not own.week_days >> ((day.days + 4) % 7 + 7) % 7 & 1:
        return False
    if not own.months and not own.month_days and own.year_count == 0:
        return True
    if not day.is_known:
        day.year = civil(day.days, &day.month, &day.month_day)
        day.is_known = True
    if own.months and not own.months >> day.month & 1 or own.month_days and not own.month_days >> day.month_day & 1:
        return False
    for index in range(own.year_count):
        if own.years[index] == day.year:
            return True
    return own.year_count == 0


cdef int day_of_month(int64_t days) noexcept nogil:
    """The day of the month of a count of days since 1970."""
    cdef int month = 0, day = 0
    civil(days, &month, &day)
    return day


cdef int64_t civil(int64_t days, int *month, int *day) noexcept nogil:
    """Tell the year, month and day of a count of days since 1970, in eras of 400 years that begin on 1 March."""
    cdef int64_t shifted = days + 719468
    cdef int64_t era = (shifted if shifted >= 0 else shifted - 146096) // 146097
    cdef int64_t in_era = shifted - era * 146097
    cdef int64_t year = (in_era - in_era // 1460 + in_era // 36524 - in_era // 146096) // 365
    cdef int64_t in_year = in_era - (365 * year + year // 4 - year // 100)
    cdef int64_t index = (5 * in_year + 2) // 153
    day[0] = <int>(in_year - (153 * index + 2) // 5 + 1)
    month[0] = <int>(index + 3 if index < 10 else index - 9)
    return year + era * 400 + (month[0] <= 2)
