"""Taking and giving back resources.

Rules: an event takes units of every resource it matches, heaviest first, up to the first blocker, when any of them
has room. Which resources a usage takes is settled when it is first asked for, and remembered by the usage's id until
it is released. Taking again with the same id takes instead of what was taken; when there is no room, the former is
lost. Does not know: what the units are.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from cgrcore.errors import BadRequest, CgrError, NotFound, PartiallyExecuted, Refused, mandatory_missing
from cgrcore.event import CgrEvent, duration_option, text_of, text_option
from cgrcore.filters import infer, matching, read
from cgrcore.money import nano_from_number, number_from_nano
from cgrcore.resources.records import WITHOUT_LIMIT_NANO, Resource, ResourceProfile, Usage
from cgrcore.thresholds import process_event as tell_thresholds
from cgrcore.timing import ZERO_AT
from cgrcore.world import World

__all__ = [
    "allocate",
    "authorise",
    "install",
    "release",
    "remove_profile",
    "resource_of",
    "resources_for",
    "store_profile",
]

#: How many usages are remembered that were asked for and never released; the oldest are forgotten.
MAX_REMEMBERED = 100_000


def install(world: World) -> None:
    """Let sessions take resources (`resources_for_sessions`), and filters read them (`~*resources.R.TotalUsage`)."""
    world.parts["resources_for_sessions"] = _for_session
    world.parts.setdefault("filter_sources", {})["*resources"] = _read


def resource_of(world: World, key: str) -> Resource:
    """Return what is taken of a profile's (`tenant:id`) resource. Raises NotFound."""
    profile: ResourceProfile = world.state.table("resource_profiles").require(key)
    found: Resource | None = world.state.table("resources").get(key)
    return found or Resource(profile.tenant, profile.id)


def _key(profile: ResourceProfile) -> str:
    return f"{profile.tenant}:{profile.id}"


def _keep(world: World, resource: Resource) -> None:
    world.state.table("resources").put(f"{resource.tenant}:{resource.id}", resource)


# --- which resources -------------------------------------------------------------------------------------------------


def _usage_id(world: World, event: CgrEvent) -> str:
    default = (world.settings.get("resources", {}).get("opts") or {}).get("*usageID") or ""
    usage_id = text_option(event.options, "*rsUsageID", default)
    if not usage_id:
        raise mandatory_missing(("UsageID",))
    return usage_id


def _remembered(world: World) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = world.parts.setdefault("resource_usages", {})
    return found


def _profiles(world: World, event: CgrEvent, usage_id: str) -> list[ResourceProfile]:
    """Return the profiles that the usage is for, heaviest first. Raises NotFound for none, and what filters raise."""
    remembered = _remembered(world)
    key = f"{event.tenant}:{usage_id}"
    found = []
    try:
        for profile in matching(world, "resource_profiles", event, ids=remembered.get(key, ())):
            found.append(profile)
            if profile.is_blocker:
                break
        if not found:
            raise NotFound(subject="resource profile")
    except CgrError:
        remembered.pop(key, None)
        raise
    if key not in remembered and len(remembered) >= MAX_REMEMBERED:
        del remembered[next(iter(remembered))]
    remembered[key] = tuple(profile.id for profile in found)
    return found


def resources_for(world: World, event: CgrEvent) -> list[Resource]:
    """Return the resources that an event would take from, heaviest first.

    Raises NotFound, BadRequest without a usage id.
    """
    return [resource_of(world, _key(profile)) for profile in _profiles(world, event, _usage_id(world, event))]


# --- taking and giving back ------------------------------------------------------------------------------------------


def _units(world: World, event: CgrEvent) -> int:
    value = event.options.get("*rsUnits")
    if value is None:
        value = (world.settings.get("resources", {}).get("opts") or {}).get("*units") or 1
    if isinstance(value, bool):
        raise BadRequest(f"cannot convert field: {text_of(value)} to float64")
    if isinstance(value, str):
        number = infer(value, world.now_at)
        if isinstance(number, str | bool | tuple):
            raise BadRequest(f'strconv.ParseFloat: parsing "{value}": invalid syntax')
        value = int(number) if isinstance(number, int) else number
    return nano_from_number(value)


def _ttl(world: World, event: CgrEvent, profile: ResourceProfile) -> int | None:
    """Return how long the usage lasts (ns); None: until it is released; 0: it is not kept."""
    default = (world.settings.get("resources", {}).get("opts") or {}).get("*usageTTL") or None
    asked = duration_option(event.options, "*rsUsageTTL", default)
    if asked is not None:
        return asked or None
    return profile.usage_ttl_ns if profile.usage_ttl_ns >= 0 else None


def _without_expired(world: World, resource: Resource) -> Resource:
    over = [usage_id for usage_id in resource.expiring or () if resource.usages[usage_id].expires_at <= world.now_at]
    for usage_id in over:
        resource = _without(resource, usage_id)
    return resource


def _without(resource: Resource, usage_id: str) -> Resource:
    usages = dict(resource.usages)
    usages.pop(usage_id, None)
    expiring = None if resource.expiring is None else tuple(it for it in resource.expiring if it != usage_id)
    return msgspec.structs.replace(resource, usages=usages, expiring=expiring)


def _with(resource: Resource, usage_id: str, usage: Usage) -> Resource:
    expiring = resource.expiring
    if usage.expires_at != ZERO_AT:
        expiring = (*(expiring or ()), usage_id)
    return msgspec.structs.replace(resource, usages={**resource.usages, usage_id: usage}, expiring=expiring)


def _name_of_first_with_room(
    profiles: Sequence[ResourceProfile], resources: Sequence[Resource], units_nano: int
) -> str:
    for profile, resource in zip(profiles, resources, strict=True):
        if profile.limit_nano == WITHOUT_LIMIT_NANO or resource.used_nano + units_nano <= profile.limit_nano:
            return profile.name
    return ""


def authorise(world: World, event: CgrEvent) -> str:
    """Return the name of the resource that has room for an event, taking nothing. Raises Refused when none has."""
    usage_id = _usage_id(world, event)
    profiles = _profiles(world, event, usage_id)
    resources = [_without_expired(world, resource_of(world, _key(profile))) for profile in profiles]
    name = _name_of_first_with_room(profiles, resources, _units(world, event))
    if not name:
        raise Refused("RESOURCE_UNAUTHORIZED")
    return name


class _Unavailable(Refused):
    """There is no room; what the same usage had before is lost all the same."""

    keeps_changes = True


def allocate(world: World, event: CgrEvent) -> str:
    """Take the units an event asks for and return the name of the resource that has room for them.

    Raises Refused RESOURCE_UNAVAILABLE, NotFound; PartiallyExecuted when thresholds failed, with the units taken.
    """
    usage_id = _usage_id(world, event)
    profiles = _profiles(world, event, usage_id)
    units_nano = _units(world, event)
    resources = [_without(_without_expired(world, resource_of(world, _key(profile))), usage_id) for profile in profiles]
    name = _name_of_first_with_room(profiles, resources, units_nano)
    for place, profile in enumerate(profiles):
        ttl_ns = _ttl(world, event, profile)
        if name and ttl_ns != 0:
            expires_at = ZERO_AT if ttl_ns is None or ttl_ns < 0 else world.now_at + ttl_ns
            resources[place] = _with(resources[place], usage_id, Usage(units_nano, expires_at))
        _keep(world, resources[place])
    if not name:
        raise _Unavailable("RESOURCE_UNAVAILABLE")
    _tell_all(world, profiles, resources)
    return name


def release(world: World, event: CgrEvent) -> None:
    """Give back what a usage took.

    Raises NotFound when the event matches no resource, or when a usage that ends by itself is gone already.
    """
    usage_id = _usage_id(world, event)
    profiles = _profiles(world, event, usage_id)
    resources = []
    is_missing = False
    for profile in profiles:
        resource = resource_of(world, _key(profile))
        if usage_id not in resource.usages:
            is_missing |= _ttl(world, event, profile) not in (None, 0)
        else:
            resource = _without(resource, usage_id)
            _keep(world, resource)
        resources.append(resource)
    _remembered(world).pop(f"{event.tenant}:{usage_id}", None)
    if is_missing:
        raise _Missing(f"cannot find usage record with id: {usage_id}")
    _tell_all(world, profiles, resources)


class _Missing(NotFound):
    keeps_changes = True


def _tell_all(world: World, profiles: Sequence[ResourceProfile], resources: Sequence[Resource]) -> None:
    """Let thresholds see what is taken now.

    Raises PartiallyExecuted when one that a profile names fails or misses it.
    """
    if not (world.settings.get("resources") or {}).get("thresholds_conns"):
        return
    has_failed = False
    for profile, resource in zip(profiles, resources, strict=True):
        if profile.threshold_ids == ("*none",):
            continue
        fields: dict[str, Any] = {
            "EventType": "ResourceUpdate",
            "ResourceID": profile.id,
            "Usage": number_from_nano(resource.used_nano),
        }
        event = CgrEvent(profile.tenant, world.new_id(), None, fields, {"*eventType": "ResourceUpdate"})
        try:
            tell_thresholds(world, event, profile.threshold_ids or ())
        except NotFound:
            has_failed |= bool(profile.threshold_ids)
        except CgrError:
            has_failed = True
    if has_failed:
        raise PartiallyExecuted(subject="resources")


# --- profiles, sessions, filters -------------------------------------------------------------------------------------


def store_profile(world: World, profile: ResourceProfile) -> None:
    """Keep a profile; what is taken stays only when it still means the same."""
    profiles = world.state.table("resource_profiles")
    before: ResourceProfile | None = profiles.get(_key(profile))
    profiles.put(_key(profile), profile)
    if before is not None and not before.counts_like(profile):
        world.state.table("resources").remove(_key(profile))


def remove_profile(world: World, key: str) -> None:
    """Remove a profile (`tenant:id`) and what was taken of it. Raises NotFound."""
    if world.state.table("resource_profiles").remove(key) is None:
        raise NotFound(subject="resource profile", subject_id=key)
    world.state.table("resources").remove(key)


def _for_session(world: World, event: CgrEvent, what: str) -> str:
    """Do for a session what it asks: "authorize", "allocate" or "release".

    The usage is named by the call's OriginID.
    """
    if not event.options.get("*rsUsageID"):
        options = {**event.options, "*rsUsageID": text_of(event.event.get("OriginID"))}
        event = msgspec.structs.replace(event, options=options)
    if what == "release":
        release(world, event)
        return "OK"
    return authorise(world, event) if what == "authorize" else allocate(world, event)


def _read(world: World, tenant: str, keys: tuple[str | int, ...]) -> Any:
    """Answer `~*resources.R.<TotalUsage|Available|Limit|ID|Tenant|Config...>`. Raises NotFound."""
    key = f"{tenant}:{keys[0]}"
    resource = _without_expired(world, resource_of(world, key))
    profile: ResourceProfile = world.state.table("resource_profiles").require(key)
    shown = {
        **resource.as_wire(),
        "TotalUsage": number_from_nano(resource.used_nano),
        "Available": number_from_nano(profile.limit_nano - resource.used_nano),
        "Limit": number_from_nano(profile.limit_nano),
        "Config": profile.as_wire(),
    }
    return read(shown, keys[1:])
