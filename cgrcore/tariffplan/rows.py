"""From the rows of one file to objects: rows with the same id are one object.

Rules: in kinds without a marked column each row is one inner object. In the others a row adds to its object: scalars
count from the last row that has them, lists are united, and a row whose marked column is not empty starts an inner
object, or adds to the one it names (routes, pools, hosts: same id and filters). Does not know: what refers to what.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import msgspec

from cgrcore.tariffplan.csvtext import CsvText
from cgrcore.tariffplan.fields import EXPECTED, parse_column
from cgrcore.tariffplan.kinds import Column, Kind
from cgrcore.tariffplan.mistakes import Mistake

__all__ = ["Defaults", "objects_of", "row_of"]

#: Kinds in which a second row for one id is a mistake of the plan, and CGRateS's text for it.
_ONCE = {"timings": "duplicate timing tag: {id}", "account_actions": 'duplicate account action found: "{id}"'}

#: Kinds whose inner objects of the same id and filters are one.
_UNITED = frozenset(("routes", "ips", "dispatcher_profiles"))


class Defaults(msgspec.Struct, frozen=True):
    """What rows do not say: the plan's id, the id of the load, the tenant where it is empty."""

    tenant: str
    tpid: str = ""
    load_id: str = ""


def objects_of(
    kind: Kind, text: CsvText, defaults: Defaults, *, refuse_repeats: bool
) -> tuple[dict[str, Any], list[Mistake]]:
    """Return the objects of a file by their ids (without the plan's), and the mistakes in its rows.

    A row with a mistake gives no object. `refuse_repeats`: ids that may come only once are mistakes when they come
    again.
    """
    texts = text.columns([column.name for column in kind.columns])
    mistakes = list(text.mistakes)
    columns = _columns(kind, text, texts, mistakes) if texts else []
    if not columns:
        return {}, mistakes
    outer = {column.field: values for column, values in zip(kind.columns, columns, strict=True) if not column.is_inner}
    if kind.has_tenant:
        outer["Tenant"] = [tenant or defaults.tenant for tenant in outer["Tenant"]]
    keys = _keys(kind, outer, defaults)
    if refuse_repeats and kind.name in _ONCE:
        mistakes += _repeats(kind, text, keys)
    if kind.name == "destinations":
        found = _gathered(kind, keys, outer["Prefixes"], defaults)
    elif kind.inner is not None and not any(column.is_marker for column in kind.columns):
        found = _one_for_each_row(kind, columns, keys, outer, defaults)
    else:
        found = _merged(kind, columns, keys, outer, defaults)
    return found, mistakes


def _keys(kind: Kind, outer: dict[str, Any], defaults: Defaults) -> Sequence[str]:
    """Return the id that each row gives its object."""
    if kind.key == ("ID",):
        ids: Sequence[str] = outer["ID"]
        return ids
    parts = [outer[field] if field in outer else repeat(defaults.load_id) for field in kind.key]
    return list(map(":".join, zip(*parts, strict=False)))


def row_of(kind: Kind, text: CsvText, item_id: str, index: int, defaults: Defaults) -> int:
    """Return the row that gave the `index`th inner object of an object (its first row, when it has fewer)."""
    places = [place for place, column in enumerate(kind.columns) if column.field in kind.key and not column.is_inner]
    found = []
    for number, row in enumerate(text.rows):
        values = [row[place] or (defaults.tenant if kind.columns[place].field == "Tenant" else "") for place in places]
        if ":".join(values) == item_id.lstrip(":"):
            found.append(number)
    return found[index] if index < len(found) else found[0] if found else 0


def _columns(kind: Kind, text: CsvText, texts: Sequence[Sequence[str]], mistakes: list[Mistake]) -> list[Sequence[Any]]:
    """Return the values of each column; rows that cannot be read are noted and dropped."""
    columns: list[Sequence[Any]] = []
    dropped: set[int] = set()
    for place, (column, values) in enumerate(zip(kind.columns, texts, strict=True)):
        parsed, wrong = parse_column(column.type, values)
        columns.append(parsed)
        for number in (number for number, value in enumerate(values) if value in wrong) if wrong else ():
            mistakes.append(_misread(kind, text, column, number, place))
            dropped.add(number)
    if dropped:
        columns = [[value for number, value in enumerate(values) if number not in dropped] for values in columns]
    return columns if len(dropped) < len(texts[0]) else []


def _misread(kind: Kind, text: CsvText, column: Column, number: int, place: int) -> Mistake:
    value = text.rows[number][place]
    message = f'invalid value "{value}" for field {kind.model}.{column.field}'
    line, at = text.line_of(number), text.column_of(number, place)
    return Mistake(message, f"{EXPECTED[column.type]} for {column.name}", value, text.name, line, at)


def _repeats(kind: Kind, text: CsvText, keys: Iterable[str]) -> list[Mistake]:
    seen: set[str] = set()
    found = []
    for number, key in enumerate(keys):
        if key in seen:
            item_id = key.lstrip(":")
            message = _ONCE[kind.name].format(id=item_id)
            found.append(Mistake(message, "an id that comes once", item_id, text.name, text.line_of(number), 1))
        seen.add(key)
    return found


def _gathered(kind: Kind, keys: Sequence[str], items: Sequence[str], defaults: Defaults) -> dict[str, Any]:
    """Destinations: each row adds one prefix."""
    record, tpid = kind.record, defaults.tpid
    found = dict(zip(keys, map(record, repeat(tpid), keys, [[item] for item in items]), strict=False))
    if len(found) == len(keys):
        return found
    found.clear()
    last = None
    group: list[str] = []
    for key, item in zip(keys, items, strict=True):
        if key is not last:
            last = key
            known = found.get(key)
            if known is None:
                known = found[key] = record(tpid, key, [])
            group = known.Prefixes
        group.append(item)
    return found


def _one_for_each_row(
    kind: Kind, columns: list[Sequence[Any]], keys: Sequence[str], outer: dict[str, Any], defaults: Defaults
) -> dict[str, Any]:
    assert kind.inner is not None
    inner_columns = {c.field: values for c, values in zip(kind.columns, columns, strict=True) if c.is_inner}
    fields = kind.inner.record.__struct_fields__
    zero = kind.inner.record()
    inners = map(kind.inner.record, *(inner_columns.get(field) or repeat(getattr(zero, field)) for field in fields))
    groups: dict[str, list[Any]] = {}
    first: dict[str, int] = {}
    last = None
    group: list[Any] = []
    for number, (key, inner) in enumerate(zip(keys, inners, strict=False)):
        # A text equal to the one above it is the same object.
        if key is not last:
            last = key
            known = groups.get(key)
            if known is None:
                known = groups[key] = []
                first[key] = number
            group = known
        group.append(inner)
    found = {}
    for key, group in groups.items():
        item = kind.record(TPid=defaults.tpid)
        for field, values in outer.items():
            setattr(item, field, values[first[key]])
        if "LoadId" in kind.key:
            item.LoadId = defaults.load_id
        setattr(item, kind.inner.field, group[-1] if kind.inner.is_single else group)
        _name_triggers(kind, key, group)
        found[key] = item
    return found


def _name_triggers(kind: Kind, key: str, group: list[Any]) -> None:
    if kind.name == "action_triggers":
        for trigger in group:
            trigger.Id = key


def _merged(
    kind: Kind, columns: list[Sequence[Any]], keys: Sequence[str], outer: dict[str, Any], defaults: Defaults
) -> dict[str, Any]:
    scalars = [c for c in kind.columns if not c.is_inner and c.type != "list"]
    lists = [c for c in kind.columns if not c.is_inner and c.type == "list"]
    by_name = {column.name: values for column, values in zip(kind.columns, columns, strict=True)}
    found: dict[str, Any] = {}
    for number, key in enumerate(keys):
        item = found.get(key)
        if item is None:
            item = found[key] = kind.record(TPid=defaults.tpid)
            if "LoadId" in kind.key:
                item.LoadId = defaults.load_id
            for column in lists:
                setattr(item, column.field, [])
            if kind.inner is not None:
                setattr(item, kind.inner.field, [])
        for column in scalars:
            value = outer[column.field][number]
            if value:
                setattr(item, column.field, value)
        for column in lists:
            _unite(getattr(item, column.field), by_name[column.name][number])
        if kind.inner is not None:
            _add_inner(kind, item, by_name, number)
    return found


def _unite(items: list[str], more: list[str] | None) -> None:
    for value in more or ():
        if value not in items:
            items.append(value)


def _add_inner(kind: Kind, item: Any, by_name: dict[str, Sequence[Any]], number: int) -> None:
    assert kind.inner is not None
    group: list[Any] = getattr(item, kind.inner.field)
    row = {column.field: by_name[column.name][number] for column in kind.columns if column.is_inner}
    marker = next(column.field for column in kind.columns if column.is_marker)
    if not row[marker]:
        return
    if kind.name == "stats":
        group.extend(kind.inner.record(row["FilterIDs"], name) for name in row[marker].split(";"))
        return
    if kind.name == "attributes":
        row["FilterIDs"] = row["FilterIDs"] or []  # the only inner list that is shown empty, and not as null
    if kind.name in _UNITED:
        for known in group:
            if row["ID"] == known.ID and known.FilterIDs == row["FilterIDs"]:
                _extend(known, row)
                return
    group.append(kind.inner.record(**row))


def _extend(known: Any, row: dict[str, Any]) -> None:
    """Add a further row to an inner object: lists are united, of scalars the last counts."""
    for field, value in row.items():
        before = getattr(known, field)
        if value and isinstance(before, list):
            _unite(before, value)
        elif value:
            setattr(known, field, value)
