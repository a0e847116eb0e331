"""What an attribute of each type puts into its place."""

from collections.abc import Callable, Sequence

import msgspec

from cgrcore.attributes.arithmetic import (
    compute,
    credit_control_usage,
    sip_call_id,
    usage_difference,
    value_exponent,
)
from cgrcore.attributes.records import Attribute
from cgrcore.errors import BadRequest, CgrError, NotFound, Refused
from cgrcore.event import text_of
from cgrcore.filters import Rsr, Scope, parse_rsr, read, read_joined, split_path
from cgrcore.timing import SECOND_NS, ZERO_AT, Moment, format_time, parse_time

__all__ = ["produce"]

#: Seconds from 1970 back to the zero time.
_ZERO_SECONDS = -62135596800


def produce(attribute: Attribute, scope: Scope) -> str:
    """Return the text that an attribute gives in a scope; `*none` gives none.

    Raises NotFound when a value it needs is missing, BadRequest for values it cannot work with or an unknown type.
    """
    rules = [parse_rsr(rule) for rule in attribute.value or ()]
    kind = attribute.type
    if kind == "*none":
        return ""
    if kind == "*constant":
        return "".join(rule.read(scope) for rule in rules if rule.is_static)
    if kind in ("", "*variable"):
        return read_joined(rules, scope)
    if kind in ("*composed", "*prefix", "*suffix"):
        return _around(kind, attribute.path, rules, scope)
    maker = _MAKERS.get(kind)
    if maker is not None:
        return maker(attribute, rules, scope)
    if kind.startswith("*http"):
        raise Refused("NOT_IMPLEMENTED:*http")
    raise BadRequest(f"unsupported type: <{kind}>")


def _around(kind: str, path: str, rules: Sequence[Rsr], scope: Scope) -> str:
    text = read_joined(rules, scope)
    try:
        present = "" if path == "*tenant" else text_of(read(scope.containers, split_path(path)))
    except NotFound:
        if kind != "*composed":
            raise
        present = ""
    return text + present if kind == "*prefix" else present + text


def _texts(rules: Sequence[Rsr], scope: Scope) -> list[str]:
    return [rule.read(scope) for rule in rules]


def _computed(attribute: Attribute, rules: Sequence[Rsr], scope: Scope) -> str:
    return compute(attribute.type, _texts(rules, scope), scope.now_at)


def _exactly(count: int, attribute: Attribute, rules: Sequence[Rsr]) -> None:
    if len(rules) != count:
        written = msgspec.json.encode([{"Rules": rule.text} for rule in rules]).decode()
        raise BadRequest(f"invalid arguments <{written}> to {attribute.type}")


def _usage_difference(attribute: Attribute, rules: Sequence[Rsr], scope: Scope) -> str:
    _exactly(2, attribute, rules)
    return usage_difference(_texts(rules, scope), scope.now_at)


def _value_exponent(attribute: Attribute, rules: Sequence[Rsr], scope: Scope) -> str:
    _exactly(2, attribute, rules)
    return value_exponent(_texts(rules, scope))


def _credit_control_usage(attribute: Attribute, rules: Sequence[Rsr], scope: Scope) -> str:
    _exactly(3, attribute, rules)
    return credit_control_usage(_texts(rules, scope))


def _moment(rules: Sequence[Rsr], scope: Scope) -> Moment:
    return parse_time(read_joined(rules, scope), scope.now_at)


def _unix_timestamp(attribute: Attribute, rules: Sequence[Rsr], scope: Scope) -> str:
    at = _moment(rules, scope).at
    return str(_ZERO_SECONDS if at == ZERO_AT else at // SECOND_NS)


def _date_time(attribute: Attribute, rules: Sequence[Rsr], scope: Scope) -> str:
    moment = _moment(rules, scope)
    at = moment.at if moment.at == ZERO_AT else moment.at // SECOND_NS * SECOND_NS
    return format_time(at, moment.offset_s)


def _sip_call_id(attribute: Attribute, rules: Sequence[Rsr], scope: Scope) -> str:
    """Missing values in the middle are left out; a missing first or last one is missing altogether."""
    _at_least_one(attribute, rules)
    texts = [rules[0].read(scope)]
    for rule in rules[1:-1]:
        try:
            texts.append(rule.read(scope))
        except CgrError:
            continue
    if len(rules) > 1:
        texts.append(rules[-1].read(scope))
    return sip_call_id(texts)


def _at_least_one(attribute: Attribute, rules: Sequence[Rsr]) -> None:
    if not rules:
        raise BadRequest(f"invalid number of arguments <[]> to {attribute.type}")


_MAKERS: dict[str, Callable[[Attribute, Sequence[Rsr], Scope], str]] = {
    **dict.fromkeys(("*sum", "*difference", "*multiply", "*divide"), _computed),
    "*usage_difference": _usage_difference,
    "*value_exponent": _value_exponent,
    "*cc_usage": _credit_control_usage,
    "*unix_timestamp": _unix_timestamp,
    "*datetime": _date_time,
    "*sipcid": _sip_call_id,
}
