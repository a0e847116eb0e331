"""From the texts of tariff plans and requests to the timings of action plans.

Rules: a time is `hh:mm:ss`, `*asap`, `+duration` from the scheduler's load, or a word that stands for the present
time of day, on the clock of the zone that timings are read in, in every minute, hour, day, week, month or year. Sets
are `;`-separated numbers, `*any` or nothing is any; a set that cannot be read is unknown (None) and taken as any. Does
not know: stored timings, action sets.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from cgrcore.errors import BadRequest
from cgrcore.rating.records import Timing
from cgrcore.timing import SECOND_NS, zone_offset

__all__ = ["ASAP", "TimingText", "build_timing", "named_timing", "parse_numbers"]

#: The time of what runs as soon as an account is attached to its plan.
ASAP = "*asap"

#: The longest text of a clock time, `hh:mm:ss`.
CLOCK_SIZE = 8

_WORDS: dict[str, Callable[[datetime], tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], str]]] = {
    "*every_minute": lambda now: ((), (), (), f"*:*:{now:%S}"),
    "*hourly": lambda now: ((), (), (), f"*:{now:%M:%S}"),
    "*daily": lambda now: ((), (), (), f"{now:%H:%M:%S}"),
    "*weekly": lambda now: ((), (), (now.isoweekday() % 7,), f"{now:%H:%M:%S}"),
    "*monthly": lambda now: ((), (now.day,), (), f"{now:%H:%M:%S}"),
    "*monthly_estimated": lambda now: ((), (now.day,), (), f"{now:%H:%M:%S}"),
    "*month_end": lambda now: ((), (-1,), (), f"{now:%H:%M:%S}"),
    "*yearly": lambda now: ((now.month,), (now.day,), (), f"{now:%H:%M:%S}"),
}


def named_timing(word: str, now_at: int, zone: str = "UTC") -> Timing | None:
    """Return the timing a word such as `*monthly` stands for, with the zone's time of day; None for any other word.

    Raises BadRequest for an unknown zone.
    """
    rule = _WORDS.get(word)
    if rule is None:
        return None
    wall_s = now_at // SECOND_NS + zone_offset(zone, now_at)
    months, month_days, week_days, clock = rule(datetime.fromtimestamp(wall_s, UTC))
    return Timing(word, (), months, month_days, week_days, clock, "")


class TimingText(msgspec.Struct, kw_only=True):
    """The timing of an item of an action plan, as texts. The names are those of the wire."""

    TimingID: str = ""
    Years: str = ""
    Months: str = ""
    MonthDays: str = ""
    WeekDays: str = ""
    Time: str = ""


def build_timing(text: TimingText, stored: Timing | None, now_at: int, zone: str = "UTC") -> Timing:
    """Return the timing that the texts describe, on top of the stored timing that they name.

    Each set that is given is added to the stored one; one that is not given is any. Raises BadRequest
    `UNSUPPORTED_FORMAT:...`; times and days that no calendar has are refused here, before a plan with them is stored.
    """
    named = named_timing(text.Time, now_at, zone)
    if named is not None:
        return named
    if not _is_time(text.Time):
        raise BadRequest(f"UNSUPPORTED_FORMAT:{text.Time}")
    base = stored if stored is not None else Timing()
    days = parse_numbers(text.WeekDays)
    return Timing(
        text.TimingID,
        _added(base.years, parse_numbers(text.Years)),
        _added(base.months, _within(parse_numbers(text.Months), text.Months, range(1, 13))),
        _added(
            base.month_days,
            _within(parse_numbers(text.MonthDays), text.MonthDays, (-1, *range(1, 32))),
        ),
        _added(base.week_days, None if days is None else tuple(day % 7 for day in days)),
        text.Time,
        "",
    )


def _added(stored: tuple[int, ...] | None, given: tuple[int, ...] | None) -> tuple[int, ...] | None:
    return (*(stored or ()), *given) if given else given


def parse_numbers(text: str) -> tuple[int, ...] | None:
    """Return a `;`-separated set of numbers in its order: empty for `*any` and nothing, None when it cannot be read."""
    if text in ("", "*any"):
        return ()
    try:
        return tuple(int(part) for part in text.split(";"))
    except ValueError:
        return None


def _within(numbers: tuple[int, ...] | None, text: str, allowed: range | tuple[int, ...]) -> tuple[int, ...] | None:
    if numbers and not all(number in allowed for number in numbers):
        raise BadRequest(f"UNSUPPORTED_FORMAT:{text}")
    return numbers


def _is_time(time: str) -> bool:
    if time in ("", ASAP) or time.startswith("+"):
        return True
    parts = time.split(":")
    if len(time) > CLOCK_SIZE or len(parts) != 3 or not time.isascii():
        return False
    return all(part.isdecimal() and int(part) < limit for part, limit in zip(parts, (24, 60, 60), strict=True))
