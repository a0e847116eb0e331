"""The rating queue: CDRs that were taken in and are charged later, in batches, in the order they came.

Rules: a CDR stands here since the commit that stored it, and leaves in the commit that gives it its cost, so it is
charged once, whatever is cut off. The order is that of coming, so that of each account as well. Those that need no
account are priced as columns, and keep cost details only when so configured. A batch is one decision. Who rates,
refunds or removes a CDR takes it out. Does not know: when a batch is due.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import numpy

from cgrcore.cdrs.changed import note_change
from cgrcore.cdrs.charge import ACCOUNTABLE, call_of, charge_cdr
from cgrcore.cdrs.processed import Audience, Processed, observe
from cgrcore.cdrs.records import Cdr
from cgrcore.errors import PartiallyExecuted, Unavailable
from cgrcore.event import CgrEvent
from cgrcore.rating import Call, CallColumns, Coded, rate_columns, tariff_of
from cgrcore.timing import Moment
from cgrcore.world import World

__all__ = ["Waiting", "check_room", "keys_in_order", "rate_waiting", "take_out", "wait"]

QUEUE = "rating_queue"

#: As columns fewer calls cost more than one by one.
FEWEST_COLUMNS = 8

#: The world's part that holds the number of the last CDR that was queued.
NUMBER = "rating_queue_number"


class Waiting(msgspec.Struct, frozen=True):
    """A CDR that waits for its cost, and what is to be done with it then. Table "rating_queue", key: `cgrid:run_id`.

    `number` is its place in the order; `event_id`, `event_at` and `options` are those of the event it came with.
    """

    number: int
    cdr: Cdr
    queued_at: int
    is_stored: bool
    audience: Audience
    tenant: str
    event_id: str
    event_at: Moment | None
    options: dict[str, Any]

    def encode(self) -> bytes:
        return _encode(self)

    @staticmethod
    def decode(data: bytes) -> "Waiting":
        return _decode(data)


_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(Waiting, float_hook=Decimal).decode


def check_room(world: World) -> None:
    """Raise Unavailable RATING_QUEUE_FULL when no further CDR may wait."""
    if len(world.state.table(QUEUE)) >= world.settings["cdrs"]["rating_queue"]:
        raise Unavailable("RATING_QUEUE_FULL", subject="cdrs")


def wait(world: World, item: Processed, audience: Audience, *, is_stored: bool) -> None:
    """Have the CDR charged later. Raises Unavailable RATING_QUEUE_FULL."""
    check_room(world)
    table, cdr, run = world.state.table(QUEUE), item.cdr, item.run
    number = world.parts.get(NUMBER)
    if number is None:
        number = max((waiting.number for waiting in table.records.values()), default=0)
    world.parts[NUMBER] = number = number + 1
    waiting = Waiting(number, cdr, world.now_at, is_stored, audience, run.tenant, run.id, run.at, dict(run.options))
    table.put(f"{cdr.cgrid}:{cdr.run_id}", waiting)
    wake = world.parts.get("wake_rating")
    if wake is not None:
        world.state.effects.after.append(wake)


def take_out(world: World, cgrid: str, run_id: str) -> bool:
    """Have a CDR not charged any more: it is charged now, refunded or removed. Return whether it was waiting."""
    return world.state.table(QUEUE).remove(f"{cgrid}:{run_id}") is not None


def keys_in_order(world: World) -> list[str]:
    """Return the keys of all that wait, the first that came first."""
    records: dict[str, Waiting] = world.state.table(QUEUE).records
    return sorted(records, key=lambda key: records[key].number)


def rate_waiting(world: World, keys: Sequence[str]) -> int:
    """Charge these CDRs, given in their order; return how many. Keys of CDRs that are gone are passed over."""
    queue = world.state.table(QUEUE)
    batch: list[Waiting] = [waiting for waiting in map(queue.get, keys) if waiting is not None]
    priced = _priced(world, batch)
    for waiting in batch:
        cdr = priced.get(waiting.number) or charge_cdr(world, waiting.cdr)
        queue.remove(f"{cdr.cgrid}:{cdr.run_id}")
        if waiting.is_stored:
            world.state.effects.rows.append(("cdrs", "update", cdr))
            note_change(world, cdr)
        _show(world, waiting, cdr)
    return len(batch)


def _show(world: World, waiting: Waiting, cdr: Cdr) -> None:
    run = CgrEvent(waiting.tenant, waiting.event_id, waiting.event_at, {}, waiting.options)
    try:
        observe(world, [Processed(cdr, run, [])], waiting.audience)
    except PartiallyExecuted:
        note = world.parts.get("note")
        if note is not None:
            note(f"CDR {cdr.cgrid}:{cdr.run_id} was rated, but exporters, thresholds or statistics failed")


def _priced(world: World, batch: Iterable[Waiting]) -> dict[int, Cdr]:
    """Return those that need no account with their cost, by number. Those that cannot be priced so are left out."""
    settings = world.settings["cdrs"]
    free = [it for it in batch if it.cdr.request_type not in ACCOUNTABLE and it.cdr.request_type != "*directdebit"]
    if settings["rating_queue_details"] or len(free) < FEWEST_COLUMNS:
        return {}
    rated = rate_columns(tariff_of(world), _columns([call_of(it.cdr) for it in free]))
    return {
        it.number: msgspec.structs.replace(
            it.cdr, cost_nano=int(cost_nano), cost_details=None, cost_source="*cdrs", extra_info=""
        )
        for it, cost_nano, error in zip(free, rated.costs_nano, rated.errors, strict=True)
        if not error
    }


def _columns(calls: Sequence[Call]) -> CallColumns:
    return CallColumns(
        destinations=[call.destination for call in calls],
        starts_at=numpy.array([call.start_at for call in calls], dtype=numpy.int64),
        usages_ns=numpy.array([call.usage_ns for call in calls], dtype=numpy.int64),
        subjects=_coded([call.subject for call in calls]),
        tenants=_coded([call.tenant for call in calls]),
        categories=_coded([call.category for call in calls]),
        tors=_coded([call.tor for call in calls]),
        offsets_s=numpy.array([call.offset_s for call in calls], dtype=numpy.int32),
    )


def _coded(texts: Sequence[str]) -> Coded:
    places: dict[str, int] = {}
    indices = numpy.array([places.setdefault(text, len(places)) for text in texts], dtype=numpy.int32)
    return Coded(indices, list(places))
