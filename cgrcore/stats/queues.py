"""Queues: taking events in, letting them go, and what they measure.

Rules: before an event is taken in, those that are over and those beyond the queue's length go, oldest first. Each
metric is for itself: one that cannot read an event leaves the others alone. The same event twice counts twice.
Does not know: profiles' filters, thresholds.
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from cgrcore.errors import CgrError, NotFound
from cgrcore.filters import Scope, passes_in
from cgrcore.stats.metrics import EXTREMES, Kind, kind_of, measure, shown_number, shown_text
from cgrcore.stats.records import Item, Metric, StatProfile, StatQueue, Total
from cgrcore.world import World

__all__ = ["add_event", "drop_queue", "is_sound", "items_of", "keep_metrics", "numbers_of", "queue_of", "texts_of"]

#: No queue holds more events than this, whatever its profile says; the oldest go.
MAX_ITEMS = 100_000


def is_sound(profile: StatProfile) -> bool:
    """Tell whether every metric of a profile exists; one that is not has no queue."""
    try:
        for metric in profile.metrics or ():
            kind_of(metric.id)
    except CgrError:
        return False
    return True


def _key(profile: StatProfile) -> str:
    return f"{profile.tenant}:{profile.id}"


def queue_of(world: World, profile: StatProfile) -> StatQueue:
    """Return a profile's queue as it is at this instant. Raises NotFound for a profile whose metrics do not exist."""
    if not is_sound(profile):
        raise NotFound(subject="stat queue", subject_id=_key(profile))
    found: StatQueue | None = world.state.table("stat_queues").get(_key(profile))
    queue = found or StatQueue(profile.tenant, profile.id, {metric.id: Total() for metric in profile.metrics or ()})
    return _without_expired(world, profile, queue)


def items_of(world: World, queue: StatQueue) -> Iterator[Item]:
    """Yield the events of a queue, oldest first."""
    items = world.state.table("stat_items")
    for number in range(queue.first, queue.next):
        yield items.require(_item_key(queue, number))


def _item_key(queue: StatQueue, number: int) -> str:
    return f"{queue.tenant}:{queue.id}:{number}"


def _without_expired(world: World, profile: StatProfile, queue: StatQueue) -> StatQueue:
    count = 0
    for item in items_of(world, queue):
        if item.expires_at is None or item.expires_at > world.now_at:
            break
        count += 1
    return _without_oldest(world, profile, queue, count)


def _without_oldest(world: World, profile: StatProfile, queue: StatQueue, count: int) -> StatQueue:
    """Return the queue, kept, less its oldest events."""
    if count <= 0:
        return queue
    items = world.state.table("stat_items")
    for _ in range(count):
        item: Item = items.require(_item_key(queue, queue.first))
        items.remove(_item_key(queue, queue.first))
        queue = msgspec.structs.replace(queue, first=queue.first + 1)
        totals = dict(queue.totals)
        for metric_id, value in item.values.items():
            totals[metric_id] = _taken_out(world, queue, metric_id, totals[metric_id], value)
        queue = msgspec.structs.replace(queue, totals=totals)
    world.state.table("stat_queues").put(_key(profile), queue)
    return queue


def _taken_out(world: World, queue: StatQueue, metric_id: str, total: Total, value: int | str) -> Total:
    kind, _ = kind_of(metric_id)
    count = total.count - 1
    if isinstance(value, str):
        seen = dict(total.seen)
        seen[value] -= 1
        if not seen[value]:
            del seen[value]
        return Total(count, 0, seen)
    if kind.adds not in EXTREMES:
        return Total(count, total.amount - value)
    if value != total.amount or not count:
        return Total(count, total.amount if count else 0)
    left = [item.values.get(metric_id) for item in items_of(world, queue)]
    return Total(count, EXTREMES[kind.adds](number for number in left if isinstance(number, int)))


def _put_in(kind: Kind, total: Total, value: int | str) -> Total:
    count = total.count + 1
    if isinstance(value, str):
        return Total(count, 0, {**total.seen, value: total.seen.get(value, 0) + 1})
    if kind.adds in EXTREMES:
        return Total(count, EXTREMES[kind.adds](total.amount, value) if total.count else value)
    return Total(count, total.amount + value)


def add_event(world: World, profile: StatProfile, event_id: str, scope: Scope) -> StatQueue:
    """Take an event into a profile's queue and return the queue."""
    queue = queue_of(world, profile)
    if profile.keeps_items:
        longest = min(profile.queue_length, MAX_ITEMS) if profile.queue_length > 0 else MAX_ITEMS
        queue = _without_oldest(world, profile, queue, queue.next - queue.first + 1 - longest)
    values: dict[str, int | str] = {}
    totals = dict(queue.totals)
    for metric in profile.metrics or ():
        kind, argument = kind_of(metric.id)
        if not _counts(metric, scope):
            continue
        try:
            value = values[metric.id] = kind.read(scope, argument)
        except CgrError:
            continue
        totals[metric.id] = _put_in(kind, totals[metric.id], value)
    queue = msgspec.structs.replace(queue, totals=totals)
    if profile.keeps_items:
        expires_at = world.now_at + profile.ttl_ns if profile.ttl_ns > 0 else None
        world.state.table("stat_items").put(_item_key(queue, queue.next), Item(event_id, expires_at, values))
        queue = msgspec.structs.replace(queue, next=queue.next + 1)
    world.state.table("stat_queues").put(_key(profile), queue)
    return queue


def _counts(metric: Metric, scope: Scope) -> bool:
    try:
        return passes_in(scope, scope.tenant, metric.filter_ids or ())
    except CgrError:
        return False


def drop_queue(world: World, profile: StatProfile) -> None:
    """Forget all that a profile measured."""
    queue: StatQueue | None = world.state.table("stat_queues").remove(_key(profile))
    if queue is not None:
        for number in range(queue.first, queue.next):
            world.state.table("stat_items").remove(_item_key(queue, number))


def keep_metrics(world: World, profile: StatProfile) -> None:
    """Make a queue measure what its profile says now: new metrics start empty, those that are gone are forgotten."""
    queue: StatQueue | None = world.state.table("stat_queues").get(_key(profile))
    if queue is None or not is_sound(profile):
        return
    totals = {metric.id: queue.totals.get(metric.id, Total()) for metric in profile.metrics or ()}
    if totals.keys() != queue.totals.keys():
        items = world.state.table("stat_items")
        for number, item in enumerate(list(items_of(world, queue)), queue.first):
            values = {metric_id: value for metric_id, value in item.values.items() if metric_id in totals}
            items.put(_item_key(queue, number), msgspec.structs.replace(item, values=values))
    world.state.table("stat_queues").put(_key(profile), msgspec.structs.replace(queue, totals=totals))


def _measured(world: World, profile: StatProfile, queue: StatQueue) -> Iterator[tuple[str, Kind, int | None]]:
    decimals = int(world.settings["general"].get("rounding_decimals", 5))
    for metric_id, total in queue.totals.items():
        kind, _ = kind_of(metric_id)
        yield metric_id, kind, measure(kind, total, profile.min_items, decimals)


def texts_of(world: World, profile: StatProfile) -> dict[str, str]:
    """Return what a profile measures, as texts by metric. Raises NotFound."""
    return {name: shown_text(kind, value) for name, kind, value in _measured(world, profile, queue_of(world, profile))}


def numbers_of(world: World, profile: StatProfile, queue: StatQueue | None = None) -> dict[str, int | Decimal]:
    """Return what a profile measures, as numbers by metric; -1 for what is not available. Raises NotFound."""
    queue = queue or queue_of(world, profile)
    return {name: shown_number(kind, value) for name, kind, value in _measured(world, profile, queue)}
