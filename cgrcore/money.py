"""Exact amounts: money and units as integers scaled by 10^-9.

Rules: an amount is an `int` counting billionths (`_nano` in its name); text becomes an amount and an amount text
without passing through a float; rounding happens in `round_nano` only, with its mode named; dividing says which way.
Does not know: currencies, balances, prices per unit.
"""

import re
from decimal import Decimal
from enum import Enum

from cgrcore._fast.amounts import number_from_nano
from cgrcore.errors import BadRequest

__all__ = [
    "LIMIT_NANO",
    "NANO",
    "Rounding",
    "div_ceil",
    "div_floor",
    "div_half_away",
    "format_nano",
    "is_rounded",
    "nano_from_number",
    "number_from_nano",
    "parse_nano",
    "round_nano",
]

#: How many parts one unit has. The scale of every amount in the system.
NANO = 1_000_000_000

#: Amounts are held in 128 bits; what goes beyond this many units is refused at the door.
LIMIT_NANO = 10**36

#: More digits than any sane amount has; longer texts are refused before they are parsed.
MAX_TEXT_SIZE = 64


class Rounding(Enum):
    """How a cost is rounded to its decimals. Any other word in a tariff means NONE."""

    UP = "*up"
    MIDDLE = "*middle"
    DOWN = "*down"
    NONE = ""

    @classmethod
    def of(cls, word: str) -> "Rounding":
        """Return the mode a tariff plan names, NONE for an unknown word."""
        return _BY_WORD.get(word, _NONE)


_BY_WORD = {mode.value: mode for mode in Rounding}

# Looking up a member of an enumeration takes longer than rounding by it.
_UP, _MIDDLE, _NONE = Rounding.UP, Rounding.MIDDLE, Rounding.NONE

#: The smallest amount with so many decimals.
_STEPS: tuple[int, ...] = tuple(10 ** (9 - decimals) for decimals in range(10))

#: Nearly every amount that is ever read: few digits, exact without rounding.
_PLAIN = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,9}))?", re.ASCII)


def div_floor(dividend: int, divisor: int) -> int:
    """Divide, rounding towards minus infinity."""
    return dividend // divisor


def div_ceil(dividend: int, divisor: int) -> int:
    """Divide, rounding towards plus infinity."""
    return -(-dividend // divisor)


def div_half_away(dividend: int, divisor: int) -> int:
    """Divide by a positive divisor, rounding to the nearest, ties away from zero."""
    quotient, rest = divmod(abs(dividend), divisor)
    if 2 * rest >= divisor:
        quotient += 1
    return quotient if dividend >= 0 else -quotient


def is_rounded(amount_nano: int, decimals: int) -> bool:
    """Tell whether an amount has no more than so many decimals (0 to 9), so that rounding leaves it as it is."""
    return decimals >= 9 or amount_nano % _STEPS[max(decimals, 0)] == 0


def round_nano(amount_nano: int, decimals: int, mode: Rounding) -> int:
    """Round an amount to a number of decimals (0 to 9; more leave it as it is)."""
    if mode is _NONE or is_rounded(amount_nano, decimals):
        return amount_nano
    step = _STEPS[max(decimals, 0)]
    if mode is _UP:
        return div_ceil(amount_nano, step) * step
    if mode is _MIDDLE:
        return div_half_away(amount_nano, step) * step
    return div_floor(amount_nano, step) * step


def parse_nano(text: str) -> int:
    """Return the amount a decimal text stands for ("-0.25", "1e3"), exact.

    Digits beyond the ninth decimal are rounded to the nearest, ties away from zero.
    Raises BadRequest for anything that is not a finite decimal number within ±10^27 units.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        return _plain_amount(plain)
    if len(text) > MAX_TEXT_SIZE or "_" in text or not text.isascii() or text != text.strip():
        raise BadRequest(f"expected a decimal number, got {text[:MAX_TEXT_SIZE]!r}")
    try:
        value = Decimal(text)
    except ArithmeticError:
        raise BadRequest(f"expected a decimal number, got {text!r}") from None
    return nano_from_number(value)


def _plain_amount(plain: re.Match[str]) -> int:
    sign, whole, fraction = plain.groups()
    amount_nano: int = int(whole) * NANO
    if fraction:
        amount_nano += int(fraction.ljust(9, "0"))
    return -amount_nano if sign else amount_nano


def nano_from_number(value: int | Decimal) -> int:
    """Return a number as an amount, exact up to the ninth decimal. Errors as `parse_nano`."""
    if type(value) is int:
        amount = value * NANO
    elif isinstance(value, Decimal) and value.is_finite():
        plain = _PLAIN.fullmatch(str(value))
        if plain is not None:
            return _plain_amount(plain)
        amount = _scaled(value)
    else:
        raise BadRequest(f"expected a finite decimal number, got {value!r}")
    if abs(amount) > LIMIT_NANO:
        raise BadRequest(f"number out of range: {value}")
    return amount


def _scaled(value: Decimal) -> int:
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    coefficient = int("".join(map(str, digits)))
    shift = exponent + 9
    if coefficient == 0 or -shift > len(digits):
        return 0
    if shift + len(digits) > 40:
        raise BadRequest(f"number out of range: {value}")
    amount = coefficient * 10**shift if shift >= 0 else div_half_away(coefficient, 10**-shift)
    return -amount if sign else amount


def format_nano(amount_nano: int) -> str:
    """Return an amount as its shortest decimal text: "9.125", "-0.5", "10"."""
    sign = "-" if amount_nano < 0 else ""
    whole, rest = divmod(abs(amount_nano), NANO)
    if rest == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{rest:09d}".rstrip("0")
