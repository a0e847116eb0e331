# cython: language_level=3, overflowcheck=False, boundscheck=False, wraparound=False, initializedcheck=False
# Prices are reckoned in 128 bits, which the check does not know; the arrays are raw.
"""Rates in closed form, for calls within one part of a day: what most calls cost is one division.

A calendar tells the kind of each day by the rates that hold on it, and a schedule the parts of such a day. A line is a
rate of one slot or two, whose increments all cost the same however the price of a span is rounded, from a count on that
is worked out beforehand. What has no such form stays unusable, and is cut and priced as a single call is.
Does not know: calls, plans.
Benchmark: bench/workloads/bulk.py; oracle: `quote`, in tests/rating/test_bulk.py.
"""

from libc.stdint cimport INT64_MAX, int8_t, int64_t, uint8_t, uint16_t, uint32_t

from cgrcore._fast.accounts cimport int128
from cgrcore._fast.flatprices cimport Slot
from cgrcore._fast.hours cimport Day, is_active
from cgrcore._fast.plans cimport Plans
from cgrcore._fast.timespans cimport ROUND_NONE, STEPS, Rate, Rates, increment_cost

cdef int64_t DAY_NS = 86400000000000

#: Sums and prices from it on might not fit 64 bits when they are added.
cdef int64_t LIMIT = <int64_t>1 << 60

#: Kinds of days that are told apart by the rates that hold on them.
cdef enum:
    KINDS = 250

#: Counts of increments that are tried out, at most.
cdef enum:
    SCANNED = 4096


cdef Calendar *calendar_of(Plans plans, const Rates *rates) except? NULL:
    """Return the kinds of days and their schedules; NULL for more kinds than are told apart."""
    cdef Calendar *found
    cdef uint8_t *kinds = <uint8_t *>plans.take(DAYS)
    cdef Schedule *schedules
    cdef uint32_t masks[KINDS]
    cdef uint32_t mask
    cdef int count = 0, kind = 0, index
    cdef int64_t number
    cdef Day day
    for number in range(DAYS):
        day.days = FIRST_DAY + number
        day.is_known = False
        mask = 0
        for index in range(rates.count):
            if is_active(&rates.rates[index].hours, &day, DAY_NS - 1):
                mask |= <uint32_t>1 << index
        if count == 0 or masks[kind] != mask:
            kind = 0
            while kind < count and masks[kind] != mask:
                kind += 1
            if kind == KINDS:
                return NULL
            masks[kind] = mask
            count = max(count, kind + 1)
        kinds[number] = <uint8_t>kind
    schedules = <Schedule *>plans.take(count * sizeof(Schedule))
    for kind in range(count):
        read_schedule(&schedules[kind], rates, masks[kind])
    found = <Calendar *>plans.take(sizeof(Calendar))
    found.kinds, found.schedules = kinds, schedules
    return found


cdef void read_schedule(Schedule *schedule, const Rates *rates, uint32_t mask) noexcept nogil:
    """Work out the parts of a day on which the rates of the mask hold, from their start to midnight."""
    cdef int64_t at = 0, until
    cdef int part = 0, index, best
    while True:
        best = -1
        until = DAY_NS
        for index in range(rates.count):
            if not mask >> index & 1:
                continue
            if rates.rates[index].hours.start_ns > at:
                until = min(until, rates.rates[index].hours.start_ns)
            elif best == -1:
                best = index
            elif best >= 0 and rates.rates[index].weight == rates.rates[best].weight:
                # The earliest come first, so this one began later; of two that began together neither is better.
                best = index if rates.rates[index].hours.start_ns > rates.rates[best].hours.start_ns else -2
        if part == PARTS - 1:
            until = DAY_NS
            best = -1
        schedule.until[part] = until
        schedule.rate[part] = <int8_t>(best if best >= 0 else -1)
        part += 1
        at = until
        if at == DAY_NS:
            break
    while part < PARTS:
        schedule.until[part] = DAY_NS
        schedule.rate[part] = -1
        part += 1


cdef void read_line(Line *line, const Rate *rate, int128 step) noexcept nogil:
    """Bring a rate into closed form; it stays unusable when it has none."""
    cdef const Slot *slots = &rate.slots[0]
    cdef int128 base[2]
    cdef int128 cost[2]
    cdef int64_t whole = 0, settled
    cdef int index
    cdef int64_t unit = STEPS[rate.decimals]
    line.is_usable = False
    if not 1 <= rate.slot_count <= 2 or slots[0].group_start != 0 or rate.is_capped:
        return
    line.border = INT64_MAX
    base[0] = base[1] = rate.fee
    cost[1] = 0
    line.increment[1] = 1
    line.settled[1] = 0
    if rate.slot_count == 2:
        line.border = slots[1].group_start
        whole = line.border // slots[0].increment
        # Else the last increment of the first slot would grow into the second.
        if line.border <= 0 or whole * slots[0].increment != line.border:
            return
        base[1] += increment_cost(&slots[0], line.border, whole, step) * whole
    for index in range(rate.slot_count):
        line.increment[index] = slots[index].increment
        cost[index] = increment_cost(&slots[index], slots[index].increment, 1, step)
        settled = settled_from(&slots[index], cost[index], step)
        if settled >= 65535:
            return
        line.settled[index] = <uint16_t>settled
    line.alike = counts_alike(&slots[rate.slot_count - 1], cost[rate.slot_count - 1], step)
    for index in range(2):
        if not (-LIMIT < base[index] < LIMIT and -LIMIT < cost[index] < LIMIT):
            return
        line.base[index] = <int64_t>base[index]
        line.cost[index] = <int64_t>cost[index]
    line.mode = rate.mode
    line.decimals = <uint8_t>rate.decimals
    if rate.decimals == 0 or not (line.base[0] % unit or line.base[1] % unit or line.cost[0] % unit
                                  or line.cost[1] % unit):
        line.mode = ROUND_NONE
    line.is_usable = True


cdef uint8_t counts_alike(const Slot *slot, int128 cost, int128 step) noexcept nogil:
    """The counts of increments, one to eight, of which each costs what a single one does: a bit each."""
    cdef int64_t count
    cdef uint8_t found = 1
    if slot.increment > LIMIT >> 3:
        return found
    for count in range(2, 9):
        if increment_cost(slot, count * slot.increment, count, step) == cost:
            found |= <uint8_t>(1 << (count - 1))
    return found


cdef int64_t settled_from(const Slot *slot, int128 cost, int128 step) noexcept nogil:
    """From how many increments on each costs what a single one does, however the price of the span is rounded.

    An increment's price is `price / unit` steps and a rest. Rounding the span moves that by half a step divided by the
    count: too little to cross the half from `unit / distance` increments on.
    """
    cdef int128 price = <int128>slot.increment * slot.value, unit = slot.unit * step, distance, most
    cdef int64_t count
    if price < 0:
        price = -price
    distance = 2 * (price % unit) - unit
    if distance < 0:
        distance = -distance
    if distance == 0:
        return 0
    most = unit / distance + 1
    if most > SCANNED or slot.increment > LIMIT >> 13:
        return 65535 if most > 65535 else <int64_t>most
    count = <int64_t>most - 1
    while count > 1 and increment_cost(slot, count * slot.increment, count, step) == cost:
        count -= 1
    return 0 if count <= 1 else count + 1
