"""The cache as clients of CGRateS see it: partitions as views of the tables, and of indexes that are built."""

from cgrcore.caches.items import (
    change,
    clear,
    expires_at,
    groups_of,
    items_of,
    load,
    note_lookup,
    remove,
    remove_group,
)
from cgrcore.caches.partitions import BY_ARGUMENT, PARTITIONS, Partition, names_of

__all__ = [
    "BY_ARGUMENT",
    "PARTITIONS",
    "Partition",
    "change",
    "clear",
    "expires_at",
    "groups_of",
    "items_of",
    "load",
    "names_of",
    "note_lookup",
    "remove",
    "remove_group",
]
