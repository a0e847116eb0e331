"""From a plan's filters and profiles to their records.

Rules: a filter that a profile names must exist, in the plan or in force; an inline one must be readable. Profiles of
subsystems that have no records of their own yet are checked and kept as they were written, in tables `loaded_*`.
Does not know: how filters are evaluated.
"""

from collections.abc import Sequence
from typing import Any

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
from cgrcore.thresholds import ThresholdProfile
from cgrcore.timing import parse_time

__all__ = ["LOADED", "build_attributes", "build_chargers", "build_filters", "build_thresholds", "check_others"]

#: The kinds whose profiles no subsystem here takes yet, by name.
LOADED: dict[str, Kind] = {
    kind.name: kind
    for kind in KINDS
    if kind.name
    in ("resources", "ips", "stats", "trends", "rankings", "routes", "dispatcher_profiles", "dispatcher_hosts")
}

#: Fields that hold durations.
_DURATIONS = ("UsageTTL", "TTL")


def build_filters(building: Building) -> dict[str, Filter]:
    """Return the plan's filters by `tenant:id`."""
    return {key: _filter(building, key, item) for key, item in building.items("filters").items()}


def _filter(building: Building, key: str, item: TpFilter) -> Filter:
    rules = tuple(FilterRule(rule.Type, rule.Element, _texts(rule.Values)) for rule in item.Filters or ())
    record = Filter(item.Tenant, item.ID, rules, _interval(building, "filters", key, item.ActivationInterval))
    try:
        compile_filter(record)
    except CgrError as error:
        building.wrong_as(Spot("filters", key, "Element"), error)
    return record


def build_chargers(building: Building) -> dict[str, ChargerProfile]:
    """Return the plan's charger profiles by `tenant:id`."""
    return {key: _charger(building, key, item) for key, item in building.items("chargers").items()}


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


def build_attributes(building: Building) -> dict[str, AttributeProfile]:
    """Return the plan's attribute profiles by `tenant:id`."""
    return {key: _attribute_profile(building, key, item) for key, item in building.items("attributes").items()}


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


def build_thresholds(building: Building) -> dict[str, ThresholdProfile]:
    """Return the plan's threshold profiles by `tenant:id`."""
    return {key: _threshold(building, key, item) for key, item in building.items("thresholds").items()}


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


def check_others(building: Building) -> dict[str, dict[str, Any]]:
    """Check the profiles that no subsystem takes yet. Return them by table, then by `tenant:id`."""
    found: dict[str, dict[str, Any]] = {}
    for name in LOADED:
        for key, item in building.items(name).items():
            _check_profile(building, name, key, item)
            found.setdefault(f"loaded_{name}", {})[key] = item
    return found


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
