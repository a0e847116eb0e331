"""Configuration texts: plain JSON reads as JSON does, and no text breaks the reader."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cgrcore.config import Mistake, find_mistakes, parse_text
from cgrcore.config.read import Source
from cgrcore.config.text import plain

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="$*\x7f"), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)

#: Texts made of what the reader looks at, so that they get far into it.
FRAGMENTS = st.lists(st.sampled_from([*'{}[],:"\\/*\n 0-.e', "//", "/*", "*/", "*env:", "true", '"rals"', "1"])).map(
    "".join
)


@given(JSON, st.sampled_from([None, 1]))
def test_json_reads_as_json(value: Any, indent: int | None) -> None:
    mistakes: list[Mistake] = []
    node = parse_text(json.dumps(value, indent=indent), "a.json", {}, mistakes)
    assert mistakes == []
    assert node is not None
    assert plain(node) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_decimals_are_read_exactly(value: Decimal) -> None:
    node = parse_text(f"[{value:f}]", "a.json", {}, [])
    assert node is not None
    assert plain(node) == [value]


@given(FRAGMENTS | st.text(max_size=40))
def test_every_text_is_read_or_its_mistake_told(text: str) -> None:
    mistakes: list[Mistake] = []
    node = parse_text(text, "a.json", {}, mistakes)
    assert node is not None or mistakes


@given(
    st.dictionaries(
        st.sampled_from(["rals", "general", "sessions", "ers", "rpc_conns", "http_agent", "x"]), JSON, max_size=3
    )
)
def test_every_configuration_is_read_or_its_mistakes_told(sections: dict[str, Any]) -> None:
    settings, mistakes = find_mistakes([Source("a.json", json.dumps(sections))], {})
    assert mistakes or settings["general"]["default_tenant"]


NAMES = st.sampled_from(
    ["rals", "enabled", "max_increments", "sessions", "stir", "ers", "readers", "client_protocol", "", "x"]
)


@given(
    st.lists(NAMES, min_size=1, max_size=4),
    st.sampled_from(
        ["", "1", "--5", "-", "1e9", "NaN", "1_0", "true", "[", "[1]", "{}", "null", '{"a":1}', "a,b", "²"]
    ),
)
def test_every_override_is_read_or_its_mistake_told(names: list[str], value: str) -> None:
    settings, mistakes = find_mistakes([], {}, [f"{'.'.join(names)}={value}"])
    assert mistakes or settings["general"]["default_tenant"]
