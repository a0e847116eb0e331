"""RSR texts: reading, search and replace, converters."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.errors import BadRequest, NotFound
from cgrcore.event import CgrEvent
from cgrcore.filters import parse_rsr, read_joined, scope_of, split_rsr
from cgrcore.world import World

WORLD = World({"general": {"default_tenant": "t"}}, lambda: "id")


def read(text: str, value: Any = None, **fields: Any) -> str:
    if value is not None:
        fields["In"] = value
    return parse_rsr(text).read(scope_of(WORLD, CgrEvent("t", "e", None, fields, {})))


@pytest.mark.parametrize(
    ("rule", "value", "result"),
    [
        ("~*req.In:s/^0(\\d+)$/+49${1}/", "0311417", "+49311417"),
        ("~*req.In:s/^0(\\d+)$/+49${1}/", "+4934", "+4934"),
        ("~*req.In:s/a/b/", "aabb", "b"),
        ("~*req.In:s/$/!/", "x", "!"),
        ("~*req.In:s/\\//-/", "a/b", "-"),
        ("~*req.In:s/(.)/$1x/", "ab", ""),
        ("~*req.In:s/^\\+49/0/:s/^0(.*)/${1}/", "+49668", ""),
        ("~*req.In:s/^.*$//", "x", ""),
    ],
)
def test_search_and_replace_gives_the_expanded_template(rule: str, value: str, result: str) -> None:
    assert read(rule, value) == result


@pytest.mark.parametrize(
    ("converters", "value", "result"),
    [
        ("*duration_seconds", "1m30s", "90"),
        ("*duration_seconds", "90", "0.00000009"),
        ("*duration_minutes", "1m30s", "1.5"),
        ("*duration_nanoseconds", "1.5s", "1500000000"),
        ("*duration", 60000000000, "1m0s"),
        ("*durfmt", "25h", "01:00:00"),
        ("*durfmt:04-05", "1h2m3s", "02-03"),
        ("*round", Decimal("-2.5"), "-3"),
        ("*round:2:*up", "3.14159", "3.15"),
        ("*round:1:*down", "99.999", "99.9"),
        ("*multiply:1024&*round:1", "1.5", "1536"),
        ("*multiply:-1", "0", "-0"),
        ("*divide:0", 3, "+Inf"),
        ("*json", 'q"uote', '"q\\"uote"'),
        ("*ip2hex", "10.1.2.3", "0x0a010203"),
        ("*string2hex", "ü", "0xc3bc"),
        ("*sipuri_host", "sip:100@10.1.1.1:5060;transport=udp", "10.1.1.1:5060"),
        ("*sipuri_user", '"Al" <sip:bob@host.org>', "bob"),
        ("*sipuri_method", "INVITE sip:1@h SIP/2.0", "INVITE"),
        ("*unixtime", "2026-03-01T10:00:00Z", "1772359200"),
        ("*len", "ü", "2"),
        ("*slice&*len", '[1,"b"]', "2"),
        ("*float64", "1e3", "1000"),
        ("*e164", "1.0.0.1.9.4.e164.arpa.", "491001"),
        ("*e164Domain", "1.0.0.1.9.4.e164.arpa.", "e164.arpa"),
        ("*urldecode", "a%20b%2Bc", "a b+c"),
        ("*urlencode", "http://h.org/p q?x=1 2&a=b", "http://h.org/p%20q?a=b&x=1+2"),
        ("*timestring:Europe/Berlin", "2026-07-01 10:00:00", "2026-07-01 12:00:00"),
        ("*timestring:America/New_York:Mon Jan _2 2006", "2026-03-01T10:00:00Z", "Sun Mar  1 2026"),
        ("*datetime:02/01/2006", "01/03/2026", "2026-03-01T00:00:00Z"),
        ("*strip:*prefix:2", "000123ab", "0123ab"),
        ("*strip:*both:*char:-", "--a--", "a"),
        ("*strip:*prefix:*char:00:1", "000123ab", "0123ab"),
        ("*strip:*suffix:*char:ab", "abab", ""),
        ("*gigawords", 3, "12884901888"),
        ("*conn_status", "DOWN", "-1"),
        ("*roundx", "1.6", "2"),
    ],
)
def test_a_converter_gives_its_result(converters: str, value: Any, result: str) -> None:
    assert read(f"~*req.In{{{converters}}}", value) == result


@pytest.mark.parametrize(
    ("converter", "error"),
    [
        ("*bogus", "unsupported converter definition: <.bogus>"),
        ("*round:x", "needs integer as decimals, have: <x>"),
        ("*multiply", "mandatory information missing"),
        ("*strip:*prefix", r"invalid number of parameters \(should have 3, 4 or 5\)"),
        ("*datetime", "requires at least one parameter"),
    ],
)
def test_a_bad_converter_is_refused_when_it_is_parsed(converter: str, error: str) -> None:
    with pytest.raises(BadRequest, match=error):
        parse_rsr(f"~*req.In{{{converter}}}")


@pytest.mark.parametrize(
    ("converter", "value", "error"),
    [
        ("*duration", "x", 'time: invalid duration "x"'),
        ("*round", "x", 'strconv.ParseFloat: parsing "x": invalid syntax'),
        ("*conn_status", "up", 'unsupported connection status: "up"'),
        ("*urldecode", "%zz", 'invalid URL escape "%zz"'),
        ("*datetime:02/01/2006", "x", 'cannot parse "x" as "02"'),
    ],
)
def test_a_value_that_a_converter_cannot_take_is_an_error(converter: str, value: str, error: str) -> None:
    with pytest.raises(BadRequest, match=error):
        read(f"~*req.In{{{converter}}}", value)


@pytest.mark.parametrize("rule", ["~*req.A:s/x/", "~*req.A:s//y/", "~*req.A:sx{*len"])
def test_a_rule_that_is_not_whole_is_refused(rule: str) -> None:
    with pytest.raises(BadRequest):
        parse_rsr(rule)


def test_what_is_missing_is_not_found() -> None:
    with pytest.raises(NotFound):
        read("~*req.Nope")


def test_inner_rules_are_put_in_place() -> None:
    assert read("~*req.<~*req.Name>", Name="A", A="x") == "x"
    assert read("<~*req.Name>", Name="A") == "A"


def test_rules_are_joined() -> None:
    scope = scope_of(WORLD, CgrEvent("t", "e", None, {"A": 1}, {}))
    assert read_joined([parse_rsr("~*req.A"), parse_rsr("@"), parse_rsr("~*tenant")], scope) == "1@t"


def test_back_ticks_keep_a_separator() -> None:
    assert split_rsr("a`b;c`d;e", ";") == ["ab;cd", "e"]
    with pytest.raises(BadRequest, match="Unclosed unspilit syntax"):
        split_rsr("`a", ";")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_rounding_to_more_decimals_than_there_are_changes_nothing(number: Decimal) -> None:
    assert Decimal(read("~*req.In{*round:6}", str(number))) == number
