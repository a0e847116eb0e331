"""Go's time layouts: how a reference time ("2006-01-02 15:04:05") says where the parts of a time stand.

Does not know: zone abbreviations other than UTC's.
"""

import re
from calendar import day_abbr, day_name, month_abbr, month_name
from collections.abc import Callable
from datetime import date

from cgrcore.errors import BadRequest
from cgrcore.timing import SECOND_NS, ZERO_AT, Moment, parse_time, zone_offset

__all__ = ["format_layout", "parse_layout"]

_TOKENS = re.compile(
    r"2006|January|Monday|Jan|Mon|MST|Z07:00|Z0700|-07:00|-0700|-07|002|[.,](?:0+|9+)(?!\d)|01|02|03|04|05|06|15|_2|PM|pm|1|2|3|4|5"
)
_EPOCH_DAYS = date(1970, 1, 1).toordinal()
_NUMBERS = {
    "2006": (r"\d{4}", "year"),
    "06": (r"\d\d", "short_year"),
    "01": (r"\d\d", "month"),
    "1": (r"\d\d?", "month"),
    "02": (r"\d\d", "day"),
    "2": (r"\d\d?", "day"),
    "_2": (r" ?\d\d?", "day"),
    "15": (r"\d\d", "hour"),
    "03": (r"\d\d", "hour12"),
    "3": (r"\d\d?", "hour12"),
    "04": (r"\d\d", "minute"),
    "4": (r"\d\d?", "minute"),
    "05": (r"\d\d", "second"),
    "5": (r"\d\d?", "second"),
}


def format_layout(moment: Moment, layout: str) -> str:
    """Return a moment as the layout shows it, on its own clock."""
    if moment.at == ZERO_AT:
        days, clock, nanoseconds = date(1, 1, 1).toordinal() - _EPOCH_DAYS, 0, 0
    else:
        seconds, nanoseconds = divmod(moment.at, SECOND_NS)
        days, clock = divmod(seconds + moment.offset_s, 86400)
    day = date.fromordinal(days + _EPOCH_DAYS)
    hour, minute, second = clock // 3600, clock // 60 % 60, clock % 60
    half = (hour + 11) % 12 + 1

    def show(found: re.Match[str]) -> str:
        token = found[0]
        if token[0] in ".,":
            digits = f"{nanoseconds:09d}"[: len(token) - 1]
            if token[1] == "9":
                digits = digits.rstrip("0")
            return token[0] + digits if digits else ""
        return _PARTS[token](day, hour, minute, second, half, moment.offset_s)

    return _TOKENS.sub(show, layout)


def _offset(seconds: int, colon: str, *, is_z: bool = False, hours_only: bool = False) -> str:
    if is_z and not seconds:
        return "Z"
    sign = "-" if seconds < 0 else "+"
    text = f"{sign}{abs(seconds) // 3600:02d}"
    return text if hours_only else f"{text}{colon}{abs(seconds) // 60 % 60:02d}"


_PARTS: dict[str, Callable[[date, int, int, int, int, int], str]] = {
    "2006": lambda d, h, m, s, half, z: f"{d.year:04d}",
    "06": lambda d, h, m, s, half, z: f"{d.year % 100:02d}",
    "January": lambda d, h, m, s, half, z: month_name[d.month],
    "Jan": lambda d, h, m, s, half, z: month_abbr[d.month],
    "01": lambda d, h, m, s, half, z: f"{d.month:02d}",
    "1": lambda d, h, m, s, half, z: str(d.month),
    "Monday": lambda d, h, m, s, half, z: day_name[d.weekday()],
    "Mon": lambda d, h, m, s, half, z: day_abbr[d.weekday()],
    "02": lambda d, h, m, s, half, z: f"{d.day:02d}",
    "_2": lambda d, h, m, s, half, z: f"{d.day:2d}",
    "2": lambda d, h, m, s, half, z: str(d.day),
    "002": lambda d, h, m, s, half, z: f"{d.timetuple().tm_yday:03d}",
    "15": lambda d, h, m, s, half, z: f"{h:02d}",
    "03": lambda d, h, m, s, half, z: f"{half:02d}",
    "3": lambda d, h, m, s, half, z: str(half),
    "04": lambda d, h, m, s, half, z: f"{m:02d}",
    "4": lambda d, h, m, s, half, z: str(m),
    "05": lambda d, h, m, s, half, z: f"{s:02d}",
    "5": lambda d, h, m, s, half, z: str(s),
    "PM": lambda d, h, m, s, half, z: "PM" if h >= 12 else "AM",
    "pm": lambda d, h, m, s, half, z: "pm" if h >= 12 else "am",
    "MST": lambda d, h, m, s, half, z: "UTC" if not z else _offset(z, "", hours_only=z % 3600 == 0),
    "Z07:00": lambda d, h, m, s, half, z: _offset(z, ":", is_z=True),
    "Z0700": lambda d, h, m, s, half, z: _offset(z, "", is_z=True),
    "-07:00": lambda d, h, m, s, half, z: _offset(z, ":"),
    "-0700": lambda d, h, m, s, half, z: _offset(z, ""),
    "-07": lambda d, h, m, s, half, z: _offset(z, "", hours_only=True),
}


def parse_layout(text: str, layout: str, zone: str = "UTC") -> Moment:
    """Return the moment a text stands for in a layout; times without an offset are of `zone`.

    Raises BadRequest as Go does.
    """
    fields = {"year": 0, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
    fraction, offset, is_afternoon = "", "", None
    rest = text
    position = 0
    for found in _TOKENS.finditer(layout):
        rest = _literal(rest, layout[position : found.start()], text, layout)
        token, position = found[0], found.end()
        if token in _NUMBERS:
            pattern, name = _NUMBERS[token]
            match = re.match(pattern, rest, re.ASCII)
            if match is None:
                raise _mismatch(text, layout, rest, token)
            fields[name] = int(match[0])
        else:
            match = re.match(_WORDS.get(token, r"[.,]\d+" if token[0] in ".," else r"[A-Za-z]+"), rest, re.ASCII)
            if match is None:
                raise _mismatch(text, layout, rest, token)
            if token in ("January", "Jan"):
                fields["month"] = _month(match[0], text, layout, rest, token)
            elif token[0] in ".,":
                fraction = match[0]
            elif "07" in token:
                offset = match[0]
            elif token in ("PM", "pm"):
                is_afternoon = match[0].upper() == "PM"
        rest = rest[match.end() :]
        if token == "05" and not fraction and re.match(r"[.,]\d+", rest):
            match = re.match(r"[.,]\d+", rest)
            assert match is not None
            fraction, rest = match[0], rest[match.end() :]
    rest = _literal(rest, layout[position:], text, layout)
    if rest:
        raise BadRequest(f'parsing time "{text}": extra text: "{rest}"')
    return _assemble(fields, fraction, offset, is_afternoon, zone, text)


_WORDS = {
    "Z07:00": r"Z|[+-]\d\d:\d\d",
    "Z0700": r"Z|[+-]\d{4}",
    "-07:00": r"[+-]\d\d:\d\d",
    "-0700": r"[+-]\d{4}",
    "-07": r"[+-]\d\d",
    "002": r"\d{3}",
}


def _literal(rest: str, literal: str, text: str, layout: str) -> str:
    if not rest.startswith(literal):
        raise _mismatch(text, layout, rest, literal)
    return rest[len(literal) :]


def _mismatch(text: str, layout: str, rest: str, token: str) -> BadRequest:
    return BadRequest(f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{token}"')


def _month(word: str, text: str, layout: str, rest: str, token: str) -> int:
    names = list(month_name) if token == "January" else list(month_abbr)
    if word not in names:
        raise _mismatch(text, layout, rest, token)
    return names.index(word)


def _assemble(
    fields: dict[str, int], fraction: str, offset: str, is_afternoon: bool | None, zone: str, text: str
) -> Moment:
    year = fields["year"]
    if "short_year" in fields:
        year = fields["short_year"] + (1900 if fields["short_year"] >= 69 else 2000)
    hour = fields.get("hour12", fields["hour"])
    if is_afternoon is not None:
        hour = hour % 12 + (12 if is_afternoon else 0)
    written = (
        f"{year:04d}-{fields['month']:02d}-{fields['day']:02d}T{hour:02d}:{fields['minute']:02d}:{fields['second']:02d}"
    )
    if offset and ":" not in offset and offset != "Z":
        offset = offset[:3] + ":" + (offset[3:] or "00")
    try:
        if offset:
            return parse_time(f"{written}{fraction}{offset}", 0)
        if year == 0:
            return Moment(ZERO_AT, zone_offset(zone, 0))
        return parse_time(f"{written.replace('T', ' ')}{fraction}", 0, zone)
    except BadRequest:
        raise BadRequest(f'parsing time "{text}": out of range') from None
