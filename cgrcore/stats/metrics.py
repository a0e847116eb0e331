"""The metrics: what each reads from an event, how it adds up, and how it is shown.

Rules: amounts are scaled by 10^-9, durations in ns, both exact until they are shown, with
`general.rounding_decimals`, ties away from zero. A metric without enough events is not available: "N/A", -1.
Does not know: queues, where totals are kept.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from cgrcore.errors import BadRequest, NotFound
from cgrcore.event import number_of, text_of, usage_of
from cgrcore.filters import Rsr, Scope, infer, parse_rsr, read_joined, split_rsr
from cgrcore.money import NANO, Rounding, div_half_away, format_nano, nano_from_number, number_from_nano, round_nano
from cgrcore.stats.records import Total
from cgrcore.timing import SECOND_NS, ZERO_AT, format_duration, parse_time

__all__ = ["DISTINCT", "EXTREMES", "Kind", "kind_of", "measure", "shown_number", "shown_text"]

DISTINCT = "distinct"
EXTREMES = {"highest": max, "lowest": min}


class Kind(msgspec.Struct, frozen=True):
    """A kind of metric: how events add up (sum, average, share, count, distinct, highest, lowest), in what unit.

    `read` takes what is after `#` in the metric's id. It raises NotFound or BadRequest for an event it cannot count.
    """

    adds: str
    is_duration: bool
    read: Callable[[Scope, str], int | str]
    zero_when_empty: bool = False


def _fields(scope: Scope) -> dict[str, Any]:
    fields: dict[str, Any] = scope.containers["*req"]
    return fields


def _answered(scope: Scope, argument: str) -> int:
    value = _fields(scope).get("AnswerTime")
    if value is None or value == "":
        return 0
    if not isinstance(value, str):
        raise BadRequest(f"cannot convert field: {text_of(value)} to time.Time")
    return int(parse_time(value, scope.now_at).at != ZERO_AT)


def _duration(name: str) -> Callable[[Scope, str], int]:
    def read(scope: Scope, argument: str) -> int:
        value = usage_of(_fields(scope).get(name))
        if value is None:
            raise NotFound(subject_id=name)
        return value

    return read


def _cost(scope: Scope, argument: str) -> int:
    amount_nano = number_of(_fields(scope).get("Cost"))
    if amount_nano is None:
        raise NotFound(subject_id="Cost")
    if amount_nano < 0:
        raise BadRequest("NEGATIVE:Cost")
    return amount_nano


def _destination(scope: Scope, argument: str) -> str:
    fields = _fields(scope)
    if "Destination" not in fields:
        raise NotFound(subject_id="Destination")
    return text_of(fields["Destination"])


@lru_cache(maxsize=1024)
def _rules(argument: str) -> tuple[Rsr, ...]:
    return tuple(parse_rsr(rule) for rule in split_rsr(argument, ";")) if argument else ()


def _rule(argument: str) -> Rsr:
    if not argument:
        raise NotFound(subject="field of a metric")
    return parse_rsr(argument)


def _number(scope: Scope, argument: str) -> int:
    return _number_from(_rule(argument).read(scope), scope)


def _summand(scope: Scope, argument: str) -> int:
    """Read the number that several rules make together."""
    return _number_from(read_joined(_rules(argument), scope), scope)


def _number_from(text: str, scope: Scope) -> int:
    """Return a text's number; durations count as ns, truth values and other texts not at all."""
    value = infer(text, scope.now_at)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise BadRequest(f"cannot convert field: {text_of(value)} to float64")
    return nano_from_number(int(value) if isinstance(value, int) else value)


def _text(scope: Scope, argument: str) -> str:
    if not argument.startswith("~*req."):
        raise BadRequest(f"Invalid format for field <{argument}>")
    return _rule(argument).read(scope)


def _reply_state(scope: Scope) -> str:
    fields = _fields(scope)
    if "ReplyState" not in fields:
        raise NotFound(subject_id="ReplyState")
    return text_of(fields["ReplyState"])


def _succeeded(scope: Scope, argument: str) -> int:
    if _reply_state(scope) != "OK":
        raise NotFound(subject="a reply that is OK")
    return 1


def _failed(scope: Scope, argument: str) -> int:
    state = _reply_state(scope)
    if state == "OK" or (argument and state != argument):
        raise NotFound(subject="a reply that failed so")
    return 1


_KINDS = {
    "*asr": Kind("share", False, _answered),
    "*acd": Kind("average", True, _duration("Usage")),
    "*tcd": Kind("sum", True, _duration("Usage")),
    "*acc": Kind("average", False, _cost),
    "*tcc": Kind("sum", False, _cost),
    "*pdd": Kind("average", True, _duration("PDD")),
    "*ddc": Kind(DISTINCT, False, _destination),
    "*sum": Kind("sum", False, _summand, zero_when_empty=True),
    "*average": Kind("average", False, _number),
    "*distinct": Kind(DISTINCT, False, _text),
    "*highest": Kind("highest", False, _number),
    "*lowest": Kind("lowest", False, _number),
    "*repsc": Kind("count", False, _succeeded),
    "*repfc": Kind("count", False, _failed),
}


@lru_cache(maxsize=4096)
def kind_of(metric_id: str) -> tuple[Kind, str]:
    """Return a metric's kind and what is after `#` in its id. Raises BadRequest for an unknown kind and bad rules."""
    name, _, argument = metric_id.partition("#")
    kind = _KINDS.get(name)
    if kind is None:
        raise BadRequest(f"unsupported metric type <{name}>")
    _rules(argument)
    return kind, argument


def measure(kind: Kind, total: Total, min_items: int, decimals: int) -> int | None:
    """Return what a metric's total stands for (amount scaled by 10^-9, duration in ns), None when not available."""
    if total.count < min_items or (total.count == 0 and not kind.zero_when_empty):
        return None
    if kind.adds == "count":
        return total.count * NANO
    if kind.adds == DISTINCT:
        return len(total.seen) * NANO
    if kind.adds == "share":
        step: int = 10 ** max(decimals, 0)
        return div_half_away(total.amount * 100 * step, total.count) * NANO // step
    amount: int = total.amount
    if kind.adds == "average":
        return _average(amount, total.count, decimals, SECOND_NS if kind.is_duration else NANO)
    return _rounded_duration(amount, decimals) if kind.is_duration else round_nano(amount, decimals, Rounding.MIDDLE)


def _average(amount: int, count: int, decimals: int, unit: int) -> int:
    """Return amount / count at so many decimals of the unit, in one rounding."""
    step: int = unit // 10 ** min(max(decimals, 0), 9)
    return div_half_away(amount, count * step) * step


def _rounded_duration(duration_ns: int, decimals: int) -> int:
    return _average(duration_ns, 1, decimals, SECOND_NS)


def shown_text(kind: Kind, value: int | None) -> str:
    """Return a measured value as text: "1m0s", "50%", "0.84375", "N/A"."""
    if value is None:
        return "N/A"
    if kind.is_duration:
        return format_duration(value)
    return format_nano(value) + ("%" if kind.adds == "share" else "")


def shown_number(kind: Kind, value: int | None) -> int | Decimal:
    """Return a measured value as a number, durations in ns; -1 when it is not available."""
    if value is None:
        return -1
    return value if kind.is_duration else number_from_nano(value)
