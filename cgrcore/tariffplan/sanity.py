"""Whether a plan is sound beyond its references: CGRateS's validation, asked for by `Validate`.

Rules: a rating plan must cover the week: one of its timings is always on, or those that begin at midnight without
dates hold all seven days. The slots of a rate must begin one after the other, at whole steps of the slot before. A
timing must not mix days of the week with dates. Does not know: prices.
"""

from collections.abc import Mapping
from itertools import pairwise

from cgrcore.rating import Rate, RatingPlan, Timing

__all__ = ["is_sound"]

MIDNIGHT = "00:00:00"


def is_sound(plans: Mapping[str, RatingPlan]) -> bool:
    """Tell whether all rating plans are sound."""
    return all(_is_plan_sound(plan) for plan in plans.values())


def _is_plan_sound(plan: RatingPlan) -> bool:
    timings: dict[int, Timing] = {}
    slots: dict[int, tuple[Rate, ...]] = {}
    for rates in plan.destination_rates.values():
        for rate in rates:
            timing = rate.timing or Timing()
            timings[id(timing)] = timing
            slots[id(rate.rating.rates)] = rate.rating.rates
    return (
        _covers_the_week(list(timings.values()))
        and all(_is_timing_sound(timing) for timing in timings.values())
        and all(_are_slots_sound(rates) for rates in slots.values())
    )


def _covers_the_week(timings: list[Timing]) -> bool:
    days: set[int] = set()
    for timing in timings:
        if timing.start_time != MIDNIGHT or timing.years or timing.months or timing.month_days:
            continue
        if not timing.week_days:
            return True
        days.update(timing.week_days)
    return len(days) == 7


def _is_timing_sound(timing: Timing) -> bool:
    return not (timing.week_days and (timing.years or timing.months or timing.month_days))


def _are_slots_sound(rates: tuple[Rate, ...]) -> bool:
    for slot, following in pairwise(rates):
        if following.group_start_ns <= slot.group_start_ns:
            return False
        if not slot.increment_ns or not slot.unit_ns or slot.unit_ns < slot.increment_ns:
            return False
        if following.group_start_ns % slot.increment_ns:
            return False
    return True
