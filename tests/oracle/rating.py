"""A price in the plainest way: every destination is scanned, the calendar is Python's, money is exact fractions.

The model follows the rules of rating word for word, one after the other: which plans hold, how a call is cut, how each
part grows to whole increments, what it costs. It shares records with the kernel and no code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from math import ceil, floor

from cgrcore.rating import Call, Destination, PlanRate, Rate, RatingPlan, RatingProfile, Timing

__all__ = ["Model", "Part", "Refusal", "increment_cost", "parts", "rounded", "total"]

NANO = 10**9
SECOND = 10**9
DAY = 86_400 * SECOND
ANY = "*any"


class Refusal(Exception):
    """The call is not priced; the text says why."""


class Missing(Exception):
    """No profile has this key."""


@dataclass
class Model:
    """A tariff as it is kept."""

    destinations: Mapping[str, Destination]
    plans: Mapping[str, RatingPlan]
    profiles: Mapping[str, RatingProfile]
    decimals: int = 5
    fallback_depth: int = 3
    matches_subject_prefixes: bool = False


@dataclass
class Info:
    """A plan that holds from an instant on, and what it has for the number."""

    at: int
    subject: str
    fallback_keys: list[str]
    rates: tuple[PlanRate, ...] | None = None
    plan_id: str = ""
    prefix: str = ""
    destination_id: str = ""


@dataclass
class Part:
    """A timespan: from start to end, the call's usage at its end, the plan and the rate that price it."""

    start: int
    end: int
    index: int
    info: Info
    rate: PlanRate | None = None
    slot: Rate | None = field(default=None, repr=False)

    @property
    def usage(self) -> int:
        return self.end - self.start

    @property
    def group_start(self) -> int:
        return max(0, self.index - self.usage)

    def cut(self, at: int) -> "Part":
        right = Part(at, self.end, self.index, self.info)
        self.end = at
        self.index = max(0, self.index - right.usage)
        return right


# --- hours -----------------------------------------------------------------------------------------------------------


def _clock(at: int, offset_s: int) -> datetime:
    """Return the civil time, to the second."""
    return datetime(1970, 1, 1) + timedelta(seconds=at // SECOND + offset_s)


def _start(rate: PlanRate) -> timedelta | None:
    """Return how long after midnight the hours of a rate begin, None for a word that is no clock time."""
    return _start_of("" if rate.timing is None else rate.timing.start_time)


@cache
def _start_of(text: str) -> timedelta | None:
    try:
        hour, minute, second = map(int, (text or "00:00:00").split(":"))
    except ValueError:
        return None
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _holds(rate: PlanRate, moment: datetime) -> bool:
    timing = rate.timing or Timing()
    start = _start(rate)
    return (
        start is not None
        and (not timing.years or moment.year in timing.years)
        and (not timing.months or moment.month in timing.months)
        and (not timing.month_days or moment.day in timing.month_days)
        and (not timing.week_days or moment.isoweekday() % 7 in timing.week_days)
        and moment >= _midnight(moment) + start
    )


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0)


# --- which plans -----------------------------------------------------------------------------------------------------


def _infos(model: Model, call: Call) -> list[Info]:
    head = f"*out:{call.tenant}:{call.category}:"
    try:
        found = _of_key(model, call, head + call.subject, call.start_at, call.end_at, 1)
    except Missing:
        try:
            found = _of_key(model, call, head + ANY, call.start_at, call.end_at, 1)
        except Missing:
            raise Refusal("RATING_PLAN_NOT_FOUND") from None
    if not _covers(found, call.start_at):
        raise Refusal("UNAUTHORIZED_DESTINATION")
    return found


def _covers(infos: list[Info], start: int) -> bool:
    return bool(infos) and infos[0].at <= start and all(info.rates for info in infos)


def _of_key(model: Model, call: Call, key: str, start: int, end: int, depth: int) -> list[Info]:
    if depth > model.fallback_depth:
        raise Missing
    profile = _profile(model, key)
    infos = _activated(model, call, profile, start, end)
    if _covers(infos, start):
        return infos
    filled = []
    for number, info in enumerate(infos):
        begin = start if number == 0 else info.at
        until = infos[number + 1].at if number + 1 < len(infos) else end
        filled += ([] if info.rates else _fallback(model, call, info, begin, until, depth)) or [info]
    return filled


def _fallback(model: Model, call: Call, info: Info, start: int, end: int, depth: int) -> list[Info]:
    for key in info.fallback_keys:
        try:
            found = _of_key(model, call, key, start, end, depth + 1)
        except Missing:
            continue
        if _covers(found, start):
            return found
    return []


def _profile(model: Model, key: str) -> RatingProfile:
    head, _, subject = key.rpartition(":")
    while subject:
        if f"{head}:{subject}" in model.profiles:
            return model.profiles[f"{head}:{subject}"]
        if not model.matches_subject_prefixes or key.endswith(ANY):
            break
        subject = subject[:-1]
    raise Missing


def _activated(model: Model, call: Call, profile: RatingProfile, start: int, end: int) -> list[Info]:
    head = f"*out:{call.tenant}:{call.category}:"
    activations = sorted(profile.activations, key=lambda activation: activation.at)
    while len(activations) > 1 and activations[1].at <= start:
        del activations[0]
    infos = []
    for activation in activations:
        if activation.at > end:
            break
        if activation is activations[0] and activation.at > start:
            infos.append(Info(start, profile.id, [head + ANY]))
        info = Info(activation.at, profile.id, [head + subject for subject in activation.fallback_subjects])
        plan = model.plans.get(activation.plan_id)
        if plan is not None:
            info.plan_id = plan.id
            _match(model, call, plan, info)
        if info.rates or info.fallback_keys:
            infos.append(info)
    return infos


def _match(model: Model, call: Call, plan: RatingPlan, info: Info) -> None:
    number = call.destination
    moment = _clock(call.start_at, call.offset_s)
    best: tuple[int, int] | None = None
    for destination in sorted(model.destinations.values(), key=lambda it: it.id):
        rates = plan.destination_rates.get(destination.id)
        if number in ("", ANY) or not rates or not any(_holds(rate, moment) for rate in rates):
            continue
        weight = max(0, max(rate.weight_nano for rate in rates))
        for prefix in destination.prefixes:
            if number.startswith(prefix) and (best is None or (len(prefix), weight) > best):
                best = (len(prefix), weight)
                info.rates, info.prefix, info.destination_id = rates, prefix, destination.id
    if best is None and plan.destination_rates.get(ANY):
        info.rates, info.prefix, info.destination_id = plan.destination_rates[ANY], ANY, ANY


# --- timespans -------------------------------------------------------------------------------------------------------


def parts(model: Model, call: Call) -> list[Part]:
    """Return the call's timespans with their rates, grown to whole increments. Raises Refusal."""
    infos = _infos(model, call)
    found = [Part(call.start_at, call.end_at, max(call.duration_index_ns, call.usage_ns), infos[0])]
    if call.is_voice:
        _cut_at_activations(found, infos)
        _cut_at_midnights(found, call.offset_s)
    _cut_by_rates(found, call)
    _grow(found)
    if any(part.rate is None for part in found):
        raise Refusal("UNAUTHORIZED_DESTINATION")
    return found


def _cut_at_activations(found: list[Part], infos: list[Info]) -> None:
    for info in infos:
        if info.at < found[0].start:
            found[0].info = info
        elif found[-1].start < info.at < found[-1].end:
            found.append(found[-1].cut(info.at))


def _cut_at_midnights(found: list[Part], offset_s: int) -> None:
    number = 0
    while number < len(found):
        part = found[number]
        start, end = _clock(part.start, offset_s), _clock(part.end, offset_s)
        if start.day != end.day and end != _midnight(end):
            next_day = (part.start + offset_s * SECOND) // DAY + 1
            found.insert(number + 1, part.cut(next_day * DAY - offset_s * SECOND))
        number += 1


def _cut_by_rates(found: list[Part], call: Call) -> None:
    number = 0
    while number < len(found):
        part = found[number]
        for rate in _candidates(part, call.offset_s):
            rest = _cut_by_rate(part, rate, call)
            if rest is not None:
                found.insert(number + 1, rest)
                if part.rate is not None:
                    break
        number += 1


def _left(rate: PlanRate, part: Part, offset_s: int) -> int:
    """Return when the hours of a rate begin on the day that a part does."""
    midnight = (part.start + offset_s * SECOND) // DAY * DAY - offset_s * SECOND
    return midnight + (_start(rate) or timedelta()) // timedelta(microseconds=1) * 1000


def _candidates(part: Part, offset_s: int) -> list[PlanRate]:
    """Return the rate that fits the start best, then those of its weight that may begin later."""
    rates = sorted(part.info.rates or (), key=lambda rate: (-rate.weight_nano, _left(rate, part, offset_s)))
    active = [rate for rate in rates if _holds(rate, _clock(part.start, offset_s))]
    best = rates[0]
    if active:
        heaviest = [rate for rate in active if rate.weight_nano == active[0].weight_nano]
        best = max(heaviest, key=lambda rate: _left(rate, part, offset_s))
    place = next(number for number, rate in enumerate(rates) if rate is best)
    later = [
        rate
        for rate in rates[place + 1 :]
        if rate.weight_nano >= best.weight_nano and _left(rate, part, offset_s) < part.end
    ]
    return [best, *later]


def _give(part: Part, rate: PlanRate, offset_s: int) -> None:
    """Give a part a rate that has begun, if it has none, a lighter one, or one that began earlier."""
    held = part.rate
    left = _left(rate, part, offset_s)
    if left > part.start:
        return
    if held is None or held.weight_nano < rate.weight_nano or _left(held, part, offset_s) < left:
        part.rate = rate


def _cut_by_rate(part: Part, rate: PlanRate, call: Call) -> Part | None:
    offset_s = call.offset_s
    end = _clock(part.end, offset_s)
    if end == _midnight(end):
        end -= timedelta(seconds=1)
    has_start, has_end = _holds(rate, _clock(part.start, offset_s)), _holds(rate, end)
    if not (has_start or has_end):
        return None
    for slot in _slots(rate):
        if part.group_start < slot.group_start_ns < part.index:
            _give(part, rate, offset_s)
            rest = part.cut(part.start + slot.group_start_ns - part.group_start)
            _give(rest, rate, offset_s)
            return rest
    if has_start:
        _give(part, rate, offset_s)
    if not call.is_voice or (has_start and has_end):
        return None
    border = _left(rate, part, offset_s)
    if has_start:
        border = (part.start + offset_s * SECOND) // DAY * DAY - offset_s * SECOND + DAY
    if not part.start < border < part.end:
        return None
    rest = part.cut(border)
    if not has_start:
        rest.rate = rate
    return rest


def _slots(rate: PlanRate) -> list[Rate]:
    return sorted(rate.rating.rates, key=lambda slot: slot.group_start_ns)


def _grow(found: list[Part]) -> None:
    number = 0
    while number < len(found):
        part = found[number]
        number += 1
        if part.rate is None:
            continue
        begun = [slot for slot in _slots(part.rate) if slot.group_start_ns <= part.group_start]
        if not begun:
            continue
        part.slot = begun[-1]
        increment = part.slot.increment_ns or SECOND
        longer = max(1, ceil(Fraction(part.usage, increment))) * increment - part.usage
        part.end += longer
        part.index += longer
        if longer:
            while number < len(found) and found[number].end <= part.end:
                del found[number]
            if number < len(found):
                found[number].start = max(found[number].start, part.end)


# --- money -----------------------------------------------------------------------------------------------------------


def rounded(value: Fraction, decimals: int, method: str) -> Fraction:
    """Round money: *up, *middle (ties away from zero), *down; any other word leaves it."""
    scaled = value * 10**decimals
    if method == "*up":
        return Fraction(ceil(scaled), 10**decimals)
    if method == "*down":
        return Fraction(floor(scaled), 10**decimals)
    if method == "*middle":
        nearest = floor(abs(scaled) + Fraction(1, 2))
        return Fraction(nearest if scaled >= 0 else -nearest, 10**decimals)
    return value


def increment_cost(part: Part, decimals: int) -> tuple[int, int, Fraction]:
    """Return the increment's length, how many there are and what each costs, in money."""
    if part.slot is None:
        return 0, 0, Fraction(0)
    increment = part.slot.increment_ns or SECOND
    count = part.usage // increment
    price = Fraction(part.slot.value_nano, NANO)
    span = rounded(part.usage * price / (part.slot.unit_ns or SECOND), decimals, "*middle")
    return increment, count, rounded(span / count, decimals, "*middle")


def total(model: Model, call: Call) -> Fraction:
    """Return what the call costs, connect fee, cap and rounding and all. Raises Refusal."""
    found = parts(model, call)
    ratings = [part.rate.rating for part in found if part.rate is not None]
    cost = Fraction(ratings[0].connect_fee_nano, NANO) if call.is_first else Fraction(0)
    for part in found:
        _, count, price = increment_cost(part, model.decimals)
        cost += count * price
    decimals, method = 0, ""
    for rating in ratings:
        if rating.max_cost_strategy == "*free" and rating.max_cost_nano > 0:
            cost = min(cost, Fraction(rating.max_cost_nano, NANO))
        if rating.rounding_decimals > decimals:
            decimals, method = rating.rounding_decimals, rating.rounding_method
    return rounded(cost, decimals, method)
