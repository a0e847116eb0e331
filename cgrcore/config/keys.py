"""Settings by name: a key with its kind, default and meaning; objects of keys; lists of records of keys.

Rules: a key that is not in the table is a mistake, with the nearest known one named. A section is an object of keys (or
a list or map of such objects) and is itself described by a Key. Lists of records that have ids merge by id, and a new
id starts from the entry `*default`; every other list replaces the one before.
"""

from typing import Any

import msgspec

from cgrcore.config.kinds import MISSING, Kind, described, node_of, suggestion
from cgrcore.config.maps import Map
from cgrcore.config.text import Mistake, Node

__all__ = ["Key", "Object", "RecordMap", "Records"]


class Key(msgspec.Struct, frozen=True):
    """One setting: what it is called, what it takes, what holds when it is not given, and what it means.

    `default` is the plain JSON value (None: the empty value of the kind). `shown` is the name GetConfig prints when it
    is another one, "" when it prints none. `is_ours` marks what CGRateS does not have; `is_unused` what is accepted
    and has no effect; `is_optional` a field that is absent from the result unless given;
    `hides_empty` what GetConfig leaves out while it is empty.
    """

    name: str
    kind: Kind
    default: Any
    meaning: str
    shown: str | None = None
    is_ours: bool = False
    is_unused: bool = False
    is_optional: bool = False
    hides_empty: bool = False

    def plain_default(self) -> Any:
        """Return the default as plain JSON."""
        return self.kind.empty() if self.default is None else self.default


class Object(Kind):
    """An object whose keys are known. What is read holds the given keys only; merging adds them to a whole one.

    `title` names an object that stands in several places, for the documentation.
    """

    word = "an object"

    def __init__(self, *keys: Key, title: str = "") -> None:
        self.title = title
        self.keys = {key.name: key for key in keys}

    def read(self, node: Node, mistakes: list[Mistake], path: str) -> Any:
        if node.value is None:
            return MISSING
        if not isinstance(node.value, dict):
            mistakes.append(Mistake(node.place, f"{path}: expected {self.word}, got {described(node.value)}"))
            return MISSING
        given: dict[str, Any] = {}
        for name, child in node.value.items():
            if name not in self.keys:
                place = (node.key_places or {}).get(name, child.place)
                near = suggestion(name, self.keys)
                mistakes.append(Mistake(place, f"{path} has no key {name!r}{near}", is_unknown_key=True))
                continue
            value = self.keys[name].kind.read(child, mistakes, f"{path}.{name}")
            if value is not MISSING:
                given[name] = value
        return given

    def merge(self, base: Any, over: Any) -> Any:
        merged = dict(base)
        for name, value in over.items():
            if name not in self.keys or value is None:
                continue
            merged[name] = self.keys[name].kind.merge(merged[name], value) if name in merged else value
        return merged

    def show(self, parsed: Any) -> Any:
        shown = {}
        for name, value in parsed.items():
            key = self.keys[name]
            label = name if key.shown is None else key.shown
            if (
                label
                and not key.is_unused
                and not key.is_ours
                and not key.kind.is_hidden(value)
                and (value or not key.hides_empty)
            ):
                shown[label] = key.kind.show(value)
        return shown

    def empty(self) -> dict[str, Any]:
        return {key.name: key.plain_default() for key in self.keys.values() if not key.is_optional}


class Records(Kind):
    """A list of objects. With `has_ids` those of one `id` merge, and new ones start from the entry `*default`."""

    def __init__(self, record: Object, *, has_ids: bool = False) -> None:
        self.record = record
        self.has_ids = has_ids
        self.word = "a list of objects"

    def read(self, node: Node, mistakes: list[Mistake], path: str) -> Any:
        if node.value is None:
            return MISSING
        if not isinstance(node.value, list):
            mistakes.append(Mistake(node.place, f"{path}: expected {self.word}, got {described(node.value)}"))
            return MISSING
        records = []
        for index, child in enumerate(node.value):
            record = self.record.read(child, mistakes, f"{path}[{index}]")
            if record is MISSING:
                if child.value is None:
                    mistakes.append(Mistake(child.place, f"{path}[{index}]: expected an object, got null"))
                continue
            if self.has_ids and not record.get("id"):
                mistakes.append(Mistake(child.place, f"{path}[{index}]: an id is needed"))
                continue
            records.append(record if self.has_ids else self.whole(record))
        return records

    def whole(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record with the defaults for what is not given, parsed."""
        blank = self.record.read(node_of(self.record.empty()), [], "")
        merged: dict[str, Any] = self.record.merge(blank, record)
        return merged

    def merge(self, base: Any, over: Any) -> Any:
        if not self.has_ids:
            return over
        merged = {record["id"]: record for record in base}
        start = base[0] if base else {}
        for record in over:
            if "id" in record:
                merged[record["id"]] = self.record.merge(merged.get(record["id"], start), record)
        return list(merged.values())

    def show(self, parsed: Any) -> Any:
        return [self.record.show(record) for record in parsed]

    def empty(self) -> list[Any]:
        return []


class RecordMap(Map):
    """An object from free names to objects of known keys, each completed with its defaults."""

    def __init__(self, record: Object) -> None:
        super().__init__(record, "an object of objects")
        self.record = record

    def read(self, node: Node, mistakes: list[Mistake], path: str) -> Any:
        given = super().read(node, mistakes, path)
        if given is MISSING:
            return MISSING
        return {name: Records(self.record).whole(record) for name, record in given.items()}
