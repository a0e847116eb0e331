"""When a balance may be used: its timings, on the clock the call was made by.

Rules: hours are half open at the end of a day, inclusive at both ends otherwise, as tariffs' are; a balance without
timings is always active; an active excluded timing (`!id`) forbids; when any is included one of those must be active.
Does not know: expiry, tariffs.
"""

from datetime import date

from cgrcore.accounting.records import Balance
from cgrcore.rating.records import Timing
from cgrcore.timing import DAY_NS, SECOND_NS

__all__ = ["is_balance_active_at", "is_timing_active_at"]

_EPOCH_DAYS = date(1970, 1, 1).toordinal()


def is_balance_active_at(balance: Balance, at: int, offset_s: int) -> bool:
    """True when the balance's timings allow its use at an instant (ns UTC), read from a clock at the offset."""
    if not balance.timings:
        return True
    chosen = balance.timing_ids or {}
    is_any_included = False
    is_included = False
    for timing in balance.timings:
        is_wanted = chosen.get(timing.id, True)
        is_any_included = is_any_included or is_wanted
        if is_timing_active_at(timing, at, offset_s):
            if not is_wanted:
                return False
            is_included = True
    return is_included or not is_any_included


def is_timing_active_at(timing: Timing, at: int, offset_s: int) -> bool:
    """True when an instant (ns UTC), read from a clock at the offset, lies in a timing's days and hours."""
    days, clock_ns = divmod(at + offset_s * SECOND_NS, DAY_NS)
    day = date.fromordinal(days + _EPOCH_DAYS)
    if (
        (timing.years and day.year not in timing.years)
        or (timing.months and day.month not in timing.months)
        or (timing.month_days and day.day not in timing.month_days)
        or (timing.week_days and day.isoweekday() % 7 not in timing.week_days)
    ):
        return False
    end_ns = _clock_ns(timing.end_time) if timing.end_time else DAY_NS
    return _clock_ns(timing.start_time) <= clock_ns <= end_ns


def _clock_ns(text: str) -> int:
    """Return the time of day "hh:mm:ss" stands for; what is not one is midnight."""
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return 0
    hours, minutes, seconds = map(int, parts)
    return ((hours * 60 + minutes) * 60 + seconds) * SECOND_NS
