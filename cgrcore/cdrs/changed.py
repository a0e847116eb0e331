"""Stored CDRs that decisions changed lately, as they are now: a request may have read from the store how they were.

Rules: what the store was asked before such a decision was on disk is older than that decision, and does not count. Kept
in memory, the latest ones. Does not know: how a CDR was changed.
"""

from itertools import islice

import msgspec

from cgrcore.cdrs.records import Cdr
from cgrcore.world import World

__all__ = ["CHANGED", "as_changed", "note_change"]

#: The table, by "CGRID:RunID", and how many it keeps: more than are changed while a read is under way.
CHANGED = "cdrs_changed"
CHANGED_COUNT = 10_000


class ChangedCdr(msgspec.Struct, frozen=True):
    """A CDR as a decision left it, and when that was (ns UTC)."""

    cdr: Cdr
    at: int


def note_change(world: World, cdr: Cdr) -> None:
    """Note in the open decision how a stored CDR is now."""
    table = world.state.table(CHANGED)
    key = f"{cdr.cgrid}:{cdr.run_id}"
    table.remove(key)
    table.put(key, ChangedCdr(cdr, world.now_at))
    for old in list(islice(table.records, max(0, len(table) - CHANGED_COUNT))):
        table.remove(old)


def as_changed(world: World, cdr: Cdr) -> Cdr:
    """Return a CDR that was read from the store as it is now."""
    found: ChangedCdr | None = world.state.table(CHANGED).get(f"{cdr.cgrid}:{cdr.run_id}")
    return cdr if found is None or cdr.updated_at >= found.at else found.cdr
