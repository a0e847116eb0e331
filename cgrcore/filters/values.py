"""What a text means when it is compared or computed with: a number, a truth value, a time, a duration, or just text.

Rules: order of guessing is int64, truth value, number, time, duration, text; numbers are exact (Decimal), durations
count as nanoseconds. Printed forms are Go's. Does not know: events, filters.
"""

import re
from decimal import Context, Decimal
from typing import Any

from cgrcore.errors import BadRequest
from cgrcore.timing import Moment, format_time, parse_duration, parse_time

__all__ = ["EXACT", "Duration", "compare", "equal", "go_value", "infer", "parse_number", "plain"]

#: Enough digits for every sum and product of 64-bit numbers; what does not end (1/3) is cut here.
EXACT = Context(prec=50)

_INT = re.compile(r"[+-]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)
_NOT_FINITE = {"inf": "Infinity", "infinity": "Infinity", "nan": "NaN"}
_TRUE = frozenset(("t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("f", "F", "FALSE", "false", "False"))


class Duration(int):
    """A duration in ns, told apart from a number."""

    __slots__ = ()


def infer(text: str, now_at: int) -> Any:
    """Return what a text means: int, bool, Decimal, Moment, Duration or the text itself."""
    if not text:
        return text
    if _INT.fullmatch(text):
        number = int(text)
        if -(2**63) <= number < 2**63:
            return number
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    number_or_none = parse_number(text)
    if number_or_none is not None:
        return number_or_none
    if text[0] != "-":
        try:
            return parse_time(text, now_at)
        except BadRequest:
            pass
    try:
        return Duration(parse_duration(text))
    except BadRequest:
        return text


def parse_number(text: str) -> Decimal | None:
    """Return the number a text stands for, None when it is none. "inf" and "nan" are numbers as in Go."""
    if _FLOAT.fullmatch(text):
        return Decimal(text)
    word = _NOT_FINITE.get(text.lstrip("+-").lower())
    if word is not None and len(text) - len(text.lstrip("+-")) < 2:
        return Decimal(("-" if text[0] == "-" else "") + word)
    return None


def compare(left: Any, right: Any) -> int | None:
    """Return -1, 0 or 1 as left is before, the same as or after right; None when neither (NaN). Raises BadRequest."""
    left, right = _comparable(left, right)
    if type(left) is str or type(left) is bool:
        kind = "bool" if type(left) is bool else "string"
        raise BadRequest(f"unsupported comparison type: {kind}, kind: {kind}")
    if isinstance(left, Moment):
        left, right = left.at, right.at
    elif any(isinstance(side, Decimal) and side.is_nan() for side in (left, right)):
        return None
    return int(left > right) - int(left < right)


def equal(left: Any, right: Any) -> bool:
    """Tell whether two values are the same: numbers by value, texts by letter. Raises BadRequest for unlike kinds."""
    if type(left) is str and type(right) is str:
        return left == right
    if isinstance(left, Moment) and isinstance(right, Moment):
        return left.at == right.at and left.offset_s == right.offset_s
    return compare(left, right) == 0


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    if _is_number(left) and _is_number(right):
        return left, right
    if type(left) is type(right):
        return left, right
    left, right = (None if isinstance(side, str | bool) else side for side in (left, right))
    raise BadRequest(f"incomparable: <{_shown(left)}> with <{_shown(right)}>")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return "<nil>" if value is None else go_value(value)


def go_value(value: Any) -> str:
    """Return a number or a time as Go's %v prints it: "1e+10", "2026-03-01 10:00:00 +0000 UTC"."""
    if isinstance(value, Moment):
        text = format_time(value.at, value.offset_s)
        clock = text.removesuffix("Z") if text.endswith("Z") else text[:-6]
        offset = "+0000" if text.endswith("Z") else text[-6:].replace(":", "")
        return f"{clock.replace('T', ' ')} {offset} {'UTC' if offset == '+0000' else offset}"
    number = Decimal(value)
    if not number.is_finite():
        return plain(number)
    sign, digits, exponent = number.normalize(EXACT).as_tuple()
    assert isinstance(exponent, int)
    power = len(digits) + exponent - 1
    if any(digits) and (power < -4 or power >= 6):
        mantissa = str(digits[0]) + ("." + "".join(map(str, digits[1:])) if len(digits) > 1 else "")
        return f"{'-' if sign else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return plain(number)


def plain(number: int | Decimal) -> str:
    """Return a number as its shortest plain decimal text; "+Inf", "-Inf" and "NaN" for what is not finite."""
    if isinstance(number, int):
        return str(int(number))
    if not number.is_finite():
        return "NaN" if number.is_nan() else ("-Inf" if number < 0 else "+Inf")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
