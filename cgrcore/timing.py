"""Instants and durations: int nanoseconds, and the texts that stand for them.

Rules: an instant is ns since 1970 UTC (`_at`), a duration ns (`_ns`); nothing passes through a float. A `Moment` is an
instant with the offset it was written in, since a tariff's hours are those of the caller's clock. Year, month and day
are reckoned in the proleptic Gregorian calendar. Does not know: tariffs' timings, schedules, the present.
"""

import re
from calendar import monthrange, timegm
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cgrcore.errors import BadRequest

__all__ = [
    "DAY_NS",
    "HOUR_NS",
    "MICROSECOND_NS",
    "MILLISECOND_NS",
    "MINUTE_NS",
    "SECOND_NS",
    "ZERO_AT",
    "Moment",
    "clock_moves_at",
    "format_duration",
    "format_time",
    "month_later",
    "parse_duration",
    "parse_time",
    "zone_offset",
]

MICROSECOND_NS = 1_000
MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS

#: Go's zero time, "0001-01-01T00:00:00Z" on the wire: no time given. Outside the range of true instants.
ZERO_AT = -(2**63)

#: Instants beyond int64 nanoseconds (years 1678 to 2261 are inside) are refused.
LAST_AT = 2**63 - 1

#: Texts whose reading is kept at hand, and how long they may be.
MAX_READ = 4096
MAX_READ_SIZE = 40

_ZERO_TEXT = "0001-01-01T00:00:00Z"
#: Of whatever clock it is added to.
_EPOCH = datetime(1970, 1, 1)
_EPOCH_DAYS = date(1970, 1, 1).toordinal()


class Moment(NamedTuple):
    """An instant (ns since 1970 UTC) and the offset of the clock it was read from (seconds east of UTC)."""

    at: int
    offset_s: int = 0


# --- durations -------------------------------------------------------------------------------------------------------

_UNITS = {
    "ns": 1,
    "us": MICROSECOND_NS,
    "µs": MICROSECOND_NS,
    "μs": MICROSECOND_NS,
    "ms": MILLISECOND_NS,
    "s": SECOND_NS,
    "m": MINUTE_NS,
    "h": HOUR_NS,
}
_PART = re.compile(r"([0-9]*)(\.?)([0-9]*)([^0-9.]*)")
_BARE = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?|[+-]?\.[0-9]+")
_OTHER_NUMBER = re.compile(
    r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)e[+-]?[0-9]+|[0-9]+(_[0-9]+)+|[+-]?(inf|infinity|nan)", re.IGNORECASE
)
_SIMPLE = re.compile(r"([0-9]{1,6})(ns|ms|s|m|h)")

#: Longer texts are refused before they are parsed.
MAX_TEXT_SIZE = 128


def parse_duration(text: str) -> int:
    """Return the duration a text stands for, in ns: "1h30m", "0.5s", "90" (ns), "" (0), "*unlimited" (-1).

    Fractions of a nanosecond are cut. Raises BadRequest with Go's text for anything else, and beyond int64.
    """
    simple = _SIMPLE.fullmatch(text)
    if simple:
        return int(simple[1]) * _UNITS[simple[2]]
    if not text:
        return 0
    if text == "*unlimited":
        return -1
    if len(text) > MAX_TEXT_SIZE:
        raise BadRequest(f"time: invalid duration {_quoted(text[:MAX_TEXT_SIZE])}")
    if _BARE.fullmatch(text) and text.isascii():
        return _in_range(int(text.partition(".")[0].strip("+") or "0"), text + "ns")
    return _go_duration(text + "ns" if _OTHER_NUMBER.fullmatch(text) else text)


def _quoted(text: str) -> str:
    """Return a text as Go's time package quotes it: bytes beyond ASCII as hexadecimal escapes."""
    parts = []
    for byte in text.encode():
        if byte in (0x22, 0x5C):
            parts.append("\\" + chr(byte))
        elif byte < 0x20 or byte > 0x7E:
            parts.append(f"\\x{byte:02x}")
        else:
            parts.append(chr(byte))
    return '"' + "".join(parts) + '"'


def _in_range(value_ns: int, text: str) -> int:
    if not -(2**63) <= value_ns <= LAST_AT:
        raise BadRequest(f"time: invalid duration {_quoted(text)}")
    return value_ns


def _go_duration(text: str) -> int:
    rest = text
    sign = 1
    if rest[0] in "+-":
        sign = -1 if rest[0] == "-" else 1
        rest = rest[1:]
    if rest == "0":
        return 0
    if not rest:
        raise BadRequest(f"time: invalid duration {_quoted(text)}")
    total = 0
    while rest:
        part = _PART.match(rest)
        assert part is not None
        whole, _, fraction, unit = part.groups()
        if not whole and not fraction:
            raise BadRequest(f"time: invalid duration {_quoted(text)}")
        if not unit:
            raise BadRequest(f"time: missing unit in duration {_quoted(text)}")
        scale = _UNITS.get(unit)
        if scale is None:
            raise BadRequest(f"time: unknown unit {_quoted(unit)} in duration {_quoted(text)}")
        total += int(whole or "0") * scale
        if fraction:
            total += int(fraction) * scale // 10 ** len(fraction)
        rest = rest[part.end() :]
    return _in_range(sign * total, text)


def format_duration(duration_ns: int) -> str:
    """Return a duration as Go prints it: "1h1m0s", "1.5s", "70ns", "0s"."""
    if duration_ns == 0:
        return "0s"
    sign = "-" if duration_ns < 0 else ""
    left = abs(duration_ns)
    if left < SECOND_NS:
        for unit, scale in (("ns", 1), ("µs", MICROSECOND_NS), ("ms", MILLISECOND_NS)):
            if left < scale * 1000:
                return f"{sign}{_decimal(left, scale)}{unit}"
    minutes, rest = divmod(left, MINUTE_NS)
    text = f"{_decimal(rest, SECOND_NS)}s"
    if minutes:
        hours, minutes = divmod(minutes, 60)
        text = f"{minutes}m{text}"
        if hours:
            text = f"{hours}h{text}"
    return sign + text


def _decimal(value: int, scale: int) -> str:
    whole, rest = divmod(value, scale)
    if not rest:
        return str(whole)
    return f"{whole}.{rest:0{len(str(scale)) - 1}d}".rstrip("0")


# --- instants --------------------------------------------------------------------------------------------------------

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ASTERISK = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)[.,](\d+)([+-]\d{4})", re.ASCII)
_GO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:[.,](\d+))? ([+-]\d{4}) (?:[A-Z]{3,5}|[+-]\d{4}|[+-]\d\d)", re.ASCII
)
_PLAIN = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.](\d{3}))?", re.ASCII)
_RFC3339_LIKE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d{4})", re.ASCII)
_DAY_FIRST = re.compile(r"(\d\d)[./](\d\d)[./](\d{4}) (\d\d):(\d\d):(\d\d)", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)

#: Digits of a number of seconds, milliseconds, microseconds or nanoseconds since 1970, and its scale.
_EPOCH_SCALES = {10: SECOND_NS, 13: MILLISECOND_NS, 16: MICROSECOND_NS, 19: 1}


def parse_time(text: str, now_at: int, zone: str = "UTC") -> Moment:
    """Return the moment a text stands for.

    Takes the layouts of tariff plans and events: RFC 3339, Asterisk's, SQL's (in `zone`), Go's, unix numbers of 10, 13,
    16 or 19 digits, `20060102150405`, day first with dots or slashes; relative to `now_at`: `*now`, `+1h`, `-10m`,
    `*daily`, `*monthly`, `*monthly_estimated`, `*yearly`, `*month_end`, `*mo` (the last two with `+duration`).
    "", "0" and `*unlimited` are the zero time. Raises BadRequest "Unsupported time format".
    """
    text = text.strip()
    absolute = _known(text) if len(text) <= MAX_READ_SIZE else _absolute(text)
    if absolute is not None:
        return absolute
    if text in ("", "0", "*unlimited"):
        return Moment(ZERO_AT, 0)
    if text[0] in "*+-":
        return _relative(text, now_at, zone)
    for layout in (_ASTERISK, _GO):
        found = layout.fullmatch(text)
        if found:
            *fields, offset = found.groups()
            return _moment(text, fields, _offset_s(offset))
    if _DIGITS.fullmatch(text) and len(text) in _EPOCH_SCALES:
        at = int(text) * _EPOCH_SCALES[len(text)]
        return Moment(at, zone_offset(zone, at)) if at <= LAST_AT else _unsupported()
    for layout in (_PLAIN, _COMPACT):
        found = layout.fullmatch(text)
        if found:
            return _in_zone(text, list(found.groups()), zone)
    found = _RFC3339_LIKE.fullmatch(text)
    if found:
        raise BadRequest(
            f'parsing time {_quoted(text)} as "2006-01-02T15:04:05Z07:00": cannot parse "{found[1]}" as "Z07:00"'
        )
    found = _DAY_FIRST.fullmatch(text)
    if found:
        day, month, year, *clock = found.groups()
        return _in_zone(text, [year, month, day, *clock, None], zone)
    return _unsupported()


def _absolute(text: str) -> Moment | None:
    """Return the moment of a text in RFC 3339, None for any other."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    *fields, offset = found.groups()
    return _moment(text, fields, _offset_s(offset))


#: The requests of a call repeat the same few texts.
_known = lru_cache(maxsize=MAX_READ)(_absolute)


def _unsupported() -> Moment:
    raise BadRequest("Unsupported time format")


def _offset_s(text: str) -> int:
    if text == "Z":
        return 0
    seconds = int(text[1:3]) * 3600 + int(text[-2:]) * 60
    return -seconds if text[0] == "-" else seconds


def _moment(text: str, fields: list[str | None], offset_s: int) -> Moment:
    """Return the moment of year, month, day, hour, minute, second, fraction as read from a clock at `offset_s`.

    Raises BadRequest that names the field out of range, as Go does.
    """
    year, month, day, hour, minute, second = (int(field or 0) for field in fields[:6])
    fraction = (fields[6] or "")[:9] if len(fields) > 6 else ""
    wrong = (
        "month"
        if not 1 <= month <= 12
        else "day"
        if not 1 <= day <= monthrange(max(year, 1), month)[1]
        else "hour"
        if hour > 23
        else "minute"
        if minute > 59
        else "second"
        if second > 59
        else "time zone offset hour"
        if abs(offset_s) > 86400
        else ""
    )
    if wrong:
        raise BadRequest(f"parsing time {_quoted(text)}: {wrong} out of range")
    if year == 0:
        return _unsupported()
    days = date(year, month, day).toordinal() - _EPOCH_DAYS
    nanoseconds = int(fraction.ljust(9, "0")) if fraction else 0
    at = (days * 86400 + hour * 3600 + minute * 60 + second - offset_s) * SECOND_NS + nanoseconds
    if year == month == day == 1 and at == days * DAY_NS:
        return Moment(ZERO_AT, 0)
    if not ZERO_AT < at <= LAST_AT:
        return _unsupported()
    return Moment(at, offset_s)


def _in_zone(text: str, fields: list[str | None], zone: str) -> Moment:
    naive = _moment(text, fields, 0).at
    if naive == ZERO_AT:
        return Moment(ZERO_AT, 0)
    offset_s = zone_offset(zone, naive)
    offset_s = zone_offset(zone, naive - offset_s * SECOND_NS)
    return Moment(naive - offset_s * SECOND_NS, offset_s)


def zone_offset(zone: str, at: int) -> int:
    """Return a zone's offset (seconds east of UTC) at an instant.

    "" and "Local" are UTC. Raises BadRequest for an unknown zone.
    """
    if zone in ("", "UTC", "Local"):
        return 0
    try:
        offset = datetime.fromtimestamp(at // SECOND_NS, ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequest(f"unknown time zone {zone}") from None
    assert offset is not None
    return offset.days * 86400 + offset.seconds


def clock_moves_at(zone: str, before_s: int, after_s: int) -> int:
    """Return the first second (since 1970 UTC) in (before_s, after_s] with another offset than at `before_s`.

    The clock must move once between them.
    """
    offset_s = zone_offset(zone, before_s * SECOND_NS)
    while after_s - before_s > 1:
        middle_s = (before_s + after_s) // 2
        if zone_offset(zone, middle_s * SECOND_NS) == offset_s:
            before_s = middle_s
        else:
            after_s = middle_s
    return after_s


def _relative(text: str, now_at: int, zone: str) -> Moment:
    word, plus, rest = text.partition("+")
    if text[0] in "+-":
        shift_ns = _go_duration(text[1:]) if len(text) > 1 else 0
        at = now_at + (shift_ns if text[0] == "+" else -shift_ns)
    elif word == "*now" and not plus:
        at = now_at
    elif word == "*daily" and not plus:
        at = now_at + DAY_NS
    elif word in ("*monthly", "*yearly", "*monthly_estimated") and not plus:
        at = month_later(now_at, 12 if word == "*yearly" else 1, is_clamped=word == "*monthly_estimated")
    elif word.startswith("*mo"):  # CGRateS looks no further than the beginning of these two words
        shift_ns = _go_duration(rest) if rest else 0
        at = (_month_end(now_at) if word.startswith("*month_end") else month_later(now_at, 1)) + shift_ns
    else:
        return _unsupported()
    return Moment(at, zone_offset(zone, at))


def month_later(at: int, months: int, *, is_clamped: bool = False) -> int:
    """Return the instant some months later in UTC.

    A day the month lacks runs over into the next, or is clamped to its last.
    """
    seconds, nanoseconds = divmod(at, SECOND_NS)
    moment = datetime.fromtimestamp(seconds, UTC)
    index = moment.year * 12 + moment.month - 1 + months
    first = moment.replace(year=index // 12, month=index % 12 + 1, day=1)
    later = first + timedelta(days=moment.day - 1)
    if is_clamped and later.month != first.month:
        later = later.replace(day=1) - timedelta(days=1)
    return timegm(later.utctimetuple()) * SECOND_NS + nanoseconds


def _month_end(at: int) -> int:
    moment = datetime.fromtimestamp(at // SECOND_NS, UTC)
    first = moment.replace(day=1, hour=0, minute=0, second=0)
    following = (first + timedelta(days=32)).replace(day=1)
    return (timegm(following.utctimetuple()) - 1) * SECOND_NS


def format_time(at: int, offset_s: int = 0) -> str:
    """Return an instant as RFC 3339 with the fraction it needs, read from a clock at `offset_s`."""
    if at == ZERO_AT:
        return _ZERO_TEXT
    seconds, nanoseconds = divmod(at, SECOND_NS)
    text = (_EPOCH + timedelta(seconds=seconds + offset_s)).isoformat()
    if nanoseconds:
        text += f".{nanoseconds:09d}".rstrip("0")
    if not offset_s:
        return text + "Z"
    sign = "-" if offset_s < 0 else "+"
    return f"{text}{sign}{abs(offset_s) // 3600:02d}:{abs(offset_s) // 60 % 60:02d}"
