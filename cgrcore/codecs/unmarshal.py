"""Reads a JSON tree into typed values the way Go's decoder does, and words what is wrong as Go does.

Rules: keys match without regard to case, an exact match first; unknown keys are ignored; null leaves a value as it is;
of equal keys the last counts, yet a wrong kind in an earlier one is an error all the same. Reading goes on after a
wrong kind, and the first one is the error; an instant that is none ends the reading at once. Whole numbers have neither
fraction nor exponent and fit in 64 bits. This is the slow, exact path: `arguments` takes it when the fast one gives up.
Does not know: methods, JSON-RPC.
"""

import types
import typing
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from cgrcore._fast.jsontree import Number, Pairs, TooLarge, fraction, plain
from cgrcore.codecs.gotypes import GoField, GoTypes
from cgrcore.codecs.instants import instant_error
from cgrcore.errors import BadRequest

__all__ = ["LEFT", "Place", "Reader", "Report", "reader_of"]


class _Left:
    """What a reader returns for null and for what it could not read: the value stays as it was."""


LEFT = _Left()


class Place(msgspec.Struct, frozen=True):
    """Where a value stands: the struct of its field, and the path to the field from the outermost struct."""

    struct: str = ""
    path: str = ""

    def field(self, struct: str, path: str) -> "Place":
        return Place(struct, f"{self.path}.{path}" if self.path else path)


class Report:
    """The first wrong kind met so far, "" when none was."""

    __slots__ = ("text",)

    def __init__(self) -> None:
        self.text = ""

    def wrong(self, value: str, place: Place, type_name: str) -> _Left:
        if not self.text:
            target = f"struct field {place.struct}.{place.path}" if place.struct else "value"
            self.text = f"json: cannot unmarshal {value} into Go {target} of type {type_name}"
        return LEFT


#: Reads a tree at a place; returns the value or LEFT.
Reader = Callable[[Any, Place, Report], Any]


def kind_of(tree: object) -> str:
    """Return the word Go has for the kind of a JSON value."""
    if isinstance(tree, Number):
        return "number"
    if isinstance(tree, str):
        return "string"
    if isinstance(tree, bool):
        return "bool"
    return "object" if isinstance(tree, Pairs) else "array"


def reader_of(kind: Any, go_type: str, go_types: GoTypes) -> Reader:
    """Return the reader of values of a Python type, named `go_type` in errors ("" for a name made from the type)."""
    kind = _without_none(kind)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if go_type == "time.Time":
        return _read_instant
    if kind is str or kind is bool:
        return _simple_reader(kind, go_type or ("string" if kind is str else "bool"))
    if kind is int:
        return _whole_reader(go_type or "int")
    if kind is Decimal:
        return _fraction_reader(go_type or "float64")
    if kind is Any or kind is object:
        return _read_free
    if origin is list:
        return _list_reader(parts[0], go_type, go_types)
    if origin is dict:
        return _map_reader(parts[1], go_type, go_types)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct_reader(kind, go_type or f"v1.{kind.__name__}", go_types)
    return _converting_reader(kind, go_type or "interface {}")


def _without_none(kind: Any) -> Any:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(kind) if part is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return kind


def _simple_reader(kind: type, go_type: str) -> Reader:
    def read(tree: Any, place: Place, report: Report) -> Any:
        if tree is None:
            return LEFT
        return tree if type(tree) is kind else report.wrong(kind_of(tree), place, go_type)

    return read


def _whole_reader(go_type: str) -> Reader:
    def read(tree: Any, place: Place, report: Report) -> Any:
        if tree is None:
            return LEFT
        if not isinstance(tree, Number):
            return report.wrong(kind_of(tree), place, go_type)
        if len(tree) <= 20 and tree.lstrip("-").isdigit():
            value = int(tree)
            if -(2**63) <= value < 2**63:
                return value
        return report.wrong(f"number {tree}", place, go_type)

    return read


def _fraction_reader(go_type: str) -> Reader:
    def read(tree: Any, place: Place, report: Report) -> Any:
        if tree is None:
            return LEFT
        if not isinstance(tree, Number):
            return report.wrong(kind_of(tree), place, go_type)
        try:
            return fraction(str(tree))
        except TooLarge:
            return report.wrong(f"number {tree}", place, go_type)

    return read


def _read_free(tree: Any, place: Place, report: Report) -> Any:
    if tree is None:
        return LEFT
    too_large: list[str] = []
    value = plain(tree, too_large)
    if too_large:
        report.wrong(f"number {too_large[0]}", place, "float64")
    return value


def _read_instant(tree: Any, place: Place, report: Report) -> Any:
    if tree is None:
        return LEFT
    if type(tree) is not str:
        raise BadRequest("Time.UnmarshalJSON: input is not a JSON string")
    if error := instant_error(tree):
        raise BadRequest(error)
    return tree


def _list_reader(item: Any, go_type: str, go_types: GoTypes) -> Reader:
    go_type = go_type or f"[]{_name_of(item)}"
    read_item = reader_of(item, go_type.removeprefix("[]").lstrip("*") if go_type.startswith("[]") else "", go_types)

    def read(tree: Any, place: Place, report: Report) -> Any:
        if tree is None:
            return LEFT
        if type(tree) is not list:
            return report.wrong(kind_of(tree), place, go_type)
        values = [read_item(value, place, report) for value in tree]
        return [_zero(item) if value is LEFT else value for value in values]

    return read


def _map_reader(item: Any, go_type: str, go_types: GoTypes) -> Reader:
    go_type = go_type or f"map[string]{_name_of(item)}"
    read_item = reader_of(item, go_type.partition("]")[2].lstrip("*"), go_types)

    def read(tree: Any, place: Place, report: Report) -> Any:
        if tree is None:
            return LEFT
        if not isinstance(tree, Pairs):
            return report.wrong(kind_of(tree), place, go_type)
        values = {key: read_item(value, place, report) for key, value in tree}
        return {key: _zero(item) if value is LEFT else value for key, value in values.items()}

    return read


def _struct_reader(kind: type[msgspec.Struct], go_type: str, go_types: GoTypes) -> Reader:
    struct = go_types.struct(go_type)
    exact: dict[str, tuple[str, str, Reader]] = {}
    for field in msgspec.structs.fields(kind):
        declared = struct.fields.get(field.encode_name) or GoField(field.encode_name, "")
        reader = reader_of(field.type, declared.type, go_types)
        exact[field.encode_name] = (field.name, declared.path, reader)
    folded = {name.lower(): entry for name, entry in reversed(exact.items())}

    def read(tree: Any, place: Place, report: Report) -> Any:
        if tree is None:
            return LEFT
        if not isinstance(tree, Pairs):
            return report.wrong(kind_of(tree), place, go_type)
        values: dict[str, Any] = {}
        for key, value in tree:
            entry = exact.get(key) or folded.get(key.lower())
            if entry is not None:
                name, path, reader = entry
                got = reader(value, place.field(struct.name, path), report)
                if got is not LEFT:
                    values[name] = got
        return kind(**values)

    return read


def _converting_reader(kind: Any, go_type: str) -> Reader:
    """For types without a counterpart in Go (unions): whatever msgspec makes of the free value."""

    def read(tree: Any, place: Place, report: Report) -> Any:
        value = _read_free(tree, place, report)
        if value is LEFT:
            return LEFT
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            return report.wrong(kind_of(tree), place, go_type)

    return read


def _name_of(kind: Any) -> str:
    kind = _without_none(kind)
    names = {str: "string", bool: "bool", int: "int", Decimal: "float64", Any: "interface {}", object: "interface {}"}
    if kind in names:
        return names[kind]
    if typing.get_origin(kind) is list:
        return f"[]{_name_of(typing.get_args(kind)[0])}"
    if typing.get_origin(kind) is dict:
        return f"map[string]{_name_of(typing.get_args(kind)[1])}"
    return f"*v1.{getattr(kind, '__name__', 'Args')}"


def _zero(kind: Any) -> Any:
    """Return Go's zero value of a type."""
    if kind is not _without_none(kind):
        return None
    if kind in (str, bool, int, Decimal):
        return kind()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind()
    return None
