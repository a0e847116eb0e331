# Directives: none but the shared ones. Every index here is a key of a dict.
"""The tables that hold the world's records, and the effects that a decision leaves on them.

A request touches tables some fifteen times, so that they are compiled. The rules stand in `cgrcore/state.py`, which
outsiders import. Benchmark: bench/workloads/sessions.py; oracle: tests/oracle/tables.py.
"""

from cgrcore.errors import BadRequest, NotFound

#: Characters of a key. PostgreSQL refuses an index entry of more than 2704 bytes, and with it the whole commit.
KEY_LIMIT = 600

cdef Py_ssize_t LONGEST_KEY = KEY_LIMIT


cdef class Effects:
    """What one decision changed: to be committed together, or not at all.

    `before` maps (table name, key) to how the record was, in order of first touch; `rows` are lines to append to
    journals that are not tables (CDRs), as (journal, operation, row); `after` are calls to make once the commit is
    durable, at least once.
    """

    def __init__(self, str reason=""):
        self.before = {}
        self.rows = []
        self.after = []
        self.reason = reason

    def __bool__(self):
        return bool(self.before) or bool(self.rows) or bool(self.after)


cdef class Table:
    """The records of one kind by key. `get` may answer None, `require` raises NotFound.

    `version` moves with every write, so that what is derived from the table knows when it is stale. `uncommitted` maps
    keys whose last write is not on disk yet to the ticket of its commit; the dispatcher keeps it.
    """

    def __init__(self, str name, State state not None):
        self.name = name
        self.records = {}
        self.version = 0
        self.uncommitted = {}
        self._state = state

    def __class_getitem__(cls, item):
        return cls

    cdef object find(self, key):
        if self.uncommitted:
            self._state.note_read(self.uncommitted.get(key, 0))
        return self.records.get(key)

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
        cdef tuple name = (self.name, key)
        if name not in before:
            before[name] = (self, key, record.copy())
            self.version += 1
        return record

    def put(self, key, record):
        self.note(key)
        self.records[key] = record

    def remove(self, key):
        """Remove the record and return it, None when there was none."""
        if key not in self.records:
            return None
        self.note(key)
        return self.records.pop(key)

    cdef int note(self, key) except -1:
        """Save how the record is."""
        self.version += 1
        cdef dict before = self._state.effects.before
        cdef tuple name = (self.name, key)
        if name not in before:
            if len(key) > LONGEST_KEY:
                raise BadRequest(f"a name of {len(key)} characters is too long: {key[:40]}...", subject=self.name)
            before[name] = (self, key, self.records.get(key))
        return 0

    def __contains__(self, key):
        return self.find(key) is not None

    def __iter__(self):
        self._state.note_read(max(self.uncommitted.values(), default=0))
        return iter(self.records)

    def __len__(self):
        if self.uncommitted:
            self._state.note_read(max(self.uncommitted.values()))
        return len(self.records)


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
        assert not self.effects, "the decision before was neither taken nor rolled back"
        self.effects.reason = reason
        self.seen_ticket = 0

    def take(self):
        """Close the decision, keep what it changed and return its effects."""
        cdef Effects effects = self.effects
        self.effects = Effects()
        return effects

    def rollback(self):
        """Close the decision and undo every change it made."""
        cdef Table table
        for table, key, record in self.effects.before.values():
            table.version += 1
            if record is None:
                table.records.pop(key, None)
            else:
                table.records[key] = record
        self.effects = Effects()

    def undo(self):
        """Undo every change of the open decision and leave it open, with the same reason."""
        reason = self.effects.reason
        self.rollback()
        self.effects.reason = reason
