"""What is wrong with a tariff plan: every mistake, with the place where it stands.

Rules: a mistake has the text a client reads, and for people the place (`file:line:column`), what was expected there and
what came. The first mistake in the order of loading words the refusal. Does not know: how places are found.
"""

from collections.abc import Iterable

import msgspec

from cgrcore.errors import BadRequest

__all__ = ["Mistake", "PlanRefused", "Spot"]


class Spot(msgspec.Struct, frozen=True):
    """A field of an object of the plan: of the `index`th of its inner objects, when it has such."""

    kind: str
    id: str
    field: str = ""
    index: int = 0


class Mistake(msgspec.Struct, frozen=True):
    """One mistake. `text` is what a client reads; lines and columns count from 1, 0 where there is none."""

    text: str
    expected: str = ""
    came: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    spot: Spot | None = None

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        if not where and self.spot is not None:
            where = f"{self.spot.kind} {self.spot.id}"
        what = f"expected {self.expected}, got {self.came!r}" if self.expected else self.text
        return f"{where}: {what}" if where else what


class PlanRefused(BadRequest):
    """The plan is not loaded, for all the mistakes listed. Its text is that of the first, after `prefix`."""

    def __init__(self, mistakes: Iterable[Mistake], prefix: str = "") -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(prefix + self.mistakes[0].text, subject="tariff plan")

    @property
    def report(self) -> list[str]:
        """Return the mistakes as lines, in the order of files and lines."""
        ordered = sorted(self.mistakes, key=lambda mistake: (mistake.file, mistake.line, mistake.column))
        return [str(mistake) for mistake in ordered]
