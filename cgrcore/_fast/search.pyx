# cython: language_level=3, overflowcheck=False, boundscheck=False
# The tables are raw memory; instants are kept so small that they can be added.
"""The search for the plans that price a call, without the GIL: profiles, activations, fallbacks, destinations.

Rules: those of `cgrcore.rating.lookup`, over the structures that `plans` makes. What was not asked of a plan before is
WANTED; who holds the GIL finds it out, and the search begins anew. Does not know: how structures are made, prices.
Benchmark: bench/workloads/prices.py; oracle: `rate_by_hours`, in tests/rating/test_plans.py.
"""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

from cgrcore._fast.hours cimport is_active
from cgrcore._fast.timespans cimport INFOS, UNUSUAL, Info, Rates

cdef int64_t DAY_NS = 86400000000000


cdef void begin(Search *search, int64_t start_at, int64_t offset, int32_t number_class, int depth_limit) noexcept nogil:
    """Prepare the search for a call that starts at an instant."""
    cdef int64_t clock = start_at + offset
    search.day.days = (clock if clock >= 0 else clock - (DAY_NS - 1)) // DAY_NS
    search.day.is_known = False
    search.clock = clock - search.day.days * DAY_NS
    search.number_class = number_class
    search.depth_limit = depth_limit
    search.wanted = NULL


cdef int infos_of(Search *search, const Profile *profile, int64_t start_at, int64_t end_at, Info *out) noexcept nogil:
    """Write the plans that price a call, in order of activation; return how many, at most INFOS.

    UNAUTHORIZED when they do not cover the call, WANTED, UNUSUAL.
    """
    cdef int count
    if not 1 <= search.depth_limit <= DEEPEST:
        return UNUSUAL
    count = of_profile(search, profile, start_at, end_at, 1, out, INFOS)
    if count >= 0 and not is_continuous(out, count, start_at):
        return UNAUTHORIZED
    return count


cdef bint is_continuous(const Info *infos, int count, int64_t start_at) noexcept nogil:
    cdef int index
    if count == 0 or infos[0].at > start_at:
        return False
    for index in range(count):
        if infos[index].rates == NULL:
            return False
    return True


cdef int of_profile(Search *search, const Profile *profile, int64_t start_at, int64_t end_at, int depth, Info *out,
                    int room) noexcept nogil:
    """Write the plans of a profile, fallback subjects filling the gaps; NO_PROFILE for none, or too deep."""
    cdef Info own[INFOS]
    cdef Profile **keys[INFOS]
    cdef int key_counts[INFOS]
    cdef int count, index, key, written = 0, found
    cdef int64_t from_at, until_at
    if profile == NULL or depth > search.depth_limit:
        return NO_PROFILE
    count = collect(search, profile, start_at, end_at, own, keys, key_counts)
    if count < 0:
        return count
    if count > room:
        return UNUSUAL
    if is_continuous(own, count, start_at):
        memcpy(out, own, count * sizeof(Info))
        return count
    for index in range(count):
        found = 0
        if own[index].rates == NULL:
            from_at = own[index].at if index else start_at
            until_at = own[index + 1].at if index + 1 < count else end_at
            for key in range(key_counts[index]):
                found = of_profile(search, keys[index][key], from_at, until_at, depth + 1, out + written,
                                   room - written)
                if found == WANTED or found == UNUSUAL:
                    return found
                if found > 0 and is_continuous(out + written, found, from_at):
                    break
                found = 0
        if found == 0:
            if written == room:
                return UNUSUAL
            out[written] = own[index]
            found = 1
        written += found
    return written


cdef int collect(Search *search, const Profile *profile, int64_t start_at, int64_t end_at, Info *out, Profile ***keys,
                 int *key_counts) noexcept nogil:
    """Write the activations that the time touches, with the rates they have for the number; return how many."""
    cdef const Activation *activation
    cdef int index, first = 0, count = 0, code
    for index in range(profile.count):
        if profile.activations[index].at <= start_at:
            first = index
    for index in range(first, profile.count):
        activation = &profile.activations[index]
        if activation.at > end_at:
            break
        if count + 2 > INFOS:
            return UNUSUAL
        if index == first and activation.at > start_at:
            out[count].at = start_at
            out[count].rates = NULL
            out[count].profile = profile.place
            keys[count] = <Profile **>&profile.any
            key_counts[count] = 1
            count += 1
        out[count].at = activation.at
        out[count].rates = NULL
        out[count].profile = profile.place
        if activation.plan is not NULL:
            out[count].plan = activation.plan.place
            code = match(search, activation.plan, &out[count])
            if code < 0:
                return code
        if out[count].rates != NULL or activation.fallback_count:
            keys[count] = activation.fallbacks
            key_counts[count] = activation.fallback_count
            count += 1
    return count


cdef int match(Search *search, Plan *plan, Info *info) noexcept nogil:
    """Give the info the rates of the plan for the number, when there are any; WANTED, UNUSUAL.

    The longest prefix wins that has a rate active when the call starts; among destinations that share it, weight.
    """
    cdef const Entry *entry = entry_of(plan, search.number_class)
    cdef const Candidate *candidates
    cdef const Candidate *best
    cdef int index = 0
    cdef int32_t level
    if entry == NULL:
        search.wanted = plan
        return WANTED
    if entry.kind == BEYOND:
        return UNUSUAL
    if entry.kind == SINGLE:
        info.rates = entry.rates
        info.destination = entry.destination
        info.level = entry.level
        return 0
    candidates = <const Candidate *>entry.more
    while entry.kind == SEVERAL and index < entry.destination:
        level = candidates[index].level
        best = NULL
        while index < entry.destination and candidates[index].level == level:
            if (best == NULL or candidates[index].weight > best.weight) and (
                    level < 0 or is_any_active(search, candidates[index].rates)):
                best = &candidates[index]
            index += 1
        if best != NULL:
            info.rates = best.rates
            info.destination = best.destination
            info.level = best.level
            return 0
    return 0


cdef bint is_any_active(Search *search, const Rates *rates) noexcept nogil:
    cdef int index
    for index in range(rates.count):
        if is_active(&rates.rates[index].hours, &search.day, search.clock):
            return True
    return False
