# cython: language_level=3, overflowcheck=False, boundscheck=False, wraparound=False, initializedcheck=False
# Prices are reckoned in 128 bits, which the check does not know; columns are read by address, their lengths are checked
# before.
"""Rating columns of calls, with the GIL released: tens of millions a second on one core.

Rows go through in blocks: first the prefixes of all numbers of a block, then what their plans have for them, then the
costs, so that the processor waits for several memory reads at once. A call within one part of a day, priced by one rate
of a slot or two, is one division; any other call is cut and priced as a single call is (`timespans`), in C as well.
Rows whose price was not asked for before wait for the GIL; rows that the kernel does not price at all are left, marked
QUOTE, never guessed.
Rules: a row costs what `quote` says. Several threads may rate chunks by one object at once.
Does not know: pyarrow, where columns come from.
Benchmark: bench/workloads/bulk.py; oracle: `quote`, in tests/rating/test_bulk.py.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy

import numpy

from cgrcore._fast.accounts cimport int128, int_of
from cgrcore._fast.flatprices cimport Slot
from cgrcore._fast.hours cimport Day, is_active
from cgrcore._fast.prefixes cimport LINK_BIT, LIST_BIT, ROOT_DEPTH, Tables, find_longest, first_step, in_block, \
    in_list, last_step, prefetch, word_at
from cgrcore._fast.plans cimport NO_PROFILE, PAGE_BITS, PAGE_SIZE, SINGLE, UNAUTHORIZED, WANTED, Activation, Entry, Plan, Plans, Profile, \
    Search, begin, entry_of, hours_key, infos_of, publish
from cgrcore._fast.timespans cimport INFOS, ROOM, ROUND_DOWN, ROUND_NONE, ROUND_UP, STEPS, UNPRICED, UNUSUAL, Info, Piece, \
    Rate, Rates, cut_call, increment_cost, slot_of, total_of

cdef extern from *:
    """
    static inline int does_not_fit(long long count, long long cost, long long base, long long *sum) {
        return __builtin_mul_overflow(count, cost, sum) || __builtin_add_overflow(*sum, base, sum);
    }
    """
    bint does_not_fit(long long count, long long cost, long long base, long long *sum) noexcept nogil

cdef int64_t DAY_NS = 86400000000000
cdef int64_t SECOND_NS = 1000000000

#: Usage from it on, and instants from twice as much, are left: their sums might not fit.
cdef int64_t LIMIT = <int64_t>1 << 60

#: Days whose kinds are worked out: 1990 to 2059. Calls of other days take the longer way.
cdef enum:
    FIRST_DAY = 7305
    DAYS = 25567

#: Kinds of days that are told apart by the rates that hold on them.
cdef enum:
    KINDS = 250

#: Counts of increments that are tried out, at most.
cdef enum:
    SCANNED = 4096

#: Tenants' categories whose subjects are remembered.
cdef Py_ssize_t HEADS = 64

#: Rows of a block: what they need fits in the first cache.
cdef enum:
    BLOCK = 128

#: What `errors` may hold besides the codes of `cgrcore.rating.bulk.ERRORS`, which are given when this is made.
cdef enum:
    OK = 0
    ERROR_NO_PROFILE = 1
    ERROR_UNAUTHORIZED = 2
    ERROR_MAX_USAGE = 3
    ERROR_NEGATIVE = 4
    ERROR_TEXT = 6
    ERROR_TOO_LARGE = 7
    WAITING = 254
    QUOTE = 255

#: A number that takes a look at its text: it has other characters than prefixes of digits, and so has a prefix.
cdef int32_t ODD = -2

ANY = "*any"


cdef class BulkRater:
    """What columns are rated by: a tariff's plans, and their rates in closed form."""

    def __init__(self, Plans plans not None):
        self.plans = plans
        self.calendars = {}
        self.lines = {}
        self.subjects = {}
        self.has_other_prefixes = bool(plans.index.others)

    def rate(self, given):
        """Rate the rows of a chunk whose errors are 0; return the total of their costs.

        `given` is a `cgrcore.rating.bulk.Chunk`. Rows that are left come back with the error QUOTE (255).
        """
        cdef Columns columns
        cdef Py_ssize_t row = 0, waiting
        cdef int128 total = 0
        read_columns(&columns, given)
        while row < columns.count:
            with nogil:
                row = self.run(&columns, row, &total)
            # The last block has rows that wait.
            for waiting in range(max(row - BLOCK, 0), row):
                if columns.errors[waiting] == WAITING:
                    self.settle(&columns, waiting, &total)
        return int_of(total)

    def count_spans(self, given, int64_t[::1] counts):
        """Write how many spans each rated row has: `counts` (n,) int64."""
        cdef Columns columns
        cdef Info infos[INFOS]
        cdef Piece pieces[ROOM]
        cdef Plan *wanted = NULL
        cdef Py_ssize_t row
        cdef int32_t place
        read_columns(&columns, given)
        for row in range(columns.count):
            counts[row] = 0
            if not columns.errors[row] and columns.usages[row]:
                place = self.class_of_row(&columns, row)
                counts[row] = max(self.cut_row(&columns, row, place, &wanted, infos, pieces), 0)

    def write_spans(self, given, const int64_t[::1] first, int64_t[:, ::1] spans):
        """Write the spans of rated rows: `first` (n + 1,) int64; `spans` (5, m) int64, as `Breakdown` has them."""
        cdef Columns columns
        cdef Info infos[INFOS]
        cdef Piece pieces[ROOM]
        cdef Plan *wanted = NULL
        cdef const Slot *slot
        cdef Py_ssize_t row, at
        cdef int place, count
        read_columns(&columns, given)
        for row in range(columns.count):
            if columns.errors[row] or not columns.usages[row]:
                continue
            count = self.cut_row(&columns, row, self.class_of_row(&columns, row), &wanted, infos, pieces)
            for place in range(count):
                at = first[row] + place
                spans[0, at] = pieces[place].start
                spans[1, at] = pieces[place].end - pieces[place].start
                slot = slot_of(&pieces[place])
                if slot != NULL:
                    spans[2, at] = slot.increment
                    spans[3, at] = spans[1, at] // slot.increment
                    spans[4, at] = <int64_t>increment_cost(slot, spans[1, at], spans[3, at], self.plans.step)

    def profiles_at(self, str tenant, str category, names):
        """Return what rows know the profiles of subjects by, (n,) uint64: their own, else that of everybody else."""
        cdef uint64_t[::1] found = numpy.zeros(len(names), dtype=numpy.uint64)
        cdef str head = "*out:" + tenant + ":" + category + ":"
        cdef Py_ssize_t row = 0
        cdef uint64_t others = <size_t>self.plans.profile(head + ANY)
        cdef dict own = self.subjects.get(head)
        tariff = self.plans.tariff
        if tariff.matches_subject_prefixes:
            for name in names:
                found[row] = <size_t>self.plans.profile(head + name) or others
                row += 1
            return numpy.asarray(found)
        if own is None:
            own = {key[len(head):]: <size_t>self.plans.profile(key) for key in tariff.profiles if key.startswith(head)}
            if len(self.subjects) < HEADS:
                self.subjects[head] = own
        for name in names:
            known = own.get(name)
            found[row] = others if known is None else known
            row += 1
        return numpy.asarray(found)

    cdef Py_ssize_t run(self, Columns *columns, Py_ssize_t first, int128 *total) noexcept nogil:
        """Rate rows from the first on, block after block; return where those end that are done or wait.

        It returns early, behind the first block with a row that waits.
        """
        cdef int32_t classes[BLOCK]
        cdef const Entry *entries[BLOCK]
        cdef const Line *lines[BLOCK]
        cdef Py_ssize_t count
        cdef bint is_waiting
        while first < columns.count:
            count = min(<Py_ssize_t>BLOCK, columns.count - first)
            self.classify(columns, first, count, classes)
            is_waiting = self.look_up(columns, first, count, classes, entries)
            is_waiting |= choose_lines(columns, first, count, entries, lines)
            is_waiting |= self.price(columns, first, count, classes, lines, total)
            first += count
            if is_waiting:
                break
        return first

    cdef void classify(self, const Columns *columns, Py_ssize_t first, Py_ssize_t count, int32_t *classes) noexcept nogil:
        """Write the class of each number: -1 when it was not asked for yet, ODD when it takes a look at the text."""
        cdef Py_ssize_t row
        cdef const uint8_t *text
        cdef int64_t size
        cdef const uint32_t *steps[BLOCK]
        cdef uint32_t step
        cdef const int32_t *class_of = self.plans.class_of
        cdef const Tables *tables = &self.plans.index.tables
        for row in range(count):
            size = number_at(columns, first + row, &text)
            steps[row] = first_step(tables, text, size, columns.data_end)
            prefetch(steps[row])
        for row in range(count):
            step = steps[row][0]
            if step >> LINK_BIT:
                if step >> LIST_BIT & 1:
                    prefetch(in_list(tables, step))
                else:
                    size = number_at(columns, first + row, &text)
                    prefetch(in_block(tables, step, word_at(text + ROOT_DEPTH + (text[0] == c"+"), text + size,
                                                            columns.data_end)))
        for row in range(count):
            size = number_at(columns, first + row, &text)
            classes[row] = last_step(tables, steps[row][0], text, size, columns.data_end)
            prefetch(&class_of[classes[row]])
        for row in range(count):
            classes[row] = 0 if classes[row] < 0 else class_of[classes[row]]
        if self.has_other_prefixes:
            for row in range(count):
                size = number_at(columns, first + row, &text)
                if not is_number(text, size):
                    classes[row] = ODD

    cdef bint look_up(self, Columns *columns, Py_ssize_t first, Py_ssize_t count, const int32_t *classes,
                      const Entry **entries) noexcept nogil:
        """Write where it is noted what the plan in force has for each number, NULL where that takes a longer look.

        Note refusals by usage, and rows that wait; tell whether there are some.
        """
        cdef Py_ssize_t row
        cdef bint is_waiting = False
        cdef const Profile *profile
        cdef const Activation *activation
        cdef const Entry *page
        cdef int64_t start, usage
        cdef int32_t tor, number
        cdef int place
        for row in range(count):
            entries[row] = NULL
            if columns.errors[first + row]:
                continue
            usage = columns.usages[first + row]
            tor = columns.tors[first + row] if columns.tors != NULL else 0
            if <uint64_t>usage > <uint64_t>columns.limits[tor]:
                columns.errors[first + row] = ERROR_NEGATIVE if usage < 0 else (
                    QUOTE if columns.limits[tor] == LIMIT else ERROR_MAX_USAGE)
                continue
            number = classes[row]
            if number < 0:
                columns.errors[first + row] = WAITING
                is_waiting = True
                continue
            profile = columns.profiles[columns.keys[first + row] if columns.keys != NULL else 0]
            if profile == NULL:
                continue
            start = columns.starts[first + row]
            place = profile.count - 1
            if place < 0:
                continue
            while place > 0 and profile.activations[place].at > start:
                place -= 1
            activation = &profile.activations[place]
            if activation.plan == NULL or activation.at > start or usage >= LIMIT or not (
                    -2 * LIMIT < start < 2 * LIMIT):
                continue
            if place + 1 < profile.count and profile.activations[place + 1].at <= start + usage:
                continue
            columns.plans[first + row] = activation.plan.place
            page = activation.plan.pages[number >> PAGE_BITS]
            if page == NULL:
                columns.errors[first + row] = WAITING
                is_waiting = True
                continue
            entries[row] = &page[number & (PAGE_SIZE - 1)]
            prefetch(entries[row])
        return is_waiting

    cdef bint price(self, Columns *columns, Py_ssize_t first, Py_ssize_t count, const int32_t *classes,
                    const Line **lines, int128 *total) noexcept nogil:
        """Price the rows of a block; tell whether some wait."""
        cdef Py_ssize_t row, at
        cdef bint is_waiting = False, is_over
        cdef const Line *line
        cdef Plan *wanted
        cdef int64_t usage, increments
        cdef int128 sum = 0
        cdef long long cost
        for row in range(count):
            at = first + row
            line = lines[row]
            if line != NULL and line.is_usable:
                usage = columns.usages[at]
                is_over = usage > line.border
                increments = (usage - (line.border if is_over else 0) - 1 + line.increment[is_over]) \
                    // line.increment[is_over]
                if (increments >= line.settled[is_over] or increments == 1) and not does_not_fit(
                        increments, line.cost[is_over], line.base[is_over], &cost):
                    if line.mode != ROUND_NONE:
                        cost = rounded_64(cost, line.mode, STEPS[line.decimals])
                    if usage == 0:
                        cost = 0
                    columns.costs[at] = cost
                    sum += cost
                    continue
            if columns.errors[at]:
                continue
            wanted = NULL
            if self.general(columns, at, classes[row], &wanted, total) == WANTED:
                columns.errors[at] = WAITING
                is_waiting = True
        total[0] += sum
        return is_waiting

    cdef int general(self, Columns *columns, Py_ssize_t row, int32_t number_class, Plan **wanted,
                     int128 *total) noexcept nogil:
        """Price a row as a single call is; WANTED when a plan must be asked first, else the row is done."""
        cdef Info infos[INFOS]
        cdef Piece pieces[ROOM]
        cdef int count = self.cut_row(columns, row, number_class, wanted, infos, pieces)
        cdef int128 cost
        columns.destinations[row] = columns.plans[row] = -1
        if count == WANTED:
            return WANTED
        if count >= 0 or columns.usages[row] == 0:
            cost = 0 if columns.usages[row] == 0 else total_of(pieces, count, self.plans.step, True)
            if not INT64_MIN < cost <= INT64_MAX:
                columns.errors[row] = ERROR_TOO_LARGE
                return 0
            columns.costs[row] = <int64_t>cost
            total[0] += cost
            if count >= 0:
                columns.destinations[row] = infos[pieces[0].info].destination
                columns.plans[row] = infos[pieces[0].info].plan
        elif count == UNUSUAL:
            columns.errors[row] = QUOTE
        else:
            columns.errors[row] = ERROR_NO_PROFILE if count == NO_PROFILE else ERROR_UNAUTHORIZED
        return 0

    cdef int cut_row(self, const Columns *columns, Py_ssize_t row, int32_t number_class, Plan **wanted, Info *infos,
                     Piece *pieces) noexcept nogil:
        """Write the pieces of a row; return how many (one, without usage, of the plan), or why there are none."""
        cdef Search search
        cdef int64_t start = columns.starts[row], usage = columns.usages[row], offset = columns.offset
        cdef const Profile *profile = columns.profiles[columns.keys[row] if columns.keys != NULL else 0]
        cdef int count
        if profile == NULL:
            return NO_PROFILE
        if columns.offsets != NULL:
            offset = columns.offsets[row] * SECOND_NS
        if usage >= LIMIT or not -2 * LIMIT < start < 2 * LIMIT:
            return UNUSUAL
        begin(&search, start, offset, number_class, self.plans.depth_limit)
        count = infos_of(&search, profile, start, start + usage, infos)
        if count == WANTED:
            wanted[0] = search.wanted
        if count < 0:
            return count
        if usage == 0:
            pieces[0].info = 0
            return 1
        count = cut_call(infos, count, start, usage, usage, offset,
                         columns.is_voice[columns.tors[row] if columns.tors != NULL else 0], pieces)
        return UNAUTHORIZED if count == UNPRICED else count

    cdef int32_t class_of_row(self, const Columns *columns, Py_ssize_t row) except? -1:
        """Return the class of a row's number. Raises UnicodeDecodeError for one that had to be read and is no text."""
        cdef const uint8_t *text
        cdef int64_t size = number_at(columns, row, &text)
        cdef int32_t place
        if self.has_other_prefixes and not is_number(text, size):
            number = text[:size].rstrip(b"\0").decode()
            place = -1 if number == ANY else self.plans.index.longest(number)
        else:
            place = find_longest(&self.plans.index.tables, text, size, columns.data_end)
        return 0 if place < 0 else self.plans.class_at(place)

    cdef int settle(self, Columns *columns, Py_ssize_t row, int128 *total) except -1:
        """Find out what a waiting row needs, and price it."""
        cdef int32_t number_class, plan = columns.plans[row]
        cdef Plan *wanted = NULL
        cdef Entry *entry
        try:
            number_class = self.class_of_row(columns, row)
        except UnicodeDecodeError:
            columns.errors[row] = ERROR_TEXT
            return 0
        columns.errors[row] = OK
        if plan >= 0:
            wanted = self.plans.plan(self.plans.plan_ids[plan])
            self.plans.resolve(wanted, number_class)
            entry = entry_of(wanted, number_class)
            if not entry.is_ready:
                self.make_ready(entry)
        while self.general(columns, row, number_class, &wanted, total) == WANTED:
            self.plans.resolve(wanted, number_class)
        return 0

    cdef int make_ready(self, Entry *entry) except -1:
        """Give an entry its rates in closed form, where they have one."""
        cdef Line *lines
        cdef int index
        if entry.kind == SINGLE and not entry.is_ready:
            key = hours_key(entry.rates)
            if key not in self.calendars:
                self.calendars[key] = <size_t>self.calendar_of(entry.rates)
            known = self.lines.get(<size_t>entry.rates)
            if known is None:
                # A line lies in one line of the processor's cache.
                lines = <Line *>((<size_t>self.plans.take((entry.rates.count + 1) * sizeof(Line)) + 63) & ~<size_t>63)
                for index in range(entry.rates.count):
                    read_line(&lines[index], entry.rates.rates[index], self.plans.step)
                known = self.lines[<size_t>entry.rates] = <size_t>lines
            entry.more = <const void *><size_t>known
            entry.calendar = <const void *><size_t>self.calendars[key]
        publish(&entry.is_ready, True)
        return 0

    cdef Calendar *calendar_of(self, const Rates *rates) except? NULL:
        """Return the kinds of days and their schedules; NULL for more kinds than are told apart."""
        cdef Calendar *found
        cdef uint8_t *kinds = <uint8_t *>self.plans.take(DAYS)
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
        schedules = <Schedule *>self.plans.take(count * sizeof(Schedule))
        for kind in range(count):
            read_schedule(&schedules[kind], rates, masks[kind])
        found = <Calendar *>self.plans.take(sizeof(Calendar))
        found.kinds, found.schedules = kinds, schedules
        return found


cdef bint choose_lines(Columns *columns, Py_ssize_t first, Py_ssize_t count, const Entry **entries,
                       const Line **lines) noexcept nogil:
    """Write the line that prices each row within one part of a day, NULL where that takes a longer look.

    Tell whether rows wait, for what their plans have was not asked for yet.
    """
    cdef Py_ssize_t row
    cdef const Entry *entry
    cdef const Calendar *calendar
    cdef const Schedule *schedule
    cdef const Line *line
    cdef int64_t clock, day
    cdef int part
    cdef bint is_waiting = False
    for row in range(count):
        lines[row] = NULL
        entry = entries[row]
        if entry == NULL or entry.calendar == NULL:
            if entry != NULL and not entry.is_ready:
                columns.errors[first + row] = WAITING
                is_waiting = True
            continue
        calendar = <const Calendar *>entry.calendar
        clock = columns.starts[first + row] - <int64_t>FIRST_DAY * DAY_NS + (
            columns.offsets[first + row] * SECOND_NS if columns.offsets != NULL else columns.offset)
        day = <int64_t>(<uint64_t>clock // <uint64_t>DAY_NS)
        if day >= DAYS:
            continue
        clock -= day * DAY_NS
        schedule = &calendar.schedules[calendar.kinds[day]]
        part = (clock >= schedule.until[0]) + (clock >= schedule.until[1]) + (clock >= schedule.until[2])
        while clock >= schedule.until[part]:
            part += 1
        if clock + columns.usages[first + row] > schedule.until[part] or schedule.rate[part] < 0:
            continue
        line = &(<const Line *>entry.more)[schedule.rate[part]]
        prefetch(line)
        columns.destinations[first + row] = entry.destination
        lines[row] = line
    return is_waiting


def code_texts(texts, int32_t[::1] codes):
    """Number different texts in the order they first come in; return the row in which each does, (k,) int32.

    `texts` as in `Chunk.texts`; `codes` (n,) int32 is written. Raises MemoryError.
    """
    cdef Columns columns
    cdef Codes found
    cdef bint is_done
    columns.count = codes.shape[0]
    read_texts(&columns, texts)
    found.room = 1024
    found.count = 0
    found.hashes = <uint64_t *>malloc(found.room * sizeof(uint64_t))
    found.rows = <int32_t *>malloc(found.room * sizeof(int32_t))
    found.places = <int32_t *>calloc(2 * found.room, sizeof(int32_t))
    try:
        if found.hashes == NULL or found.rows == NULL or found.places == NULL:
            raise MemoryError
        if columns.count:
            with nogil:
                is_done = number_texts(&columns, &found, &codes[0])
            if not is_done:
                raise MemoryError
        rows = numpy.empty(found.count, dtype=numpy.int32)
        if found.count:
            memcpy(<void *>address(rows), found.rows, found.count * sizeof(int32_t))
        return rows
    finally:
        free(found.hashes)
        free(found.rows)
        free(found.places)


cdef bint number_texts(const Columns *columns, Codes *found, int32_t *codes) noexcept nogil:
    """Write the number of each text; False without memory."""
    cdef Py_ssize_t row
    cdef const uint8_t *text
    cdef const uint8_t *other
    cdef int64_t size
    cdef uint64_t hashed
    cdef size_t place
    cdef int32_t code
    for row in range(columns.count):
        size = name_at(columns, row, &text)
        hashed = hash_of(text, size, columns.data_end)
        place = hashed & (2 * found.room - 1)
        while True:
            # Places hold a number plus one: 0 is a free one.
            code = found.places[place] - 1
            if code < 0:
                if found.count == found.room and not grow_codes(found):
                    return False
                place = hashed & (2 * found.room - 1)
                while found.places[place]:
                    place = (place + 1) & (2 * found.room - 1)
                code = <int32_t>found.count
                found.places[place] = code + 1
                found.hashes[code] = hashed
                found.rows[code] = <int32_t>row
                found.count += 1
                break
            if found.hashes[code] == hashed and name_at(columns, found.rows[code], &other) == size and memcmp(
                    text, other, size) == 0:
                break
            place = (place + 1) & (2 * found.room - 1)
        codes[row] = code
    return True


cdef bint grow_codes(Codes *found) noexcept nogil:
    """Make room for twice as many different texts; False without memory."""
    cdef size_t room = 2 * found.room, code, place
    cdef void *hashes = realloc(found.hashes, room * sizeof(uint64_t))
    cdef void *rows
    cdef void *places
    if hashes == NULL:
        return False
    found.hashes = <uint64_t *>hashes
    rows = realloc(found.rows, room * sizeof(int32_t))
    if rows == NULL:
        return False
    found.rows = <int32_t *>rows
    places = calloc(2 * room, sizeof(int32_t))
    if places == NULL:
        return False
    free(found.places)
    found.places = <int32_t *>places
    found.room = room
    for code in range(found.count):
        place = found.hashes[code] & (2 * room - 1)
        while found.places[place]:
            place = (place + 1) & (2 * room - 1)
        found.places[place] = <int32_t>code + 1
    return True


cdef inline int64_t name_at(const Columns *columns, Py_ssize_t row, const uint8_t **text) noexcept nogil:
    """Tell where a row's text is and return its size, without the zero bytes that pad it."""
    cdef int64_t size = number_at(columns, row, text)
    while columns.width and size and text[0][size - 1] == 0:
        size -= 1
    return size


cdef inline uint64_t hash_of(const uint8_t *text, int64_t size, const uint8_t *limit) noexcept nogil:
    cdef uint64_t found = <uint64_t>size
    cdef const uint8_t *end = text + size
    while text < end:
        found = (found ^ word_at(text, end, limit)) * <uint64_t>0x9E3779B97F4A7C15
        found ^= found >> 29
        text += 8
    return found


cdef int read_columns(Columns *columns, given) except -1:
    """Note where the columns of a chunk lie. They are contiguous and of one length: the chunk's maker looks after it."""
    columns.count = len(given.starts_at)
    read_texts(columns, given.texts)
    columns.starts = <const int64_t *>address(given.starts_at)
    columns.usages = <const int64_t *>address(given.usages_ns)
    columns.offsets = NULL
    columns.offset = 0
    if isinstance(given.offsets_s, int):
        columns.offset = <int64_t>given.offsets_s * SECOND_NS
    else:
        columns.offsets = <const int32_t *>address(given.offsets_s)
    columns.keys = <const int32_t *>address(given.keys)
    columns.profiles = <Profile **>address(given.profiles)
    columns.tors = <const int32_t *>address(given.tors)
    columns.is_voice = <const uint8_t *>address(given.is_voice)
    columns.limits = <const int64_t *>address(given.limits_ns)
    columns.costs = <int64_t *>address(given.costs_nano)
    columns.destinations = <int32_t *>address(given.destinations)
    columns.plans = <int32_t *>address(given.plans)
    columns.errors = <uint8_t *>address(given.errors)
    return 0


cdef int read_texts(Columns *columns, texts) except -1:
    """Note where texts lie."""
    columns.ends_32 = NULL
    columns.ends_64 = NULL
    columns.width = 0
    if isinstance(texts, tuple):
        data = texts[1]
        if texts[0].dtype == numpy.int32:
            columns.ends_32 = <const int32_t *>address(texts[0])
        else:
            columns.ends_64 = <const int64_t *>address(texts[0])
    else:
        data = texts
        columns.width = texts.shape[1]
    columns.data = <const uint8_t *>address(data)
    columns.data_end = columns.data + <Py_ssize_t>data.size
    return 0


cdef size_t address(array) except? 0:
    """Where an array's values lie, 0 for None."""
    return 0 if array is None else array.ctypes.data


cdef inline int64_t number_at(const Columns *columns, Py_ssize_t row, const uint8_t **text) noexcept nogil:
    """Tell where a row's number is and return its size, zero bytes at the end included."""
    if columns.ends_32 != NULL:
        text[0] = columns.data + columns.ends_32[row]
        return columns.ends_32[row + 1] - columns.ends_32[row]
    if columns.ends_64 != NULL:
        text[0] = columns.data + columns.ends_64[row]
        return columns.ends_64[row + 1] - columns.ends_64[row]
    text[0] = columns.data + row * columns.width
    return columns.width


cdef inline int64_t rounded_64(int64_t amount, uint8_t mode, int64_t step) noexcept nogil:
    """What `timespans.rounded` says, of 64 bits."""
    cdef int64_t steps = amount // step
    cdef int64_t rest = amount - steps * step
    if mode == ROUND_UP:
        steps += rest > 0
    elif mode == ROUND_DOWN:
        steps -= rest < 0
    elif 2 * rest >= step:
        steps += 1
    elif -2 * rest >= step:
        steps -= 1
    return steps * step


cdef bint is_number(const uint8_t *text, int64_t size) noexcept nogil:
    """Whether a text, which a zero byte ends, has digits only, behind a plus or none."""
    cdef int64_t place
    for place in range(size):
        if text[place] == 0:
            return True
        if not c"0" <= text[place] <= c"9" and (place or text[place] != c"+"):
            return False
    return True


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
