"""Interim records of a call, which are merged to one CDR when the last record has come.

Rules: an event with the option `*partial` is one piece; the pieces of a call (OriginID and OriginHost name it) wait, in
the store, for an event without it. Then they are one event: in the order of their answer times, equal ones in the order
they came, each field with its latest value. Pieces whose last record never comes are one event after a time, marked
Partial. Does not know: what becomes of the event.
"""

from typing import Any

import msgspec

from cgrcore.errors import BadRequest
from cgrcore.event import CgrEvent, time_of
from cgrcore.sessions import cgrid_of
from cgrcore.state import Table
from cgrcore.timing import ZERO_AT
from cgrcore.world import World

__all__ = ["PARTIAL", "Pieces", "expired_pieces", "is_piece", "keep_piece", "pieces_as_event", "whole_event"]

PARTIAL = "*partial"
TABLE = "partial_cdrs"

#: Pieces of one call that are kept apart; beyond that the earliest are merged as they are.
MAX_PIECES = 100


class Piece(msgspec.Struct, frozen=True):
    """One interim record: when it is about (its answer time), and its event."""

    at: int
    event: dict[str, Any]
    options: dict[str, Any]


class Pieces(msgspec.Struct, frozen=True):
    """The interim records of a call, in order, and when the latest came."""

    tenant: str
    pieces: list[Piece]
    updated_at: int


def _waiting(world: World) -> Table[Pieces]:
    return world.state.table(TABLE)


def is_piece(event: CgrEvent) -> bool:
    """Return whether an event is an interim record."""
    return event.options.get(PARTIAL) not in (None, "", "false", False)


def keep_piece(world: World, event: CgrEvent) -> None:
    """Keep an interim record until the last one comes. Raises BadRequest without an OriginID, or for a bad time."""
    if not event.event.get("OriginID"):
        raise BadRequest("MANDATORY_IE_MISSING: [OriginID]")
    key = cgrid_of(event.event)
    known = _waiting(world).get(key)
    pieces = _with(world, [] if known is None else known.pieces, event)
    if len(pieces) > MAX_PIECES:
        pieces = [_merged(pieces[:2]), *pieces[2:]]
    _waiting(world).put(key, Pieces(event.tenant, pieces, world.now_at))


def whole_event(world: World, event: CgrEvent) -> CgrEvent:
    """Return the last record of a call with what the interim ones said before, which then wait no more."""
    if not len(_waiting(world)):
        return event
    known = _waiting(world).remove(cgrid_of(event.event))
    if known is None:
        return event
    merged = _merged(_with(world, known.pieces, event))
    return CgrEvent(event.tenant, event.id, event.at, merged.event, merged.options)


def expired_pieces(world: World, before_at: int) -> list[str]:
    """Return the CGRIDs of calls of which nothing has come since the instant."""
    return [key for key, known in _waiting(world).records.items() if known.updated_at < before_at]


def pieces_as_event(world: World, cgrid: str) -> CgrEvent | None:
    """Return the interim records of a call as one event, marked Partial, which then wait no more; None without any."""
    known = _waiting(world).remove(cgrid)
    if known is None:
        return None
    merged = _merged(known.pieces)
    return CgrEvent(known.tenant, world.new_id(), None, {**merged.event, "Partial": True}, merged.options)


def _with(world: World, pieces: list[Piece], event: CgrEvent) -> list[Piece]:
    answered = time_of(event.event.get("AnswerTime"), world.now_at)
    options = {name: value for name, value in event.options.items() if name != PARTIAL}
    piece = Piece(ZERO_AT if answered is None else answered.at, dict(event.event), options)
    return sorted([*pieces, piece], key=lambda it: it.at)  # stable: equal ones stay in the order they came


def _merged(pieces: list[Piece]) -> Piece:
    event: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for piece in pieces:
        event |= piece.event
        options |= piece.options
    return Piece(pieces[-1].at, event, options)
