"""How the texts of one column are read: once for each different text.

Rules: an empty number is 0, an empty truth value false, an empty duration 0; white space is not trimmed. What cannot
be read is told apart, with what was expected. Does not know: rows, objects.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from cgrcore.errors import BadRequest
from cgrcore.tariffplan.records import TpInterval
from cgrcore.timing import parse_duration

__all__ = ["EXPECTED", "parse_column"]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_TRUTHS = dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True)
_TRUTHS.update(dict.fromkeys(("", "0", "f", "F", "FALSE", "false", "False"), False))

#: Longer texts are no numbers of this world.
MAX_NUMBER_SIZE = 64

#: What to tell of a text that cannot be read, by the type of its column.
EXPECTED = {
    "number": "a number",
    "whole": "a whole number",
    "bool": "true or false",
    "duration": "a duration such as 60s or 1h30m",
    "nanoseconds": "a duration such as 60s or 1h30m",
}


def parse_column(kind: str, texts: Sequence[str]) -> tuple[Sequence[Any], set[str]]:
    """Return what the texts of a column of this type stand for, and those that cannot be read (None stands for them).

    Lists are made anew for each row, since rows are merged into them.
    """
    if kind in ("text", "item"):
        return texts, set()
    if kind == "list":
        return [text.split(";") if text else None for text in texts], set()
    read = _READERS[kind]
    values: dict[str, Any] = {}
    wrong: set[str] = set()
    for text in set(texts):
        try:
            values[text] = read(text)
        except (ValueError, BadRequest):
            values[text] = None
            wrong.add(text)
    return [values[text] for text in texts], wrong


def _number(text: str) -> Decimal:
    if not text:
        return Decimal(0)
    if len(text) > MAX_NUMBER_SIZE or not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


def _whole(text: str) -> int:
    if not text:
        return 0
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _truth(text: str) -> bool:
    found = _TRUTHS.get(text)
    if found is None:
        raise ValueError(text)
    return found


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _interval(text: str) -> TpInterval | None:
    if not text:
        return None
    start, _, end = text.partition(";")
    return TpInterval(start, end)


_READERS: dict[str, Callable[[str], Any]] = {
    "number": _number,
    "whole": _whole,
    "bool": _truth,
    "duration": _duration,
    "nanoseconds": parse_duration,
    "interval": _interval,
}
