"""Events against thresholds: counting, and causing actions when it is time.

Rules: all profiles that match count, heaviest first, up to the first blocker. A threshold that is used up
(`max_hits`) neither counts nor causes anything, and stays until it is reset. A failing action undoes its own set
only: the hit stays counted, the thresholds after it are still asked, and the caller reads PARTIALLY_EXECUTED.
Does not know: what actions do, where events come from.
"""

from collections.abc import Sequence

from cgrcore.actions.run import run_actions
from cgrcore.errors import CgrError, NotFound, PartiallyExecuted
from cgrcore.event import CgrEvent, boolean_option, text_of, texts_option
from cgrcore.filters import matching
from cgrcore.thresholds.records import WITHOUT_LIMIT, Threshold, ThresholdProfile
from cgrcore.world import World

__all__ = ["process_event", "remove_profile", "reset", "store_profile", "threshold_of", "thresholds_for"]


def _profiles(world: World, event: CgrEvent, ids: Sequence[str]) -> list[ThresholdProfile]:
    defaults = world.settings.get("thresholds", {}).get("opts") or {}
    named = list(ids) or texts_option(event.options, "*thdProfileIDs", defaults.get("*profileIDs") or [])
    ignores = boolean_option(
        event.options, "*thdProfileIgnoreFilters", bool(defaults.get("*profileIgnoreFilters", False))
    )
    found = []
    for profile in matching(world, "threshold_profiles", event, ids=named, ignores_filters=ignores):
        found.append(profile)
        if profile.is_blocker:
            break
    if not found:
        raise NotFound(subject="threshold profile")
    return found


def _threshold(world: World, profile: ThresholdProfile) -> Threshold:
    found: Threshold | None = world.state.table("thresholds").get(f"{profile.tenant}:{profile.id}")
    return found or Threshold(profile.tenant, profile.id)


def threshold_of(world: World, key: str) -> Threshold:
    """Return what a profile (`tenant:id`) has counted, nothing yet when no event came. Raises NotFound."""
    return _threshold(world, world.state.table("threshold_profiles").require(key))


def thresholds_for(world: World, event: CgrEvent) -> list[Threshold]:
    """Return the thresholds that an event would count for. Raises NotFound, and what filters raise."""
    return [_threshold(world, profile) for profile in _profiles(world, event, ())]


def process_event(world: World, event: CgrEvent, ids: Sequence[str] = ()) -> list[str]:
    """Count an event and do what its thresholds cause; return the ids of those that counted it.

    `ids` restricts the profiles to those named. Raises NotFound when none matches, and what filters raise;
    PartiallyExecuted when an action failed, with everything else done.
    """
    hit: list[str] = []
    has_failed = False
    for profile in _profiles(world, event, ids):
        threshold = _threshold(world, profile)
        if profile.max_hits != WITHOUT_LIMIT and threshold.hits >= profile.max_hits:
            continue
        hits = threshold.hits + 1
        is_awake = world.now_at >= threshold.snooze_at and hits >= profile.min_hits
        snooze_at = world.now_at + profile.min_sleep_ns if is_awake else threshold.snooze_at
        _store(world, Threshold(profile.tenant, profile.id, hits, snooze_at))
        if is_awake and not _execute(world, profile, event) and not profile.is_async:
            has_failed = True
        hit.append(profile.id)
    if has_failed:
        raise PartiallyExecuted(subject="thresholds")
    return hit


def _store(world: World, threshold: Threshold) -> None:
    world.state.table("thresholds").put(f"{threshold.tenant}:{threshold.id}", threshold)


def _execute(world: World, profile: ThresholdProfile, event: CgrEvent) -> bool:
    """Run the action sets of a profile and export the event; tell whether all went well."""
    is_done = True
    account_id = _account_of(event)
    for set_id in profile.action_ids or ():
        try:
            run_actions(world, set_id, account_id, event, threshold_id=profile.id)
        except CgrError:
            is_done = False
    return _export(world, profile, event) and is_done


def _account_of(event: CgrEvent) -> str | None:
    """Return the account (`tenant:account`) that an event's actions are for, None for none."""
    field = "AccountID" if event.options.get("*eventType") == "AccountUpdate" else "Account"
    account = text_of(event.options.get("*accountID")) or text_of(event.event.get(field))
    return f"{event.tenant}:{account}" if account else None


def _export(world: World, profile: ThresholdProfile, event: CgrEvent) -> bool:
    exporters = list(profile.ee_ids or world.settings.get("thresholds", {}).get("ees_exporter_ids") or ())
    if not exporters or exporters == ["*none"]:
        return True
    export = world.parts.get("export_event")
    if export is None:
        return False
    try:
        export(world, event, exporters)
    except CgrError:
        return False
    return True


def store_profile(world: World, profile: ThresholdProfile) -> None:
    """Keep a profile; what was counted stays only when it still means the same."""
    key = f"{profile.tenant}:{profile.id}"
    profiles = world.state.table("threshold_profiles")
    before: ThresholdProfile | None = profiles.get(key)
    profiles.put(key, profile)
    if before is None or not before.counts_like(profile):
        world.state.table("thresholds").remove(key)


def remove_profile(world: World, key: str) -> None:
    """Remove a profile (`tenant:id`) and its count. Raises NotFound."""
    if world.state.table("threshold_profiles").remove(key) is None:
        raise NotFound(subject="threshold profile", subject_id=key)
    world.state.table("thresholds").remove(key)


def reset(world: World, key: str) -> None:
    """Set the count of a threshold (`tenant:id`) back. Raises NotFound."""
    before = threshold_of(world, key)
    _store(world, Threshold(before.tenant, before.id))
