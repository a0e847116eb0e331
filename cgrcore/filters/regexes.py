"""Regular expressions of tariff plans: RE2's syntax as far as Python's `re` shares it, RE2's words for mistakes."""

import re
from functools import lru_cache

from cgrcore.errors import BadRequest

__all__ = ["compile_regex", "expand"]

#: Longer expressions are refused; a tariff plan's are far shorter.
MAX_SIZE = 1000

_WORDS = (
    ("unterminated character set", "missing closing ]"),
    ("missing ), unterminated subpattern", "missing closing )"),
    ("unbalanced parenthesis", "unexpected )"),
    ("nothing to repeat", "missing argument to repetition operator"),
    ("multiple repeat", "invalid nested repetition operator"),
    ("bad escape", "invalid escape sequence"),
    ("bad character range", "invalid character class range"),
)
_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\$))", re.ASCII)


@lru_cache(maxsize=1024)
def compile_regex(text: str) -> re.Pattern[str]:
    """Return the compiled expression. Raises BadRequest in RE2's words."""
    if len(text) > MAX_SIZE:
        raise BadRequest("error parsing regexp: expression nests too deeply")
    try:
        return re.compile(text.replace(r"\z", r"\Z"))
    except (re.error, RecursionError, OverflowError) as error:
        raise BadRequest(_worded(text, error)) from None


def _worded(text: str, error: Exception) -> str:
    message = str(error)
    for ours, theirs in _WORDS:
        if message.startswith(ours):
            position = getattr(error, "pos", None) or 0
            if theirs == "missing closing )" or theirs == "unexpected )":
                position = 0
            return f"error parsing regexp: {theirs}: `{text[position:]}`"
    return f"error parsing regexp: {message}: `{text}`"


def expand(template: str, match: re.Match[str]) -> str:
    """Return a template with `${1}`, `$name` filled from a match; names the expression lacks are empty, `$$` is `$`."""

    def fill(found: re.Match[str]) -> str:
        if found[3]:
            return "$"
        name = found[1] or found[2]
        try:
            return match[int(name) if name.isdigit() else name] or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(fill, template)
