"""The strict parser: the grammar against Python's own, and what it keeps that others lose."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore._fast.jsontree import NotJson, Number, Pairs, TooLarge, fraction, members, parse, plain

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_what_python_writes_is_read_back(value, as_ascii):
    text = json.dumps(value, ensure_ascii=as_ascii).encode("utf-8", "replace")
    assert plain(parse(text), []) == json.loads(text)


@given(st.text(alphabet='{}[]",:\\0123456789.eE+-truefalsn \n', max_size=40))
def test_accepts_what_python_accepts_and_no_more(text):
    def refuse(word):
        raise ValueError(word)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        with pytest.raises(NotJson):
            parse(text.encode())
    else:
        parse(text.encode())


def test_pairs_keep_their_order_and_repetitions():
    assert parse(b'{"b":1,"a":2,"b":3}') == Pairs([("b", "1"), ("a", "2"), ("b", "3")])


def test_numbers_keep_their_digits():
    assert parse(b"[1.50,1E3,-0]") == [Number("1.50"), Number("1E3"), Number("-0")]


def test_a_lone_surrogate_becomes_the_replacement_character():
    assert parse(b'"\\ud800x"') == "\ufffdx"


def test_every_byte_that_is_no_utf8_is_replaced_on_its_own():
    assert parse(b'"\xe2\x98z"') == "\ufffd\ufffdz"


def test_members_are_texts():
    assert members(b' {"id": [1, 2] ,"m":{}} ') == [("id", b"[1, 2]"), ("m", b"{}")]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.50", "1.5"), ("1.0", "1"), ("-0.0", "-0"), ("1e3", "1000"), ("1e21", "1E+21"), ("1e-400", "0"), ("0e9", "0")],
)
def test_fractions_take_their_plainest_form(text, value):
    assert str(fraction(text)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**27), max_value=10**27))
def test_fractions_are_exact(value):
    assert fraction(f"{value:f}") == value


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1.8e308", "1e99999999999999999999"])
def test_more_than_a_double_holds_is_too_large(text):
    with pytest.raises(TooLarge, match=text):
        fraction(text)


def test_free_values_are_ints_and_decimals():
    assert plain(parse(b'{"a":1,"b":[1.25,9007199254740993]}'), []) == {
        "a": 1,
        "b": [Decimal("1.25"), 9007199254740993],
    }


def test_what_is_too_large_is_noted():
    noted: list[str] = []
    plain(parse(b'{"a":1e400}'), noted)
    assert noted == ["1e400"]
