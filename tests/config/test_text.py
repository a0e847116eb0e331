"""Configuration texts: what is allowed beyond JSON, and where mistakes are told to be."""

from decimal import Decimal
from typing import Any

import pytest

from cgrcore.config.text import MAX_DEPTH, Mistake, parse_text, plain


def read(text: str, **environ: str) -> Any:
    mistakes: list[Mistake] = []
    node = parse_text(text, "a.json", environ, mistakes)
    assert not mistakes
    assert node is not None
    return plain(node)


def mistake(text: str, **environ: str) -> str:
    mistakes: list[Mistake] = []
    parse_text(text, "a.json", environ, mistakes)
    return "\n".join(map(str, mistakes))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", {}),
        ("  // nothing\n", {}),
        ('{"a": 1}', {"a": 1}),
        ('{"a": 1,}', {"a": 1}),
        ("[1, 2,]", [1, 2]),
        ('{/* one\nmore */"a"/**/:/**/[true,false,null] // end\n}', {"a": [True, False, None]}),
        ('{"a": "// no comment"}', {"a": "// no comment"}),
        (r'{"a": "tab\t\u00e9\"\\"}', {"a": 'tab\té"\\'}),
        ("\ufeff{}", {}),
        ("-12", -12),
    ],
)
def test_comments_and_trailing_commas_are_allowed(text: str, value: object) -> None:
    assert read(text) == value


def test_numbers_with_decimals_stay_exact() -> None:
    assert read('{"a": 0.1000000000000000000001}') == {"a": Decimal("0.1000000000000000000001")}


def test_an_environment_variable_is_put_into_a_text() -> None:
    assert read('{"a": "x-${B}-*env:B"}', B="y") == {"a": "x-y-y"}


def test_a_bare_environment_variable_is_a_value() -> None:
    assert read('{"a": *env:PORT, "b": 1}', PORT="2012") == {"a": "2012", "b": 1}


def test_a_group_of_a_regular_expression_is_no_environment_variable() -> None:
    assert read(r'{"a": "~*req.Account:s/^0(\\d+)$/+${1}/"}') == {"a": r"~*req.Account:s/^0(\d+)$/+${1}/"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a" 1}', "a.json:1:6: expected : after the key 'a', found '1}'"),
        ('{"a": 1\n "b": 2}', "a.json:2:2: expected , or }, found '\"b\": 2}'"),
        ('{"a": [1,\n2', "a.json:2:2: expected , or ], found the end of the file"),
        ("{a: 1}", "a.json:1:2: expected a key in double quotes, found 'a: 1}'"),
        ('{"a": nul}', "a.json:1:7: expected a value, found 'nul}'"),
        ('{"a": 01}', "a.json:1:7: expected a value, found '01}'"),
        ('{"a": "x\n"}', "a.json:1:7: this text is not closed on its line"),
        (r'{"a": "\q"}', "a.json:1:7: this text holds an escape or a character that JSON does not know"),
        ("{} {}", "a.json:1:4: nothing may follow the closing bracket, found '{}'"),
        ("{ /* open", "a.json:1:3: this comment is not closed with */"),
        ('{"a": "*env:GONE"}', "a.json:1:7: the environment variable GONE is not set"),
        ('{"a": 1, "a": 2}', "a.json:1:10: 'a' stands already at a.json:1:2"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    assert mistake(text) == told


def test_brackets_are_bounded_in_depth() -> None:
    assert f"more than {MAX_DEPTH} brackets" in mistake("[" * 100_000)
