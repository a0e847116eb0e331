"""The `Balance` map of requests: any JSON values, read as CGRateS reads them, to a balance filter.

Rules: a key that is absent is not given; unknown keys are ignored; values and units count absolutely; what cannot be
read raises BadRequest with Go's text.
"""

import json
from decimal import Decimal
from typing import Any

from cgrcore.accounting import BalanceFilter
from cgrcore.actions import ValueFormula
from cgrcore.actions.build import parse_set, parse_weight
from cgrcore.errors import BadRequest, NotFound
from cgrcore.event import text_of
from cgrcore.money import nano_from_number, parse_nano
from cgrcore.rating import Timing
from cgrcore.timing import Moment, parse_time
from cgrcore.world import World

__all__ = ["balance_filter"]

_TRUTHS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}


def balance_filter(world: World, kind: str, fields: dict[str, Any] | None, value: Decimal) -> BalanceFilter:
    """Return the filter that a type, a `Balance` map and a value (0: the map's own) describe."""
    given = fields or {}
    timing_ids = parse_set(text_of(given["TimingIDs"])) if "TimingIDs" in given else None
    expires = _expiry(world, given)
    return BalanceFilter(
        uuid=_text(given, "UUID"),
        id=_text(given, "ID"),
        type=kind,
        value=_value(given, value),
        expires_at=None if expires is None else expires.at,
        expires_offset_s=0 if expires is None else expires.offset_s,
        weight_nano=_weight(world, given),
        destination_ids=_set(given, "DestinationIDs"),
        rating_subject=_text(given, "RatingSubject"),
        categories=_set(given, "Categories"),
        shared_groups=_set(given, "SharedGroups"),
        timing_ids=timing_ids,
        timings=None if timing_ids is None else _timings(world, timing_ids),
        is_disabled=_truth(given, "Disabled"),
        factors=_factors(given),
        is_blocker=_truth(given, "Blocker"),
    )


def _text(given: dict[str, Any], name: str) -> str | None:
    return text_of(given[name]) if name in given else None


def _set(given: dict[str, Any], name: str) -> dict[str, bool] | None:
    return parse_set(text_of(given[name])) if name in given else None


def _number(value: Any) -> int:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        text = text_of(value)
        try:
            return parse_nano(text)
        except BadRequest:
            raise BadRequest(f'strconv.ParseFloat: parsing "{text}": invalid syntax') from None
    if isinstance(value, int | Decimal):
        return nano_from_number(value)
    raise BadRequest(f"cannot convert field: {text_of(value)} to float64")


def _value(given: dict[str, Any], value: Decimal) -> ValueFormula | None:
    own_nano = _number(given["Value"]) if "Value" in given else None
    if value:
        return ValueFormula(abs(nano_from_number(value)))
    return None if own_nano is None else ValueFormula(abs(own_nano))


def _weight(world: World, given: dict[str, Any]) -> int | None:
    if "Weight" not in given:
        return None
    value = given["Weight"]
    if isinstance(value, str):
        return parse_weight(value, world.now_at)
    return _number(value)


def _expiry(world: World, given: dict[str, Any]) -> Moment | None:
    if "ExpiryTime" not in given:
        return None
    value = given["ExpiryTime"]
    if not isinstance(value, str):
        shown = _float_text(value) if isinstance(value, int | Decimal) else text_of(value)
        raise BadRequest(f"cannot convert field: {shown} to time.Time")
    zone = str(world.settings["general"].get("default_timezone") or "UTC")
    return parse_time(value, world.now_at, zone)


def _float_text(value: int | Decimal) -> str:
    """Return a number as Go prints a float64: with an exponent from a million on."""
    sign, digits, exponent = Decimal(value).normalize().as_tuple()
    power = len(digits) + int(exponent) - 1
    if -4 <= power < 6:
        return text_of(value)
    fraction = "".join(map(str, digits[1:]))
    return f"{'-' if sign else ''}{digits[0]}{'.' if fraction else ''}{fraction}e{power:+03d}"


def _truth(given: dict[str, Any], name: str) -> bool | None:
    if name not in given:
        return None
    value = given[name]
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal):
        return value > 0
    text = text_of(value)
    if text not in _TRUTHS:
        raise BadRequest(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    return _TRUTHS[text]


def _factors(given: dict[str, Any]) -> dict[str, int] | None:
    if "Factors" not in given:
        return None
    value = given["Factors"]
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=Decimal)
        except ValueError as error:
            raise BadRequest(_json_error(given["Factors"], error)) from None
    if value is None:
        return None
    if not isinstance(value, dict):
        kind = "array" if isinstance(value, list) else "string" if isinstance(value, str) else "number"
        raise BadRequest(f"json: cannot unmarshal {kind} into Go value of type engine.ValueFactors")
    return {key: _number(item) for key, item in value.items()}


def _json_error(text: str, error: ValueError) -> str:
    """Return Go's words for a text that is not JSON."""
    at = getattr(error, "pos", 0)
    if at >= len(text):
        return "unexpected end of JSON input"
    place = "object key string" if text[:at].rstrip().endswith(("{", ",")) else "value"
    return f"invalid character '{text[at]}' looking for beginning of {place}"


def _timings(world: World, timing_ids: dict[str, bool]) -> tuple[Timing, ...] | None:
    """Return the timings that ids name. Raises NotFound for one that does not exist."""
    table = world.state.table("timings")
    found = []
    for timing_id in timing_ids:
        if timing_id == "*any":
            continue
        timing = table.get(timing_id)
        if timing is None:
            raise NotFound(f'error: NOT_FOUND querying timing with id: "{timing_id}"', subject_id=timing_id)
        found.append(timing)
    return tuple(found) or None
