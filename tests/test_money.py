"""Amounts: text and numbers in and out, exact; rounding; division."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.errors import BadRequest
from cgrcore.money import (
    LIMIT_NANO,
    NANO,
    Rounding,
    div_ceil,
    div_floor,
    div_half_away,
    format_nano,
    nano_from_number,
    number_from_nano,
    parse_nano,
    round_nano,
)

amounts = st.integers(-LIMIT_NANO, LIMIT_NANO)


@given(amounts)
def test_an_amount_comes_back_from_its_text(amount_nano: int) -> None:
    assert parse_nano(format_nano(amount_nano)) == amount_nano


@given(amounts)
def test_an_amount_comes_back_from_its_number(amount_nano: int) -> None:
    assert nano_from_number(number_from_nano(amount_nano)) == amount_nano


@given(amounts)
def test_the_text_of_an_amount_is_the_shortest(amount_nano: int) -> None:
    text = format_nano(amount_nano)
    assert Fraction(text) == Fraction(amount_nano, NANO)
    assert not ("." in text and text.endswith(("0", ".")))
    assert "E" not in text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_digits_beyond_the_ninth_are_rounded_to_the_nearest_away_from_zero(value: Decimal) -> None:
    exact = abs(Fraction(value)) * NANO
    nearest = int(exact + Fraction(1, 2))
    assert nano_from_number(value) == (nearest if value >= 0 else -nearest)
    if len(str(value)) <= 64:
        assert parse_nano(str(value)) == nano_from_number(value)


@pytest.mark.parametrize(
    ("text", "amount_nano"),
    [
        ("0", 0),
        ("-0", 0),
        ("0.1", 100_000_000),
        ("-9.125", -9_125_000_000),
        ("+3", 3 * NANO),
        (".5", 500_000_000),
        ("5.", 5 * NANO),
        ("1e3", 1000 * NANO),
        ("3e-1", 300_000_000),
        ("0.0000000005", 1),
        ("0.00000000049", 0),
        ("0e99", 0),
        ("1e-99", 0),
        ("123456789012345678.123456789", 123456789012345678123456789),
    ],
)
def test_texts_of_amounts(text: str, amount_nano: int) -> None:
    assert parse_nano(text) == amount_nano


@pytest.mark.parametrize(
    "text",
    ["", " ", " 1", "1 ", "1,5", "one", "1_000", "NaN", "Infinity", "-inf", "0x10", "1e", "--1", "\u0661", "9" * 65],
)
def test_what_is_no_decimal_number_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_nano(text)


@pytest.mark.parametrize("text", ["1e28", "-1e28", "1e999999999"])
def test_amounts_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="out of range"):
        parse_nano(text)


@pytest.mark.parametrize("value", [True, None, 1.5, "1", Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(BadRequest):
        nano_from_number(value)  # type: ignore[arg-type]


@given(st.integers(-(10**24), 10**24), st.integers(0, 12))
def test_rounding_agrees_with_exact_fractions(amount_nano: int, decimals: int) -> None:
    step = 10 ** max(9 - decimals, 0)
    down, up = amount_nano // step * step, -(-amount_nano // step) * step
    middle = round_nano(amount_nano, decimals, Rounding.MIDDLE)
    assert round_nano(amount_nano, decimals, Rounding.DOWN) == down
    assert round_nano(amount_nano, decimals, Rounding.UP) == up
    assert middle in (down, up)
    assert 2 * abs(middle - amount_nano) <= step or step == 1
    assert round_nano(amount_nano, decimals, Rounding.NONE) == amount_nano


@given(st.integers(-(10**24), 10**24), st.integers(0, 9), st.sampled_from(Rounding))
def test_rounding_again_changes_nothing(amount_nano: int, decimals: int, mode: Rounding) -> None:
    once = round_nano(amount_nano, decimals, mode)
    assert round_nano(once, decimals, mode) == once


def test_an_unknown_word_rounds_nothing() -> None:
    assert Rounding.of("*sideways") is Rounding.NONE


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**12))
def test_divisions_round_as_their_names_say(dividend: int, divisor: int) -> None:
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(dividend) / Decimal(divisor)
        assert div_floor(dividend, divisor) == int(exact.to_integral_value(ROUND_FLOOR))
        assert div_ceil(dividend, divisor) == int(exact.to_integral_value(ROUND_CEILING))
    assert abs(div_half_away(dividend, divisor)) == int(Fraction(abs(dividend), divisor) + Fraction(1, 2))
