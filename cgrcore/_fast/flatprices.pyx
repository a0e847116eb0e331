# cython: overflowcheck=False
# The check knows 64-bit integers only; prices are reckoned in 128, which 64 bits of usage times 64 of price fit in.
"""Prices that hold round the clock: the common tariff, priced without looking at hours.

A flat price is one rate that is always in force, or throughout a call. A call that touches two days at most (one,
where rates have hours) and stays within one activation of its profile is cut by midnight and the rate's slots only;
the answer is the one that rating gives in general.
Does not know: the calendar, fallbacks, which profile a call has beyond its key.
"""

cimport cython
from libc.stdint cimport INT64_MAX, int64_t

from cgrcore._fast.accounts cimport int128, int128_of, int_of
from cgrcore._fast.hours cimport DayHours

cdef int64_t DAY_NS = 86400000000000
cdef int64_t SECOND_NS = 1000000000

#: Answers remembered for each activation of a profile. Beyond it all are forgotten, which costs one look-up each.
cdef Py_ssize_t MEMO_SIZE = 200000

#: As many profiles are looked through for those of one subject; where there are more, some are taken for granted.
cdef Py_ssize_t SMALL = 1024


cdef class Terms:
    """What all spans of one rate have in common."""

    def __init__(self, interval, str matched_subject, str matched_prefix, str matched_destination_id,
                 str rating_plan_id):
        self.interval = interval
        self.matched_subject = matched_subject
        self.matched_prefix = matched_prefix
        self.matched_destination_id = matched_destination_id
        self.rating_plan_id = rating_plan_id
        self.fee = 0
        self.max_cost = 0
        self.cap = CAP_NONE
        if interval is not None:
            rating = interval.rating
            self.fee = int128_of(rating.connect_fee_nano)
            self.max_cost = int128_of(rating.max_cost_nano)
            if rating.max_cost_strategy == "*free":
                self.cap = CAP_FREE
            elif rating.max_cost_strategy == "*disconnect":
                self.cap = CAP_DISCONNECT


@cython.no_gc
@cython.freelist(16)
cdef class PricedSpan:
    """A part of a call with one price; to Python it reads as `cgrcore.rating.Span` does."""

    @property
    def interval(self):
        return self.terms.interval

    @property
    def increment_cost_nano(self):
        return int_of(self.cost)

    @property
    def matched_subject(self):
        return self.terms.matched_subject

    @property
    def matched_prefix(self):
        return self.terms.matched_prefix

    @property
    def matched_destination_id(self):
        return self.terms.matched_destination_id

    @property
    def rating_plan_id(self):
        return self.terms.rating_plan_id

    @property
    def usage_ns(self):
        return self.end_at - self.start_at

    @property
    def cost_nano(self):
        return int_of(self.cost) * self.increment_count


cdef PricedSpan priced(object span):
    """Return any span of rating as a priced one."""
    cdef PricedSpan found
    if type(span) is PricedSpan:
        return span
    found = PricedSpan.__new__(PricedSpan)
    found.start_at = span.start_at
    found.end_at = span.end_at
    found.duration_index_ns = span.duration_index_ns
    found.increment_ns = span.increment_ns
    found.increment_count = span.increment_count
    found.cost = int128_of(span.increment_cost_nano)
    found.terms = Terms(span.interval, span.matched_subject, span.matched_prefix, span.matched_destination_id,
                        span.rating_plan_id)
    return found


cdef class FlatPrice:
    """One rate that is always in force, for one destination of one plan, as one profile reaches it.

    `slots` are (group_start_ns, value_nano, increment_ns, unit_ns) in order, their gaps filled; `step_nano` the
    smallest part of money the system knows. Values beyond 64 bits raise OverflowError.
    """

    def __init__(self, Terms terms, list slots, int64_t step_nano):
        cdef int index
        if len(slots) > SLOTS:
            raise OverflowError("too many slots")
        self.terms = terms
        self.step = step_nano
        self.slot_count = len(slots)
        for index in range(self.slot_count):
            self.slots[index].group_start, self.slots[index].value, self.slots[index].increment, \
                self.slots[index].unit = slots[index]

    cdef int slot_at(self, int64_t usage) noexcept nogil:
        """The slot that holds at this usage, -1 before the first."""
        cdef int found = -1, index
        for index in range(self.slot_count):
            if self.slots[index].group_start > usage:
                break
            found = index
        return found

    cdef list spans(self, int64_t start_at, int64_t usage, int64_t index_ns, int64_t midnight_at):
        """Price a call that touches two days at most; it is cut at `midnight_at` where that is within it."""
        cdef int64_t starts[PIECES]
        cdef int64_t ends[PIECES]
        cdef int64_t indexes[PIECES]
        cdef int count = self.cut(start_at, usage, index_ns, midnight_at, starts, ends, indexes)
        cdef int place = 0
        cdef list found = []
        while place < count:
            count = self.grow(place, count, starts, ends, indexes)
            found.append(self.span(starts[place], ends[place], indexes[place]))
            place += 1
        return found

    cdef bint single(self, int64_t start_at, int64_t usage, int64_t index_ns, int64_t midnight_at,
                     Stretch *found) noexcept nogil:
        """Price a call that is one span with increments; False when it is not."""
        cdef int64_t starts[PIECES]
        cdef int64_t ends[PIECES]
        cdef int64_t indexes[PIECES]
        cdef int count = self.cut(start_at, usage, index_ns, midnight_at, starts, ends, indexes)
        cdef int slot
        if self.grow(0, count, starts, ends, indexes) != 1:
            return False
        usage = ends[0] - starts[0]
        slot = self.slot_at(max(indexes[0] - usage, <int64_t>0))
        if slot < 0 or usage < self.slots[slot].increment:
            return False
        found.end_at = ends[0]
        found.index_ns = indexes[0]
        found.increment = self.slots[slot].increment
        found.count = usage // found.increment
        found.cost = self.increment_cost(slot, usage, found.count)
        return True

    cdef int128 total(self, int64_t start_at, int64_t usage, int64_t midnight_at) noexcept nogil:
        """What all spans of a whole call cost together."""
        cdef int64_t starts[PIECES]
        cdef int64_t ends[PIECES]
        cdef int64_t indexes[PIECES]
        cdef int count = self.cut(start_at, usage, usage, midnight_at, starts, ends, indexes)
        cdef int place = 0, slot
        cdef int64_t increments
        cdef int128 found = 0
        while place < count:
            count = self.grow(place, count, starts, ends, indexes)
            slot = self.slot_at(max(indexes[place] - (ends[place] - starts[place]), <int64_t>0))
            if slot >= 0:
                increments = (ends[place] - starts[place]) // self.slots[slot].increment
                found += self.increment_cost(slot, ends[place] - starts[place], increments) * increments
            place += 1
        return found

    cdef int cut(self, int64_t start_at, int64_t usage, int64_t index_ns, int64_t midnight_at, int64_t *starts,
                 int64_t *ends, int64_t *indexes) noexcept nogil:
        """Cut at midnight and where slots begin within the usage; return the number of pieces."""
        cdef int count
        cdef int64_t rest
        if not start_at < midnight_at < start_at + usage:
            return self.cut_at_slots(start_at, usage, index_ns, starts, ends, indexes)
        rest = start_at + usage - midnight_at
        count = self.cut_at_slots(start_at, usage - rest, max(index_ns - rest, <int64_t>0), starts, ends, indexes)
        return count + self.cut_at_slots(midnight_at, rest, index_ns, starts + count, ends + count, indexes + count)

    cdef int cut_at_slots(self, int64_t start_at, int64_t usage, int64_t index_ns, int64_t *starts, int64_t *ends,
                          int64_t *indexes) noexcept nogil:
        """Cut where slots begin within the usage; return the number of pieces."""
        cdef int count = 0, slot
        cdef int64_t group_start = max(index_ns - usage, <int64_t>0), end_at = start_at + usage, at, rest
        for slot in range(self.slot_count):
            if group_start < self.slots[slot].group_start < index_ns:
                at = start_at + self.slots[slot].group_start - group_start
                rest = end_at - at
                starts[count] = start_at
                ends[count] = at
                indexes[count] = max(index_ns - rest, <int64_t>0)
                count += 1
                start_at = at
                group_start = max(index_ns - rest, <int64_t>0)
        starts[count] = start_at
        ends[count] = end_at
        indexes[count] = index_ns
        return count + 1

    cdef int grow(self, int place, int count, int64_t *starts, int64_t *ends, int64_t *indexes) noexcept nogil:
        """Let a piece grow to whole increments over those behind; return how many pieces are left."""
        cdef int64_t usage = ends[place] - starts[place], whole, increment
        cdef int slot = self.slot_at(max(indexes[place] - usage, <int64_t>0)), gone = 0, index
        if slot < 0:
            return count
        increment = self.slots[slot].increment
        whole = usage // increment * increment
        if whole < usage or whole == 0:
            whole += increment
        if whole <= usage:
            return count
        indexes[place] += whole - usage
        ends[place] = starts[place] + whole
        while place + 1 + gone < count and ends[place + 1 + gone] <= ends[place]:
            gone += 1
        if gone:
            for index in range(place + 1 + gone, count):
                starts[index - gone] = starts[index]
                ends[index - gone] = ends[index]
                indexes[index - gone] = indexes[index]
            count -= gone
        if place + 1 < count and starts[place + 1] < ends[place]:
            starts[place + 1] = ends[place]
        return count

    cdef PricedSpan span(self, int64_t start_at, int64_t end_at, int64_t index_ns):
        """Price a piece: its cost and then that of one increment are rounded to the system's smallest part."""
        cdef PricedSpan span = PricedSpan.__new__(PricedSpan)
        cdef int64_t usage = end_at - start_at
        cdef int slot = self.slot_at(max(index_ns - usage, <int64_t>0))
        span.start_at = start_at
        span.end_at = end_at
        span.duration_index_ns = index_ns
        span.terms = self.terms
        if slot < 0:
            return span
        span.increment_ns = self.slots[slot].increment
        span.increment_count = usage // span.increment_ns
        span.cost = self.increment_cost(slot, usage, span.increment_count)
        return span

    cdef int128 increment_cost(self, int slot, int64_t usage, int64_t increments) noexcept nogil:
        """What one increment of a piece costs."""
        cdef int128 total
        if increments == 0:
            return 0
        total = half_away(<int128>usage * self.slots[slot].value, self.slots[slot].unit * self.step) * self.step
        return half_away(total, increments * self.step) * self.step


cdef bint find_midnight(int64_t start_at, int64_t offset, int64_t usage, int64_t *midnight_at) noexcept nogil:
    """Tell where midnight on the tariff's clock cuts a call, INT64_MAX for nowhere; False when more days are touched.

    A call that ends within the first second of a day is not cut.
    """
    cdef int64_t clock = (start_at + offset) % DAY_NS
    if clock < 0 or usage >= 2 * DAY_NS - clock:
        return False
    midnight_at[0] = start_at + DAY_NS - clock if clock + usage >= DAY_NS + SECOND_NS else INT64_MAX
    return True


cdef class TimedPrice:
    """The prices of a destination whose rates have hours: within them each is flat. `hours` are in the same order."""

    cdef DayHours hours
    cdef list prices

    def __init__(self, DayHours hours not None, list prices not None):
        self.hours = hours
        self.prices = prices

    cdef FlatPrice throughout(self, int64_t start_at, int64_t usage, int64_t offset):
        """The price that holds through the whole call; None when that takes a longer look."""
        cdef int index = -1
        if start_at >= 0:
            index = self.hours.throughout(start_at, usage, offset)
        return None if index < 0 else self.prices[index]


@cython.no_gc
cdef class Window:
    """A stretch of time in which one plan prices the calls of a profile, and the prices known of it by destination."""


@cython.no_gc
cdef class Head:
    """What the profiles of a tenant's category have in common: how their keys begin, and the one for all subjects."""


cdef class FlatPrices:
    """The flat prices of one tariff, found when first asked for.

    `windows(profile)` returns its activations as a tuple of (from_at, until_at, plan): a call within one is priced by
    that plan alone; `resolve(profile, plan, destination)` the FlatPrice or TimedPrice of a destination, None when it
    has neither.
    """

    def __init__(self, tariff, dict profiles, windows_of, resolve):
        self.tariff = tariff
        self.profiles = profiles
        self.windows_of = windows_of
        self.resolve = resolve
        self.windows = {}
        self.heads = {}

    def spans(self, call):
        """Return the priced spans of a call, None when more must be known to price it."""
        cdef int64_t midnight_at, usage = call.usage_ns, index_ns = call.duration_index_ns
        cdef FlatPrice price = self.find(call.tenant, call.category, call.subject, call.destination, call.tor,
                                         call.start_at, usage, call.offset_s, &midnight_at)
        if price is None:
            return None
        return price.spans(call.start_at, usage, index_ns if index_ns > usage else usage, midnight_at)

    cdef FlatPrice find(self, str tenant, str category, str subject, str destination, str tor, int64_t start_at,
                        int64_t usage, int64_t offset_s, int64_t *midnight_at):
        """The flat price of a call and where midnight cuts it, None when more must be known to price it."""
        cdef object profile, price
        cdef list windows
        cdef Head head
        cdef Window window
        midnight_at[0] = INT64_MAX
        if usage <= 0 or not destination or destination == "*any":
            return None
        if not tor or tor == "*voice":
            if not find_midnight(start_at, offset_s * SECOND_NS, usage, midnight_at):
                return None
        head = self.head_of(tenant, category)
        profile = None
        if head.has_subjects:
            profile = self.profiles.get(head.start + subject)
        if profile is None:
            profile = head.profile
            if profile is None:
                return None
            if head.windows is None:
                head.windows = self.windows_for(head.key, profile)
            windows = head.windows
        else:
            windows = self.windows_for(head.start + subject, profile)
        for window in windows:
            if window.from_at <= start_at and (start_at + usage < window.until_at or window.until_at == INT64_MAX):
                break
        else:
            return None
        price = window.prices.get(destination, self)
        if price is self:
            if len(window.prices) >= MEMO_SIZE:
                window.prices.clear()
            price = window.prices[destination] = self.resolve(profile, window.plan, destination)
        if type(price) is TimedPrice:
            return (<TimedPrice>price).throughout(start_at, usage, offset_s * SECOND_NS)
        return price

    cdef Head head_of(self, str tenant, str category):
        """What profiles of a tenant's category have in common. Most calls ask for the same as the call before."""
        cdef Head head = self.last_head
        cdef tuple key
        if head is not None and head.tenant == tenant and head.category == category:
            return head
        key = (tenant, category)
        head = self.heads.get(key)
        if head is None:
            head = self.new_head(tenant, category)
            if len(self.heads) < MEMO_SIZE:
                self.heads[key] = head
        self.last_head = head
        return head

    cdef Head new_head(self, str tenant, str category):
        cdef Head head = Head.__new__(Head)
        head.tenant = tenant
        head.category = category
        head.start = "*out:" + tenant + ":" + category + ":"
        head.key = head.start + "*any"
        head.profile = self.profiles.get(head.key)
        head.has_subjects = True
        if len(self.profiles) <= SMALL:
            head.has_subjects = any([key.startswith(head.start) and key != head.key for key in self.profiles])
        return head

    cdef list windows_for(self, str key, profile):
        """The activations of a profile, with the prices known of their plans."""
        cdef list windows = self.windows.get(key)
        cdef Window window
        if windows is None:
            windows = self.windows[key] = []
            for from_at, until_at, plan in self.windows_of(profile):
                window = Window.__new__(Window)
                window.from_at = from_at
                window.until_at = until_at
                window.plan = plan
                window.prices = {}
                windows.append(window)
        return windows
