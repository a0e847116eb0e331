"""Whatever bytes a file holds, a plan is loaded or refused with mistakes, and nothing else happens."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.errors import CgrError
from cgrcore.tariffplan import KINDS, Defaults, Kind, load, read_files
from tests.tariffplan.worlds import empty_world

kinds = st.sampled_from(KINDS)
odd_fields = st.sampled_from(
    [
        "",
        "*any",
        "a",
        "b;c",
        "1",
        "-1",
        "1e30",
        "999999999999999999999999999999",
        "0x1",
        "true",
        "maybe",
        "60s",
        "-5m",
        "*asap",
        "2024-01-01",
        "x:y",
        "2024-01-01T00:00:00Z",
        "*string:~*req.A:b",
        "*rsr:~*req.A:>=1;<=2",
        "~*req.A{*",
        "{",
        '"',
        "é",
        "*monthly",
        "*tcc",
        "*load",
    ]
)


@st.composite
def files(draw: st.DrawFn) -> dict[str, bytes]:
    found = {}
    for kind in draw(st.lists(kinds, min_size=1, max_size=4)):
        rows = draw(st.lists(st.lists(odd_fields, min_size=len(kind.columns), max_size=len(kind.columns)), max_size=4))
        found[kind.file] = "\n".join(",".join(row) for row in rows).encode()
    return found


def load_or_refuse(contents: dict[str, bytes]) -> None:
    world = empty_world()
    with contextlib.suppress(CgrError):
        load(world, read_files(contents, Defaults("t")))


@given(kinds, st.binary(max_size=200))
@settings(max_examples=50)
def test_any_bytes_are_read_or_refused(kind: Kind, content: bytes) -> None:
    load_or_refuse({kind.file: content})


@given(files())
@settings(max_examples=100)
def test_odd_fields_are_read_or_refused(contents: dict[str, bytes]) -> None:
    load_or_refuse(contents)


@given(files())
@settings(max_examples=100)
def test_every_mistake_has_a_place_in_a_file(contents: dict[str, bytes]) -> None:
    for mistake in read_files(contents, Defaults("t")).mistakes:
        lines = contents[mistake.file].decode().split("\n")
        assert 1 <= mistake.line <= len(lines)
        assert 1 <= mistake.column <= len(lines[mistake.line - 1]) + 1
