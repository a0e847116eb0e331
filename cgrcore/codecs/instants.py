"""Whether a text is an RFC 3339 instant as Go's decoder takes it, and what Go says when it is not.

Rules: a field that is a time in Go is checked when it is decoded, before anything else looks at the arguments; what the
instant is worth is read later, by `cgrcore.timing`. Does not know: time zones by name, other layouts.
"""

import re

__all__ = ["instant_error"]

_LAYOUT = "2006-01-02T15:04:05Z07:00"

#: The parts in order, each with the words of the layout that Go names when the rest of the text does not fit there.
_PARTS = [
    (re.compile(r"\d{4}"), "2006"),
    (re.compile("-"), "-"),
    (re.compile(r"\d{2}"), "01"),
    (re.compile("-"), "-"),
    (re.compile(r"\d{2}"), "02"),
    (re.compile("T"), "T"),
    (re.compile(r"\d{2}"), "15"),
    (re.compile(":"), ":"),
    (re.compile(r"\d{2}"), "04"),
    (re.compile(":"), ":"),
    (re.compile(r"\d{2}(?:[.,]\d+)?"), "05"),
    (re.compile(r"Z|[+-]\d{2}:\d{2}"), "Z07:00"),
]
_WHOLE = re.compile(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:Z|[+-](\d{2}):(\d{2}))", re.ASCII)
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def instant_error(text: str) -> str:
    """Return what Go says of `text` as an instant, "" when it is one."""
    match = _WHOLE.fullmatch(text)
    if match is None:
        return _misfit(text)
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if not 1 <= month <= 12:
        wrong = "month"
    elif not 1 <= day <= (28 if month == 2 and not _is_leap(year) else _MONTH_DAYS[month - 1]):
        wrong = "day"
    elif hour > 23:
        wrong = "hour"
    elif minute > 59:
        wrong = "minute"
    elif second > 59:
        wrong = "second"
    elif int(match[7] or 0) > 24:
        wrong = "time zone offset hour"
    elif int(match[8] or 0) > 60:
        wrong = "time zone offset minute"
    else:
        return ""
    return f"parsing time {_quoted(text)}: {wrong} out of range"


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _misfit(text: str) -> str:
    at = 0
    for pattern, word in _PARTS:
        match = pattern.match(text, at)
        if match is None:
            return f'parsing time {_quoted(text)} as "{_LAYOUT}": cannot parse {_quoted(text[at:])} as "{word}"'
        at = match.end()
    return f"parsing time {_quoted(text)}: extra text: {_quoted(text[at:])}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
