"""The documentation lists what there is, and nothing that is not."""

import re

import pytest
from cgrserver.cli import COMMANDS
from cgrserver.cli.pages import PAGES
from cgrserver.rpc import methods
from cgrserver.rpc.registry import METHODS

from cgrcore.config import SECTIONS, Key, Map, Object, Records
from tests.house.sources import ROOT, sources


def _keys(kind: object) -> set[str]:
    """Return the names of all keys below a kind."""
    if isinstance(kind, Object):
        return {name for key in kind.keys.values() for name in {key.name, *_keys(key.kind)}}
    if isinstance(kind, Records):
        return _keys(kind.record)
    return _keys(kind.values) if isinstance(kind, Map) else set()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_made_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == PAGES[name](), "run: python -m cgrserver.cli.pages"


@pytest.mark.parametrize("section", SECTIONS.values(), ids=lambda section: section.name)
def test_the_page_of_the_configuration_lists_every_key(section: Key) -> None:
    page = PAGES["configuration.md"]()
    listed = {name for cell in re.findall(r"^\| `([^`]+)` \|", page, re.M) for name in (cell, *cell.split("."))}
    assert f"## {section.name}\n" in page
    assert _keys(section.kind) <= listed


def _own_keys() -> list[str]:
    """Return the keys that CGRateS does not have: of sections of ours, and single ones."""
    found = []
    for section in SECTIONS.values():
        assert isinstance(section.kind, Object | Records | Map)
        keys = section.kind.keys.values() if isinstance(section.kind, Object) else ()
        found += [key.name for key in keys if section.is_ours or key.is_ours]
    return found


@pytest.mark.parametrize("key", _own_keys())
def test_what_only_our_configuration_has_is_read_somewhere(key: str) -> None:
    texts = [source.text for source in sources(".py") if not source.module.startswith("cgrcore.config")]
    assert any(f'"{key}"' in text for text in texts)


def test_every_rpc_method_says_in_a_line_what_it_does() -> None:
    methods.load_all()
    assert [name for name, method in METHODS.items() if not method.summary] == []


def test_every_command_is_in_the_documentation() -> None:
    pages = "".join(path.read_text() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
    assert [command.name for command in COMMANDS if f"cgrcore {command.name}" not in pages] == []
