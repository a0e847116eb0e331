"""The types of filter rules: what each asks of its element.

Rules: a rule passes when one of its values does; `*not...` is the opposite of that, `*ni...` the same as without `ni`
(not indexed, which is no difference here). An element that does not exist passes nothing, so it passes every
`*not...`; only `*empty`, `*rsr:^$` and its negation know that it is missing. Values that cannot be read are passed
over. Does not know: profiles, what is done with the answer. Types that ask others over the network are not offered
here.
"""

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from cgrcore.errors import BadRequest, CgrError, NotFound, Refused
from cgrcore.filters.paths import Scope
from cgrcore.filters.records import FilterRule
from cgrcore.filters.regexes import compile_regex
from cgrcore.filters.rsr import Rsr, parse_rsr
from cgrcore.filters.timings import is_timing_active
from cgrcore.filters.values import compare, equal, infer
from cgrcore.timing import ZERO_AT, Moment, parse_time

__all__ = ["Check", "compile_rule"]

#: A compiled rule.
Check = Callable[[Scope], bool]

#: `(scope, element, values) -> passed` of one base type.
_Base = Callable[[Scope, Rsr, tuple[Rsr, ...]], bool]


def compile_rule(rule: FilterRule) -> Check:
    """Return the rule as a function. Raises BadRequest for an element or a value that cannot be parsed.

    An unknown type is an error only when it is asked.
    """
    base, is_negated = _base_of(rule.type)
    if base not in _BASES:
        return _not_implemented(rule.type)
    element = _element(rule)
    values = _values(base, rule)
    if base == "*string" and not is_negated and len(values) == 1 and values[0].is_static:
        return _equals(element, values[0].path)
    passes = _BASES[base]
    if is_negated:
        return lambda scope: not passes(scope, element, values)
    return lambda scope: passes(scope, element, values)


def _base_of(kind: str) -> tuple[str, bool]:
    if kind.startswith("*not") and "*" + kind[4:] not in _ORDERS:
        return "*" + kind[4:], True
    if kind in _NOT_INDEXED:
        return "*" + kind[3:], False
    return kind, False


def _not_implemented(kind: str) -> Check:
    def refuse(scope: Scope) -> bool:
        raise Refused(f"NOT_IMPLEMENTED:{kind.partition('#')[0]}")

    return refuse


def _element(rule: FilterRule) -> Rsr:
    if not rule.element:
        raise BadRequest("empty RSRParser in rule: <>")
    return parse_rsr(rule.element)


def _values(base: str, rule: FilterRule) -> tuple[Rsr, ...]:
    values = rule.values or ()
    if base in ("*exists", "*empty"):
        return ()
    if base == "*rsr":
        for value in values:
            _check_constraint(value)
        return tuple(_Constant(value) for value in values)
    if base == "*regex":
        for value in values:
            compile_regex(value)
        return tuple(_Constant(value) for value in values)
    if any(not value for value in values) and base != "*ai":
        raise BadRequest("emtpy RSRParser in rule: <>")
    return tuple(parse_rsr(value) if value else _Constant("") for value in values)


class _Constant(Rsr):
    """A value that is taken by letter, whatever it holds."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        self.text = self.path = text
        self.is_static = True
        self.converters = ()


def _equals(element: Rsr, wanted: str) -> Check:
    def check(scope: Scope) -> bool:
        try:
            return element.read(scope) == wanted
        except NotFound:
            return False

    return check


def _texts(scope: Scope, values: tuple[Rsr, ...]) -> Iterator[str]:
    for value in values:
        try:
            yield value.read(scope)
        except CgrError:
            continue


def _by_text(matches: Callable[[str, str], bool]) -> _Base:
    def passes(scope: Scope, element: Rsr, values: tuple[Rsr, ...]) -> bool:
        try:
            text = element.read(scope)
        except NotFound:
            return False
        return any(matches(text, value) for value in _texts(scope, values))

    return passes


def _exists(scope: Scope, element: Rsr, values: tuple[Rsr, ...]) -> bool:
    try:
        element.value(scope)
    except NotFound:
        return False
    return True


def _is_empty(scope: Scope, element: Rsr, values: tuple[Rsr, ...]) -> bool:
    try:
        value = element.value(scope)
    except NotFound:
        return True
    return value is None or (isinstance(value, str | list | tuple | dict) and not value)


# --- order -----------------------------------------------------------------------------------------------------------

_ORDERS: dict[str, Callable[[int], bool]] = {
    "*gt": lambda sign: sign > 0,
    "*gte": lambda sign: sign >= 0,
    "*lt": lambda sign: sign < 0,
    "*lte": lambda sign: sign <= 0,
}


def _ordered(kind: str) -> _Base:
    holds = _ORDERS[kind]

    def passes(scope: Scope, element: Rsr, values: tuple[Rsr, ...]) -> bool:
        try:
            left = infer(element.read(scope), scope.now_at)
        except NotFound:
            return False
        for text in _texts(scope, values):
            right = infer(text, scope.now_at)
            sign = compare(left, right)
            if sign == 0 and isinstance(left, Moment):
                # the same instant written with another offset is not equal, as in CGRateS
                sign = None if left.offset_s != right.offset_s else 0
            if sign is not None and holds(sign):
                return True
        return False

    return passes


def _equal(scope: Scope, element: Rsr, values: tuple[Rsr, ...]) -> bool:
    try:
        left = infer(element.read(scope), scope.now_at)
    except NotFound:
        return False
    return any(equal(left, infer(text, scope.now_at)) for text in _texts(scope, values))


# --- RSR constraints -------------------------------------------------------------------------------------------------


def _check_constraint(text: str) -> None:
    body = text.removeprefix("!")
    if body.startswith("~"):
        compile_regex(body[1:])
    if re.search(r".;(>=?|<=?|\^|!)", text):
        raise BadRequest(f"invalid RSRFilter start rule in string: <{text}>")


def _meets(constraint: str, text: str, now_at: int) -> bool:
    if constraint.startswith("!"):
        return not constraint[1:] or not _meets(constraint[1:], text, now_at)
    if not constraint:
        return True
    if constraint.startswith("~"):
        return compile_regex(constraint[1:]).search(text) is not None
    if constraint.startswith("^"):
        return text == constraint[1:-1] if constraint.endswith("$") else text.startswith(constraint[1:])
    if constraint.endswith("$"):
        return text.endswith(constraint[:-1])
    if constraint[0] in "<>" and len(constraint) > 1:
        return _meets_order(constraint, text, now_at)
    return constraint in text


def _meets_order(constraint: str, text: str, now_at: int) -> bool:
    kind = ("*gt" if constraint[0] == ">" else "*lt") + ("e" if constraint[1] == "=" else "")
    bound = constraint[2:] if constraint[1] == "=" else constraint[1:]
    try:
        sign = compare(infer(text, now_at), infer(bound, now_at))
    except BadRequest:
        return False
    return sign is not None and _ORDERS[kind](sign)


def _meets_any(scope: Scope, element: Rsr, values: tuple[Rsr, ...]) -> bool:
    try:
        text = element.read(scope)
    except NotFound:
        return any(value.path in ("^$", "!^$") for value in values)
    return not values or any(_meets(value.path, text, scope.now_at) for value in values)


# --- addresses, times, tariff-plan objects ----------------------------------------------------------------------------


def _in_network(text: str, network: str) -> bool:
    if "/" not in network:
        return False
    try:
        address = ip_address(text)
        net = ip_network(network, strict=False)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped if mapped is not None and net.version == 4 else address) in net


def _in_interval(scope: Scope, element: Rsr, values: tuple[Rsr, ...]) -> bool:
    try:
        at = parse_time(element.read(scope), scope.now_at).at
    except NotFound:
        return False
    bounds = []
    for value in values[:2]:
        try:
            bounds.append(parse_time(value.read(scope), scope.now_at).at)
        except NotFound:
            bounds.append(ZERO_AT)
    start_at, end_at = [*bounds, ZERO_AT, ZERO_AT][:2]
    return start_at < at and (end_at == ZERO_AT or at < end_at)


def _in_timing(scope: Scope, element: Rsr, values: tuple[Rsr, ...]) -> bool:
    try:
        moment = parse_time(element.read(scope), scope.now_at)
    except NotFound:
        return False
    timings = scope.world.state.table("timings")
    for timing_id in _texts(scope, values):
        timing = timings.get(timing_id)
        if timing is not None and is_timing_active(timing, moment):
            return True
    return False


def _in_destination(scope: Scope, element: Rsr, values: tuple[Rsr, ...]) -> bool:
    try:
        number = element.read(scope)
    except NotFound:
        return False
    destinations: Any = scope.world.state.table("destinations")
    for destination_id in _texts(scope, values):
        destination = destinations.get(destination_id)
        if destination is not None and any(number.startswith(prefix) for prefix in destination.prefixes):
            return True
    return False


def _matches(scope: Scope, element: Rsr, values: tuple[Rsr, ...]) -> bool:
    try:
        text = element.read(scope)
    except NotFound:
        return False
    return any(compile_regex(value.path).search(text) is not None for value in values)


_NOT_INDEXED = frozenset(("*nistring", "*niprefix", "*nisuffix", "*niexists"))
_BASES: dict[str, _Base] = {
    "*string": _by_text(lambda text, value: text == value),
    "*contains": _by_text(lambda text, value: value in text),
    "*prefix": _by_text(lambda text, value: text.startswith(value)),
    "*suffix": _by_text(lambda text, value: text.endswith(value)),
    "*exists": _exists,
    "*empty": _is_empty,
    "*rsr": _meets_any,
    "*eq": _equal,
    "*ipnet": _by_text(_in_network),
    "*regex": _matches,
    "*ai": _in_interval,
    "*timings": _in_timing,
    "*destinations": _in_destination,
    **{kind: _ordered(kind) for kind in _ORDERS},
}
