"""Tables and effects in plain Python: what the compiled ones are held against."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar, cast

from cgrcore.errors import BadRequest, NotFound

__all__ = ["Effects", "State", "Table"]

R = TypeVar("R")

#: Characters of a key. PostgreSQL refuses an index entry of more than 2704 bytes, and with it the whole commit.
KEY_LIMIT = 600

#: One noted write: the table, the key, how the record was before the decision (None: absent).
Change = tuple["Table[Any]", str, Any]


class Editable(Protocol):
    """A record that changes in place. `copy` returns an independent twin, as it is now."""

    def copy(self) -> Any: ...


class Effects:
    """What one decision changed: to be committed together, or not at all.

    `before` maps (table name, key) to how the record was, in order of first touch; `rows` are lines to append to
    journals that are not tables (CDRs), as (journal, operation, row); `after` are calls to make once the commit is
    durable, at least once.
    """

    __slots__ = ("after", "before", "reason", "rows")

    def __init__(self, reason: str = "") -> None:
        self.before: dict[tuple[str, str], Change] = {}
        self.rows: list[tuple[str, str, Any]] = []
        self.after: list[Callable[[], Any]] = []
        self.reason = reason

    def __bool__(self) -> bool:
        return bool(self.before or self.rows or self.after)


class Table(Generic[R]):
    """The records of one kind by key. `get` may answer None, `require` raises NotFound.

    `version` moves with every write, so that what is derived from the table knows when it is stale. `uncommitted` maps
    keys whose last write is not on disk yet to the ticket of its commit; the dispatcher keeps it.
    """

    __slots__ = ("_state", "name", "records", "uncommitted", "version")

    def __init__(self, name: str, state: "State") -> None:
        self.name = name
        self.records: dict[str, R] = {}
        self.version = 0
        self.uncommitted: dict[str, int] = {}
        self._state = state

    def get(self, key: str) -> R | None:
        if self.uncommitted:
            self._state.saw(self.uncommitted.get(key, 0))
        return self.records.get(key)

    def require(self, key: str) -> R:
        record = self.get(key)
        if record is None:
            raise NotFound(subject=self.name, subject_id=key)
        return record

    def edit(self, key: str) -> R:
        """Return the record to be changed in place, having saved how it was. Raises NotFound."""
        record = self.records.get(key) if not self.uncommitted else self.get(key)
        if record is None:
            raise NotFound(subject=self.name, subject_id=key)
        before = self._state.effects.before
        name = (self.name, key)
        if name not in before:
            # Not checked with isinstance: for a protocol that takes 4 us, more than the edit.
            before[name] = (self, key, cast(Editable, record).copy())
            self.version += 1
        return record

    def put(self, key: str, record: R) -> None:
        self._note(key)
        self.records[key] = record

    def load(self, records: dict[str, R]) -> None:
        """Put all of these that are not the same already."""
        for key, record in records.items():
            if self.records.get(key) != record:
                self.put(key, record)

    def remove(self, key: str) -> R | None:
        """Remove the record and return it, None when there was none."""
        if key not in self.records:
            return None
        self._note(key)
        return self.records.pop(key)

    def _note(self, key: str) -> None:
        self.version += 1
        before = self._state.effects.before
        if (self.name, key) not in before:
            if len(key) > KEY_LIMIT:
                raise BadRequest(f"a name of {len(key)} characters is too long: {key[:40]}...", subject=self.name)
            before[self.name, key] = (self, key, self.records.get(key))

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        self._state.saw(max(self.uncommitted.values(), default=0))
        return iter(self.records)

    def __len__(self) -> int:
        self._state.saw(max(self.uncommitted.values(), default=0))
        return len(self.records)


class State:
    """All tables, and the effects of the decision that is open.

    `seen_ticket` is the latest commit among those whose records the open decision has read before they were on disk.
    """

    def __init__(self) -> None:
        self.tables: dict[str, Table[Any]] = {}
        self.effects = Effects()
        self.seen_ticket = 0

    def saw(self, ticket: int) -> None:
        """Note that the open decision read what is durable only with that commit."""
        if ticket > self.seen_ticket:
            self.seen_ticket = ticket

    def table(self, name: str) -> Table[Any]:
        """Return the table of that name, made on first use."""
        found = self.tables.get(name)
        if found is None:
            found = self.tables[name] = Table(name, self)
        return found

    def begin(self, reason: str = "") -> None:
        """Open a decision. What the last one changed must have been taken or undone."""
        assert not self.effects, "the decision before was neither taken nor rolled back"
        self.effects.reason = reason
        self.seen_ticket = 0

    def take(self) -> Effects:
        """Close the decision, keep what it changed and return its effects."""
        effects, self.effects = self.effects, Effects()
        return effects

    def rollback(self) -> None:
        """Close the decision and undo every change it made."""
        for table, key, record in self.effects.before.values():
            table.version += 1
            if record is None:
                table.records.pop(key, None)
            else:
                table.records[key] = record
        self.effects = Effects()

    def undo(self) -> None:
        """Undo every change of the open decision and leave it open, with the same reason."""
        reason = self.effects.reason
        self.rollback()
        self.effects.reason = reason
