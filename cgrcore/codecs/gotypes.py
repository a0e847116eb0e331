"""The names that argument types have in Go: they stand in the error texts that clients know and compare.

A table of declarations (text, one a line) says for each method the type of its argument, and for each type its fields:

    utils.DurationArgs {Duration time.Duration; APIOpts map[string]interface {}; Tenant string}
    CoreSv1.Sleep utils.DurationArgs

A field that an embedded struct brings is written with that struct in front (`CGREvent.Event`), as Go's texts have it.
Rules: the table words errors and tells whole numbers, durations and instants apart; what is accepted follows from the
Args records. A type that the table lacks is named after the record. Does not know: where the table is kept.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

__all__ = ["GoField", "GoStruct", "GoTypes"]

#: The two names of one service.
_ALIASES = {"ApierV1": "APIerSv1", "ApierV2": "APIerSv2"}


class GoField(msgspec.Struct, frozen=True):
    """One field: its path from the struct it is declared for ("CGREvent.Event"), and its type without a pointer."""

    path: str
    type: str


class GoStruct(msgspec.Struct, frozen=True):
    """One struct: its full name ("utils.CGREvent") and its fields by JSON name."""

    type: str
    fields: Mapping[str, GoField] = {}

    @property
    def name(self) -> str:
        """The name without its package, as texts about fields have it."""
        return self.type.rpartition(".")[2]


class GoTypes:
    """The declarations, by type and by method."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        """Read declarations. Raises ValueError for a line that is none."""
        self._structs: dict[str, GoStruct] = {}
        self._methods: dict[str, str] = {}
        for line in lines:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            name, _, rest = line.partition(" ")
            if rest.startswith("{") and rest.endswith("}"):
                self._structs[name] = GoStruct(name, dict(_fields(rest[1:-1])))
            elif rest:
                self._methods[name] = rest
            else:
                raise ValueError(f"not a declaration: {line!r}")

    def argument(self, method: str, args: Any) -> str:
        """Return the type of a method's argument, made up from the record's name when it is not declared."""
        service, _, name = method.rpartition(".")
        declared = self._methods.get(f"{_ALIASES.get(service, service)}.{name}")
        return declared or f"v1.{getattr(args, '__name__', 'Args')}"

    def struct(self, type_name: str) -> GoStruct:
        """Return the struct of that name, without fields when it is not declared."""
        return self._structs.get(type_name) or GoStruct(type_name)

    @property
    def methods(self) -> Mapping[str, str]:
        """The type of the argument by method, as declared."""
        return self._methods


def _fields(text: str) -> Iterable[tuple[str, GoField]]:
    for part in text.split("; "):
        if part:
            path, _, type_name = part.partition(" ")
            yield path.rpartition(".")[2], GoField(path, type_name.lstrip("*"))
