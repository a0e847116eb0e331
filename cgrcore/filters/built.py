"""Which indexes of profiles are in memory: they are built when a tenant's first event asks.

Rules: an index counts while it is up to date; one that is dropped is built again by the next event, so dropping is
always safe. Does not know: what profiles are for.
"""

from typing import Any

from cgrcore.filters.selection import ProfileIndex
from cgrcore.world import World

__all__ = ["built_indexes", "drop_indexes"]


def _built(world: World) -> dict[tuple[str, str], tuple[int, ProfileIndex]]:
    found: dict[tuple[str, str], tuple[int, ProfileIndex]] = world.parts.get("profile_indexes") or {}
    return found


def built_indexes(world: World, table_name: str) -> dict[str, list[Any]]:
    """Return the profiles of each tenant whose index over the table is in memory and up to date."""
    version = world.state.table(table_name).version
    return {
        tenant: index.profiles
        for (name, tenant), (built_version, index) in _built(world).items()
        if name == table_name and built_version == version
    }


def drop_indexes(world: World, table_name: str, tenant: str | None = None) -> None:
    """Drop a tenant's index over the table, those of all tenants for None."""
    built = _built(world)
    for key in [key for key in built if key[0] == table_name and tenant in (None, key[1])]:
        del built[key]
