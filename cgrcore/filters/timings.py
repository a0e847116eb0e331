"""Whether a moment falls into a tariff plan's timing, by the clock it was written with."""

from datetime import date
from typing import Any

from cgrcore.timing import SECOND_NS, ZERO_AT, Moment

__all__ = ["is_timing_active"]

_EPOCH_DAYS = date(1970, 1, 1).toordinal()


def is_timing_active(timing: Any, moment: Moment) -> bool:
    """Tell whether a Timing holds the moment: year, month, day, weekday (0 is Sunday) and time of day.

    Both bounds of the time of day are inside.
    """
    if moment.at == ZERO_AT:
        return False
    days, clock = divmod(moment.at // SECOND_NS + moment.offset_s, 86400)
    day = date.fromordinal(days + _EPOCH_DAYS)
    if timing.years and day.year not in timing.years:
        return False
    if timing.months and day.month not in timing.months:
        return False
    if timing.month_days and day.day not in timing.month_days:
        return False
    if timing.week_days and day.isoweekday() % 7 not in timing.week_days:
        return False
    start = _seconds(timing.start_time)
    end = _seconds(timing.end_time)
    return (start is None or start <= clock) and (end is None or clock <= end)


def _seconds(text: str) -> int | None:
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return None
    return int(parts[0]) * 3600 + int(parts[1]) * 60 + int(parts[2])
