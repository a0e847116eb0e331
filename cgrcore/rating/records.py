"""The records of a tariff: destinations, timings, rates, rating plans and rating profiles, as they are kept.

Rules: prices are for one `unit_ns`, charged in steps of `increment_ns`; the rates of a rating are slots in order of
`group_start_ns`. A rating plan holds its rates and timings whole, and so does every cost that is stored: therefore they
are kept without the names of their fields, and a new field goes last and has a default. Does not know: how a call is
priced.
"""

from typing import Any

import msgspec

__all__ = ["Activation", "Destination", "PlanRate", "Rate", "Rating", "RatingPlan", "RatingProfile", "Timing"]


class Destination(msgspec.Struct, frozen=True, gc=False):
    """A group of numbers: those that begin with one of the prefixes (any text)."""

    id: str
    prefixes: tuple[str, ...] = ()


class Timing(msgspec.Struct, frozen=True, array_like=True):
    """Recurring hours. An empty list, or none, matches everything; week days count from 0, Sunday.

    `end_time` is kept and has no effect on rates.
    """

    id: str = ""
    years: tuple[int, ...] | None = ()
    months: tuple[int, ...] | None = ()
    month_days: tuple[int, ...] | None = ()
    week_days: tuple[int, ...] | None = ()
    start_time: str = "00:00:00"
    end_time: str = ""

    def as_wire(self) -> dict[str, Any]:
        return {
            "ID": self.id,
            "Years": _numbers(self.years),
            "Months": _numbers(self.months),
            "MonthDays": _numbers(self.month_days),
            "WeekDays": _numbers(self.week_days),
            "StartTime": self.start_time,
            "EndTime": self.end_time,
        }


def _numbers(values: tuple[int, ...] | None) -> list[int] | None:
    return None if values is None else list(values)


class Rate(msgspec.Struct, frozen=True, array_like=True):
    """One slot: from `group_start_ns` on, `value_nano` a `unit_ns`, in steps of `increment_ns` (0: a second)."""

    group_start_ns: int = 0
    value_nano: int = 0
    increment_ns: int = 0
    unit_ns: int = 0


class Rating(msgspec.Struct, frozen=True, array_like=True):
    """What a destination costs: the fee of the first slot's row, how the total is rounded and capped, the slots."""

    connect_fee_nano: int = 0
    rounding_method: str = ""
    rounding_decimals: int = 0
    max_cost_nano: int = 0
    max_cost_strategy: str = ""
    rates: tuple[Rate, ...] = ()


class PlanRate(msgspec.Struct, frozen=True, array_like=True):
    """A rating that holds in the hours of a timing; among those that hold, the heaviest counts."""

    timing: Timing | None
    rating: Rating
    weight_nano: int = 0


class RatingPlan(msgspec.Struct, frozen=True):
    """The rates of each destination id (`*any` for all others)."""

    id: str
    destination_rates: dict[str, tuple[PlanRate, ...]] = {}


class Activation(msgspec.Struct, frozen=True):
    """A plan, valid from `at` (ns UTC) until the next activation; subjects to try where the plan has no rate.

    `offset_s` is the clock that `at` was given on, and is shown on.
    """

    at: int
    plan_id: str
    fallback_subjects: tuple[str, ...] = ()
    offset_s: int = 0


class RatingProfile(msgspec.Struct, frozen=True):
    """Who is charged by which plans. The id is `*out:tenant:category:subject`."""

    id: str
    activations: tuple[Activation, ...] = ()
