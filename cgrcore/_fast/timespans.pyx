# cython: language_level=3, overflowcheck=False, boundscheck=False
# The check knows 64-bit integers only; prices are reckoned in 128. The arrays are raw and their room is looked after.
"""Cutting a call into timespans of one price each, and pricing them: what `cgrcore.rating.split` does, in C.

Rules: those of that module, step by step: a voice call is cut where a plan is activated, at midnight, where other hours
and where the next slot of a rate begin; everything else only at slots. Each span then grows to whole increments, at the
cost of the spans behind it. The work grows with the borders crossed, not with the length of the call; no memory is
allocated and no lock is held. A call with more pieces, plans or rates than there is room for is called unusual, and
left to that module. Callers keep instants and usage so small that sums of them fit in 64 bits.
Does not know: how plans are found, Python.
"""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memmove

from operator import attrgetter

from cgrcore._fast.accounts cimport int128, int128_of
from cgrcore._fast.flatprices cimport Slot, half_away
from cgrcore._fast.hours cimport Day, day_of_month, is_active, read_hours

cdef int64_t DAY_NS = 86400000000000
cdef int64_t SECOND_NS = 1000000000

#: Steps, units and prices from it on do not fit what is reckoned with them.
cdef int64_t LIMIT = <int64_t>1 << 60

_BY_START = attrgetter("group_start_ns")

cdef dict MODES = {"*middle": ROUND_NEAREST, "*up": ROUND_UP, "*down": ROUND_DOWN}

STEPS[:] = [1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1]


#: A piece's start and end on the tariff's clock; an end at midnight is of the day before.
cdef struct Clock:
    Day start_day
    Day end_day
    int64_t start_clock
    int64_t end_clock
    int64_t midnight_at


cdef int read_rate(Rate *rate, object hours, object rating, int64_t weight) except -1:
    """Fill in a rate from compiled hours (`cgrcore.rating.compile.Hours`) and a rating, as it is kept.

    Raises OverflowError for what is beyond the kernel.
    """
    cdef int index = 0
    cdef Slot *own
    slots = rating.rates
    if len(slots) > RATE_SLOTS:
        raise OverflowError("too many slots")
    if len(slots) > 1:
        slots = sorted(slots, key=_BY_START)
    read_hours(&rate.hours, hours)
    for slot in slots:
        own = &rate.slots[index]
        own.group_start = slot.group_start_ns
        own.value = slot.value_nano
        own.increment = slot.increment_ns or SECOND_NS
        own.unit = slot.unit_ns or SECOND_NS
        if not (0 < own.increment < LIMIT and 0 < own.unit < LIMIT and -LIMIT < own.value < LIMIT):
            raise OverflowError("steps and units are positive, prices not without end")
        index += 1
    rate.slot_count = index
    rate.weight = weight
    rate.fee = int128_of(rating.connect_fee_nano)
    rate.most = int128_of(rating.max_cost_nano)
    rate.is_capped = rating.max_cost_strategy == "*free" and rating.max_cost_nano > 0
    rate.mode = MODES.get(rating.rounding_method, ROUND_NONE)
    rate.decimals = min(max(rating.rounding_decimals, 0), 9)
    return 0


cdef int cut_call(const Info *infos, int info_count, int64_t start_at, int64_t usage, int64_t index_ns, int64_t offset,
                  bint is_voice, Piece *pieces) noexcept nogil:
    """Write the pieces of a call, each with its rate, grown to whole increments; return how many.

    UNPRICED when a part has no rate; UNUSUAL for more than ROOM.
    """
    cdef int count = 1, place
    pieces[0].start = start_at
    pieces[0].end = start_at + usage
    pieces[0].index = index_ns if index_ns > usage else usage
    pieces[0].rate = NULL
    pieces[0].info = 0
    if is_voice and not (cut_at_activations(infos, info_count, pieces, &count)
                         and cut_at_midnights(offset, pieces, &count)):
        return UNUSUAL
    place = 0
    while place < count:
        if not cut_by_rates(infos[pieces[place].info].rates, offset, is_voice, pieces, &count, place):
            return UNUSUAL
        place += 1
    grow(pieces, &count)
    for place in range(count):
        if pieces[place].rate == NULL:
            return UNPRICED
    return count


cdef bint cut(Piece *pieces, int *count, int place, int64_t at) noexcept nogil:
    """Cut a piece: it keeps what is before the instant, the rest is put behind it; False without room."""
    cdef Piece *piece = &pieces[place]
    if count[0] == ROOM:
        return False
    memmove(piece + 2, piece + 1, (count[0] - place - 1) * sizeof(Piece))
    piece[1].start = at
    piece[1].end = piece.end
    piece[1].index = piece.index
    piece[1].rate = NULL
    piece[1].info = piece.info
    piece.index -= piece.end - at
    if piece.index < 0:
        piece.index = 0
    piece.end = at
    count[0] += 1
    return True


cdef bint cut_at_activations(const Info *infos, int info_count, Piece *pieces, int *count) noexcept nogil:
    """Cut where a later plan is activated; the price stays that of the plan the call began with."""
    cdef int32_t index
    for index in range(info_count):
        if infos[index].at < pieces[0].start:
            pieces[0].info = index
        elif pieces[count[0] - 1].start < infos[index].at < pieces[count[0] - 1].end:
            if not cut(pieces, count, count[0] - 1, infos[index].at):
                return False
    return True


cdef bint cut_at_midnights(int64_t offset, Piece *pieces, int *count) noexcept nogil:
    """Cut at each midnight, unless the span ends at one or on a day of the same number."""
    cdef int place = 0
    cdef int64_t last_day, end_clock, day
    while place < count[0]:
        last_day = day_at(pieces[place].end + offset)
        end_clock = pieces[place].end + offset - last_day * DAY_NS
        while True:
            day = day_at(pieces[place].start + offset)
            if day == last_day or end_clock < SECOND_NS:
                break
            # Within 28 days no number comes twice.
            if last_day - day >= 28 and day_of_month(day) == day_of_month(last_day):
                break
            if not cut(pieces, count, place, (day + 1) * DAY_NS - offset):
                return False
            place += 1
        place += 1
    return True


cdef inline int64_t day_at(int64_t clock) noexcept nogil:
    """The day that an instant of the clock falls into: rounded down, for those before 1970, too."""
    return (clock if clock >= 0 else clock - (DAY_NS - 1)) // DAY_NS


cdef void read_clock(Clock *clock, const Piece *piece, int64_t offset) noexcept nogil:
    cdef int64_t end = piece.end + offset
    clock.start_day.days = day_at(piece.start + offset)
    clock.start_day.is_known = False
    clock.start_clock = piece.start + offset - clock.start_day.days * DAY_NS
    clock.midnight_at = clock.start_day.days * DAY_NS - offset
    clock.end_day.days = day_at(end)
    if end - clock.end_day.days * DAY_NS < SECOND_NS:
        end -= SECOND_NS
        clock.end_day.days = day_at(end)
    clock.end_day.is_known = False
    clock.end_clock = end - clock.end_day.days * DAY_NS


cdef bint cut_by_rates(const Rates *rates, int64_t offset, bint is_voice, Piece *pieces, int *count,
                       int place) noexcept nogil:
    """Give a piece its rate, cutting it where slots or other hours begin; False without room.

    First comes the rate that is best at the piece's start, then those that may begin within it and weigh as much.
    """
    cdef Clock clock
    cdef int best = -1, index, last_count
    cdef int64_t end_at = pieces[place].end, weight
    cdef const Rate *rate
    read_clock(&clock, &pieces[place], offset)
    for index in range(rates.count):
        rate = rates.rates[index]
        if best >= 0 and rate.weight < rates.rates[best].weight:
            break
        if (best < 0 or rate.hours.start_ns > rates.rates[best].hours.start_ns) and is_active(
                &rate.hours, &clock.start_day, clock.start_clock):
            best = index
    if best < 0:
        best = 0
    weight = rates.rates[best].weight
    # The day that "may begin within it" is asked of is the one that the uncut piece starts on.
    end_at -= clock.midnight_at
    for index in range(best, rates.count):
        rate = rates.rates[index]
        if index > best and (rate.weight < weight or rate.hours.start_ns >= end_at):
            continue
        last_count = count[0]
        if not cut_by_rate(rate, &clock, is_voice, pieces, count, place):
            return False
        if count[0] > last_count:
            if pieces[place].rate != NULL:
                break
            read_clock(&clock, &pieces[place], offset)
    return True


cdef void attach(Piece *piece, const Rate *rate, int64_t midnight_at) noexcept nogil:
    """Give a piece a rate that has begun, if it has none, a lighter one, or one that began earlier.

    `midnight_at` begins the day that the piece starts on.
    """
    if midnight_at + rate.hours.start_ns > piece.start:
        return
    if piece.rate == NULL or piece.rate.weight < rate.weight or piece.rate.hours.start_ns < rate.hours.start_ns:
        piece.rate = rate


cdef bint cut_by_rate(const Rate *rate, Clock *clock, bint is_voice, Piece *pieces, int *count,
                      int place) noexcept nogil:
    """Let a rate price the piece or a part of it; what is cut off is put behind it. False without room."""
    cdef Piece *piece = &pieces[place]
    cdef bint has_start = is_active(&rate.hours, &clock.start_day, clock.start_clock)
    cdef bint has_end = is_active(&rate.hours, &clock.end_day, clock.end_clock)
    cdef int64_t group_start, group_end, at
    cdef int slot
    if not has_start and not has_end:
        return True
    group_end = piece.index
    group_start = group_end - (piece.end - piece.start)
    if group_start < 0:
        group_start = 0
    for slot in range(rate.slot_count):
        if group_start < rate.slots[slot].group_start < group_end:
            attach(piece, rate, clock.midnight_at)
            if not cut(pieces, count, place, piece.start + rate.slots[slot].group_start - group_start):
                return False
            at = piece[1].start - clock.midnight_at
            attach(&piece[1], rate, clock.midnight_at + day_at(at) * DAY_NS)
            return True
    if has_start:
        attach(piece, rate, clock.midnight_at)
    if not is_voice:
        return True
    if has_start:
        at = clock.midnight_at + DAY_NS
        if has_end or not piece.start < at < piece.end:
            return True
        return cut(pieces, count, place, at)
    at = clock.midnight_at + rate.hours.start_ns
    if not piece.start < at < piece.end:
        return True
    if not cut(pieces, count, place, at):
        return False
    piece[1].rate = rate
    return True


cdef const Slot *slot_of(const Piece *piece) noexcept nogil:
    """The slot that holds at the piece's start, NULL before the first."""
    cdef int64_t group_start = piece.index - (piece.end - piece.start)
    cdef const Slot *found = NULL
    cdef int index
    if group_start < 0:
        group_start = 0
    for index in range(piece.rate.slot_count):
        if piece.rate.slots[index].group_start > group_start:
            break
        found = &piece.rate.slots[index]
    return found


cdef void grow(Piece *pieces, int *count) noexcept nogil:
    """Let each piece grow to whole increments; what it covers of the pieces behind is theirs no more."""
    cdef int place = 0, gone
    cdef int64_t usage, whole
    cdef const Slot *slot
    while place < count[0]:
        slot = NULL
        if pieces[place].rate != NULL:
            slot = slot_of(&pieces[place])
        place += 1
        if slot == NULL:
            continue
        usage = pieces[place - 1].end - pieces[place - 1].start
        whole = usage // slot.increment * slot.increment
        if whole < usage or whole == 0:
            whole += slot.increment
        if whole <= usage:
            continue
        pieces[place - 1].index += whole - usage
        pieces[place - 1].end = pieces[place - 1].start + whole
        gone = 0
        while place + gone < count[0] and pieces[place + gone].end <= pieces[place - 1].end:
            gone += 1
        if gone:
            memmove(&pieces[place], &pieces[place + gone], (count[0] - place - gone) * sizeof(Piece))
            count[0] -= gone
        if place < count[0] and pieces[place].start < pieces[place - 1].end:
            pieces[place].start = pieces[place - 1].end


cdef int128 increment_cost(const Slot *slot, int64_t usage, int64_t count, int128 step) noexcept nogil:
    """What one of `count` increments costs: the span's price and then an increment's are rounded to whole steps."""
    cdef int128 total
    if count == 0:
        return 0
    total = half_away(<int128>usage * slot.value, slot.unit * step) * step
    return half_away(total, count * step) * step


cdef int128 total_of(const Piece *pieces, int count, int128 step, bint is_first) noexcept nogil:
    """What a call costs: its pieces and the connect fee, capped, rounded as its rate with the most decimals says."""
    cdef int128 total = pieces[0].rate.fee if is_first else 0
    cdef const Slot *slot
    cdef const Rate *longest = NULL
    cdef const Rate *rate
    cdef int place
    cdef int64_t usage, increments
    for place in range(count):
        slot = slot_of(&pieces[place])
        if slot != NULL:
            usage = pieces[place].end - pieces[place].start
            increments = usage // slot.increment
            total += increment_cost(slot, usage, increments, step) * increments
    for place in range(count):
        rate = pieces[place].rate
        if rate.is_capped and total > rate.most:
            total = rate.most
        if rate.decimals > (0 if longest == NULL else longest.decimals):
            longest = rate
    return total if longest == NULL else rounded(total, longest.mode, longest.decimals)


cdef int128 rounded(int128 amount, RoundingMode mode, int decimals) noexcept nogil:
    """Round an amount to 0 to 9 decimals."""
    cdef int128 step = STEPS[decimals], steps
    if mode == ROUND_NONE or decimals == 9:
        return amount
    if mode == ROUND_NEAREST:
        return half_away(amount, step) * step
    steps = amount / step
    if mode == ROUND_UP and steps * step < amount:
        steps += 1
    if mode == ROUND_DOWN and steps * step > amount:
        steps -= 1
    return steps * step
