"""Splitting a call into timespans of one price each.

A voice call is cut where a plan is activated, at midnight, where a zone moves its clock, where other hours and where
the next slot of a rate begin; everything else only at slots. Each span then grows to whole increments, at the cost of
the spans behind it. The work grows with the borders crossed, not with the length of the call. Does not know: profiles,
money.
"""

from collections.abc import Sequence
from typing import cast

from cgrcore.errors import Refused
from cgrcore.money import NANO, div_half_away
from cgrcore.rating.calls import Call, Span
from cgrcore.rating.compile import Interval, Tariff, day_of
from cgrcore.rating.flat import flat_prices_of
from cgrcore.rating.lookup import DAY_S, RatingInfo, rating_infos
from cgrcore.rating.plans import plans_of
from cgrcore.rating.zones import Zone
from cgrcore.timing import DAY_NS, SECOND_NS

__all__ = ["price", "rate", "rate_by_hours", "timespans"]


class Piece:
    """A timespan in the making."""

    __slots__ = ("end_at", "index_ns", "info", "interval", "offset_s", "start_at")

    def __init__(self, start_at: int, end_at: int, index_ns: int, info: RatingInfo, offset_s: int) -> None:
        self.start_at = start_at
        self.end_at = end_at
        self.index_ns = index_ns
        self.info = info
        self.offset_s = offset_s
        self.interval: Interval | None = None

    @property
    def usage_ns(self) -> int:
        return self.end_at - self.start_at

    @property
    def group_start_ns(self) -> int:
        return max(0, self.index_ns - self.usage_ns)

    def cut(self, at: int) -> "Piece":
        """Keep what is before the instant and return the rest, both of the same plan."""
        rest = Piece(at, self.end_at, self.index_ns, self.info, self.offset_s)
        self.index_ns = max(0, self.index_ns - rest.usage_ns)
        self.end_at = at
        return rest


def rate(tariff: Tariff, call: Call) -> list[Span]:
    """Return the call's priced timespans, in order. Their usage may exceed the call's: increments are charged whole.

    Raises Refused RATING_PLAN_NOT_FOUND, UNAUTHORIZED_DESTINATION.
    """
    zone = tariff.zone_of(call.tenant) if tariff.zones else None
    if zone is not None:
        if zone.changes_within(call.start_at, call.end_at):
            return rate_by_hours(tariff, call)
        call = zone.place(call)
    flat = flat_prices_of(tariff)
    found = None if flat is None else flat.spans(call)
    if found is None:
        plans = plans_of(tariff)
        found = None if plans is None else plans.spans(call)
    # The kernel's spans read as spans do.
    return rate_by_hours(tariff, call) if found is None else cast(list[Span], found)


def rate_by_hours(tariff: Tariff, call: Call) -> list[Span]:
    """Return what `rate` does, looking at the hours of every rate."""
    zone = tariff.zone_of(call.tenant)
    if zone is not None:
        call = zone.place(call)
    return [price(tariff, piece) for piece in timespans(call, rating_infos(tariff, call), zone)]


def timespans(call: Call, infos: list[RatingInfo], zone: Zone | None = None) -> list[Piece]:
    """Return the pieces of the call, each with its interval, aligned to increments; `zone` may move its clock."""
    index_ns = max(call.duration_index_ns, call.usage_ns)
    pieces = [Piece(call.start_at, call.end_at, index_ns, infos[0], call.offset_s)]
    if call.is_voice:
        pieces = _by_activation(pieces[0], infos)
        if zone is not None:
            pieces = [part for piece in pieces for part in _by_clock(piece, zone)]
        pieces = [part for piece in pieces for part in _by_midnight(piece)]
    pieces = _by_interval(pieces, call)
    _align(pieces)
    for piece in pieces:
        if piece.interval is None:
            raise Refused("UNAUTHORIZED_DESTINATION", subject="destination", subject_id=call.destination)
    return pieces


def _by_activation(piece: Piece, infos: list[RatingInfo]) -> list[Piece]:
    """Cut where a later plan is activated; the price stays that of the plan the call began with."""
    pieces = [piece]
    for info in infos:
        if info.activation_at < piece.start_at:
            piece.info = info
        elif pieces[-1].start_at < info.activation_at < pieces[-1].end_at:
            pieces.append(pieces[-1].cut(info.activation_at))
    return pieces


def _by_clock(piece: Piece, zone: Zone) -> list[Piece]:
    """Cut where the zone moves its clock."""
    piece.offset_s = zone.offset_at(piece.start_at)
    pieces = [piece]
    for at in zone.changes_within(piece.start_at, piece.end_at):
        pieces.append(pieces[-1].cut(at))
        pieces[-1].offset_s = zone.offset_at(at)
    return pieces


def _by_midnight(piece: Piece) -> list[Piece]:
    """Cut at each midnight, unless the span ends at one or on a day of the same number."""
    pieces = [piece]
    offset_ns = piece.offset_s * SECOND_NS
    last_day, clock_ns = divmod(piece.end_at + offset_ns, DAY_NS)
    while True:
        part = pieces[-1]
        day = (part.start_at + offset_ns) // DAY_NS
        if day == last_day or clock_ns < SECOND_NS or day_of(day).day == day_of(last_day).day:
            return pieces
        pieces.append(part.cut((day + 1) * DAY_NS - offset_ns))


class _Clock:
    """A span's start and end as days and seconds of the tariff's clock; an end at midnight is of the day before."""

    __slots__ = (
        "end_day",
        "end_second",
        "midnight_at",
        "offset_ns",
        "start_clock_ns",
        "start_day",
        "start_days",
        "start_second",
    )

    def __init__(self, piece: Piece) -> None:
        self.offset_ns = piece.offset_s * SECOND_NS
        self.start_days, self.start_clock_ns = divmod(piece.start_at + self.offset_ns, DAY_NS)
        self.start_day = day_of(self.start_days)
        self.start_second = self.start_clock_ns // SECOND_NS
        end_ns = piece.end_at + self.offset_ns
        if end_ns % DAY_NS < SECOND_NS:
            end_ns -= SECOND_NS
        end_days, end_clock_ns = divmod(end_ns, DAY_NS)
        self.end_day = self.start_day if end_days == self.start_days else day_of(end_days)
        self.end_second = end_clock_ns // SECOND_NS
        self.midnight_at = self.start_days * DAY_NS - self.offset_ns

    def has_start(self, interval: Interval) -> bool:
        return interval.hours.is_active(self.start_day, self.start_second)

    def has_end(self, interval: Interval) -> bool:
        return interval.hours.is_active(self.end_day, self.end_second)

    def left_at(self, interval: Interval) -> int:
        """Return when the interval begins on the day the span does."""
        return self.midnight_at + interval.hours.start_s * SECOND_NS


def _by_interval(pieces: list[Piece], call: Call) -> list[Piece]:
    """Give each piece its interval, cutting it where slots or other hours begin."""
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        clock = _Clock(piece)
        for interval in _candidates(piece, clock):
            rest = _split(piece, interval, clock, is_voice=call.is_voice)
            if rest is not None:
                pieces.insert(index + 1, rest)
                if piece.interval is not None:
                    break
                clock = _Clock(piece)
        index += 1
    return pieces


def _candidates(piece: Piece, clock: _Clock) -> Sequence[Interval]:
    """Return the best interval at the piece's start, then those that may begin within it and weigh as much."""
    assert piece.info.intervals is not None
    order = piece.info.intervals
    if len(order) == 1:
        return order
    best = None
    for index, interval in enumerate(order):
        if best is not None and interval.weight_nano < order[best].weight_nano:
            break
        if clock.has_start(interval) and (best is None or interval.hours.start_s > order[best].hours.start_s):
            best = index
    best = 0 if best is None else best
    weight = order[best].weight_nano
    later = [i for i in order[best + 1 :] if i.weight_nano >= weight and clock.left_at(i) < piece.end_at]
    return [order[best], *later]


def _attach(piece: Piece, interval: Interval, midnight_at: int) -> None:
    """Give the piece an interval that has begun, if it has none, a lighter one, or one that began earlier.

    `midnight_at` begins the day that the piece starts on.
    """
    if midnight_at + interval.hours.start_s * SECOND_NS > piece.start_at:
        return
    held = piece.interval
    if held is None or held.weight_nano < interval.weight_nano or held.hours.start_s < interval.hours.start_s:
        piece.interval = interval


def _split(piece: Piece, interval: Interval, clock: _Clock, *, is_voice: bool) -> Piece | None:
    """Let the interval price the piece or a part of it; return what was cut off at the end."""
    has_start, has_end = clock.has_start(interval), clock.has_end(interval)
    if not has_start and not has_end:
        return None
    group_start, group_end = piece.group_start_ns, piece.index_ns
    for slot in interval.slots:
        if group_start < slot.group_start_ns < group_end:
            _attach(piece, interval, clock.midnight_at)
            rest = piece.cut(piece.start_at + slot.group_start_ns - group_start)
            days = (rest.start_at - clock.midnight_at) // DAY_NS
            _attach(rest, interval, clock.midnight_at + days * DAY_NS)
            return rest
    if not is_voice:
        if has_start:
            _attach(piece, interval, clock.midnight_at)
        return None
    if has_start:
        _attach(piece, interval, clock.midnight_at)
        right_at = clock.midnight_at + DAY_NS
        if has_end or not piece.start_at < right_at < piece.end_at:
            return None
        return piece.cut(right_at)
    left_at = clock.left_at(interval)
    if not piece.start_at < left_at < piece.end_at:
        return None
    rest = piece.cut(left_at)
    rest.interval = interval
    return rest


def _align(pieces: list[Piece]) -> None:
    """Let each piece grow to whole increments; what it covers of the pieces behind is theirs no more."""
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        index += 1
        slot = None if piece.interval is None else piece.interval.slot_at(piece.group_start_ns)
        if slot is None:
            continue
        usage_ns = piece.usage_ns
        whole_ns = max(-(-usage_ns // slot.increment_ns) * slot.increment_ns, slot.increment_ns)
        if whole_ns <= usage_ns:
            continue
        piece.index_ns += whole_ns - usage_ns
        piece.end_at = piece.start_at + whole_ns
        while index < len(pieces) and pieces[index].end_at <= piece.end_at:
            del pieces[index]
        if index < len(pieces) and pieces[index].start_at < piece.end_at:
            pieces[index].start_at = piece.end_at


def price(tariff: Tariff, piece: Piece) -> Span:
    """Return the piece with its price: the span's and then an increment's, both rounded to the system's decimals."""
    interval = piece.interval
    assert interval is not None
    slot = interval.slot_at(piece.group_start_ns)
    usage_ns = piece.usage_ns
    increment_ns = cost_nano = count = 0
    if slot is not None:
        step = 10 ** (9 - min(tariff.rounding_decimals, 9))
        increment_ns = slot.increment_ns
        count = usage_ns // increment_ns
        if count:
            span_nano = div_half_away(usage_ns * slot.value_nano, slot.unit_ns * step) * step
            cost_nano = div_half_away(span_nano, count * step) * step
    info = piece.info
    return Span(
        piece.start_at,
        piece.end_at,
        piece.index_ns,
        interval.record,
        increment_ns,
        cost_nano,
        count,
        info.subject,
        info.prefix,
        info.destination_id,
        info.plan_id,
    )


assert NANO == 10**9
assert DAY_S * SECOND_NS == DAY_NS
