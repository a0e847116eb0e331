"""What the cache holds, as clients ask: which records have been looked up, which indexes are built.

There is no cache in front of the tables: they are in memory, and every change of them is seen at once. What clients
can watch is which records have been asked for since they were last dropped, found or not, and the indexes of profiles,
which are built when an event asks. Dropping never changes an answer to anything else.

Rules: at most KEPT_LIMIT items are remembered in a partition, the oldest are forgotten. An index is kept as a whole for
a tenant, and so it is dropped. Nothing of this is stored. Does not know: what records mean.
"""

from collections.abc import Iterable, Iterator

from cgrcore.caches.partitions import BY_TABLE, INDEX_TABLES, PARTITIONS, limit_of, ttl_ns_of
from cgrcore.filters import built_indexes, drop_indexes, index_entries
from cgrcore.timing import ZERO_AT
from cgrcore.world import World

__all__ = ["change", "clear", "expires_at", "groups_of", "items_of", "load", "note_lookup", "remove", "remove_group"]

#: Items remembered in a partition without a limit of its own: clients name them freely, memory is not free.
KEPT_LIMIT = 100_000


def _lookups(world: World, name: str) -> dict[str, int]:
    """Return when each item of a partition was looked up last, oldest first."""
    all_lookups: dict[str, dict[str, int]] = world.parts.get("cache_lookups", {})
    return all_lookups.get(name, {})


def load(world: World, name: str, item_ids: Iterable[str]) -> None:
    """Remember that items of a partition were looked up, unless it keeps nothing."""
    limit = limit_of(world, name)
    if limit == 0:
        return
    lookups: dict[str, int] = world.parts.setdefault("cache_lookups", {}).setdefault(name, {})
    for item_id in item_ids:
        lookups.pop(item_id, None)
        lookups[item_id] = world.now_at
    while len(lookups) > (limit if 0 < limit < KEPT_LIMIT else KEPT_LIMIT):
        del lookups[next(iter(lookups))]


def note_lookup(world: World, table_name: str, key: str) -> None:
    """Remember that a record was asked for by its key, whether there is one or not."""
    partition = BY_TABLE.get(table_name)
    if partition is not None:
        load(world, partition.name, (key,))


def expires_at(world: World, name: str, item_id: str) -> int | None:
    """Return when an item is forgotten, ZERO_AT for never, None when the partition does not hold it."""
    if limit_of(world, name) == 0:
        return None
    looked_up_at = _lookups(world, name).get(item_id)
    if looked_up_at is not None:
        ttl_ns = ttl_ns_of(world, name)
        if not ttl_ns:
            return ZERO_AT
        if looked_up_at + ttl_ns > world.now_at:
            return looked_up_at + ttl_ns
    return ZERO_AT if item_id in set(_built_items(world, name, item_id)) else None


def items_of(world: World, name: str, prefix: str = "") -> list[str]:
    """Return the ids of a partition's items that begin with the prefix, sorted."""
    if limit_of(world, name) == 0:
        return []
    ttl_ns = ttl_ns_of(world, name)
    found = {
        item_id
        for item_id, looked_up_at in _lookups(world, name).items()
        if not ttl_ns or looked_up_at + ttl_ns > world.now_at
    }
    found.update(_built_items(world, name, prefix))
    return sorted(item_id for item_id in found if item_id.startswith(prefix))


def _built_items(world: World, name: str, prefix: str) -> Iterator[str]:
    """Yield the items that built indexes hold, of tenants that the prefix leaves possible."""
    if name in INDEX_TABLES:
        for group, item_ids in groups_of(world, name, prefix).items():
            yield from (f"{group}:{item_id}" for item_id in item_ids)
    elif name in PARTITIONS and PARTITIONS[name].profiles:
        for tenant, profiles in built_indexes(world, PARTITIONS[name].profiles).items():
            if _may_begin(tenant, prefix):
                yield from (f"{tenant}:{profile.id}" for profile in profiles)


def _may_begin(tenant: str, prefix: str) -> bool:
    return f"{tenant}:".startswith(prefix) or prefix.startswith(f"{tenant}:")


def groups_of(world: World, name: str, prefix: str = "") -> dict[str, list[str]]:
    """Return the groups of an index (tenants; `tenant:context` of attributes) and in each the field values indexed.

    `*none:*any:*any`, the profiles without filters, is asked for by every event and so in every group. Partitions
    that are no indexes have no groups.
    """
    item_type, table_name = INDEX_TABLES.get(name, ("", ""))
    if not table_name or limit_of(world, name) == 0:
        return {}
    groups: dict[str, list[str]] = {}
    for tenant, profiles in built_indexes(world, table_name).items():
        if not _may_begin(tenant, prefix):
            continue
        contexts = {context for profile in profiles for context in getattr(profile, "contexts", None) or ()}
        for context in sorted(contexts) if item_type == "*attributes" else ("",):
            entries = index_entries(world, tenant, item_type, context)
            found = {f"{kind}:{field}:{value}".removesuffix(":"): None for kind, field, value, _ in entries}
            found["*none:*any:*any"] = None
            groups[f"{tenant}:{context}".removesuffix(":")] = list(found)
    return groups


def remove(world: World, name: str, item_id: str) -> None:
    """Drop an item; one that an index holds goes with the whole index of its tenant."""
    _lookups(world, name).pop(item_id, None)
    table_name = _index_table(name)
    for tenant in built_indexes(world, table_name) if table_name else ():
        if item_id.startswith(f"{tenant}:"):
            drop_indexes(world, table_name, tenant)


def remove_group(world: World, name: str, group: str) -> None:
    """Drop a group of an index."""
    if name in INDEX_TABLES and group in groups_of(world, name, group):
        table_name = INDEX_TABLES[name][1]
        for tenant in built_indexes(world, table_name):
            if f"{group}:".startswith(f"{tenant}:"):
                drop_indexes(world, table_name, tenant)


def clear(world: World, name: str) -> None:
    """Drop everything a partition holds."""
    _lookups(world, name).clear()
    table_name = _index_table(name)
    if table_name:
        drop_indexes(world, table_name)


def _index_table(name: str) -> str:
    """Return the table of profiles whose index holds items of a partition, "" for none."""
    if name in INDEX_TABLES:
        return INDEX_TABLES[name][1]
    return PARTITIONS[name].profiles if name in PARTITIONS else ""


def change(world: World, table_name: str, key: str, word: str) -> None:
    """Do what a change of a record says to the cache: `*remove` drops the record, `*clear` its whole partition.

    The others (`*none`, `*load`, `*reload`, "" for `general.default_caching`) leave it: what it shows is never stale.
    """
    word = word or world.settings.get("general", {}).get("default_caching", "")
    partition = BY_TABLE.get(table_name)
    if partition is None:
        return
    if word == "*remove":
        remove(world, partition.name, key)
    elif word == "*clear":
        clear(world, partition.name)
