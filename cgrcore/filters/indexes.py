"""The indexes of CGRateS as clients read them: by which field values profiles can be found, and what uses a filter.

Rules: indexes follow from the profiles whenever they are asked for, so they cannot be stale. `*string`, `*prefix`,
`*suffix` and `*exists` are indexed, when one side is static and the other is not and asks no one else.
Does not know: how profiles are found here (selection.py).
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from cgrcore.errors import CgrError
from cgrcore.filters.check import inline_rule, is_inline
from cgrcore.filters.records import Filter, FilterRule
from cgrcore.world import World

__all__ = ["ITEM_TABLES", "index_entries", "users_of_filter"]

#: The tables of profiles by their item type, and what CGRateS calls their index.
ITEM_TABLES = {
    "*attributes": ("attributes", "*attribute_filter_indexes"),
    "*chargers": ("chargers", "*charger_filter_indexes"),
    "*dispatchers": ("dispatcher_profiles", "*dispatcher_filter_indexes"),
    "*ips": ("ip_profiles", "*ip_filter_indexes"),
    "*resources": ("resource_profiles", "*resource_filter_indexes"),
    "*routes": ("route_profiles", "*route_filter_indexes"),
    "*stats": ("stat_profiles", "*stat_filter_indexes"),
    "*thresholds": ("threshold_profiles", "*threshold_filter_indexes"),
}

_INDEXED = frozenset(("*string", "*prefix", "*suffix", "*exists"))
_ASKING = ("~*accounts", "~*stats", "~*resources", "~*libphonenumber", "~*asm")


def index_entries(world: World, tenant: str, item_type: str, context: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield (filter type, field, value, profile id) of a tenant's profiles, in order of their ids.

    An unknown item type has none.
    """
    table_name, _ = ITEM_TABLES.get(item_type, ("", ""))
    if not table_name:
        return
    table = world.state.table(table_name)
    prefix = f"{tenant}:"
    for key in sorted(key for key in table if key.startswith(prefix)):
        profile = table.records[key]
        if context and context not in (getattr(profile, "contexts", None) or (context,)):
            continue
        if not profile.filter_ids:
            yield "*none", "*any", "*any", profile.id
            continue
        entries: dict[tuple[str, str, str], None] = {}
        for rule in _rules(world, tenant, profile):
            entries.update(dict.fromkeys(_entries(rule)))
        for kind, field, value in entries:
            yield kind, field, value, profile.id


def _rules(world: World, tenant: str, profile: Any) -> Iterator[FilterRule]:
    filters = world.state.table("filters")
    for filter_id in profile.filter_ids:
        if is_inline(filter_id):
            try:
                yield inline_rule(filter_id)
            except CgrError:
                continue
        else:
            record: Filter | None = filters.get(f"{tenant}:{filter_id}")
            if record is not None:
                yield from record.rules


def _entries(rule: FilterRule) -> Iterator[tuple[str, str, str]]:
    if rule.type not in _INDEXED or "<" in rule.element or rule.element.startswith(_ASKING):
        return
    is_dynamic = rule.element.startswith("~")
    if rule.type == "*exists":
        if is_dynamic:
            yield rule.type, rule.element[1:], ""
        return
    for value in rule.values or ():
        if is_dynamic and not value.startswith("~"):
            yield rule.type, rule.element[1:], value
        elif not is_dynamic and value.startswith("~") and not value.startswith(_ASKING):
            yield rule.type, value[1:], rule.element


def users_of_filter(world: World, tenant: str, filter_id: str) -> str:
    """Return the profiles that name a filter, as JSON of {index: {profile id: {}}}, "" for none."""
    users: dict[str, dict[str, dict[str, str]]] = {}
    for table_name, index_name in ITEM_TABLES.values():
        table = world.state.table(table_name)
        for key in sorted(table):
            profile = table.records[key]
            if profile.tenant == tenant and filter_id in (profile.filter_ids or ()):
                users.setdefault(index_name, {})[profile.id] = {}
    return msgspec.json.encode(users, order="sorted").decode() if users else ""
