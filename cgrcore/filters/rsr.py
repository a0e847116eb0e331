"""RSR texts: read, search and replace, convert. `~*req.Destination:s/^0(\\d+)/+49${1}/{*len}`

Rules: a text without `~` stands for itself. Of a search and replace the result is the expanded template alone; what
does not match is passed on. Converters `{*a&*b}` work from left to right. `<...>` is evaluated first and put in place.
Does not know: what the result is used for.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from cgrcore.errors import BadRequest
from cgrcore.event import text_of
from cgrcore.filters.converters import Converter, parse_converters
from cgrcore.filters.paths import Scope, compile_path
from cgrcore.filters.regexes import compile_regex, expand

__all__ = ["Rsr", "parse_rsr", "read_joined", "split_rsr"]

_RULE = re.compile(r"(?:(.+[^\\])/(.*[^\\])*/)+", re.ASCII)
_RULE_SHORT = re.compile(r"(?:(.[^/]*)/(.*[^\\])*/)+", re.ASCII)

#: Nested `<...>` deeper than this is refused.
MAX_DEPTH = 5


class Rsr:
    """A compiled RSR text."""

    __slots__ = ("_inner", "_read", "_replacements", "converters", "is_static", "path", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._inner: tuple[str, tuple[Rsr, ...], str] | None = None
        self.converters: tuple[Converter, ...] = ()
        self._replacements: tuple[tuple[re.Pattern[str], str], ...] = ()
        self._read: Callable[[Scope], Any] | None = None
        start = text.find("<")
        end = text.find(">", start)
        if 0 <= start < end:
            inner = tuple(parse_rsr(part) for part in split_rsr(text[start + 1 : end], ";"))
            self._inner = (text[:start], inner, text[end + 1 :])
            self.path = text.removeprefix("~")
            self.is_static = False
            return
        body = self._take_converters(text)
        self.is_static = not body.startswith("~") or body == "~"
        if self.is_static:
            self.path = body
            return
        path, *rules = body.split(":s/")
        self.path = path[1:]
        self._replacements = tuple(_replacement(rule) for rule in rules)
        self._read = compile_path(self.path)

    def _take_converters(self, text: str) -> str:
        start = text.find("{*")
        if start < 0:
            return text
        if not text.endswith("}"):
            raise BadRequest(f"invalid converter terminator in rule: <{text}>")
        self.converters = parse_converters(text[start + 1 : -1])
        return text[:start]

    def value(self, scope: Scope) -> Any:
        """Return what the text means in a scope, as it is: a field's own value unless replaced or converted.

        Raises NotFound for what does not exist, BadRequest for what cannot be converted.
        """
        if self._inner is not None:
            before, inner, after = self._inner
            return parse_rsr(before + "".join(rsr.read(scope) for rsr in inner) + after).value(scope)
        value = self.path if self._read is None else self._read(scope)
        if self._replacements:
            value = text_of(value)
            for pattern, template in self._replacements:
                found = pattern.search(value)
                if found is not None:
                    value = expand(template, found)
        if self.converters:
            value = text_of(value)
            for converter in self.converters:
                value = converter(value, scope.now_at)
        return value

    def read(self, scope: Scope) -> str:
        """Return what the text means in a scope, as text. Errors as `value`."""
        if self.is_static and not self.converters:
            return self.path
        return text_of(self.value(scope))


def _replacement(rule: str) -> tuple[re.Pattern[str], str]:
    found = _RULE.match(rule) or _RULE_SHORT.match(rule)
    if found is None:
        raise BadRequest(f"not enough members in Search&Replace, ruleStr: <{rule}>, matches: [], ")
    return compile_regex(found[1]), found[2] or ""


@lru_cache(maxsize=4096)
def parse_rsr(text: str) -> Rsr:
    """Return the compiled text. Raises BadRequest for bad converters, rules and expressions."""
    if not text:
        raise BadRequest("emtpy RSRParser in rule: <>")
    if text.count("<") > MAX_DEPTH:
        raise BadRequest(f"invalid RSRField rule: <{text[:80]}>")
    return Rsr(text)


def split_rsr(text: str, separator: str) -> list[str]:
    """Return the parts of a text of several rules; between back-ticks nothing is split.

    Raises BadRequest for a back-tick that is not closed.
    """
    if "`" not in text:
        return text.split(separator)
    if text.count("`") % 2:
        raise BadRequest("Unclosed unspilit syntax")
    rules = [""]
    for index, part in enumerate(text.split("`")):
        if index % 2:
            rules[-1] += part
            continue
        first, *others = part.split(separator)
        rules[-1] += first
        rules.extend(others)
    return rules


def read_joined(rules: Sequence[Rsr], scope: Scope) -> str:
    """Return the texts of several rules joined. Errors as `Rsr.value`."""
    if len(rules) == 1:
        return rules[0].read(scope)
    return "".join(rule.read(scope) for rule in rules)
