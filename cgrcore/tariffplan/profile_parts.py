"""What all profiles of a plan have: lists, an interval of activation, filters that must exist."""

from collections.abc import Sequence
from typing import Any

from cgrcore.errors import BadRequest, CgrError
from cgrcore.filters import ActivationInterval, Filter, compile_filter, inline_rule, is_inline
from cgrcore.tariffplan.mistakes import Spot
from cgrcore.tariffplan.records import TpInterval
from cgrcore.tariffplan.refer import Building
from cgrcore.timing import parse_time

__all__ = ["check_filters", "interval", "texts"]


def texts(values: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return a list as a record has it."""
    return None if values is None else tuple(values)


def interval(building: Building, kind: str, key: str, item: TpInterval | None) -> ActivationInterval | None:
    """Return the interval of an object; a time that cannot be read is a mistake."""
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


def check_filters(building: Building, kind: str, key: str, item: Any) -> None:
    """Note each filter an object names that is not in the plan nor in force, and each inline one that is none."""
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
