"""When a timing is due next, after a given instant.

Rules: a timing reads as a cron line, with seconds and years. Years without months mean January, months without days
the 1st; day -1 is the month's last; days of the month and of the week are joined by OR when both are given. The id
`*monthly_estimated` takes a month's last day for a day it lacks. Hours are those of the zone handed in: an hour
that a zone skips in spring is run when its clock would have come to it, an hour that it has twice in autumn is run the
first time; a timing of every hour runs in every real hour. Does not know: accounts, actions, the present.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from cgrcore.rating.records import Timing
from cgrcore.timing import SECOND_NS, clock_moves_at, zone_offset

__all__ = ["Schedule", "next_run", "schedule_of"]

#: How many years ahead a timing without years is looked for: two 29 February may lie 8 years apart.
SEARCHED_YEARS = 9

#: No zone has moved its clock by more than this at once.
LONGEST_SHIFT_S = 3 * 3600

_DAY_S = 86400
_EPOCH_DAYS = date(1970, 1, 1).toordinal()


class Schedule(msgspec.Struct, frozen=True):
    """A timing read as sets. An empty set of years, months, month_days or week_days means any."""

    years: tuple[int, ...]
    months: tuple[int, ...]
    month_days: frozenset[int]
    week_days: frozenset[int]
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]
    is_estimated: bool

    def is_day(self, day: date) -> bool:
        """Tell whether the schedule is due on that day of a month that it is due in."""
        if not self.month_days and not self.week_days:
            return True
        return self._is_month_day(day) or (day.isoweekday() % 7 in self.week_days)

    def _is_month_day(self, day: date) -> bool:
        if day.day in self.month_days:
            return True
        if (day + timedelta(days=1)).day != 1:
            return False
        return -1 in self.month_days or (self.is_estimated and any(wanted > day.day for wanted in self.month_days))

    def days_from(self, first: date) -> Iterator[date]:
        """Yield the days that the schedule is due on, from `first` on."""
        years = [year for year in self.years if year >= first.year] if self.years else _years_from(first.year)
        for year in years:
            for month in self.months or range(1, 13):
                if (year, month) < (first.year, first.month):
                    continue
                day = max(first, date(year, month, 1))
                while day.month == month:
                    if self.is_day(day):
                        yield day
                    day += timedelta(days=1)

    def clock_from(self, earliest_s: int) -> int | None:
        """Return the first due second of the day at or after `earliest_s`; None: not that day."""
        for hour in self.hours:
            if hour * 3600 + 3599 < earliest_s:
                continue
            for minute in self.minutes:
                start_s = hour * 3600 + minute * 60
                if start_s + 59 < earliest_s:
                    continue
                for second in self.seconds:
                    if start_s + second >= earliest_s:
                        return start_s + second
        return None


def _years_from(year: int) -> range:
    return range(year, min(year + SEARCHED_YEARS, 2261))


def schedule_of(timing: Timing) -> Schedule:
    """Return a timing as a schedule, with what it leaves open filled in. Numbers beyond their range are never due."""
    months = timing.months or ()
    days = timing.month_days or ()
    if timing.years and not months:
        months = (1,)
    if months and not days:
        days = (1,)
    hours, minutes, seconds = _clock_of(timing.start_time)
    return Schedule(
        years=tuple(sorted(set(timing.years or ()))),
        months=tuple(sorted(month for month in set(months) if 1 <= month <= 12)),
        month_days=frozenset(days),
        week_days=frozenset(day % 7 for day in timing.week_days or ()),
        hours=hours,
        minutes=minutes,
        seconds=seconds,
        is_estimated=timing.id == "*monthly_estimated",
    )


def _clock_of(text: str) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    parts = (text or "00:00:00").split(":")
    if len(parts) != 3:
        parts = ["*", "*", "*"]
    hour, minute, second = (_field(part, limit) for part, limit in zip(parts, (24, 60, 60), strict=True))
    return hour, minute, second


def _field(text: str, limit: int) -> tuple[int, ...]:
    if text == "*":
        return tuple(range(limit))
    value = int(text) if text.isdecimal() else -1
    return (value,) if 0 <= value < limit else ()


def next_run(timing: Timing, after_at: int, zone: str = "UTC") -> int | None:
    """Return the first instant after `after_at` (whole seconds, ns UTC) that the timing is due at; None: never again.

    Raises BadRequest for an unknown zone.
    """
    schedule = schedule_of(timing)
    after_s = after_at // SECOND_NS
    if zone in ("", "UTC", "Local"):
        found = _next_on_clock(schedule, after_s + 1)
    elif len(schedule.hours) == 24:
        found = _next_in_every_hour(schedule, after_s, zone)
    else:
        found = _next_at_hours(schedule, after_s, zone)
    return None if found is None else found * SECOND_NS


def _next_on_clock(schedule: Schedule, earliest_s: int) -> int | None:
    """Return the first due second at or after `earliest_s`, both read from a clock that is never moved."""
    first, clock_s = divmod(earliest_s, _DAY_S)
    first_day = date.fromordinal(first + _EPOCH_DAYS)
    for day in schedule.days_from(first_day):
        found = schedule.clock_from(clock_s if day == first_day else 0)
        if found is not None:
            return (day.toordinal() - _EPOCH_DAYS) * _DAY_S + found
        if day != first_day:
            return None  # no second of any day
    return None


def _next_at_hours(schedule: Schedule, after_s: int, zone: str) -> int | None:
    """Search on the wall clock, from before any shift on, and take what is truly later."""
    wall_s = after_s + zone_offset(zone, after_s * SECOND_NS) - LONGEST_SHIFT_S
    info = ZoneInfo(zone)
    while True:
        found = _next_on_clock(schedule, wall_s)
        if found is None:
            return None
        offset = datetime.fromtimestamp(found, UTC).replace(tzinfo=info).utcoffset()
        assert offset is not None
        instant_s = found - offset.days * _DAY_S - offset.seconds
        if instant_s > after_s:
            return instant_s
        wall_s = found + 1


def _next_in_every_hour(schedule: Schedule, after_s: int, zone: str) -> int | None:
    """Search with the offset in force; when the clock is moved before what was found, go on from the move."""
    earliest_s = after_s + 1
    while True:
        offset_s = zone_offset(zone, earliest_s * SECOND_NS)
        found = _next_on_clock(schedule, earliest_s + offset_s)
        if found is None:
            return None
        if zone_offset(zone, (found - offset_s) * SECOND_NS) == offset_s:
            return found - offset_s
        earliest_s = clock_moves_at(zone, earliest_s, found - offset_s)
