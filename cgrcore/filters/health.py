"""The indexes of profiles as an operator looks after them: removed from the list, put back, and what is missing there.

Rules: an index that was removed is not listed until it is computed again, or its profile's filters change. Profiles are
found all the same: how they are looked up here (`selection`) follows from the profiles and cannot be removed. So only
removed indexes can be missing, and none can be broken. Does not know: how profiles are found.
"""

from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from cgrcore.filters.check import is_inline
from cgrcore.filters.indexes import ITEM_TABLES, index_entries
from cgrcore.world import World

__all__ = ["RemovedIndexes", "compute_indexes", "index_health", "listed_entries", "remove_indexes"]

Entry = tuple[str, str, str, str]

REMOVED = "removed_indexes"


class RemovedIndexes(msgspec.Struct, frozen=True):
    """Entries that were taken off the list. Table "removed_indexes", key: `tenant:item type:context`."""

    entries: tuple[Entry, ...]


def _key(tenant: str, item_type: str, context: str) -> str:
    return f"{tenant}:{item_type}:{context}"


def listed_entries(world: World, tenant: str, item_type: str, context: str) -> Iterator[Entry]:
    """Yield what `index_entries` does, without those that were removed."""
    removed: RemovedIndexes | None = world.state.table(REMOVED).get(_key(tenant, item_type, context))
    hidden = frozenset(removed.entries) if removed is not None else frozenset()
    for entry in index_entries(world, tenant, item_type, context):
        if entry not in hidden:
            yield entry


def remove_indexes(world: World, tenant: str, item_type: str, context: str) -> None:
    """Take a tenant's indexes of a kind of profiles off the list."""
    entries = tuple(index_entries(world, tenant, item_type, context))
    if entries:
        world.state.table(REMOVED).put(_key(tenant, item_type, context), RemovedIndexes(entries))


def compute_indexes(
    world: World, tenant: str, item_type: str, context: str, profile_ids: Collection[str] | None = None
) -> None:
    """Put the indexes of a kind of profiles back on the list, those of all profiles for None."""
    table = world.state.table(REMOVED)
    key = _key(tenant, item_type, context)
    removed: RemovedIndexes | None = table.get(key)
    if removed is None:
        return
    rest = () if profile_ids is None else tuple(it for it in removed.entries if it[3] not in profile_ids)
    if rest:
        table.put(key, RemovedIndexes(rest))
    else:
        table.remove(key)


def index_health(world: World, item_type: str) -> dict[str, Any]:
    """Return what is wrong with the indexes of a kind of profiles, of all tenants, as the wire shows it."""
    return {
        "MissingObjects": [],
        "MissingIndexes": _missing_indexes(world, item_type),
        "BrokenIndexes": {},
        "MissingFilters": _missing_filters(world, item_type),
    }


def _missing_indexes(world: World, item_type: str) -> dict[str, list[str]]:
    missing: dict[str, list[str]] = {}
    table = world.state.table(REMOVED)
    for key in sorted(table):
        tenant, its_type, context = key.rsplit(":", 2)
        if its_type != item_type:
            continue
        hidden = frozenset(table.records[key].entries)
        for entry in index_entries(world, tenant, item_type, context):
            if entry in hidden:
                name = ":".join(part for part in (tenant, context, *entry[:3]) if part)
                missing.setdefault(name, []).append(entry[3])
    return missing


def _missing_filters(world: World, item_type: str) -> dict[str, list[str]]:
    filters, profiles = world.state.table("filters"), world.state.table(ITEM_TABLES[item_type][0])
    missing: dict[str, list[str]] = {}
    for key in sorted(profiles):
        profile = profiles.records[key]
        for filter_id in profile.filter_ids or ():
            name = f"{profile.tenant}:{filter_id}"
            if not is_inline(filter_id) and name not in filters:
                missing.setdefault(name, []).append(profile.id)
    return missing
