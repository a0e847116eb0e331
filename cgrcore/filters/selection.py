"""Which profiles of a table an event matches, heaviest first.

Rules: profiles of equal weight come in order of their ids. A profile's own interval is held against the event's time,
and not at all when the event has none. Every profile can be found: those with an inline `*string` filter on a field are
looked up by the field's value, the others are all asked. What is derived from a table is made again when the table
was written. Does not know: what a profile is for; it needs `tenant`, `id`, `filter_ids`, `activation`, `weight_nano`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cgrcore.event import CgrEvent, text_of
from cgrcore.filters.check import inline_rule, passes_in
from cgrcore.filters.paths import Scope, scope_of
from cgrcore.world import World

__all__ = ["ProfileIndex", "index_of", "matching"]

_MISSING = object()


class ProfileIndex:
    """The profiles of one tenant in order, and by the field values they ask for."""

    __slots__ = ("by_value", "fields", "others", "profiles", "rank")

    def __init__(self, profiles: list[Any]) -> None:
        self.profiles = sorted(profiles, key=lambda profile: (-profile.weight_nano, profile.id))
        self.rank = {profile.id: rank for rank, profile in enumerate(self.profiles)}
        self.others: list[Any] = []
        self.by_value: dict[tuple[str, str], list[Any]] = {}
        for profile in self.profiles:
            keys = _index_keys(profile.filter_ids or ())
            for key in keys:
                self.by_value.setdefault(key, []).append(profile)
            if not keys:
                self.others.append(profile)
        self.fields = tuple(sorted({field for field, _ in self.by_value}))

    def candidates(self, event: CgrEvent) -> Sequence[Any]:
        """Return the profiles that the event may match, in order."""
        found: list[Any] = []
        for field in self.fields:
            value = event.event.get(field, _MISSING)
            if value is not _MISSING:
                found.extend(self.by_value.get((field, text_of(value)), ()))
        if not found:
            return self.others
        found.extend(self.others)
        unique = {profile.id: profile for profile in found}
        return sorted(unique.values(), key=lambda profile: self.rank[profile.id])


def _index_keys(filter_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Return the (field, value) pairs of the first filter that fixes a field, none when no filter does."""
    for filter_id in filter_ids:
        if not filter_id.startswith("*string:~*req."):
            continue
        rule = inline_rule(filter_id)
        field = rule.element[6:]
        values = rule.values or ()
        if values and field.isalnum() and not any(value[:1] == "~" or "{*" in value for value in values):
            return [(field, value) for value in dict.fromkeys(values)]
    return []


def index_of(world: World, table_name: str, tenant: str) -> ProfileIndex:
    """Return the index of a tenant's profiles."""
    table = world.state.table(table_name)
    if table.uncommitted:
        world.state.saw(max(table.uncommitted.values()))
    cached = world.parts.get("profile_indexes")
    if cached is None:
        cached = world.parts["profile_indexes"] = {}
    key = (table_name, tenant)
    entry = cached.get(key)
    if entry is None or entry[0] != table.version:
        profiles = [profile for profile in table.records.values() if profile.tenant == tenant]
        entry = cached[key] = (table.version, ProfileIndex(profiles))
    index: ProfileIndex = entry[1]
    return index


def matching(
    world: World,
    table_name: str,
    event: CgrEvent,
    *,
    ids: Sequence[str] = (),
    ignores_filters: bool = False,
    scope: Scope | None = None,
    accepts: Callable[[Any], bool] | None = None,
) -> Iterator[Any]:
    """Yield the profiles that an event matches, heaviest first.

    `ids` restricts them to those named; only then may `ignores_filters` leave the filters out. `accepts` is asked
    before the filters are. Errors as `filters.passes`.
    """
    index = index_of(world, table_name, event.tenant)
    if ids:
        wanted = set(ids)
        candidates: Sequence[Any] = [profile for profile in index.profiles if profile.id in wanted]
    else:
        candidates = index.candidates(event)
    for profile in candidates:
        if accepts is not None and not accepts(profile):
            continue
        if profile.activation is not None and event.at is not None and not profile.activation.is_active_at(event.at.at):
            continue
        if profile.filter_ids and not (ids and ignores_filters):
            scope = scope or scope_of(world, event)
            if not passes_in(scope, event.tenant, profile.filter_ids):
                continue
        yield profile
