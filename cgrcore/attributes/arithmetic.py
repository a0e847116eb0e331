"""Sums, differences, products and quotients of attribute values, and the values made from times and usages.

Rules: the first value's kind (whole number, number, duration, time) is that of the result, the others are converted
to it; whole numbers divide to whole numbers. Everything is exact; quotients that do not end are cut at 50 digits.
Does not know: where values come from.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from cgrcore.errors import BadRequest
from cgrcore.filters.values import EXACT, Duration, go_value, infer, parse_number, plain
from cgrcore.timing import ZERO_AT, Moment, format_duration, format_time, parse_duration, parse_time

__all__ = ["compute", "credit_control_usage", "sip_call_id", "usage_difference", "value_exponent"]


def compute(kind: str, texts: Sequence[str], now_at: int) -> str:
    """Return the result of `*sum`, `*difference`, `*multiply` or `*divide` over values, from left to right.

    Raises BadRequest for fewer than two values, kinds that cannot be computed with, and division by zero.
    """
    if len(texts) < 2:
        raise BadRequest("NotEnoughParameters")
    values = [infer(text, now_at) for text in texts]
    first = values[0]
    if isinstance(first, str | bool) or (kind in ("*multiply", "*divide") and isinstance(first, Duration | Moment)):
        if kind == "*sum":
            return ""
        raise BadRequest("unsupported type")
    result = first
    for value, text in zip(values[1:], texts[1:], strict=True):
        result = _step(kind, result, value, text)
    return _shown(result)


def _step(kind: str, left: Any, value: Any, text: str) -> Any:
    if isinstance(left, Moment):
        shift_ns = _as_duration(value, text)
        return Moment(left.at + (shift_ns if kind == "*sum" else -shift_ns), left.offset_s)
    if isinstance(left, Duration):
        right_ns = _as_duration(value, text)
        return Duration(left + right_ns if kind == "*sum" else left - right_ns)
    if isinstance(left, Decimal):
        return _FLOATS[kind](left, _as_number(value, text))
    return _INTEGERS[kind](left, _as_integer(value, text))


def _divide_numbers(left: Decimal, right: Decimal) -> Decimal:
    if not right:
        return Decimal("NaN") if not left else Decimal("Infinity").copy_sign(left)
    return EXACT.divide(left, right)


def _divide_integers(left: int, right: int) -> int:
    if not right:
        raise BadRequest("division by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


_FLOATS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "*sum": EXACT.add,
    "*difference": EXACT.subtract,
    "*multiply": EXACT.multiply,
    "*divide": _divide_numbers,
}
_INTEGERS: dict[str, Callable[[int, int], int]] = {
    "*sum": lambda left, right: left + right,
    "*difference": lambda left, right: left - right,
    "*multiply": lambda left, right: left * right,
    "*divide": _divide_integers,
}


def _as_duration(value: Any, text: str) -> int:
    if isinstance(value, Moment):
        raise BadRequest(f"cannot convert field: {go_value(value)} to time.Duration")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return int(value)
    return parse_duration(text)


def _as_integer(value: Any, text: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal | Moment):
        raise BadRequest(f"cannot convert field: {text} to int")
    raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax')


def _as_number(value: Any, text: str) -> Decimal:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, Moment):
        raise BadRequest(f"cannot convert field: {go_value(value)} to float64")
    raise BadRequest(f'strconv.ParseFloat: parsing "{text}": invalid syntax')


def _shown(value: Any) -> str:
    if isinstance(value, Duration):
        return format_duration(int(value))
    if isinstance(value, Moment):
        return format_time(value.at, value.offset_s)
    return plain(value)


def usage_difference(texts: Sequence[str], now_at: int) -> str:
    """Return the duration from the second time to the first. Raises BadRequest for a time that cannot be read."""
    end, start = (parse_time(text, now_at).at for text in texts)
    if ZERO_AT in (end, start):
        return format_duration(0 if end == start else (2**63 - 1 if start == ZERO_AT else -(2**63)))
    return format_duration(end - start)


def value_exponent(texts: Sequence[str]) -> str:
    """Return the first value times ten to the second. Raises BadRequest."""
    value, exponent = parse_number(texts[0]), parse_number(texts[1])
    if value is None:
        raise BadRequest(f"invalid value <{texts[0]}> to *value_exponent")
    if exponent is None or exponent != exponent.to_integral_value() or abs(exponent) > 300:
        raise BadRequest(f'strconv.Atoi: parsing "{texts[1]}": invalid syntax')
    return _rounded(value.scaleb(int(exponent)))


def _rounded(value: Decimal) -> str:
    """Print a number with at most five decimals, ties away from zero: what CGRateS keeps of costs."""
    step = Decimal("0.00001")
    return plain(value if value == value.to_integral_value() else value.quantize(step, "ROUND_HALF_UP"))


def credit_control_usage(texts: Sequence[str]) -> str:
    """Return what a Diameter request stands for: used + interval x (request number - 1). Raises BadRequest."""
    number = parse_number(texts[0])
    if number is None or number != number.to_integral_value():
        raise BadRequest(f"invalid requestNumber <{texts[0]}> to *cc_usage")
    used_ns = _duration_of(texts[1], "usedCCTime")
    interval_ns = _duration_of(texts[2], "debitInterval")
    return format_duration(used_ns + interval_ns * max(int(number) - 1, 0))


def _duration_of(text: str, name: str) -> int:
    try:
        return parse_duration(text)
    except BadRequest:
        raise BadRequest(f"invalid {name} <{text}> to *cc_usage") from None


def sip_call_id(texts: Sequence[str]) -> str:
    """Return a dialog's id: the Call-ID first, then the tags in order, so that both directions give the same."""
    return ";".join([texts[0], *sorted(text for text in texts[1:] if text)])
