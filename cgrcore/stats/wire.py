"""A stat queue as clients read it: its events, and each metric with what it holds of them."""

from typing import Any

from cgrcore.money import number_from_nano
from cgrcore.stats.metrics import DISTINCT, EXTREMES, Kind, kind_of
from cgrcore.stats.queues import items_of, queue_of
from cgrcore.stats.records import Item, Metric, StatProfile, Total
from cgrcore.timing import format_time
from cgrcore.world import World

__all__ = ["queue_as_wire"]


def queue_as_wire(world: World, profile: StatProfile) -> dict[str, Any]:
    """Return a profile's queue under its wire names. Raises NotFound."""
    queue = queue_of(world, profile)
    items = list(items_of(world, queue))
    shown = [
        {
            "EventID": item.event_id,
            "ExpiryTime": None if item.expires_at is None else format_time(item.expires_at),
        }
        for item in items
    ]
    metrics = {metric.id: _metric(profile, metric, queue.totals[metric.id], items) for metric in profile.metrics or ()}
    return {"Tenant": profile.tenant, "ID": profile.id, "SQItems": shown or None, "SQMetrics": metrics}


def _metric(profile: StatProfile, metric: Metric, total: Total, items: list[Item]) -> dict[str, Any]:
    kind, argument = kind_of(metric.id)
    held = [(item.event_id, item.values[metric.id]) for item in items if metric.id in item.values]
    name = metric.id.partition("#")[0]
    shown: dict[str, Any] = {
        "FilterIDs": None if metric.filter_ids is None else list(metric.filter_ids),
        "MinItems": profile.min_items,
        "Count": total.count,
    }
    if kind.adds == DISTINCT:
        shown |= _distinct(total, held)
    elif kind.adds in EXTREMES:
        shown[kind.adds.capitalize()] = number_from_nano(total.amount)
        shown["Events"] = {event_id: number_from_nano(v) for event_id, v in held if isinstance(v, int)}
        if items:
            shown["Count"] = len(shown["Events"])
    elif kind.adds == "count":
        shown["Events"] = {event_id: {} for event_id, _ in held}
    else:
        shown["Answered" if kind.adds == "share" else "Sum"] = _amount(kind, total.amount)
        shown["Events"] = _summed(kind, held)
    if name in ("*average", "*distinct", "*highest", "*lowest"):
        shown["FieldName"] = argument
    if name == "*sum":
        shown["Fields"] = [{"Rules": argument}] if argument else None
    if name == "*repfc":
        shown["ErrorType"] = argument
    return shown


def _amount(kind: Kind, amount: int) -> Any:
    return amount if kind.is_duration or kind.adds == "share" else number_from_nano(amount)


def _summed(kind: Kind, held: list[tuple[str, int | str]]) -> dict[str, Any]:
    """Return each event with the mean of what it gave and how often it came."""
    sums: dict[str, tuple[int, int]] = {}
    for event_id, value in held:
        if isinstance(value, int):
            amount, count = sums.get(event_id, (0, 0))
            sums[event_id] = (amount + value, count + 1)
    name = "Duration" if kind.is_duration else "Stat"
    return {
        event_id: {name: _amount(kind, amount // count), "CompressFactor": count}
        for event_id, (amount, count) in sums.items()
    }


def _distinct(total: Total, held: list[tuple[str, int | str]]) -> dict[str, Any]:
    values: dict[str, dict[str, dict[str, Any]]] = {value: {} for value in total.seen}
    events: dict[str, dict[str, int]] = {}
    for event_id, value in held:
        seen = events.setdefault(event_id, {})
        if isinstance(value, str):
            values[value][event_id] = {}
            seen[value] = seen.get(value, 0) + 1
    return {"FieldValues": values, "Events": events}
