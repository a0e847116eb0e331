"""docs/configuration.md: every section and key, made from the vocabulary of the configuration.

Rules: every section and key has its row; objects that stand in several places are described once, at the end.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from cgrcore.config import SECTIONS, Key, Kind, Map, Object, RecordMap, Records
from cgrserver.rpc import methods
from cgrserver.rpc.registry import METHODS
from cgrserver.settings import served_sections

__all__ = ["config_page"]

_INTRODUCTION = """\
# Configuration

*This page is made by `python -m cgrserver.cli.pages`; a test keeps it true.*

The words are those of CGRateS, so that its configuration files can be used as they are. Without `--config`, `cgrcore
serve` runs every service it has, with its data in `cgrcore.db` in the working folder.

- `--config` names a file, or a folder whose `*.json` files are read in alphabetical order of their paths. Each is laid
  over the defaults below: objects key by key, `readers` and `exporters` by `id` (a new one starts from `*default`),
  other lists are replaced. `--set section.key=value` comes last.
- Files are JSON with `//` and `/* */` comments and trailing commas. `*env:NAME` and `${NAME}` in a text are replaced by
  the environment variable; `*env:NAME` without quotes may stand for a number or a switch.
- A section or key that does not exist, or a value of the wrong type, is a mistake; the server does not start, and
  `cgrcore check-config` tells all mistakes, each as `file:line:column: what`.
- `*internal` as a connection means this process; `*localhost` and the names in `rpc_conns` mean others.
- A duration is written as Go writes it: `"1h30m"`, `"150ms"`; bare digits are nanoseconds.
- **ours** marks what CGRateS does not have.
"""


def config_page() -> str:
    """Return the whole page as Markdown."""
    shared: dict[str, Object] = {}
    parts = [_INTRODUCTION]
    methods.load_all()
    served = served_sections(METHODS)
    for section in SECTIONS.values():
        meaning = _sentence(section)
        is_missing = section.name not in served and _has_a_service(section)
        note = " This version has no such service yet." if is_missing else ""
        parts.append(f"## {section.name}\n\n{meaning[0].upper()}{meaning[1:]}.{note}\n")
        parts.extend(_tables(section, shared))
    parts.append("## Objects that stand in several places\n")
    described: set[str] = set()
    while rest := [title for title in shared if title not in described]:
        for title in rest:
            described.add(title)
            parts.append(f"### {title.capitalize()}\n")
            parts.extend(_tables(Key("", shared[title], None, ""), shared, is_titled=True))
    return "\n".join(parts)


def _has_a_service(section: Key) -> bool:
    return section.name == "http_agent" or (isinstance(section.kind, Object) and "enabled" in section.kind.keys)


def _tables(key: Key, shared: dict[str, Object], *, is_titled: bool = False) -> Iterator[str]:
    """Give the table of one section or object, then those of the lists of objects in it."""
    inner: list[tuple[str, Object]] = []
    rows = list(_rows("", key.kind, shared, inner, is_titled=is_titled))
    if rows:
        yield "| Key | Type | Default | Meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    for name, record in inner:
        yield f"Each of `{name or key.name}`:\n"
        yield from _tables(Key(name, record, None, ""), shared)


def _rows(
    prefix: str, kind: Kind, shared: dict[str, Object], inner: list[tuple[str, Object]], *, is_titled: bool = False
) -> Iterator[str]:
    if isinstance(kind, Object) and (is_titled or not kind.title):
        for key in kind.keys.values():
            name = f"{prefix}{key.name}"
            if isinstance(key.kind, Object) and not key.kind.title:
                yield from _rows(f"{name}.", key.kind, shared, inner)
            else:
                yield _row(name, key, _type(name, key.kind, shared, inner))
    else:
        described = _type(prefix.rstrip("."), kind, shared, inner)
        assert isinstance(kind, Records | Map)
        if isinstance(kind, Map) and not isinstance(kind, RecordMap):
            yield f"| *name* | {described} | | |"


def _type(name: str, kind: Kind, shared: dict[str, Object], inner: list[tuple[str, Object]]) -> str:
    """Return how the table names a type; what has to be described further is noted."""
    record: Any = kind
    word = "{}"
    if isinstance(kind, Records):
        record, word = kind.record, "list of {}s"
    elif isinstance(kind, Map):
        record, word = kind.values, "object of {}s"
        if isinstance(record, Records):
            return f"object of {_type(name, record, shared, inner).replace('list', 'lists', 1)}"
    if not isinstance(record, Object):
        return re.sub(r"^an? | such as .*", "", kind.word)
    if record.title:
        shared[record.title] = record
        return word.format(f"[{record.title}](#{record.title.replace(' ', '-')})")
    inner.append((name, record))
    return word.format("object")


def _row(name: str, key: Key, type_word: str) -> str:
    default = "" if key.is_optional else msgspec.json.encode(key.plain_default()).decode()
    if len(default) > 160:
        default = "see `cgrcore check-config --print`"
    elif default:
        default = f"`{default}`"
    cells = (f"`{name}`", type_word, default, _sentence(key))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _sentence(key: Key) -> str:
    return f"{key.meaning} (**ours**)" if key.is_ours else key.meaning
