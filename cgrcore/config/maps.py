"""Settings that are objects with free names: given names are added to those that were there.

Does not know: objects whose keys are known (keys).
"""

from typing import Any

from cgrcore.config.kinds import MISSING, Duration, Kind, Text, Texts, described
from cgrcore.config.text import Mistake, Node
from cgrcore.timing import format_duration

__all__ = ["ListMap", "Map", "TextMap", "UsageMap"]


class Map(Kind):
    """An object from free names to values of one kind; given names are added to those that were there."""

    def __init__(self, values: Kind, word: str) -> None:
        self.values = values
        self.word = word

    def read(self, node: Node, mistakes: list[Mistake], path: str) -> Any:
        if node.value is None:
            return MISSING
        if not isinstance(node.value, dict):
            mistakes.append(Mistake(node.place, f"{path}: expected {self.word}, got {described(node.value)}"))
            return MISSING
        parsed = {name: self.values.read(child, mistakes, f"{path}.{name}") for name, child in node.value.items()}
        return {name: value for name, value in parsed.items() if value is not MISSING}

    def merge(self, base: Any, over: Any) -> Any:
        return {**base, **over}

    def show(self, parsed: Any) -> Any:
        return {name: self.values.show(value) for name, value in parsed.items()}

    def empty(self) -> dict[str, Any]:
        return {}


class TextMap(Map):
    """An object from names to texts."""

    def __init__(self) -> None:
        super().__init__(Text(), "an object of texts")


class ListMap(Map):
    """An object from names to lists of texts."""

    def __init__(self) -> None:
        super().__init__(Texts(), "an object of lists of texts")


class UsageMap(Map):
    """An object from type of record to a usage: a duration, or digits for what is counted; int ns or units."""

    def __init__(self) -> None:
        super().__init__(Duration(), "an object of usages")

    def show(self, parsed: Any) -> Any:
        return {
            tor: format_duration(usage) if tor in ("*any", "*voice") else str(usage) for tor, usage in parsed.items()
        }
