"""Schedules as texts: the five fields of cron, `@every 10m`, and names such as `@daily`.

Rules: fields are minute, hour, day of the month, month, day of the week (0 and 7: Sunday), each `*`, a number, a range,
a list, with a step; months and week days also by their English names. Days of the month and of the week are joined
by OR when both are restricted. `@every` counts whole seconds, at least one. The clock is UTC.
Does not know: what is scheduled, the present.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from cgrcore.errors import BadRequest
from cgrcore.timing import SECOND_NS, parse_duration

__all__ = ["Cron", "parse_cron"]

_NAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEK_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

#: Lowest and highest number of each field, and names for them.
_FIELDS = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 7, _WEEK_DAYS))

#: How far ahead a date is looked for: two 29 February may lie 8 years apart.
SEARCHED_DAYS = 9 * 366


class Cron(msgspec.Struct, frozen=True):
    """A schedule read: every so many seconds, or else on the days of two joined fields at hours and minutes."""

    every_s: int = 0
    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    month_days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    week_days: frozenset[int] = frozenset()
    is_either_day: bool = False

    def next_after(self, at: int) -> int | None:
        """Return the first instant after `at` (ns UTC) that the schedule is due at; None: never."""
        if self.every_s:
            return (at // SECOND_NS + self.every_s) * SECOND_NS
        after = datetime.fromtimestamp(at // SECOND_NS, UTC).replace(second=0) + timedelta(minutes=1)
        day = after.replace(hour=0, minute=0)
        for _ in range(SEARCHED_DAYS):
            if self._is_day(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = day.replace(hour=hour, minute=minute)
                        if found >= after:
                            return int(found.timestamp()) * SECOND_NS
            day += timedelta(days=1)
        return None

    def _is_day(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        is_month_day = day.day in self.month_days
        is_week_day = day.isoweekday() % 7 in self.week_days
        return is_month_day or is_week_day if self.is_either_day else is_month_day and is_week_day


def parse_cron(text: str) -> Cron:
    """Return the schedule a text describes. Raises BadRequest for a text that describes none."""
    if text.startswith("@every "):
        every_ns = parse_duration(text[7:])
        if every_ns < 0:
            raise BadRequest(f"no schedule: {text!r}")
        return Cron(every_s=max(1, every_ns // SECOND_NS))
    fields = _NAMES.get(text, text).split()
    if len(fields) != len(_FIELDS):
        raise BadRequest(f"a schedule has 5 fields, not {len(fields)}: {text!r}")
    minutes, hours, month_days, months, week_days = (
        _numbers(field, low, high, names) for field, (low, high, names) in zip(fields, _FIELDS, strict=True)
    )
    return Cron(
        0,
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        month_days,
        months,
        frozenset(day % 7 for day in week_days),
        not any(field.startswith(("*", "?")) for field in (fields[2], fields[4])),
    )


def _numbers(field: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, ()) if slash else 1
        if span in ("*", "?"):
            first, last = low, high
        else:
            first_text, dash, last_text = span.partition("-")
            first = _number(first_text, names)
            last = _number(last_text, names) if dash else (high if slash else first)
        if not low <= first <= last <= high or step < 1:
            raise BadRequest(f"not a field of a schedule: {field!r}")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, names: tuple[str, ...]) -> int:
    if text and text.lower() in names:
        return names.index(text.lower())
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadRequest(f"not a number of a schedule: {text!r}")
    return int(text)
