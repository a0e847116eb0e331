"""Which profiles are queried when: scheduled on request, then again and again until the profile is gone.

Rules: a profile is not scheduled by being stored. A run that is due is decided once, however late, and the next one
counts from then: what was missed by a stop is not made up for, as it would measure the present again.
The schedule is a table like any other, so it survives a restart. Does not know: what a query does.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from cgrcore.errors import BadRequest, NotFound, PartiallyExecuted
from cgrcore.queries.cron import parse_cron
from cgrcore.timing import ZERO_AT
from cgrcore.world import World

__all__ = ["Scheduled", "next_due_at", "run_due", "schedule", "schedule_configured", "scheduled_of", "unschedule"]


class Scheduled(msgspec.Struct, frozen=True):
    """When a profile (`tenant:id`, the key) is queried next, and was last (ZERO_AT: not yet)."""

    tenant: str
    id: str
    next_at: int
    previous_at: int = ZERO_AT


def schedule(world: World, profiles_table: str, schedule_table: str, tenant: str, ids: Sequence[str]) -> int:
    """Schedule profiles from now on and return how many.

    Raises PartiallyExecuted when one does not exist or has no schedule that can be read, with the others scheduled.
    """
    profiles = world.state.table(profiles_table)
    count = 0
    for profile_id in ids:
        key = f"{tenant}:{profile_id}"
        profile = profiles.get(key)
        next_at = None if profile is None else _next_at(profile, world.now_at)
        if next_at is not None:
            world.state.table(schedule_table).put(key, Scheduled(tenant, profile_id, next_at))
            count += 1
    if count:
        _wake(world)
    if count != len(ids):
        raise PartiallyExecuted(subject=profiles_table)
    return count


def _next_at(profile: Any, after_at: int) -> int | None:
    try:
        return parse_cron(profile.schedule).next_after(after_at)
    except BadRequest:
        return None


def schedule_configured(world: World, profiles_table: str, schedule_table: str, section: str) -> None:
    """Schedule what `scheduled_ids` names and is not scheduled yet; an empty list names all of a tenant."""
    table = world.state.table(schedule_table)
    for tenant, named in (world.settings.get(section, {}).get("scheduled_ids") or {}).items():
        prefix = f"{tenant}:"
        ids = named or [key[len(prefix) :] for key in world.state.table(profiles_table) if key.startswith(prefix)]
        for profile_id in ids:
            profile = world.state.table(profiles_table).get(prefix + profile_id)
            next_at = None if profile is None else _next_at(profile, world.now_at)
            if next_at is not None and prefix + profile_id not in table:
                table.put(prefix + profile_id, Scheduled(tenant, profile_id, next_at))


def scheduled_of(world: World, schedule_table: str, tenant: str, prefixes: Sequence[str]) -> list[Scheduled]:
    """Return what is scheduled of a tenant, by id; only ids that begin with one of the prefixes, if there are any.

    Raises NotFound for nothing.
    """
    table = world.state.table(schedule_table)
    starts = tuple(f"{tenant}:{prefix}" for prefix in prefixes) or (f"{tenant}:",)
    found = [table.records[key] for key in sorted(table) if key.startswith(starts)]
    if not found:
        raise NotFound(subject=schedule_table, subject_id=tenant)
    return found


def unschedule(world: World, schedule_table: str, key: str) -> None:
    """Query a profile no more."""
    world.state.table(schedule_table).remove(key)


def next_due_at(world: World, schedule_table: str) -> int | None:
    """Return when the next run is due, None for no run."""
    records = world.state.table(schedule_table).records
    return min((scheduled.next_at for scheduled in records.values()), default=None)


def run_due(
    world: World, profiles_table: str, schedule_table: str, query: Callable[[World, Any], None], limit: int = 100
) -> int:
    """Query the profiles that are due, at most `limit` of them, and return how many; each is put on from now."""
    table = world.state.table(schedule_table)
    due = sorted(
        (scheduled.next_at, key) for key, scheduled in table.records.items() if scheduled.next_at <= world.now_at
    )
    for _, key in due[:limit]:
        profile = world.state.table(profiles_table).get(key)
        next_at = None if profile is None else _next_at(profile, world.now_at)
        if profile is None or next_at is None:
            table.remove(key)
            continue
        table.put(key, Scheduled(profile.tenant, profile.id, next_at, world.now_at))
        query(world, profile)
    return min(len(due), limit)


def _wake(world: World) -> None:
    wake = world.parts.get("wake_queries")
    if wake is not None:
        world.state.effects.after.append(wake)
