"""What building records needs: where references lead, and the mistakes met on the way.

Rules: an object is looked for in the plan first, then among the records that are in force. Building goes on after a
mistake, so that all are told; the first one in the order of loading words the refusal.
Does not know: how a record of any kind is built.
"""

from decimal import Decimal
from typing import Any

from cgrcore.errors import BadRequest, CgrError
from cgrcore.money import nano_from_number
from cgrcore.rating import Timing
from cgrcore.tariffplan.mistakes import Mistake, Spot
from cgrcore.tariffplan.read import Plan
from cgrcore.timing import parse_duration
from cgrcore.world import World

__all__ = ["Building"]


class Building:
    """One plan being turned into records."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world = world
        self.plan = plan
        self.mistakes: list[Mistake] = []
        self.timings: dict[str, Timing] = {}
        self._amounts: dict[Decimal, int] = {}
        self._durations: dict[str, int] = {}

    def wrong(self, spot: Spot, text: str, expected: str = "", came: str = "") -> None:
        """Note a mistake. `text` is what a client reads."""
        self.mistakes.append(self.plan.mistake(spot, text, expected, came))

    def wrong_as(self, spot: Spot, error: CgrError, came: str = "") -> None:
        """Note a mistake that reading a value raised."""
        self.mistakes.append(self.plan.mistake(spot, str(error), "", came))

    def items(self, kind: str) -> dict[str, Any]:
        """Return the plan's objects of a kind by id."""
        return self.plan.objects[kind]

    def is_known(self, kind: str, record_id: str) -> bool:
        """Tell whether a record of that id is in the plan or in force."""
        return record_id in self.plan.objects[kind] or record_id in self.world.state.table(kind).records

    def amount(self, value: Decimal, spot: Spot) -> int:
        """Return a number of the plan as an amount; one that is out of range is a mistake."""
        known = self._amounts.get(value)
        if known is None:
            try:
                known = self._amounts[value] = nano_from_number(value)
            except BadRequest as error:
                self.wrong_as(spot, error, str(value))
                return 0
        return known

    def lax_durations(self, *texts: str) -> list[int]:
        """Return durations as a rate has always been read: from the first text that is none on, all are 0."""
        found: list[int] = []
        for text in texts:
            known = self._durations.get(text)
            if known is None:
                try:
                    known = self._durations[text] = parse_duration(text)
                except BadRequest:
                    break
            found.append(known)
        return found + [0] * (len(texts) - len(found))

    def duration(self, text: str, spot: Spot) -> int:
        """Return a duration; what is none is a mistake."""
        try:
            return parse_duration(text)
        except BadRequest as error:
            self.wrong(spot, str(error), "a duration such as 60s or 1h30m", text)
            return 0
