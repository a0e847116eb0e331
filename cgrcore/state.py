"""The tables that hold the world's records, and the effects that a decision leaves on them.

A decision runs between `begin` and either `take` (keep its changes, get its effects) or `rollback` (undo all).
It is synchronous, so one open decision at a time is enough and nothing is locked.

Rules: a record in a table is replaced, never changed in place, except records that are `Editable` (accounts, sessions),
which are changed only after `Table.edit` saved how they were. Every write is noted, so that an error undoes it and a
commit carries it. Reads through the methods of a table tell whether they met a record that is not committed yet.
A table may hold a part of its records: a decision that touches another raises NotInMemory, is undone, and is made
again once that was fetched. So a decision may be made more than once, and has no other effects than those noted here.
Does not know: what the records mean, where they are stored.
"""

from typing import Any, Protocol

from cgrcore._fast.tables import KEY_LIMIT, Effects, NotInMemory, State, Table

__all__ = ["KEY_LIMIT", "Change", "Editable", "Effects", "NotInMemory", "State", "Table"]

#: One noted write: the table, the key, how the record was before the decision (None: absent).
Change = tuple[Table[Any], str, Any]


class Editable(Protocol):
    """A record that changes in place. `copy` returns an independent twin, as it is now."""

    def copy(self) -> Any: ...
