"""From a plan's filters, and its charger, attribute and threshold profiles, to their records.

Does not know: how they are used.
"""

from cgrcore.attributes import Attribute, AttributeProfile
from cgrcore.chargers import ChargerProfile
from cgrcore.errors import CgrError
from cgrcore.filters import Filter, FilterRule, compile_filter, parse_rsr, split_rsr
from cgrcore.tariffplan.mistakes import Spot
from cgrcore.tariffplan.profile_parts import check_filters, interval, texts
from cgrcore.tariffplan.records import TpAttributeProfile, TpCharger, TpFilter, TpThreshold
from cgrcore.tariffplan.refer import Building
from cgrcore.thresholds import ThresholdProfile

__all__ = ["build_attribute_profile", "build_charger", "build_filter", "build_threshold"]


def build_filter(building: Building, key: str, item: TpFilter) -> Filter:
    """Return the filter an object describes; a rule that cannot be read is a mistake."""
    rules = tuple(FilterRule(rule.Type, rule.Element, texts(rule.Values)) for rule in item.Filters or ())
    record = Filter(item.Tenant, item.ID, rules, interval(building, "filters", key, item.ActivationInterval))
    try:
        compile_filter(record)
    except CgrError as error:
        building.wrong_as(Spot("filters", key, "Element"), error)
    return record


def build_charger(building: Building, key: str, item: TpCharger) -> ChargerProfile:
    """Return the charger profile an object describes."""
    check_filters(building, "chargers", key, item)
    return ChargerProfile(
        item.Tenant,
        item.ID,
        texts(item.FilterIDs),
        interval(building, "chargers", key, item.ActivationInterval),
        item.RunID,
        texts(item.AttributeIDs),
        building.amount(item.Weight, Spot("chargers", key, "Weight")),
    )


def build_attribute_profile(building: Building, key: str, item: TpAttributeProfile) -> AttributeProfile:
    """Return the attribute profile an object describes; an empty path and a value that is no RSR are mistakes."""
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
        attributes.append(Attribute(line.Path, line.Type, rules, texts(line.FilterIDs)))
    check_filters(building, "attributes", key, item)
    return AttributeProfile(
        item.Tenant,
        item.ID,
        texts(item.Contexts),
        texts(item.FilterIDs),
        interval(building, "attributes", key, item.ActivationInterval),
        tuple(attributes),
        item.Blocker,
        building.amount(item.Weight, Spot("attributes", key, "Weight")),
    )


def build_threshold(building: Building, key: str, item: TpThreshold) -> ThresholdProfile:
    """Return the threshold profile an object describes."""
    check_filters(building, "thresholds", key, item)
    return ThresholdProfile(
        item.Tenant,
        item.ID,
        texts(item.FilterIDs),
        interval(building, "thresholds", key, item.ActivationInterval),
        item.MaxHits,
        item.MinHits,
        building.duration(item.MinSleep, Spot("thresholds", key, "MinSleep")),
        item.Blocker,
        building.amount(item.Weight, Spot("thresholds", key, "Weight")),
        texts(item.ActionIDs),
        item.Async,
        texts(item.EeIDs) or None,
    )
