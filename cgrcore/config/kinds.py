"""The kinds of value a setting may have: how each is read, merged over what was there, and shown again.

Rules: `read` takes a Node and gives the parsed value (durations int ns, sizes int bytes, numbers int or Decimal) or
MISSING, with what is wrong added to the mistakes; null means "not given". `merge` works on parsed and on plain values
alike, as it looks at shape only. `show` gives the JSON that ConfigSv1.GetConfig prints.
Does not know: which settings exist (vocabulary), how they fit together (sanity).
"""

import difflib
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from cgrcore.config.text import BUILT_IN, Mistake, Node, Place
from cgrcore.errors import BadRequest
from cgrcore.timing import format_duration, parse_duration

__all__ = [
    "MISSING",
    "Boolean",
    "Choice",
    "Duration",
    "Integer",
    "Kind",
    "Number",
    "Plain",
    "Size",
    "Text",
    "Texts",
    "described",
    "node_of",
    "suggestion",
]

#: The parsed value of what was not given, or could not be read.
MISSING: Final[Any] = object()

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_UNITS = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return the end of an error text: the known word that is nearest, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def node_of(value: Any, place: Place = BUILT_IN) -> Node:
    """Return plain JSON values as a Node, all at one place."""
    if isinstance(value, dict):
        return Node(place, {key: node_of(child, place) for key, child in value.items()}, dict.fromkeys(value, place))
    if isinstance(value, list):
        return Node(place, [node_of(child, place) for child in value])
    return Node(place, value)


def described(value: Any) -> str:
    """Return how an error names a value that was found."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, str) else str(value)


class Kind:
    """One kind of value. `word` names it in the documentation and in errors."""

    word = "value"

    def read(self, node: Node, mistakes: list[Mistake], path: str) -> Any:
        """Return the parsed value or MISSING."""
        if node.value is None:
            return MISSING
        value = node.value
        if node.is_from_environment:
            value = self.from_text(value)
        try:
            return self.parse(value)
        except ValueError as error:
            mistakes.append(Mistake(node.place, f"{path}: {error}"))
            return MISSING

    def parse(self, value: Any) -> Any:
        """Return the parsed form of a leaf's value; raises ValueError with what was expected."""
        raise ValueError(f"expected {self.word}, got {described(value)}")

    def from_text(self, text: str) -> Any:
        """Return the JSON value that a text from the command line or the environment stands for."""
        return text

    def merge(self, base: Any, over: Any) -> Any:
        """Return what holds when `over` is given on top of `base`. Here: it replaces."""
        return over

    def show(self, parsed: Any) -> Any:
        """Return the parsed value as GetConfig prints it."""
        return parsed

    def is_hidden(self, parsed: Any) -> bool:
        """Say whether GetConfig leaves the setting out for this value."""
        return False

    def empty(self) -> Any:
        """Return the plain value of a setting that has no default of its own."""
        return ""

    def _wrong(self, value: Any) -> ValueError:
        return ValueError(f"expected {self.word}, got {described(value)}")


class Text(Kind):
    """Any text."""

    word = "text"

    def parse(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self._wrong(value)
        return value


class Choice(Text):
    """One of some words. `aliases` are other spellings of them."""

    def __init__(self, *words: str, aliases: dict[str, str] | None = None) -> None:
        self.words = words
        self.aliases = aliases or {}
        self.word = "one of " + ", ".join(repr(word) for word in words)

    def parse(self, value: Any) -> str:
        text = self.aliases.get(value, value) if isinstance(value, str) else value
        if text not in self.words:
            raise ValueError(f"expected {self.word}, got {described(value)}{suggestion(str(value), self.words)}")
        return str(text)


class Boolean(Kind):
    """true or false."""

    word = "true or false"

    def parse(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self._wrong(value)
        return value

    def from_text(self, text: str) -> Any:
        return {"true": True, "false": False}.get(text, text)

    def empty(self) -> bool:
        return False


class Integer(Kind):
    """A whole number, at least `minimum`."""

    word = "a whole number"

    def __init__(self, minimum: int | None = None, maximum: int = 2**63 - 1) -> None:
        self.minimum = -(2**63) if minimum is None else minimum
        self.maximum = maximum
        if minimum is not None:
            self.word = f"a whole number from {minimum}"

    def parse(self, value: Any) -> int:
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            raise self._wrong(value)
        return value

    def from_text(self, text: str) -> Any:
        return int(text) if _INTEGER.fullmatch(text) else text

    def empty(self) -> int:
        return 0


class Number(Kind):
    """A number, with decimals where needed; exact."""

    word = "a number"

    def parse(self, value: Any) -> int | Decimal:
        if type(value) is int:
            return value
        if not isinstance(value, Decimal) or not value.is_finite():
            raise self._wrong(value)
        return int(value) if value == value.to_integral_value() else value

    def from_text(self, text: str) -> Any:
        try:
            return Decimal(text)
        except ArithmeticError:
            return text

    def empty(self) -> int:
        return 0


class Duration(Kind):
    """A length of time as Go writes it ("1m30s"; bare digits are nanoseconds); parsed to int ns.

    `zero` is how GetConfig prints none ("" leaves no text, None leaves the setting out).
    """

    word = 'a duration such as "1m30s"'

    def __init__(self, zero: str | None = "0s", *, is_shown_as_number: bool = False) -> None:
        self.zero = zero
        self.is_shown_as_number = is_shown_as_number

    def parse(self, value: Any) -> int:
        if not isinstance(value, str):
            raise self._wrong(value)
        try:
            return parse_duration(value)
        except BadRequest:
            raise self._wrong(value) from None

    def show(self, parsed: Any) -> Any:
        if self.is_shown_as_number:
            return parsed
        return self.zero if parsed == 0 else format_duration(parsed)

    def is_hidden(self, parsed: Any) -> bool:
        return self.zero is None and parsed == 0


class Size(Kind):
    """A number of bytes: 65536, "64KB", "16MB", "1GB" (of 1024)."""

    word = 'a size such as "16MB"'

    def parse(self, value: Any) -> int:
        if type(value) is int and value >= 0:
            return value
        if isinstance(value, str):
            digits = value.rstrip("BKMGT")
            unit = value[len(digits) :]
            if digits.isascii() and digits.isdigit() and len(digits) < 16 and unit in _UNITS:
                return int(digits) * _UNITS[unit]
        raise self._wrong(value)


class Texts(Kind):
    """A list of texts. `connects_to` names the service a list of connections reaches."""

    word = "a list of texts"

    def __init__(self, connects_to: str = "", *, always: tuple[str, ...] = (), is_shown_joined: bool = False) -> None:
        self.connects_to = connects_to
        self.always = always
        self.is_shown_joined = is_shown_joined

    def parse(self, value: Any) -> list[str]:
        if not isinstance(value, list):
            raise self._wrong(value)
        texts = []
        for item in value:
            if not isinstance(item.value, str):
                raise self._wrong(item.value)
            texts.append(item.value)
        return texts

    def from_text(self, text: str) -> Any:
        return [Node(BUILT_IN, part.strip()) for part in text.split(",")] if text else []

    def show(self, parsed: Any) -> Any:
        if self.is_shown_joined:
            return ",".join(parsed)
        return parsed + [text for text in self.always if text not in parsed]

    def empty(self) -> list[str]:
        return []


class Plain(Kind):
    """Any JSON, kept as it is."""

    word = "any value"

    def __init__(self, default: Any = "") -> None:
        self._default = default

    def parse(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.parse(child.value) for name, child in value.items()}
        if isinstance(value, list):
            return [self.parse(child.value) for child in value]
        return value

    def empty(self) -> Any:
        return self._default
