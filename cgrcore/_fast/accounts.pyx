# cython: overflowcheck=False
# The check knows 64-bit integers only, and values here have 128. `int128_of` holds them within ±10^36.
"""Accounts and balances as compact records: a million accounts with two balances each fit in 1 GiB.

Rules: a value has 128 bits and stays within ±10^36 nano; what most balances have in common (no destinations, no
rating subject, ...) is one shared `Terms` object, replaced and never changed; a UUID is held as 16 bytes.
Does not know: what a balance pays for, how it is stored or shown.
"""

cimport cython
from libc.stdint cimport INT64_MIN
from cpython.dict cimport PyDict_Next
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_FromLongLong
from cpython.object cimport PyObject

from cgrcore._fast.tables cimport Table, Undo

cdef extern from "Python.h":
    str PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)
    void *PyUnicode_1BYTE_DATA(object text)

import sys

from cgrcore.errors import BadRequest

cdef int64_t ZERO_AT = INT64_MIN


cdef int128 int128_of(object number) except? -1:
    """Return a Python int as a value. Raises BadRequest beyond ±10^36."""
    cdef int overflow = 0
    cdef long long small = PyLong_AsLongLongAndOverflow(number, &overflow)
    cdef int128 high
    if overflow == 0:
        return small
    if not -10**36 <= number <= 10**36:
        raise BadRequest(f"number out of range: {number} nano")
    high = <long long>(number >> 64)
    return (high << 64) | <int128><uint64_t>(number & 0xFFFFFFFFFFFFFFFF)


cdef int64_t int64_of(object number) except? -1:
    """Return a Python int as 64 bits. Raises BadRequest beyond them."""
    cdef int overflow = 0
    cdef long long small = PyLong_AsLongLongAndOverflow(number, &overflow)
    if overflow != 0:
        raise BadRequest(f"number out of range: {number} nano")
    return small


cdef object int_of(int128 number):
    """Return a value as a Python int."""
    cdef long long small = <long long>number
    if <int128>small == number:
        return PyLong_FromLongLong(small)
    return (PyLong_FromLongLong(<long long>(number >> 64)) << 64) | <uint64_t>number


cdef object packed_value(object number):
    """A value as records hold it: a text beyond 64 bits, which MessagePack has no numbers for."""
    cdef int overflow = 0
    PyLong_AsLongLongAndOverflow(number, &overflow)
    return number if overflow == 0 else str(number)


cdef class Terms:
    """What a balance may be used for. Shared between balances, so never changed; see the properties of Balance."""

    def __init__(self, destination_ids=None, str rating_subject="", categories=None, shared_groups=None, timings=None,
                 timing_ids=None, factors=None):
        self.destination_ids = destination_ids
        self.rating_subject = rating_subject
        self.categories = categories
        self.shared_groups = shared_groups
        self.timings = timings
        self.timing_ids = timing_ids
        if factors is not None:
            for value in factors.values():
                int64_of(value)
        self.factors = factors
        self.is_restricted = bool(categories or shared_groups or (destination_ids and not destination_ids.get("*any")))

    def fields(self):
        """Return the fields in the order the constructor takes them."""
        return (self.destination_ids, self.rating_subject, self.categories, self.shared_groups, self.timings,
                self.timing_ids, self.factors)


cdef Terms NO_TERMS = Terms()

#: Terms by their fields, as Python interns texts: a million balances have a few hundred terms between them. Bounded,
#: since terms may name a single balance's factors; what is beyond the bound has its own.
cdef dict POOL = {}
cdef Py_ssize_t POOL_SIZE = 65536


#: The same terms by their fields as bytes, so that a million accounts are read without making their terms again.
cdef dict PACKED = {}


cdef object hashable(object value):
    return tuple(sorted(value.items())) if type(value) is dict else value


cdef Terms shared_terms(tuple fields):
    """Return the one object for these fields."""
    cdef Terms found
    if fields == (None, "", None, None, None, None, None):
        return NO_TERMS
    key = tuple([hashable(value) for value in fields])
    found = POOL.get(key)
    if found is None:
        found = Terms(*fields)
        if len(POOL) < POOL_SIZE:
            POOL[key] = found
    return found


@cython.no_gc
@cython.freelist(16)
cdef class Balance:
    """An amount of one type, with what it may be used for.

    `value_nano`: units or money × 10^9, 128 bits; `expires_at` ns UTC, ZERO_AT for never; `weight_nano`: the heavier
    goes first; sets are `dict[str, bool]`, False excluding, or None; `factors` id -> nano or None; `is_dirty`:
    changed since triggers were last evaluated (not stored); `expires_offset_min`: the offset of the clock that the
    expiry was given in, minutes east of UTC, for showing it so.
    """

    def __init__(self, str uuid="", str id="", str type="", value_nano=0, *, int64_t expires_at=ZERO_AT,
                 weight_nano=0, destination_ids=None, str rating_subject="", categories=None,
                 shared_groups=None, timings=None, timing_ids=None, bint is_disabled=False, factors=None,
                 bint is_blocker=False):
        self.uuid = uuid
        self._id = sys.intern(id)
        self._type = sys.intern(type)
        self.value = int128_of(value_nano)
        self.expires_at = expires_at
        self.weight = int64_of(weight_nano)
        self.terms = shared_terms((destination_ids, rating_subject, categories, shared_groups, timings, timing_ids,
                                   factors))
        self.is_disabled = is_disabled
        self.is_blocker = is_blocker

    cpdef Balance copy(self):
        """Return an independent twin."""
        cdef Balance twin = Balance.__new__(Balance)
        twin.value = self.value
        twin.expires_at = self.expires_at
        twin.weight = self.weight
        twin.uuid_high = self.uuid_high
        twin.uuid_low = self.uuid_low
        twin.uuid_text = self.uuid_text
        twin._id = self._id
        twin._type = self._type
        twin.terms = self.terms
        twin.is_disabled = self.is_disabled
        twin.is_blocker = self.is_blocker
        twin.is_dirty = self.is_dirty
        twin.expires_offset_min = self.expires_offset_min
        return twin

    @property
    def value_nano(self):
        return int_of(self.value)

    @value_nano.setter
    def value_nano(self, number):
        self.value = int128_of(number)
        self.is_dirty = True

    @property
    def weight_nano(self):
        return self.weight

    @weight_nano.setter
    def weight_nano(self, number):
        self.weight = int64_of(number)

    @property
    def uuid(self):
        if self.uuid_text is not None:
            return self.uuid_text
        return uuid_text_of(self.uuid_high, self.uuid_low)

    @uuid.setter
    def uuid(self, str text):
        self.uuid_text = None
        if not parse_uuid(text, &self.uuid_high, &self.uuid_low):
            self.uuid_text = text

    @property
    def id(self):
        return self._id

    @id.setter
    def id(self, str text):
        self._id = sys.intern(text)

    @property
    def type(self):
        return self._type

    @property
    def destination_ids(self):
        return self.terms.destination_ids

    @destination_ids.setter
    def destination_ids(self, value):
        self._replace(0, value)

    @property
    def rating_subject(self):
        return self.terms.rating_subject

    @rating_subject.setter
    def rating_subject(self, value):
        self._replace(1, value)

    @property
    def categories(self):
        return self.terms.categories

    @categories.setter
    def categories(self, value):
        self._replace(2, value)

    @property
    def shared_groups(self):
        return self.terms.shared_groups

    @shared_groups.setter
    def shared_groups(self, value):
        self._replace(3, value)

    @property
    def timings(self):
        return self.terms.timings

    @timings.setter
    def timings(self, value):
        self._replace(4, value)

    @property
    def timing_ids(self):
        return self.terms.timing_ids

    @timing_ids.setter
    def timing_ids(self, value):
        self._replace(5, value)

    @property
    def factors(self):
        return self.terms.factors

    @factors.setter
    def factors(self, value):
        self._replace(6, value)

    def _replace(self, int index, value):
        cdef list fields = list(self.terms.fields())
        fields[index] = value
        self.terms = shared_terms(tuple(fields))

    @staticmethod
    def unpack(list fields, str type, unpack_terms):
        """Return the balance of a type that `AccountBase.pack` wrote; `unpack_terms` reads terms from bytes."""
        cdef Balance balance = Balance.__new__(Balance)
        cdef bytes packed = fields[5]
        cdef object terms
        balance.uuid = fields[0]
        balance._id = sys.intern(fields[1])
        balance._type = sys.intern(type)
        balance.value = int128_of(int(fields[2]))
        balance.expires_at = fields[3]
        balance.weight = fields[4]
        terms = PACKED.get(packed)
        if terms is None:
            terms = shared_terms(unpack_terms(packed))
            if len(PACKED) < POOL_SIZE:
                PACKED[packed] = terms
        balance.terms = terms
        balance.is_disabled = fields[6]
        balance.is_blocker = fields[7]
        balance.expires_offset_min = fields[8]
        return balance

    def is_expired_at(self, int64_t at):
        """True when the balance has an expiry strictly before the instant (ns UTC)."""
        return self.expires_at != ZERO_AT and self.expires_at < at

    def __repr__(self):
        return f"Balance({self.uuid!r}, {self.id!r}, {self.type!r}, {self.value_nano})"


@cython.no_gc
@cython.freelist(16)
cdef class AccountBase:
    """An account: its balances by type in order of creation, counters and triggers, and two switches.

    A type whose balances were all removed stays with None. `updated_at` ns UTC, ZERO_AT when never.
    """

    def __init__(self, str id="", dict balances=None, *, unit_counters=None, triggers=None, bint allow_negative=False,
                 bint is_disabled=False, int64_t updated_at=ZERO_AT):
        self.id = id
        self.balances = {} if balances is None else balances
        self.unit_counters = unit_counters
        self.triggers = triggers
        self.allow_negative = allow_negative
        self.is_disabled = is_disabled
        self.updated_at = updated_at

    cpdef AccountBase copy(self):
        """Return an independent twin. Of counters and triggers the containers are copied: their records are frozen."""
        cdef dict balances = {}
        cdef object balance
        for kind, group in self.balances.items():
            balances[kind] = None if group is None else [(<Balance>balance).copy() for balance in <list>group]
        cdef AccountBase twin = AccountBase.__new__(type(self))
        twin.id = self.id
        twin.balances = balances
        twin.unit_counters = dict(self.unit_counters) if self.unit_counters is not None else None
        twin.triggers = type(self.triggers)(self.triggers) if self.triggers is not None else None
        twin.allow_negative = self.allow_negative
        twin.is_disabled = self.is_disabled
        twin.updated_at = self.updated_at
        return twin

    def pack(self, pack_terms):
        """Return the balances as plain values by type; `pack_terms` writes the fields of terms as bytes.

        A value beyond 64 bits is a text.
        """
        cdef dict found = {}
        cdef Balance balance
        cdef list lines
        for kind, group in self.balances.items():
            lines = None
            if group is not None:
                lines = []
                for balance in <list>group:
                    if balance.terms.packed is None:
                        balance.terms.packed = pack_terms(balance.terms.fields())
                    lines.append((
                        balance.uuid,
                        balance._id,
                        packed_value(int_of(balance.value)),
                        balance.expires_at,
                        balance.weight,
                        balance.terms.packed,
                        balance.is_disabled,
                        balance.is_blocker,
                        balance.expires_offset_min,
                    ))
            found[kind] = lines
        return found

    cpdef dict values(self):
        """Return what every balance holds, by balance."""
        cdef dict found = {}
        cdef Balance balance
        for group in self.balances.values():
            if group is not None:
                for balance in <list>group:
                    found[balance] = int_of(balance.value)
        return found

    def states(self, tuple kinds, dict initial, make):
        """Return what states tell of the balances of these types, in that order: what `make` makes of a BalanceState's
        fields.

        `initial` is what they held before, by balance, 0 for one that is not in it; None for what they hold now. Values
        beyond 64 bits are texts; weights are in nano, factors as they are.
        """
        cdef list found = []
        cdef Balance balance
        cdef object value, before
        cdef str uuid
        for kind in kinds:
            group = self.balances.get(kind)
            if not group:
                continue
            for balance in <list>group:
                uuid = balance.uuid
                value = packed_value(int_of(balance.value))
                before = value if initial is None else packed_value(initial.get(balance, 0))
                found.append(make(uuid, balance._id or uuid, balance._type, before, value, balance.weight,
                                  balance.is_disabled, balance.terms.factors or None))
        return found

    cpdef bint has_expired(self, int64_t at) except -1:
        """True when a balance expired before the instant (ns UTC)."""
        cdef PyObject *kind
        cdef PyObject *group
        cdef Py_ssize_t place = 0, index
        cdef Balance balance
        while PyDict_Next(self.balances, &place, &kind, &group):
            if group == <PyObject *>None:
                continue
            for index in range(PyList_GET_SIZE(<object>group)):
                balance = <Balance>PyList_GET_ITEM(<object>group, index)
                if balance.expires_at != ZERO_AT and balance.expires_at < at:
                    return True
        return False

    def __repr__(self):
        return f"Account({self.id!r}, {self.balances!r})"


# --- changes of one value --------------------------------------------------------------------------------------------

@cython.no_gc
cdef class ValueUndo(Undo):
    """What one balance of an account held, where nothing else of it has changed."""

    cdef object whole(self):
        cdef AccountBase twin = self.account.copy()
        cdef list was, now
        cdef Balance balance
        cdef Py_ssize_t place
        for kind, group in self.account.balances.items():
            now = group or []
            was = twin.balances[kind] or []
            for place in range(len(now)):
                if now[place] is self.balance:
                    balance = was[place]
                    balance.value = self.held
                    balance.is_dirty = self.was_dirty
        return twin

    cdef object restore(self):
        self.balance.value = self.held
        self.balance.is_dirty = self.was_dirty
        return self.account


cdef int note_value(Table accounts, AccountBase account, Balance balance) except -1:
    """Save what a balance holds, before that changes and nothing else does; `Table.edit` saves the whole account."""
    cdef dict before = accounts._state.effects.before
    cdef tuple name = (accounts.name, account.id), known = before.get(name)
    cdef ValueUndo undo
    if known is None:
        undo = ValueUndo.__new__(ValueUndo)
        undo.account = account
        undo.balance = balance
        undo.held = balance.value
        undo.was_dirty = balance.is_dirty
        before[name] = (accounts, account.id, undo)
        accounts.version += 1
    elif type(known[2]) is ValueUndo and (<ValueUndo>known[2]).balance is not balance:
        before[name] = (accounts, account.id, (<ValueUndo>known[2]).whole())
    return 0


def find_uuid(list balances not None, str uuid not None):
    """Return the balance with that UUID, None when there is none."""
    cdef uint64_t high, low
    cdef bint is_plain = parse_uuid(uuid, &high, &low)
    cdef Balance balance
    for balance in balances:
        if balance.uuid_text is not None:
            if balance.uuid_text == uuid:
                return balance
        elif is_plain and balance.uuid_high == high and balance.uuid_low == low:
            return balance
    return None


# --- UUIDs as 16 bytes -----------------------------------------------------------------------------------------------

cdef int hex_of(Py_UCS4 letter) noexcept nogil:
    if 48 <= letter <= 57:
        return <int>letter - 48
    if 97 <= letter <= 102:
        return <int>letter - 87
    return -1


cdef bint parse_uuid(str text, uint64_t *high, uint64_t *low):
    """Read a UUID in its canonical lower case form; False for any other text."""
    cdef uint64_t parts[2]
    cdef int index, digit, count = 0
    cdef Py_UCS4 letter
    high[0] = low[0] = 0
    if len(text) != 36:
        return False
    parts[0] = parts[1] = 0
    for index in range(36):
        letter = text[index]
        if index == 8 or index == 13 or index == 18 or index == 23:
            if letter != 45:
                return False
            continue
        digit = hex_of(letter)
        if digit < 0:
            return False
        parts[count >> 4] = (parts[count >> 4] << 4) | <uint64_t>digit
        count += 1
    high[0] = parts[0]
    low[0] = parts[1]
    return True


cdef str uuid_text_of(uint64_t high, uint64_t low):
    cdef str text = PyUnicode_New(36, 127)
    cdef char *letters = <char *>PyUnicode_1BYTE_DATA(text)
    cdef const char *digits = b"0123456789abcdef"
    cdef uint64_t part = high
    cdef int index, count = 0
    for index in range(36):
        if index == 8 or index == 13 or index == 18 or index == 23:
            letters[index] = 45
            continue
        if count == 16:
            part = low
        letters[index] = digits[part >> 60]
        part <<= 4
        count += 1
    return text
