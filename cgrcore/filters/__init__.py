"""Filters: which events something applies to; reading what tariff plans say about events (paths, RSR texts)."""

from cgrcore.filters.built import built_indexes, drop_indexes
from cgrcore.filters.check import check_filters, compile_filter, inline_rule, is_inline, passes, passes_in
from cgrcore.filters.health import (
    RemovedIndexes,
    compute_indexes,
    index_health,
    listed_entries,
    remove_indexes,
)
from cgrcore.filters.indexes import ITEM_TABLES, index_entries, users_of_filter
from cgrcore.filters.paths import Scope, read, scope_of, split_path, without, write
from cgrcore.filters.phone_numbers import phone_source
from cgrcore.filters.records import ActivationInterval, Filter, FilterRule, interval_from_text, interval_from_wire
from cgrcore.filters.rsr import Rsr, parse_rsr, read_joined, split_rsr
from cgrcore.filters.selection import matching
from cgrcore.filters.values import compare, infer

__all__ = [
    "ITEM_TABLES",
    "TABLES",
    "ActivationInterval",
    "Filter",
    "FilterRule",
    "RemovedIndexes",
    "Rsr",
    "Scope",
    "built_indexes",
    "check_filters",
    "compare",
    "compile_filter",
    "compute_indexes",
    "drop_indexes",
    "index_entries",
    "index_health",
    "infer",
    "inline_rule",
    "interval_from_text",
    "interval_from_wire",
    "is_inline",
    "listed_entries",
    "matching",
    "parse_rsr",
    "passes",
    "passes_in",
    "phone_source",
    "read",
    "read_joined",
    "remove_indexes",
    "scope_of",
    "split_path",
    "split_rsr",
    "users_of_filter",
    "without",
    "write",
]

#: The tables of this subject, with their records; the key of a filter is `tenant:id`.
TABLES: dict[str, type] = {"filters": Filter, "removed_indexes": RemovedIndexes}
