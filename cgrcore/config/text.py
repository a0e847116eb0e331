"""Configuration texts: JSON as people write it, each value with the place it stands at.

Rules: `//` and `/* */` comments and trailing commas are allowed; numbers stay exact (int or Decimal); `*env:NAME` and
`${NAME}` inside a text become the value of that environment variable, and a bare `*env:NAME` stands for a whole value;
a key that stands twice in one object is a mistake. The environment is an argument.
Does not know: sections, keys, files on disk.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

__all__ = ["BUILT_IN", "Mistake", "Node", "Place", "parse_text", "plain"]

#: Objects and lists may lie this deep in each other; deeper is a mistake, so that the reader cannot exhaust the stack.
MAX_DEPTH = 64

_BLANK = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?(?![\w.])")
_WORD = re.compile(r"[A-Za-z_]\w*")
_BARE_ENVIRONMENT = re.compile(r"\*env:([A-Za-z_]\w*)")
_ENVIRONMENT = re.compile(r"\*env:([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*)\}")
_LITERALS: dict[str, object] = {"true": True, "false": False, "null": None}


class Place(NamedTuple):
    """Where a value stands: file (or what else it came from), line and column from 1."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


#: The place of what nobody configured.
BUILT_IN = Place("built-in default")


class Mistake(NamedTuple):
    """One thing that is wrong, and where. `is_unknown_key`: it means nothing, and what stands around it is sound."""

    place: Place
    text: str
    is_unknown_key: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class Node(NamedTuple):
    """A value of a configuration text.

    `value` is a str, bool, int, Decimal, None, a list of Nodes, or a dict from key to Node; `key_places` tells for
    an object where each key stands. `is_from_environment` marks a text that an environment variable had a part in: it
    may stand for a number or a switch.
    """

    place: Place
    value: Any
    key_places: dict[str, Place] | None = None
    is_from_environment: bool = False


def plain(node: Node) -> Any:
    """Return the JSON value of a node: str, bool, int, Decimal, None, list, dict."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def parse_text(text: str, file: str, environ: Mapping[str, str], mistakes: list[Mistake]) -> Node | None:
    """Return the value a configuration text holds, None when it cannot be read; an empty text is an empty object.

    What is wrong is added to `mistakes`: reading stops at the first error of syntax, other errors are gathered.
    """
    parser = _Parser(text, file, environ, mistakes)
    try:
        return parser.whole()
    except _SyntaxMistake as error:
        mistakes.append(Mistake(parser.place(error.offset), error.text))
        return None


class _SyntaxMistake(Exception):
    """The text is not JSON from `offset` on."""

    def __init__(self, offset: int, text: str) -> None:
        super().__init__(text)
        self.offset = offset
        self.text = text


class _Parser:
    """Reads one text from its beginning to its end."""

    def __init__(self, text: str, file: str, environ: Mapping[str, str], mistakes: list[Mistake]) -> None:
        self.text = text
        self.file = file
        self.environ = environ
        self.mistakes = mistakes
        self.offset = 0
        self.depth = 0

    def place(self, offset: int) -> Place:
        """Return line and column of an offset."""
        line_start = self.text.rfind("\n", 0, offset) + 1
        return Place(self.file, self.text.count("\n", 0, offset) + 1, offset - line_start + 1)

    def whole(self) -> Node:
        self.skip_blank()
        if self.offset == len(self.text):
            return Node(self.place(0), {}, {})
        node = self.value()
        self.skip_blank()
        if self.offset < len(self.text):
            raise _SyntaxMistake(self.offset, f"nothing may follow the closing bracket, found {self.found()}")
        return node

    def skip_blank(self) -> None:
        match = _BLANK.match(self.text, self.offset)
        assert match is not None
        self.offset = match.end()
        if self.text.startswith("/*", self.offset):
            raise _SyntaxMistake(self.offset, "this comment is not closed with */")

    def found(self) -> str:
        """Return what stands here, for an error text."""
        if self.offset >= len(self.text):
            return "the end of the file"
        return repr(self.text[self.offset : self.offset + 12].split("\n")[0])

    def value(self) -> Node:
        character = self.text[self.offset : self.offset + 1]
        if character == "{":
            return self.nested(self.object)
        if character == "[":
            return self.nested(self.list)
        if character == '"':
            return self.string()
        return self.scalar()

    def nested(self, read: Any) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _SyntaxMistake(self.offset, f"more than {MAX_DEPTH} brackets are open")
        node: Node = read()
        self.depth -= 1
        return node

    def object(self) -> Node:
        place = self.place(self.offset)
        values: dict[str, Node] = {}
        places: dict[str, Place] = {}
        while self.another("}", is_first=not values):
            if self.text[self.offset : self.offset + 1] != '"':
                raise _SyntaxMistake(self.offset, f"expected a key in double quotes, found {self.found()}")
            name = self.string()
            if name.value in values:
                self.mistakes.append(Mistake(name.place, f"{name.value!r} stands already at {places[name.value]}"))
            self.skip_blank()
            if self.text[self.offset : self.offset + 1] != ":":
                raise _SyntaxMistake(self.offset, f"expected : after the key {name.value!r}, found {self.found()}")
            self.offset += 1
            self.skip_blank()
            values[name.value] = self.value()
            places[name.value] = name.place
        return Node(place, values, places)

    def list(self) -> Node:
        place = self.place(self.offset)
        values: list[Node] = []
        while self.another("]", is_first=not values):
            values.append(self.value())
        return Node(place, values)

    def another(self, closing: str, *, is_first: bool) -> bool:
        """Step to the next item; return False after the closing bracket."""
        if is_first:
            self.offset += 1
        self.skip_blank()
        if not is_first and not self.text.startswith(closing, self.offset):
            if self.text[self.offset : self.offset + 1] != ",":
                raise _SyntaxMistake(self.offset, f"expected , or {closing}, found {self.found()}")
            self.offset += 1
            self.skip_blank()
        if self.text.startswith(closing, self.offset):
            self.offset += 1
            return False
        return True

    def string(self) -> Node:
        match = _STRING.match(self.text, self.offset)
        if match is None:
            raise _SyntaxMistake(self.offset, "this text is not closed on its line")
        try:
            text = msgspec.json.decode(match.group(), type=str)
        except msgspec.DecodeError:
            raise _SyntaxMistake(
                self.offset, "this text holds an escape or a character that JSON does not know"
            ) from None
        place = self.place(self.offset)
        self.offset = match.end()
        expanded = _ENVIRONMENT.sub(lambda found: self.variable(found.group(1) or found.group(2), place), text)
        return Node(place, expanded, is_from_environment=expanded != text)

    def variable(self, name: str, place: Place) -> str:
        if name not in self.environ:
            self.mistakes.append(Mistake(place, f"the environment variable {name} is not set"))
        return self.environ.get(name, "")

    def scalar(self) -> Node:
        place = self.place(self.offset)
        if match := _NUMBER.match(self.text, self.offset):
            text = match.group()
            self.offset = match.end()
            return Node(place, int(text) if text.lstrip("-").isdigit() else Decimal(text))
        if match := _BARE_ENVIRONMENT.match(self.text, self.offset):
            self.offset = match.end()
            return Node(place, self.variable(match.group(1), place), is_from_environment=True)
        if (match := _WORD.match(self.text, self.offset)) and match.group() in _LITERALS:
            self.offset = match.end()
            return Node(place, _LITERALS[match.group()])
        raise _SyntaxMistake(self.offset, f"expected a value, found {self.found()}")
