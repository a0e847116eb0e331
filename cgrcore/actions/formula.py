"""What a value formula is worth at an instant: units spread evenly over the increments of an interval.

Rules: `*incremental` divides Units by how many increments the interval has then; pairs that make no sense are worth 0.
"""

from calendar import isleap, monthrange
from datetime import UTC, datetime

from cgrcore.actions.balance_filter import ValueFormula
from cgrcore.errors import BadRequest
from cgrcore.money import div_half_away, nano_from_number, parse_nano
from cgrcore.timing import SECOND_NS

__all__ = ["value_at"]


def value_at(formula: ValueFormula, now_at: int) -> int:
    """Return the amount (scaled by 10^-9) that a formula is worth at an instant."""
    if not formula.method:
        return formula.static_nano
    params = formula.params or {}
    now = datetime.fromtimestamp(now_at // SECOND_NS, UTC)
    count = _increments(str(params.get("Interval", "")), str(params.get("Increment", "")), now)
    if not count:
        return 0
    return div_half_away(_amount(params.get("Units", 0)), count)


def _increments(interval: str, increment: str, now: datetime) -> int:
    days = {"day": 1, "week": 7, "month": monthrange(now.year, now.month)[1], "year": 366 if isleap(now.year) else 365}
    if increment == "day":
        return days.get(interval, 0) if interval != "day" else 0
    if increment == "hour":
        return days.get(interval, 0) * 24 if interval != "week" else 0
    return 60 if increment == "minute" and interval == "hour" else 0


def _amount(units: object) -> int:
    try:
        return parse_nano(units) if isinstance(units, str) else nano_from_number(units)  # type: ignore[arg-type]
    except BadRequest:
        return 0
