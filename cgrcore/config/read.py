"""From configuration texts to settings: read, merge over the defaults, complete, check.

Rules: sources come in order, later ones over earlier ones, overrides (`section.key=value`) last; every mistake of every
source is found before anything is refused. The result holds every key there is.
Does not know: folders and files, the process environment (an argument).
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cgrcore.config.keys import Object, Records
from cgrcore.config.kinds import MISSING, Texts, node_of, suggestion
from cgrcore.config.maps import Map
from cgrcore.config.sanity import check
from cgrcore.config.text import Mistake, Node, Place, parse_text, plain
from cgrcore.config.vocabulary import SECTIONS
from cgrcore.config.vocabulary.stores import BY_DATABASE
from cgrcore.errors import BadRequest

__all__ = ["Settings", "Source", "changed", "find_mistakes", "read_settings"]


class Source(NamedTuple):
    """One configuration text and what to call it in messages."""

    file: str
    text: str


class Settings(dict[str, Any]):
    """Section to key to parsed value: durations are int ns, sizes int bytes, numbers int or Decimal.

    `raw` has the same shape with the JSON values as configured ("3h"); `places` says where a (section, key) was
    configured, and knows nothing of those that were not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.raw: dict[str, Any] = {}
        self.places: dict[tuple[str, str], Place] = {}

    def place(self, section: str, key: str) -> Place:
        """Return where a key was configured, or its section and name when it was not."""
        return self.places.get((section, key)) or Place(f"{section}.{key} (default)")


def read_settings(
    sources: Iterable[Source], environ: Mapping[str, str] | None = None, overrides: Sequence[str] = ()
) -> Settings:
    """Return the settings the sources give on top of the defaults.

    `environ` is what `*env:NAME` and `${NAME}` look in; `overrides` are `section.key=value` texts.
    Raises BadRequest whose text has one line `file:line:column: what` for each mistake.
    """
    settings, mistakes = find_mistakes(sources, environ, overrides)
    if mistakes:
        raise BadRequest("\n".join(str(mistake) for mistake in mistakes))
    return settings


def find_mistakes(
    sources: Iterable[Source], environ: Mapping[str, str] | None = None, overrides: Sequence[str] = ()
) -> tuple[Settings, list[Mistake]]:
    """Return the settings, as far as they can be read, and everything that is wrong with the sources."""
    mistakes: list[Mistake] = []
    nodes = [parse_text(source.text, source.file, environ or {}, mistakes) for source in sources]
    nodes += [_override(text, environ or {}, mistakes) for text in overrides]
    settings = _defaults()
    for node in nodes:
        if node is not None:
            _merge(settings, node, mistakes)
    _complete(settings)
    check(settings, mistakes)
    return settings, mistakes


def changed(settings: Settings, changes: Node) -> tuple[Settings, list[Mistake]]:
    """Return new settings, with what an object of sections says on top of those given, and everything wrong with it."""
    mistakes: list[Mistake] = []
    new = Settings()
    new.update(copy.deepcopy(dict(settings)))
    new.raw = copy.deepcopy(settings.raw)
    new.places = dict(settings.places)
    _merge(new, changes, mistakes)
    _complete(new)
    check(new, mistakes)
    return new, mistakes


def _defaults() -> Settings:
    settings = Settings()
    mistakes: list[Mistake] = []
    for name, section in SECTIONS.items():
        settings.raw[name] = section.plain_default()
        settings[name] = section.kind.read(node_of(settings.raw[name]), mistakes, name)
    assert not mistakes, mistakes
    return settings


def _merge(settings: Settings, node: Node, mistakes: list[Mistake]) -> None:
    """Put what one source says over what holds so far."""
    if not isinstance(node.value, dict):
        mistakes.append(Mistake(node.place, "expected an object of sections"))
        return
    for name, child in node.value.items():
        if name not in SECTIONS:
            place = (node.key_places or {}).get(name, child.place)
            mistakes.append(Mistake(place, f"there is no section {name!r}{suggestion(name, SECTIONS)}"))
            continue
        kind = SECTIONS[name].kind
        here: list[Mistake] = []
        parsed = kind.read(child, here, name)
        mistakes += here
        if parsed is MISSING:
            continue
        settings[name] = kind.merge(settings[name], parsed)
        if all(mistake.is_unknown_key for mistake in here):  # else its shape may be any
            settings.raw[name] = kind.merge(settings.raw[name], plain(child))
        if isinstance(child.value, dict):
            settings.places.update(((name, key), value.place) for key, value in child.value.items())


def _override(text: str, environ: Mapping[str, str], mistakes: list[Mistake]) -> Node | None:
    """Return `section.key=value` as the node a file with that one setting would give."""
    place = Place(f"--set {text}")
    path, is_assignment, value = text.partition("=")
    names = [name.strip() for name in path.split(".")]
    if not is_assignment or len(names) < 2:
        mistakes.append(Mistake(place, "expected section.key=value"))
        return None
    kind: Any = SECTIONS[names[0]].kind if names[0] in SECTIONS else None
    for name in names[1:]:
        if isinstance(kind, Object):
            kind = kind.keys[name].kind if name in kind.keys else None
        else:
            kind = kind.values if isinstance(kind, Map) else None
    is_json = isinstance(kind, Object | Records | Map) or (isinstance(kind, Texts) and value.lstrip().startswith("["))
    # A name that does not exist is told by the reading that follows, as it would be for a file.
    leaf = parse_text(value, place.file, environ, mistakes) if is_json else Node(place, value, is_from_environment=True)
    if leaf is None:
        return None
    for name in reversed(names):
        leaf = Node(place, {name: leaf}, {name: place})
    return leaf


def _complete(settings: Settings) -> None:
    """Fill in the defaults that depend on other settings: those of the database, and stor_db's from data_db."""
    if ("stor_db", "db_type") not in settings.places:
        settings["stor_db"]["db_type"] = settings.raw["stor_db"]["db_type"] = settings["data_db"]["db_type"]
    for section in ("data_db", "stor_db"):
        for key, default in BY_DATABASE[section, settings[section]["db_type"]].items():
            if (section, key) not in settings.places:
                settings[section][key] = settings.raw[section][key] = default
    if settings["data_db"]["db_type"] == settings["stor_db"]["db_type"] != "*internal":
        for key in ("db_host", "db_port", "db_name", "db_user", "db_password"):
            if (section := "stor_db", key) not in settings.places:
                settings[section][key] = settings.raw[section][key] = settings["data_db"][key]
