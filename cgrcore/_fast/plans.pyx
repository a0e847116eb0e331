# cython: language_level=3, overflowcheck=False, boundscheck=False
# Prices are reckoned in 128 bits, which the check does not know; the tables are raw memory.
"""Which plans price a call: what `cgrcore.rating.lookup` finds, in tables that are read without the GIL.

Numbers whose prefixes have the same owners, all the way up, are one class; what a plan has for a class is looked up
once, when first asked for. Profiles with their activations and fallback subjects are a graph of structures. All of it
belongs to one tariff and is never changed or freed before it: what is found out is added, with the GIL held, while
others read; two who find out the same at once write the same.
Rules: those of that module. What is beyond these structures is called unusual and left to it.
Does not know: how a call is cut and priced.
"""

from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from libc.stdint cimport int16_t, int32_t, int64_t
from libc.stdlib cimport free

from cgrcore._fast.flatprices cimport PricedSpan, Slot, Terms
from cgrcore._fast.hours cimport Day, RateHours, is_active
from cgrcore._fast.largepages cimport LARGE_PAGE, take_large_pages
from cgrcore._fast.prefixes cimport PrefixIndex
from cgrcore._fast.search cimport BEYOND, DEEPEST, NOTHING, PAGE_BITS, PAGE_SIZE, SEVERAL, SINGLE, UNKNOWN, WANTED, \
    Activation, Candidate, Entry, Plan, Profile, Search, begin, infos_of, publish
from cgrcore._fast.timespans cimport INFOS, LIST_RATES, ROOM, Info, Piece, Rate, Rates, cut_call, \
    increment_cost, read_rate, slot_of

cdef int64_t SECOND_NS = 1000000000

#: A line of the processor's cache, and what a tariff of few numbers takes at a time instead of a large page, in bytes.
cdef enum:
    CACHE_LINE = 64
    SMALL_SLAB = 65536
    FEW_NUMBERS = 4096

#: Usage from it on, and instants from twice as much, are unusual: their sums might not fit.
cdef int64_t LIMIT = <int64_t>1 << 60

#: With more plans it is not asked whether all of them price a destination at any time.
cdef int FINAL_PLANS = 16

#: Days after which the calendar begins anew.
cdef enum:
    CYCLE_DAYS = 10227

#: Terms remembered, at most.
cdef Py_ssize_t MEMO_SIZE = 200000

ANY = "*any"


cdef class Plans:
    """The plans of a tariff. `index` has its prefixes, and the ids of the destinations of each.

    `make_hours(timing)` compiles a timing, None as well.
    """

    def __cinit__(self):
        self.class_of = NULL
        self.chunks = NULL
        self.slabs = NULL
        self.close_left = 0

    def __init__(self, tariff, PrefixIndex index not None, make_hours, int64_t step_nano):
        cdef Py_ssize_t place
        self.tariff = tariff
        self.index = index
        self.make_hours = make_hours
        self.hours = {}
        self.step = step_nano
        self.depth_limit = min(tariff.fallback_depth, DEEPEST + 1)
        self.number_count = len(index)
        self.class_of = <int32_t *>self.take_close((self.number_count + 1) * sizeof(int32_t))
        for place in range(self.number_count):
            self.class_of[place] = -1
        # Class 0: numbers without a known prefix.
        self.classes = [None]
        self.class_places = {}
        self.finals = {}
        self.records, self.profile_ids, self.compiled_plans = [], [], []
        self.profiles, self.plans, self.rates, self.single_rates, self.terms, self.covers = {}, {}, {}, {}, {}, {}
        self.plan_ids = list(tariff.plan_ids())
        self.destination_ids = [*tariff.destination_ids(), ANY]
        self.destination_places = {name: place for place, name in enumerate(self.destination_ids)}
        for name in self.plan_ids:
            self.plan(name)
        self.may_finish = len(self.plan_ids) <= FINAL_PLANS

    def __dealloc__(self):
        cdef Chunk *chunk = self.chunks
        cdef Chunk *following
        while chunk is not NULL:
            following = chunk.next
            PyMem_RawFree(chunk)
            chunk = following
        chunk = self.slabs
        while chunk is not NULL:
            following = chunk.next
            free(chunk)
            chunk = following

    cdef void *take(self, size_t size) except NULL:
        """Return memory of zeros that lasts as long as this."""
        cdef Chunk *chunk = <Chunk *>PyMem_RawCalloc(1, size + 16)
        if chunk is NULL:
            raise MemoryError
        chunk.next = self.chunks
        self.chunks = chunk
        return <char *>chunk + 16

    cdef void *take_close(self, size_t size) except NULL:
        """Return memory of zeros as `take` does, in whole lines of the processor's cache, near to the last.

        For what every call reads: in large pages, so that it does not wait for the translation of addresses, too.
        """
        cdef size_t room = SMALL_SLAB
        cdef void *slab
        size = (size + CACHE_LINE - 1) & ~<size_t>(CACHE_LINE - 1)
        if size > self.close_left:
            if self.number_count < FEW_NUMBERS and size <= room // 2:
                slab = self.take(room + CACHE_LINE)
                self.close = <char *>((<size_t>slab + CACHE_LINE - 1) & ~<size_t>(CACHE_LINE - 1))
            else:
                room = (size + CACHE_LINE + LARGE_PAGE - 1) // LARGE_PAGE * LARGE_PAGE - CACHE_LINE
                slab = take_large_pages(room + CACHE_LINE)
                if slab == NULL:
                    raise MemoryError
                (<Chunk *>slab).next = self.slabs
                self.slabs = <Chunk *>slab
                self.close = <char *>slab + CACHE_LINE
            self.close_left = room
        slab = self.close
        self.close += size
        self.close_left -= size
        return slab

    cdef Profile *profile(self, str key) except? NULL:
        """Return the profile of a key, NULL for none, with all that it leads to."""
        cdef object known = self.profiles.get(key)
        cdef Profile *found
        cdef dict new
        cdef list left
        if known is not None:
            return <Profile *><size_t>known
        record = self.tariff.profile_of(key)
        if record is None:
            return NULL
        known = self.profiles.get(record.id)
        if known is not None:
            return <Profile *><size_t>known
        new, left = {}, []
        found = self.added(key, new, left)
        while left:
            record = left.pop()
            self.complete(<Profile *><size_t>new[record.id], record, new, left)
        # Others see profiles that are whole; who asks at the same time makes the same.
        self.profiles.update(new)
        return found

    cdef Profile *added(self, str key, dict new, list left) except? NULL:
        """Return the profile of a key; a new one is noted as yet to be completed."""
        cdef Profile *found
        record = self.tariff.profile_of(key)
        if record is None:
            return NULL
        known = self.profiles.get(record.id) or new.get(record.id)
        if known is not None:
            return <Profile *><size_t>known
        found = <Profile *>self.take(sizeof(Profile))
        new[record.id] = <size_t>found
        found.place = <int32_t>len(self.profile_ids)
        self.profile_ids.append(record.id)
        left.append(record)
        return found

    cdef int complete(self, Profile *own, record, dict new, list left) except -1:
        """Fill in a profile's activations."""
        cdef Activation *activation
        cdef Py_ssize_t number, place
        cdef str head = record.id[:record.id.rindex(":") + 1]
        activations = sorted(record.activations, key=lambda it: it.at)
        own.any = self.added(head + ANY, new, left)
        own.activations = <Activation *>self.take((len(activations) + 1) * sizeof(Activation))
        for number in range(len(activations)):
            activation = &own.activations[number]
            activation.at = activations[number].at
            activation.plan = self.plan(activations[number].plan_id)
            subjects = activations[number].fallback_subjects
            activation.fallback_count = len(subjects)
            activation.fallbacks = <Profile **>self.take((len(subjects) + 1) * sizeof(Profile *))
            for place in range(len(subjects)):
                activation.fallbacks[place] = self.added(head + subjects[place], new, left)
        own.count = len(activations)
        return 0

    cdef Plan *plan(self, str plan_id) except? NULL:
        """Return a plan by its id, NULL for none."""
        cdef object known = self.plans.get(plan_id)
        cdef Plan *found
        if known is not None:
            return <Plan *><size_t>known
        compiled = self.tariff.plan(plan_id)
        if compiled is None:
            return NULL
        found = <Plan *>self.take(sizeof(Plan))
        found.pages = <Entry **>self.take(((self.number_count >> PAGE_BITS) + 2) * sizeof(Entry *))
        found.place = <int32_t>len(self.compiled_plans)
        self.compiled_plans.append(compiled)
        self.plans[plan_id] = <size_t>found
        return found

    cdef int32_t class_at(self, int32_t place) except -1:
        """Return the class of the numbers whose longest prefix is the one at a place."""
        cdef int32_t found, above = 0
        cdef tuple owners, key
        if self.class_of[place] >= 0:
            return self.class_of[place]
        owners = self.index.owners[place]
        if not self.is_final(owners):
            above = self.above(self.index.text(place))
            above = self.class_at(above) if above >= 0 else 0
        key = (owners, above)
        known = self.class_places.get(key)
        if known is None:
            known = self.class_places[key] = len(self.classes)
            self.classes.append(key)
        found = known
        self.class_of[place] = found
        return found

    cdef int32_t above(self, str prefix) except -2:
        """Return the place of the next shorter prefix, -1 for none."""
        return self.index.longest(prefix[:len(prefix) - 1])

    cdef bint is_final(self, tuple owners) except -1:
        """Whether every plan prices one of these destinations at any time, so that no shorter prefix is asked for."""
        cdef bint found
        cdef const Rates *rates
        known = self.finals.get(owners)
        if known is not None:
            return known
        found = self.may_finish
        if found:
            for compiled in self.compiled_plans:
                for destination_id in owners:
                    try:
                        rates = self.rates_for(compiled, destination_id)
                    except OverflowError:
                        continue
                    if rates != NULL and rates.is_always:
                        break
                else:
                    found = False
                    break
        self.finals[owners] = found
        return found

    cdef const Rates *rates_for(self, object compiled, str destination_id) except? NULL:
        """Return what a plan has for a destination, NULL for nothing. Raises OverflowError for what is beyond this."""
        cdef Rates *found
        cdef Rate *rate
        cdef tuple key
        cdef object known
        records = compiled.record.destination_rates.get(destination_id)
        if not records:
            return NULL
        # Destinations with the same rates share them: records stay, so an address is that of one record.
        key = tuple([id(record) for record in records])
        known = self.rates.get(key)
        if known is not None:
            return <const Rates *><size_t>known
        if len(records) > LIST_RATES:
            raise OverflowError("too many rates")
        ordered = [(-record.weight_nano, hours.start_s, place, hours, record) for place, (hours, record) in enumerate(
            [(self.hours_of(record.timing), record) for record in records])]
        ordered.sort()
        found = <Rates *>self.take(sizeof(Rates))
        for _, _, _, hours, record in ordered:
            known = self.single_rates.get(id(record))
            if known is None:
                rate = <Rate *>self.take(sizeof(Rate))
                read_rate(rate, hours, record.rating, record.weight_nano)
                rate.place = <int32_t>len(self.records)
                self.records.append(record)
                known = self.single_rates[id(record)] = <size_t>rate
            found.rates[found.count] = <Rate *><size_t>known
            found.count += 1
        key_of_hours = hours_key(found)
        known = self.covers.get(key_of_hours)
        if known is None:
            known = self.covers[key_of_hours] = covers_all_days(found)
        found.is_always = known
        self.rates[key] = <size_t>found
        return found

    cdef object hours_of(self, timing):
        """Return a timing's hours, compiled once."""
        found = self.hours.get(id(timing))
        if found is None:
            found = self.hours[id(timing)] = self.make_hours(timing)
        return found

    cdef int resolve(self, Plan *plan, int32_t number_class) except -1:
        """Find out what a plan has for a class of numbers."""
        cdef Entry *page = plan.pages[number_class >> PAGE_BITS]
        if page is NULL:
            page = <Entry *>self.take_close(PAGE_SIZE * sizeof(Entry))
            plan.pages[number_class >> PAGE_BITS] = page
        if page[number_class & (PAGE_SIZE - 1)].kind == UNKNOWN:
            try:
                self.fill(&page[number_class & (PAGE_SIZE - 1)], plan, number_class)
            except OverflowError:
                publish(&page[number_class & (PAGE_SIZE - 1)].kind, BEYOND)
        return 0

    cdef int fill(self, Entry *entry, Plan *plan, int32_t number_class) except -1:
        cdef list found = []
        cdef const Rates *rates
        cdef Candidate *candidates
        cdef int32_t above = number_class, level = 0, place
        cdef bint is_done = False
        compiled = self.compiled_plans[plan.place]
        while above != 0 and not is_done:
            owners, above = self.classes[above]
            for destination_id in owners:
                rates = self.rates_for(compiled, destination_id)
                if rates != NULL:
                    found.append((<size_t>rates, destination_id, level))
                    is_done = is_done or rates.is_always
            level += 1
        if not is_done:
            rates = self.rates_for(compiled, ANY)
            if rates != NULL:
                found.append((<size_t>rates, ANY, -1))
        if not found:
            publish(&entry.kind, NOTHING)
            return 0
        candidates = <Candidate *>self.take(len(found) * sizeof(Candidate))
        for place in range(len(found)):
            rates = <const Rates *><size_t>found[place][0]
            candidates[place].rates = rates
            candidates[place].destination = self.destination_places[found[place][1]]
            candidates[place].level = found[place][2]
            candidates[place].weight = 0
            for level in range(rates.count):
                candidates[place].weight = max(candidates[place].weight, rates.rates[level].weight)
        entry.rates = candidates[0].rates
        entry.level = <int16_t>candidates[0].level
        if len(found) == 1 and (is_done or entry.level < 0):
            entry.destination = candidates[0].destination
            publish(&entry.kind, SINGLE)
        else:
            entry.more = candidates
            entry.destination = <int32_t>len(found)
            publish(&entry.kind, SEVERAL)
        return 0

    def destination_place(self, destination_id):
        """Return the place of a destination among `destination_ids`, -1 for none."""
        return self.destination_places.get(destination_id, -1)

    def plan_place(self, plan_id):
        """Return the place of a plan among `plan_ids`, -1 for none."""
        return -1 if plan_id not in self.plans else (<Plan *><size_t>self.plans[plan_id]).place

    def spans(self, call):
        """Return the priced spans of a call; None when it is refused or unusual."""
        return self.price(call.tenant, call.category, call.subject, call.destination,
                          call.tor == "" or call.tor == "*voice", call.start_at, call.usage_ns,
                          call.duration_index_ns, call.offset_s)

    cdef list price(self, str tenant, str category, str subject, str destination, bint is_voice, int64_t start_at,
                    int64_t usage, int64_t index_ns, int64_t offset_s):
        """What `spans` does, of a call's fields."""
        cdef Info infos[INFOS]
        cdef Piece pieces[ROOM]
        cdef Search search
        cdef const Profile *profile
        cdef const Slot *slot
        cdef PricedSpan span
        cdef int count, place, earlier
        cdef int32_t longest = -1
        cdef list found
        if not 0 < usage < LIMIT or not -2 * LIMIT < start_at < 2 * LIMIT or not index_ns < LIMIT:
            return None
        head = "*out:" + tenant + ":" + category + ":"
        profile = self.profile(head + subject)
        if profile == NULL:
            profile = self.profile(head + ANY)
            if profile == NULL:
                return None
        if destination and destination != ANY:
            longest = self.index.longest(destination)
        begin(&search, start_at, offset_s * SECOND_NS, 0 if longest < 0 else self.class_at(longest), self.depth_limit)
        while True:
            count = infos_of(&search, profile, start_at, start_at + usage, infos)
            if count != WANTED:
                break
            self.resolve(search.wanted, search.number_class)
        if count < 0:
            return None
        count = cut_call(infos, count, start_at, usage, index_ns, offset_s * SECOND_NS, is_voice, pieces)
        if count < 0:
            return None
        found = []
        for place in range(count):
            span = PricedSpan.__new__(PricedSpan)
            span.start_at = pieces[place].start
            span.end_at = pieces[place].end
            span.duration_index_ns = pieces[place].index
            for earlier in range(place):
                if pieces[earlier].rate == pieces[place].rate and pieces[earlier].info == pieces[place].info:
                    span.terms = (<PricedSpan>found[earlier]).terms
                    break
            else:
                span.terms = self.terms_of(&infos[pieces[place].info], pieces[place].rate, longest)
            slot = slot_of(&pieces[place])
            if slot != NULL:
                span.increment_ns = slot.increment
                span.increment_count = (span.end_at - span.start_at) // slot.increment
                span.cost = increment_cost(slot, span.end_at - span.start_at, span.increment_count, self.step)
            found.append(span)
        return found

    cdef Terms terms_of(self, const Info *info, const Rate *rate, int32_t longest):
        """Return what all spans of one rate have in common."""
        cdef tuple key = (rate.place, info.profile, info.plan, info.destination, info.level, longest)
        cdef Terms found = self.terms.get(key)
        cdef int32_t _level
        cdef str prefix
        if found is None:
            if info.level < 0:
                prefix = ANY
            else:
                prefix = self.index.text(longest)
                for _level in range(info.level):
                    prefix = self.index.text(self.above(prefix))
            if len(self.terms) >= MEMO_SIZE:
                self.terms.clear()
            found = self.terms[key] = Terms(
                self.records[rate.place], self.profile_ids[info.profile], prefix,
                self.destination_ids[info.destination], self.compiled_plans[info.plan].id)
        return found


cdef tuple hours_key(const Rates *rates):
    """What the hours of rates and their order are told apart by."""
    cdef list parts = []
    cdef int index
    for index in range(rates.count):
        parts.append((<const char *>&rates.rates[index].hours)[:sizeof(RateHours)])
        parts.append(rates.rates[index].weight)
    return tuple(parts)


cdef bint covers_all_days(const Rates *rates) noexcept nogil:
    """Whether on each day of the calendar a rate holds from midnight on, whatever the year."""
    cdef Day day
    cdef int index
    cdef int64_t number
    for number in range(CYCLE_DAYS):
        # 2000-01-01, and what follows it until all days have fallen on all days of the week.
        day.days = 10957 + number
        day.is_known = False
        for index in range(rates.count):
            if rates.rates[index].hours.year_count == 0 and is_active(&rates.rates[index].hours, &day, 0):
                break
        else:
            return False
    return True
