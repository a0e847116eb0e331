"""Writes the objects of plans as CSV files: what `read_files` reads as the same objects.

Rules: one file for each kind that has objects, with its columns as a comment on the first line; an object is as many
rows as it has inner objects, at least one; scalars stand on its first row. Fields are quoted only where they must be.
Does not know: where the files go.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from cgrcore.money import format_nano, nano_from_number
from cgrcore.tariffplan.kinds import Column, Kind
from cgrcore.tariffplan.read import Plan
from cgrcore.tariffplan.records import TpInterval
from cgrcore.timing import format_duration

__all__ = ["write_files"]


def write_files(plan: Plan, kinds: Iterable[Kind], separator: str = ",") -> dict[str, bytes]:
    """Return the files that hold a plan, by name. Kinds without objects give no file."""
    return {
        kind.file: _file(kind, plan.objects[kind.name].values(), separator) for kind in kinds if plan.objects[kind.name]
    }


def _file(kind: Kind, items: Iterable[Any], separator: str) -> bytes:
    lines = ["#" + separator.join(column.name for column in kind.columns)]
    for item in items:
        lines += [separator.join(_quoted(field, separator) for field in row) for row in _rows(kind, item)]
    return ("\n".join(lines) + "\n").encode()


def _rows(kind: Kind, item: Any) -> Iterable[list[str]]:
    if kind.name == "destinations":
        return [[item.ID, prefix] for prefix in item.Prefixes or ()]
    inners: list[Any] = [None]
    if kind.inner is not None:
        held = getattr(item, kind.inner.field)
        inners = [held] if kind.inner.is_single else held or [None]
    is_repeated = not any(column.is_marker for column in kind.columns)
    return [_row(kind, item, inner, is_first=number == 0 or is_repeated) for number, inner in enumerate(inners)]


def _row(kind: Kind, item: Any, inner: Any, *, is_first: bool) -> list[str]:
    row = []
    for column in kind.columns:
        if column.is_inner:
            row.append("" if inner is None else _text(column, getattr(inner, column.field)))
        elif is_first or column.field in kind.key:
            row.append(_text(column, getattr(item, column.field)))
        else:
            row.append("")
    return row


def _text(column: Column, value: Any) -> str:
    if value is None or (value is False and not column.is_inner):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format_nano(nano_from_number(value))
    if isinstance(value, TpInterval):
        return f"{value.ActivationTime};{value.ExpiryTime}" if value.ExpiryTime else value.ActivationTime
    if isinstance(value, list):
        return ";".join(str(part) for part in value)
    if column.type == "nanoseconds":
        return format_duration(value) if value else ""
    if column.type == "whole" and not value:
        return ""
    return str(value)


def _quoted(field: str, separator: str) -> str:
    if '"' in field or separator in field or "\n" in field or field.startswith("#"):
        return '"' + field.replace('"', '""') + '"'
    return field
