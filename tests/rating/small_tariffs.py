"""Tariffs of a line or two, for tests that name one rule each."""

import itertools
from typing import Any

from cgrcore.config import read_settings
from cgrcore.rating import (
    Activation,
    Call,
    Destination,
    PlanRate,
    Rate,
    Rating,
    RatingPlan,
    RatingProfile,
    Span,
    Timing,
)
from cgrcore.timing import SECOND_NS, ZERO_AT, parse_time
from cgrcore.world import World
from tests.accounting.small_world import money

__all__ = ["at", "call", "empty_world", "hours", "profile", "rating", "slot", "world_of"]

MINUTE_NS = 60 * SECOND_NS


def at(text: str) -> int:
    return parse_time(text, 0).at


def slot(price: str, *, unit_s: int = 60, step_s: int = 60, start_s: int = 0) -> Rate:
    return Rate(start_s * SECOND_NS, money(price), step_s * SECOND_NS, unit_s * SECOND_NS)


def rating(*slots: Rate, fee: str = "0", method: str = "*up", decimals: int = 4, cap: str = "0") -> Rating:
    return Rating(money(fee), method, decimals, money(cap), "*free" if cap != "0" else "", slots)


def hours(of: Rating, start: str = "00:00:00", *, week_days: tuple[int, ...] = (), weight: int = 10) -> PlanRate:
    return PlanRate(Timing("T", week_days=week_days, start_time=start), of, money(weight))


def profile(subject: str, *activations: Activation) -> RatingProfile:
    return RatingProfile(f"*out:cgrates.org:call:{subject}", activations)


def empty_world() -> World:
    counter = itertools.count(1)
    return World(read_settings([]), lambda: f"00000000-0000-0000-0000-{next(counter):012d}", at("2024-06-01T00:00:00Z"))


def world_of(rates: dict[str, tuple[PlanRate, ...]], *profiles: RatingProfile, **more: dict[str, str]) -> World:
    """Return a world with plan P for the prefixes (`*any` as itself), which everybody has when no profiles are given.

    Further plans are given by name as prefix to price of a minute. Destination D44 owns the prefix 44.
    """
    world = empty_world()
    plans = {"P": rates}
    for name, prices in more.items():
        plans[name] = {prefix: (hours(rating(slot(price))),) for prefix, price in prices.items()}
    for name, priced in plans.items():
        listed = {prefix if prefix == "*any" else f"D{prefix}": of for prefix, of in priced.items()}
        world.state.table("rating_plans").put(name, RatingPlan(name, listed))
        for prefix in priced:
            world.state.table("destinations").put(f"D{prefix}", Destination(f"D{prefix}", (prefix,)))
    for it in profiles or (profile("*any", Activation(ZERO_AT, "P")),):
        world.state.table("rating_profiles").put(it.id, it)
    world.state.take()
    return world


def call(
    usage_s: int, start: str = "2024-03-04T10:00:00Z", number: str = "4420", *, subject: str = "s", tor: str = "*voice"
) -> Call:
    moment = parse_time(start, 0)
    return Call("cgrates.org", "call", subject, "", number, tor, moment.at, usage_s * SECOND_NS, moment.offset_s)


def span_fields(span: Span) -> tuple[Any, ...]:
    """Return all that is told of a span, to be compared."""
    return (
        span.start_at,
        span.end_at,
        span.duration_index_ns,
        span.interval,
        span.increment_ns,
        span.increment_count,
        span.increment_cost_nano,
        span.matched_subject,
        span.matched_prefix,
        span.matched_destination_id,
        span.rating_plan_id,
    )
