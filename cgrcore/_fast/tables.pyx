# Directives: none but the shared ones. Every index here is a key of a dict.
"""The tables that hold the world's records, and the effects that a decision leaves on them.

A request touches tables some fifteen times, so that they are compiled. The rules stand in `cgrcore/state.py`, which
outsiders import. Benchmark: bench/workloads/sessions.py; oracle: tests/oracle/tables.py.
"""

cimport cython

from cgrcore.errors import BadRequest, CgrError, NotFound


class NotInMemory(BaseException):
    """Not an error: the open decision needs records of a table that only the store has: `keys`, or all of them (None).

    Who made the decision undoes it, fetches them and has it made again. No `except Exception` on the way may take this
    for a failure, hence its base.
    """

    def __init__(self, str table, tuple keys):
        super().__init__(table, keys)
        self.table = table
        self.keys = keys


#: Characters of a key. PostgreSQL refuses an index entry of more than 2704 bytes, and with it the whole commit.
KEY_LIMIT = 600

cdef Py_ssize_t LONGEST_KEY = KEY_LIMIT

#: Records that are forgotten at a time: everybody waits meanwhile, some milliseconds. The rest goes the next time.
cdef Py_ssize_t TRIM_SIZE = 5000


cdef class Effects:
    """What one decision changed: to be committed together, or not at all.

    `before` maps (table name, key) to how the record was, or an `Undo` that tells, in order of first touch; `rows` are
    lines to append to journals that are not tables (CDRs), as (journal, operation, row); `after` are calls to make once
    the commit is durable, at least once. While the decision is open, `loaded` are the tables that were loaded before
    any other change, as (table, records put, records replaced); `unfold` notes them in `before` as well.
    """

    def __cinit__(self, str reason=""):
        self.before = {}
        self.loaded = []
        self.rows = []
        self.after = []
        self.reason = reason

    def __bool__(self):
        return has_any(self)

    cpdef int unfold(self) except -1:
        """Note each record of what was loaded in `before`."""
        cdef dict found, replaced
        cdef Table table
        if not self.loaded:
            return 0
        found = {}
        for table, records, replaced in self.loaded:
            for key in records:
                name = (table.name, key)
                if name not in found:
                    found[name] = (table, key, replaced.get(key))
        for name, change in self.before.items():
            found.setdefault(name, change)
        self.before = found
        self.loaded = []
        return 0


cdef inline bint has_any(Effects effects):
    return len(effects.before) > 0 or len(effects.rows) > 0 or len(effects.after) > 0 or len(effects.loaded) > 0


@cython.no_gc
cdef class Undo:
    """How a record was, told by less than a copy of it: what few changes need that are made often.

    The record must not have changed otherwise, so `Table.edit` puts the copy in its place.
    """

    cdef object whole(self):
        """The record as it was, an independent twin."""
        raise NotImplementedError

    cdef object restore(self):
        """Undo the change and return the record."""
        raise NotImplementedError


cdef class Table:
    """The records of one kind by key. `get` may answer None, `require` raises NotFound.

    `version` moves with every write, so that what is derived from the table knows when it is stale. `uncommitted` maps
    keys whose last write is not on disk yet to the ticket of its commit; the dispatcher keeps it.

    `records` are those that were used. What was loaded and not used yet, or not for long, is in `older`, just as the
    store has it, still encoded perhaps. A table that `is_whole` has no others; else those neither there nor in `absent`
    (known to be in no store) must be fetched. `trim` keeps it to `limit` records (0: any number).
    """

    def __init__(self, str name, State state not None):
        self.name = name
        self.records = {}
        self.uncommitted = {}
        self.limit = 0
        self._state = state
        self.hold({})
        self.version = 0

    def __class_getitem__(cls, item):
        return cls

    cdef object find(self, key):
        if self.uncommitted:
            self._state.note_read(self.uncommitted.get(key, 0))
        record = self.records.get(key)
        if record is None and (self.older or not self.is_whole):
            return self.find_older(key)
        return record

    cdef object find_older(self, key):
        record = self.older.get(key)
        if record is None:
            if self.is_whole or key in self.absent:
                return None
            raise NotInMemory(self.name, (key,))
        if type(record) is bytes:
            key, record = self._decode(key, record)
        self.records[key] = record
        del self.older[key]
        if not self.older:
            self.older = {}  # an emptied dict keeps the room of what it held
        return record

    def need(self, keys):
        """Have all of these at hand at once, where one after the other would be fetched. Raises NotInMemory."""
        if self.is_whole:
            return
        missing = tuple([key for key in keys if not self.holds(key) and key not in self.absent])
        if missing:
            raise NotInMemory(self.name, missing)

    cpdef bint holds(self, key) except -1:
        """Tell whether the record is in memory, used or not."""
        return key in self.records or key in self.older

    # --- what the store alone has: for who loads, fetches and trims, between decisions ---

    def hold(self, dict older, decode=None, bint is_whole=True):
        """Forget everything and have these instead. `decode(key, bytes)` returns the key and the record: a text that
        both share is kept once. The store has more unless `is_whole`."""
        self.version += 1
        self.records = {}
        self.older = older
        self.absent = set()
        self.names = None
        self.is_whole = is_whole
        self._decode = decode
        self._order = None
        self.loads += 1

    def take_over(self, Table other not None):
        """Have what another table holds, which is not used any more."""
        self.hold(other.older, other._decode, other.is_whole)
        self.records = other.records
        self.uncommitted = {}

    def keep_fetched(self, keys, dict found):
        """Keep what the store has of the keys that were asked for. One that cannot be read fails who uses it."""
        for key in keys:
            if self.holds(key):
                continue
            record = found.get(key)
            if record is None:
                self.absent.add(key)
            else:
                self.older[key] = record
                try:
                    self.find_older(key)
                except CgrError:
                    continue

    def trim(self, unwritten, wanted):
        """Forget what was not used for long, until `limit` records are left, and return how many went.

        `unwritten()` names the records that are not in the store as they are here, `wanted()` those that somebody waits
        for: they stay. So all that is in `older` may go at any time.
        """
        cdef Py_ssize_t excess = len(self.records) + len(self.older) - self.limit
        cdef Py_ssize_t gone = 0
        if self.limit <= 0:
            return 0
        if excess > TRIM_SIZE:
            excess = TRIM_SIZE
        while gone < excess:
            key = None if self._order is None else next(self._order, None)
            if key is None:
                if not self.age(set(unwritten()), set(wanted())):
                    break
            elif self.older.pop(key, None) is not None:
                self.absent.discard(key)
                gone += 1
        return gone

    cdef bint age(self, set unwritten, set wanted) except -1:
        """Say in which order records go next, of those that may. Returns False when none may."""
        cdef dict older = self.older
        if not older:
            older = self.records
            self.records = {key: older.pop(key) for key in unwritten | wanted if key in older}
            self.older = older
        self._order = iter(list(older))
        # What was removed may be in the store still. That counts from when the table is not whole any more.
        self.absent = {key for key in unwritten if not self.holds(key)} | (self.absent & wanted)
        self.is_whole = False
        return bool(older)

    def get(self, key):
        return self.find(key)

    def require(self, key):
        record = self.find(key)
        if record is None:
            raise NotFound(subject=self.name, subject_id=key)
        return record

    cpdef object edit(self, key):
        """Return the record to be changed in place, having saved how it was. Raises NotFound."""
        record = self.find(key)
        if record is None:
            raise NotFound(subject=self.name, subject_id=key)
        cdef dict before = self._state.effects.before
        cdef tuple name = (self.name, key), known = before.get(name)
        if known is None:
            before[name] = (self, key, record.copy())
            self.version += 1
        elif isinstance(known[2], Undo):
            before[name] = (self, key, (<Undo>known[2]).whole())
        return record

    def put(self, key, record):
        self.note(key)
        self.records[key] = record

    def load(self, dict records not None):
        """Put all of these; those that stay as they are do not count as written. `records` must not change after it.

        Noted at once where nothing else was changed before: a note for each takes longer than all the rest.
        """
        cdef Effects effects = self._state.effects
        cdef dict own = self.records, replaced = {}
        if own:
            records = {key: record for key, record in records.items() if own.get(key) != record}
        if not records:
            return
        if effects.before or self.older or not self.is_whole:
            for key, record in records.items():
                self.put(key, record)
            return
        for key in records:
            self.check(key)
        if own:
            replaced = {key: own[key] for key in records if key in own}
            own.update(records)
        else:
            self.records = dict(records)
        effects.loaded.append((self, records, replaced))
        self.version += len(records)

    def remove(self, key):
        """Remove the record and return it, None when there was none."""
        if key not in self.records:
            if (self.is_whole and not self.older) or self.find_older(key) is None:
                return None
        self.note(key)
        if not self.is_whole:
            self.absent.add(key)
        return self.records.pop(key)

    cdef int note(self, key) except -1:
        """Save how the record is."""
        self.version += 1
        cdef dict before = self._state.effects.before
        cdef tuple name = (self.name, key)
        if name not in before:
            self.check(key)
            record = self.records.get(key)
            if record is None and (self.older or not self.is_whole):
                record = self.find_older(key)
            before[name] = (self, key, record)
        return 0

    cdef int check(self, key) except -1:
        if len(key) > LONGEST_KEY:
            raise BadRequest(f"a name of {len(key)} characters is too long: {key[:40]}...", subject=self.name)
        return 0

    def __contains__(self, key):
        return self.find(key) is not None

    def __iter__(self):
        self._state.note_read(max(self.uncommitted.values(), default=0))
        if self.is_whole and not self.older:
            return iter(self.records)
        return iter(self.all_keys())

    def __len__(self):
        if self.uncommitted:
            self._state.note_read(max(self.uncommitted.values()))
        if self.is_whole:
            return len(self.records) + len(self.older)
        return len(self.all_keys())

    cdef list all_keys(self):
        """Return all keys, also those that the store alone has: `names`, while somebody who needs them decides."""
        if self.is_whole:
            return [*self.records, *self.older]
        if self.names is None:
            raise NotInMemory(self.name, None)
        stored = [key for key in self.names if not self.holds(key) and key not in self.absent]
        return [*self.records, *self.older, *stored]


cdef class State:
    """All tables, and the effects of the decision that is open.

    `seen_ticket` is the latest commit among those whose records the open decision has read before they were on disk.
    """

    def __init__(self):
        self.tables = {}
        self.effects = Effects()
        self.seen_ticket = 0

    cdef int note_read(self, long long ticket) except -1:
        if ticket > self.seen_ticket:
            self.seen_ticket = ticket
        return 0

    def saw(self, long long ticket):
        """Note that the open decision read what is durable only with that commit."""
        self.note_read(ticket)

    def table(self, str name not None):
        """Return the table of that name, made on first use."""
        found = self.tables.get(name)
        if found is None:
            found = self.tables[name] = Table(name, self)
        return found

    def begin(self, str reason=""):
        """Open a decision. What the last one changed must have been taken or undone."""
        assert not has_any(self.effects), "the decision before was neither taken nor rolled back"
        self.effects.reason = reason
        self.seen_ticket = 0

    def take(self):
        """Close the decision, keep what it changed and return its effects."""
        cdef Effects effects = self.effects
        self.effects = Effects.__new__(Effects)
        effects.unfold()
        return effects

    def rollback(self):
        """Close the decision and undo every change it made."""
        cdef Table table
        for table, key, record in self.effects.before.values():
            table.version += 1
            if record is None:
                table.records.pop(key, None)
            elif isinstance(record, Undo):
                table.records[key] = (<Undo>record).restore()
            else:
                table.records[key] = record
        # What is noted one by one came after what was loaded.
        for table, records, replaced in reversed(self.effects.loaded):
            table.version += 1
            for key in records:
                if key in replaced:
                    table.records[key] = replaced[key]
                else:
                    table.records.pop(key, None)
        self.effects = Effects()

    def undo(self):
        """Undo every change of the open decision and leave it open, with the same reason."""
        reason = self.effects.reason
        self.rollback()
        self.effects.reason = reason
