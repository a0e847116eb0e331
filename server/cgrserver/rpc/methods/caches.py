"""CacheSv1: what the cache holds, and dropping it. Nothing here changes what any other method answers."""

from typing import Any

import msgspec

from cgrcore import caches
from cgrcore.errors import BadRequest, NotFound
from cgrcore.timing import format_time
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method

__all__: list[str] = []


class ItemArgs(Args):
    Tenant: str = ""
    CacheID: str = ""
    ItemID: str = ""


class ItemIdsArgs(Args):
    Tenant: str = ""
    CacheID: str = ""
    ItemIDPrefix: str = ""


class GroupArgs(Args):
    Tenant: str = ""
    CacheID: str = ""
    GroupID: str = ""


class CacheIdsArgs(Args):
    Tenant: str = ""
    CacheIDs: list[str] | None = None


#: For each partition the ids of items.
ReloadArgs: Any = msgspec.defstruct(
    "ReloadArgs",
    [("Tenant", str, ""), *((argument, list[str] | None, None) for argument in caches.BY_ARGUMENT)],
    bases=(Args,),
    kw_only=True,
    omit_defaults=True,
)


def _named(args: Any) -> list[tuple[caches.Partition, list[str]]]:
    """Return the partitions that a request names items of, and the items."""
    pairs = [(partition, getattr(args, argument)) for argument, partition in caches.BY_ARGUMENT.items()]
    return [(partition, item_ids) for partition, item_ids in pairs if item_ids]


@method("CacheSv1.HasItem")
def has_item(world: World, args: ItemArgs) -> bool:
    """Tell whether the cache holds an item."""
    return caches.expires_at(world, args.CacheID, args.ItemID) is not None


@method("CacheSv1.GetItem", aliases=("CacheSv1.GetItemWithRemote",))
def get_item(world: World, args: ItemArgs) -> Any:
    """Return a record that the cache holds, as it is now; null for one that was looked up in vain."""
    _require(world, args)
    partition = caches.PARTITIONS.get(args.CacheID)
    record = world.state.table(partition.table).get(args.ItemID) if partition and partition.table else None
    as_wire = getattr(record, "as_wire", None)
    return as_wire() if as_wire is not None else None


@method("CacheSv1.GetItemExpiryTime")
def get_item_expiry_time(world: World, args: ItemArgs) -> str:
    """Return when the cache forgets an item, 0001-01-01T00:00:00Z for never."""
    return format_time(_require(world, args))


def _require(world: World, args: ItemArgs) -> int:
    expires_at = caches.expires_at(world, args.CacheID, args.ItemID)
    if expires_at is None:
        raise NotFound(subject=args.CacheID, subject_id=args.ItemID)
    return expires_at


@method("CacheSv1.GetItemIDs")
def get_item_ids(world: World, args: ItemIdsArgs) -> list[str]:
    """Return the ids of a partition's items that begin with a prefix."""
    found = caches.items_of(world, args.CacheID, args.ItemIDPrefix)
    if not found:
        raise NotFound(subject=args.CacheID)
    return found


@method("CacheSv1.RemoveItem", aliases=("CacheSv1.ReplicateRemove",))
def remove_item(world: World, args: ItemArgs) -> str:
    """Drop an item of the cache."""
    caches.remove(world, args.CacheID, args.ItemID)
    return "OK"


@method("CacheSv1.RemoveItems", args=ReloadArgs)
def remove_items(world: World, args: Any) -> str:
    """Drop items of several partitions."""
    for partition, item_ids in _named(args):
        for item_id in item_ids:
            caches.remove(world, partition.name, item_id)
    return "OK"


@method("CacheSv1.LoadCache", args=ReloadArgs)
def load_cache(world: World, args: Any) -> str:
    """Take items into the cache; the tables hold them anyway."""
    for partition, item_ids in _named(args):
        if partition.table:
            caches.load(world, partition.name, item_ids)
    return "OK"


@method("CacheSv1.ReloadCache", args=ReloadArgs)
def reload_cache(world: World, args: Any) -> str:
    """Do nothing: what the cache shows is never older than the tables."""
    return "OK"


@method("CacheSv1.HasGroup")
def has_group(world: World, args: GroupArgs) -> bool:
    """Tell whether an index of profiles is in memory for a tenant."""
    return args.GroupID in caches.groups_of(world, args.CacheID, args.GroupID)


@method("CacheSv1.GetGroupItemIDs")
def get_group_item_ids(world: World, args: GroupArgs) -> list[str]:
    """Return the ids of a group's items."""
    found = caches.groups_of(world, args.CacheID, args.GroupID).get(args.GroupID)
    if found is None:
        raise NotFound(subject=args.CacheID, subject_id=args.GroupID)
    return [f"{args.GroupID}:{item_id}" for item_id in found]


@method("CacheSv1.RemoveGroup")
def remove_group(world: World, args: GroupArgs) -> str:
    """Drop the index of a tenant's profiles; the next event builds it again."""
    caches.remove_group(world, args.CacheID, args.GroupID)
    return "OK"


@method("CacheSv1.Clear")
def clear(world: World, args: CacheIdsArgs) -> str:
    """Drop everything that the partitions named hold, all partitions for none named."""
    for name in args.CacheIDs or caches.names_of(world):
        caches.clear(world, name)
    return "OK"


@method("CacheSv1.GetCacheStats")
def get_cache_stats(world: World, args: CacheIdsArgs) -> dict[str, Any]:
    """Return how many items and groups the partitions hold."""
    return {
        name: {"Items": len(caches.items_of(world, name)), "Groups": len(caches.groups_of(world, name))}
        for name in args.CacheIDs or caches.names_of(world)
    }


@method("CacheSv1.PrecacheStatus")
def precache_status(world: World, args: CacheIdsArgs) -> dict[str, str]:
    """Tell that partitions are ready: the tables are read before the server answers."""
    known = caches.names_of(world)
    for name in args.CacheIDs or ():
        if name not in known:
            raise BadRequest(f"unknown cacheID: {name}")
    return dict.fromkeys(args.CacheIDs or known, "*ready")
