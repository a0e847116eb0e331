"""Element paths: which value of an event, its options or a neighbour a text such as `~*req.Account` means.

Rules: a path is split at dots outside `<>` and `[]`; a key may carry `[index]`. What does not exist is NotFound; a step
into something that has no parts is WRONG_PATH. `<...>` inside a path is evaluated first (rsr.py does that).
Does not know: what statistics, resources and accounts are; those who own them answer through
`world.parts["filter_sources"]`.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from cgrcore.errors import BadRequest, NotFound
from cgrcore.event import CgrEvent
from cgrcore.world import World

__all__ = ["Scope", "compile_path", "read", "scope_of", "split_path", "without", "write"]

#: Compiled paths kept; tariff plans have some hundreds.
MAX_COMPILED = 4096

#: Roots that others answer: `(world, tenant, keys) -> value`, raising NotFound.
REMOTE = frozenset(("*stats", "*resources", "*accounts", "*trends", "*rankings", "*libphonenumber"))

_INDEXED = re.compile(r"(.*?)((?:\[[^\]]*\])+)", re.ASCII)


class Scope:
    """What a path can see: containers by root (`*req`, `*opts`, `*vars`, `*tenant`, ...), in a world, at an instant."""

    __slots__ = ("containers", "world")

    def __init__(self, world: World, containers: dict[str, Any]) -> None:
        self.world = world
        self.containers = containers

    @property
    def tenant(self) -> str:
        return str(self.containers.get("*tenant", ""))

    @property
    def now_at(self) -> int:
        return self.world.now_at


def scope_of(world: World, event: CgrEvent) -> Scope:
    """Return the scope in which an event's own filters are evaluated."""
    containers: dict[str, Any] = {"*req": event.event, "*opts": event.options, "*tenant": event.tenant}
    if event.at is not None:
        containers["*eventTimestamp"] = event.at
    return Scope(world, containers)


@lru_cache(maxsize=MAX_COMPILED)
def split_path(path: str) -> tuple[str | int, ...]:
    """Return the keys of a path, indexes as int. Raises BadRequest for an index that is no number."""
    keys: list[str | int] = []
    depth = 0
    start = 0
    for position, letter in enumerate(path):
        if letter in "<[":
            depth += 1
        elif letter in ">]":
            depth -= 1
        elif letter == "." and depth <= 0:
            keys.extend(_keys(path[start:position]))
            start = position + 1
    keys.extend(_keys(path[start:]))
    return tuple(keys)


def _keys(part: str) -> list[str | int]:
    found = _INDEXED.fullmatch(part)
    if found is None or not found[1]:
        return [part]
    keys: list[str | int] = [found[1]]
    for index in found[2][1:-1].split("]["):
        if index.lstrip("+-").isdigit():
            keys.append(int(index))
        else:
            keys.append(index)
    return keys


@lru_cache(maxsize=MAX_COMPILED)
def compile_path(path: str) -> Callable[[Scope], Any]:
    """Return the function that reads a path (without `~`) from a scope.

    It raises NotFound, or BadRequest WRONG_PATH.
    """
    keys = split_path(path)
    root, rest = keys[0], keys[1:]
    if root in ("*req", "*opts") and len(rest) == 1 and isinstance(rest[0], str):
        return _field_reader(str(root), rest[0])
    if root in REMOTE:
        return lambda scope: _read_remote(scope, str(root), rest)
    if root == "*asm":
        return lambda scope: _read_summary(scope, rest)
    if len(keys) == 1 and isinstance(root, str) and root and not root.startswith("*"):
        return lambda scope: _refuse(root)
    return lambda scope: read(scope.containers, keys)


def _refuse(name: str) -> Any:
    raise BadRequest(f"invalid fieldname <[{name}]>")


def _field_reader(root: str, name: str) -> Callable[[Scope], Any]:
    missing = object()

    def read_field(scope: Scope) -> Any:
        container = scope.containers.get(root)
        value = missing if container is None else container.get(name, missing)
        if value is missing:
            raise NotFound(subject="field", subject_id=name)
        return value

    return read_field


def _read_summary(scope: Scope, keys: tuple[str | int, ...]) -> Any:
    """Read from the summary of an account that the event is; its balances are found by their ids."""
    summary = dict(scope.containers.get("*req", {}))
    balances = summary.get("BalanceSummaries")
    if isinstance(balances, list) and len(keys) > 1 and isinstance(keys[1], str):
        summary["BalanceSummaries"] = {item.get("ID"): item for item in balances if isinstance(item, dict)}
    return read(summary, keys)


def _read_remote(scope: Scope, root: str, keys: tuple[str | int, ...]) -> Any:
    sources: dict[str, Callable[[World, str, tuple[str | int, ...]], Any]] = scope.world.parts.get("filter_sources", {})
    source = sources.get(root)
    if source is None:
        raise NotFound(subject=root)
    return source(scope.world, scope.tenant, keys)


def read(container: Any, keys: tuple[str | int, ...]) -> Any:
    """Return the value some keys lead to. Raises NotFound, or BadRequest WRONG_PATH for a step into a plain value."""
    value = container
    for key in keys:
        if isinstance(key, int):
            if not isinstance(value, list | tuple):
                raise NotFound(subject_id=str(key))
            if not -len(value) <= key < len(value):
                raise NotFound(subject_id=str(key))
            value = value[key]
        elif isinstance(value, Mapping):
            if key not in value:
                raise NotFound(subject_id=key)
            value = value[key]
        elif value is None:
            raise NotFound(subject_id=key)
        else:
            raise BadRequest("WRONG_PATH")
    return value


def write(container: dict[str, Any], keys: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Return the container with a value at some keys, new maps where they are missing; the original stays as it was.

    Raises BadRequest WRONG_PATH when a key leads into something that is not a map.
    """
    key = str(keys[0])
    altered = dict(container)
    if len(keys) == 1:
        altered[key] = value
        return altered
    inner = altered.get(key, {})
    if not isinstance(inner, dict):
        raise BadRequest("WRONG_PATH")
    altered[key] = write(inner, keys[1:], value)
    return altered


def without(container: dict[str, Any], keys: tuple[str | int, ...]) -> dict[str, Any]:
    """Return the container less what some keys lead to; the original stays as it was."""
    key = str(keys[0])
    if key not in container:
        return container
    altered = dict(container)
    if len(keys) == 1:
        del altered[key]
    elif isinstance(altered[key], dict):
        altered[key] = without(altered[key], keys[1:])
    return altered
