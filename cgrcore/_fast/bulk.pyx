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

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memset

import numpy

from cgrcore._fast.accounts cimport int128, int_of
from cgrcore._fast.columns cimport Columns, is_number, number_at, read_columns
from cgrcore._fast.flatprices cimport Slot
from cgrcore._fast.lines cimport DAYS, FIRST_DAY, Calendar, Line, Schedule, calendar_of, does_not_fit, is_alike, \
    read_line, rounded_64
from cgrcore._fast.plans cimport Plans, hours_key
from cgrcore._fast.prefixblocks cimport BLOCK, MARGIN, find_block
from cgrcore._fast.prefixes cimport Tables, find_longest, prefetch
from cgrcore._fast.search cimport NEAR, NO_PROFILE, PAGE_BITS, PAGE_SIZE, SINGLE, UNAUTHORIZED, WANTED, Activation, \
    Entry, Plan, Profile, Search, begin, entry_of, infos_of, publish
from cgrcore._fast.timespans cimport INFOS, ROOM, ROUND_NONE, STEPS, UNPRICED, UNUSUAL, Info, Piece, Rate, cut_call, \
    increment_cost, slot_of, total_of

cdef int64_t DAY_NS = 86400000000000
cdef int64_t SECOND_NS = 1000000000

#: Usage from it on, and instants from twice as much, are left: their sums might not fit.
cdef int64_t LIMIT = <int64_t>1 << 60

#: Tenants' categories whose subjects are remembered.
cdef Py_ssize_t HEADS = 64

#: Different rates in closed form that are compared with others, at most.
cdef Py_ssize_t ALIKE = 65536

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
        self.alike = {}
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

    cdef void classify(self, const Columns *columns, Py_ssize_t first, Py_ssize_t count,
                       int32_t *classes) noexcept nogil:
        """Write the class of each number: -1 when it was not asked for yet, ODD when it takes a look at the text."""
        cdef Py_ssize_t row
        cdef const uint8_t *text
        cdef const uint8_t *texts[BLOCK]
        cdef int64_t sizes[BLOCK]
        cdef int64_t size
        cdef const int32_t *class_of = self.plans.class_of
        cdef const Tables *tables = &self.plans.index.tables
        for row in range(count):
            sizes[row] = number_at(columns, first + row, &texts[row])
        if texts[count - 1] + sizes[count - 1] + MARGIN <= columns.data_end:
            find_block(tables, texts, sizes, count, classes)
        else:
            for row in range(count):
                classes[row] = find_longest(tables, texts[row], sizes[row], columns.data_end)
        for row in range(count):
            prefetch(&class_of[max(classes[row], 0)])
        for row in range(count):
            # Without a prefix the class is 0.
            classes[row] = class_of[max(classes[row], 0)] & ~(classes[row] >> 31)
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
                if (increments >= line.settled[is_over] or is_alike(line, increments, is_over)) and not does_not_fit(
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
        cdef const void **lines
        cdef int index
        if entry.kind == SINGLE and not entry.is_ready:
            key = hours_key(entry.rates)
            if key not in self.calendars:
                self.calendars[key] = <size_t>calendar_of(self.plans, entry.rates)
            lines = entry.near
            if entry.rates.count > NEAR:
                lines = <const void **>self.plans.take_close(entry.rates.count * sizeof(void *))
            for index in range(entry.rates.count):
                lines[index] = self.line_of(entry.rates.rates[index])
            entry.more = lines
            entry.calendar = <const void *><size_t>self.calendars[key]
        publish(&entry.is_ready, True)
        return 0

    cdef Line *line_of(self, const Rate *rate) except NULL:
        """Return a rate in closed form. Rates that price alike share it: what is read by all calls stays small."""
        cdef Line line
        cdef Line *found
        known = self.lines.get(<size_t>rate)
        if known is None:
            memset(&line, 0, sizeof(Line))
            read_line(&line, rate, self.plans.step)
            content = (<char *>&line)[:sizeof(Line)]
            known = self.alike.get(content)
            if known is None:
                found = <Line *>self.plans.take_close(sizeof(Line))
                found[0] = line
                known = <size_t>found
                if len(self.alike) < ALIKE:
                    self.alike[content] = known
            self.lines[<size_t>rate] = known
        return <Line *><size_t>known


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
        line = (<const Line **>entry.more)[schedule.rate[part]]
        prefetch(line)
        columns.destinations[first + row] = entry.destination
        lines[row] = line
    return is_waiting
