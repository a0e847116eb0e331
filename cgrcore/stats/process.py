"""Events against stat queues, and telling thresholds what the queues measure then.

Rules: all profiles that match take the event in, heaviest first, up to the first blocker. After each, thresholds see
an event `StatUpdate` with the metrics, unless the profile says `*none`; that they miss it is no error.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from cgrcore.errors import BadRequest, CgrError, NotFound, PartiallyExecuted
from cgrcore.event import CgrEvent, boolean_option, texts_option
from cgrcore.filters import matching, scope_of
from cgrcore.stats.metrics import kind_of
from cgrcore.stats.queues import add_event, drop_queue, is_sound, keep_metrics, numbers_of
from cgrcore.stats.records import StatProfile, StatQueue
from cgrcore.thresholds import process_event as tell_thresholds
from cgrcore.world import World

__all__ = ["install", "process_event", "profile_of", "profiles_for", "remove_profile", "store_profile"]


def install(world: World) -> None:
    """Let sessions have events counted (`stats_process_event`), and filters read metrics (`~*stats.Q.*acd`)."""
    world.parts["stats_process_event"] = process_event
    world.parts.setdefault("filter_sources", {})["*stats"] = _read_metric


def profiles_for(world: World, event: CgrEvent, ids: Sequence[str] = ()) -> list[StatProfile]:
    """Return the profiles that take an event in, heaviest first. Raises NotFound for none, and what filters raise."""
    defaults = world.settings.get("stats", {}).get("opts") or {}
    named = list(ids) or texts_option(event.options, "*stsProfileIDs", defaults.get("*profileIDs") or [])
    ignores = boolean_option(
        event.options, "*stsProfileIgnoreFilters", bool(defaults.get("*profileIgnoreFilters", False))
    )
    found = []
    for profile in matching(world, "stat_profiles", event, ids=named, ignores_filters=ignores, accepts=is_sound):
        found.append(profile)
        if profile.is_blocker:
            break
    if not found:
        raise NotFound(subject="stat profile")
    return found


def process_event(world: World, event: CgrEvent, ids: Sequence[str] = ()) -> list[str]:
    """Take an event into all queues it matches and return their ids.

    Raises NotFound when none matches, PartiallyExecuted when thresholds failed, with everything else done.
    """
    taken = []
    has_failed = False
    scope = scope_of(world, event)
    for profile in profiles_for(world, event, ids):
        queue = add_event(world, profile, event.id, scope)
        taken.append(profile.id)
        has_failed |= not _tell(world, profile, queue)
    if has_failed:
        raise PartiallyExecuted(subject="stats")
    return taken


def _tell(world: World, profile: StatProfile, queue: StatQueue) -> bool:
    if profile.threshold_ids == ("*none",) or not world.settings["stats"].get("thresholds_conns"):
        return True
    fields: dict[str, Any] = {"EventType": "StatUpdate", "StatID": profile.id, **numbers_of(world, profile, queue)}
    event = CgrEvent(profile.tenant, world.new_id(), None, fields, {"*eventType": "StatUpdate"})
    try:
        tell_thresholds(world, event, profile.threshold_ids or ())
    except NotFound:
        return True
    except CgrError:
        return False
    return True


def profile_of(world: World, key: str) -> StatProfile:
    """Return a profile (`tenant:id`). Raises NotFound."""
    found: StatProfile = world.state.table("stat_profiles").require(key)
    return found


def store_profile(world: World, profile: StatProfile) -> None:
    """Keep a profile; what was measured stays only when it still means the same.

    Raises BadRequest for a metric that does not exist; the profile is kept all the same, and measures nothing.
    """
    profiles = world.state.table("stat_profiles")
    key = f"{profile.tenant}:{profile.id}"
    before: StatProfile | None = profiles.get(key)
    profiles.put(key, profile)
    if before is not None and not before.measures_like(profile):
        drop_queue(world, before)
    elif before is not None and before.metrics != profile.metrics:
        keep_metrics(world, profile)
    for metric in profile.metrics or ():
        try:
            kind_of(metric.id)
        except BadRequest as error:
            raise PartiallyExecuted(str(error), subject="stat profile", subject_id=key) from None


def remove_profile(world: World, key: str) -> None:
    """Remove a profile (`tenant:id`) and what it measured. Raises NotFound."""
    profile: StatProfile | None = world.state.table("stat_profiles").remove(key)
    if profile is None:
        raise NotFound(subject="stat profile", subject_id=key)
    drop_queue(world, profile)


def _read_metric(world: World, tenant: str, keys: tuple[str | int, ...]) -> int | Decimal:
    numbers = numbers_of(world, profile_of(world, f"{tenant}:{keys[0]}"))
    name = ".".join(str(key) for key in keys[1:])
    if name not in numbers:
        raise NotFound(subject="metric", subject_id=name)
    return numbers[name]
