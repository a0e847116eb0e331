"""From a plan's filters and profiles to their records.

Rules: a filter that a profile names must exist, in the plan or in force; an inline one must be readable. Profiles of
subsystems that have no records of their own yet are checked and kept as they were written, in tables `loaded_*`.
Does not know: how filters are evaluated.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cgrcore.attributes import Attribute, AttributeProfile
from cgrcore.chargers import ChargerProfile
from cgrcore.errors import BadRequest, CgrError
from cgrcore.filters import (
    ActivationInterval,
    Filter,
    FilterRule,
    compile_filter,
    inline_rule,
    is_inline,
    parse_rsr,
    split_rsr,
)
from cgrcore.money import parse_nano
from cgrcore.tariffplan.kinds import KINDS, Kind
from cgrcore.tariffplan.mistakes import Spot
from cgrcore.tariffplan.records import TpAttributeProfile, TpCharger, TpFilter, TpInterval, TpThreshold
from cgrcore.tariffplan.refer import Building
from cgrcore.thresholds import ThresholdProfile, store_profile
from cgrcore.timing import parse_time
from cgrcore.world import World

__all__ = ["LOADED", "SERVED", "Served", "build_profiles"]

#: Fields that hold durations.
_DURATIONS = ("UsageTTL", "TTL")


def _filter(building: Building, key: str, item: TpFilter) -> Filter:
    rules = tuple(FilterRule(rule.Type, rule.Element, _texts(rule.Values)) for rule in item.Filters or ())
    record = Filter(item.Tenant, item.ID, rules, _interval(building, "filters", key, item.ActivationInterval))
    try:
        compile_filter(record)
    except CgrError as error:
        building.wrong_as(Spot("filters", key, "Element"), error)
    return record


def _charger(building: Building, key: str, item: TpCharger) -> ChargerProfile:
    _check_filters(building, "chargers", key, item)
    return ChargerProfile(
        item.Tenant,
        item.ID,
        _texts(item.FilterIDs),
        _interval(building, "chargers", key, item.ActivationInterval),
        item.RunID,
        _texts(item.AttributeIDs),
        building.amount(item.Weight, Spot("chargers", key, "Weight")),
    )


def _attribute_profile(building: Building, key: str, item: TpAttributeProfile) -> AttributeProfile:
    separator = str(building.world.settings["general"].get("rsr_separator") or ";")
    attributes = []
    for index, line in enumerate(item.Attributes or ()):
        if not line.Path:
            message = f'empty path in AttributeProfile "{key}"'
            building.wrong(Spot("attributes", key, "Path", index), message, "a path such as *req.Account", "")
        rules: tuple[str, ...] = ()
        try:
            rules = tuple(split_rsr(line.Value, separator))
            for rule in rules:
                parse_rsr(rule)
        except CgrError as error:
            building.wrong_as(Spot("attributes", key, "Value", index), error, line.Value)
        attributes.append(Attribute(line.Path, line.Type, rules, _texts(line.FilterIDs)))
    _check_filters(building, "attributes", key, item)
    return AttributeProfile(
        item.Tenant,
        item.ID,
        _texts(item.Contexts),
        _texts(item.FilterIDs),
        _interval(building, "attributes", key, item.ActivationInterval),
        tuple(attributes),
        item.Blocker,
        building.amount(item.Weight, Spot("attributes", key, "Weight")),
    )


def _threshold(building: Building, key: str, item: TpThreshold) -> ThresholdProfile:
    _check_filters(building, "thresholds", key, item)
    return ThresholdProfile(
        item.Tenant,
        item.ID,
        _texts(item.FilterIDs),
        _interval(building, "thresholds", key, item.ActivationInterval),
        item.MaxHits,
        item.MinHits,
        building.duration(item.MinSleep, Spot("thresholds", key, "MinSleep")),
        item.Blocker,
        building.amount(item.Weight, Spot("thresholds", key, "Weight")),
        _texts(item.ActionIDs),
        item.Async,
        _texts(item.EeIDs) or None,
    )


def _check_profile(building: Building, name: str, key: str, item: Any) -> None:
    fields = item.__struct_fields__
    for field in _DURATIONS:
        if field in fields:
            text = getattr(item, field)
            if text != "-1":
                building.duration(text, Spot(name, key, field))
    if name == "resources" and item.Limit:
        try:
            parse_nano(item.Limit)
        except BadRequest:
            message = f'strconv.ParseFloat: parsing "{item.Limit}": invalid syntax'
            building.wrong(Spot(name, key, "Limit"), message, "a number", item.Limit)
    if "ActivationInterval" in fields:
        _interval(building, name, key, item.ActivationInterval)
    if "FilterIDs" in fields:
        _check_filters(building, name, key, item)


class Served(NamedTuple):
    """Profiles that a subsystem takes: their table, how a record is built of one, how it is kept (None: as it is)."""

    table: str
    build: Callable[[Building, str, Any], Any]
    keep: Callable[[World, Any], None] | None = None


#: By kind. A subsystem that begins to take its profiles adds a line here; nothing else knows.
SERVED: dict[str, Served] = {
    "filters": Served("filters", _filter),
    "thresholds": Served("threshold_profiles", _threshold, store_profile),
    "attributes": Served("attributes", _attribute_profile),
    "chargers": Served("chargers", _charger),
}

#: The kinds of profiles that no subsystem takes yet, by name.
LOADED: dict[str, Kind] = {
    kind.name: kind
    for kind in KINDS
    if kind.name not in SERVED
    and kind.name
    in ("resources", "ips", "stats", "trends", "rankings", "routes", "dispatcher_profiles", "dispatcher_hosts")
}


def build_profiles(building: Building) -> dict[str, dict[str, Any]]:
    """Return the plan's filters and profiles by table, then by `tenant:id`."""
    found: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        served = SERVED.get(kind.name)
        for key, item in building.items(kind.name).items() if served or kind.name in LOADED else ():
            if served is not None:
                found.setdefault(served.table, {})[key] = served.build(building, key, item)
            else:
                _check_profile(building, kind.name, key, item)
                found.setdefault(f"loaded_{kind.name}", {})[key] = item
    return found


def _texts(values: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _interval(building: Building, kind: str, key: str, item: TpInterval | None) -> ActivationInterval | None:
    if item is None:
        return None
    world = building.world
    zone = world.settings["general"]["default_timezone"]
    bounds = []
    for text in (item.ActivationTime, item.ExpiryTime):
        try:
            bounds.append(parse_time(text, world.now_at, zone))
        except BadRequest as error:
            expected = "a time such as 2024-01-01T00:00:00Z"
            building.wrong(Spot(kind, key, "ActivationInterval"), str(error), expected, text)
            bounds.append(parse_time("", 0))
    return ActivationInterval(*bounds)


def _check_filters(building: Building, kind: str, key: str, item: Any) -> None:
    for filter_id in item.FilterIDs or ():
        is_known = True
        if is_inline(filter_id):
            try:
                compile_filter(Filter(item.Tenant, filter_id, (inline_rule(filter_id),)))
            except CgrError:
                is_known = False
        else:
            is_known = building.is_known("filters", f"{item.Tenant}:{filter_id}")
        if not is_known:
            message = f"broken reference to filter: <{filter_id}> for item with ID: {key}"
            building.wrong(Spot(kind, key, "FilterIDs"), message, "the id of a filter, or an inline one", filter_id)
