"""Whether an event passes filters, stored ones by id and inline ones (`*string:~*req.Account:1001|1002`).

Rules: every filter must pass; a stored one outside its own interval (by the present, not the event's time) is passed
over, and when all were passed over the answer is no. A filter that does not exist is NOT_FOUND:<id>.
Does not know: profiles.
"""

from collections.abc import Sequence
from functools import lru_cache

from cgrcore.errors import BadRequest, CgrError, NotFound
from cgrcore.event import CgrEvent
from cgrcore.filters.paths import Scope, scope_of
from cgrcore.filters.records import Filter, FilterRule
from cgrcore.filters.rules import Check, compile_rule
from cgrcore.world import World

__all__ = ["check_filters", "compile_filter", "inline_rule", "is_inline", "passes", "passes_in"]


def is_inline(filter_id: str) -> bool:
    return filter_id.startswith("*")


@lru_cache(maxsize=8192)
def inline_rule(text: str) -> FilterRule:
    """Return the rule of an inline filter. Raises BadRequest for one with fewer than three parts."""
    parts: list[str] = []
    depth = start = 0
    for position, letter in enumerate(text):
        if letter in "<[":
            depth += 1
        elif letter in ">]":
            depth -= 1
        elif letter == ":" and depth <= 0:
            parts.append(text[start:position])
            start = position + 1
            if len(parts) == 2:
                break
    if len(parts) < 2:
        raise BadRequest(f"inline parse error for string: <{text}>")
    values = text[start:]
    return FilterRule(parts[0], parts[1], tuple(values.split("|")) if values else None)


@lru_cache(maxsize=8192)
def _compile_inline(text: str) -> tuple[Check, ...]:
    return (compile_rule(inline_rule(text)),)


@lru_cache(maxsize=8192)
def compile_filter(record: Filter) -> tuple[Check, ...]:
    """Return the rules of a stored filter as functions. Raises BadRequest for one that cannot be parsed."""
    for rule in record.rules:
        if rule.type.removeprefix("*not").removeprefix("*") in ("exists", "empty") and rule.values:
            raise BadRequest(f"value of filter <{record.id}> is not empty <{rule.values[0]}>")
    return tuple(compile_rule(rule) for rule in record.rules)


def passes(world: World, tenant: str, filter_ids: Sequence[str], event: CgrEvent) -> bool:
    """Tell whether an event passes all filters.

    Raises NotFound NOT_FOUND:<id> for a filter that does not exist, BadRequest for a path or values that cannot be
    compared.
    """
    return not filter_ids or passes_in(scope_of(world, event), tenant, filter_ids)


def passes_in(scope: Scope, tenant: str, filter_ids: Sequence[str]) -> bool:
    """Tell whether a scope passes all filters. Errors as `passes`."""
    if not filter_ids:
        return True
    was_asked = False
    filters = scope.world.state.table("filters")
    for filter_id in filter_ids:
        if is_inline(filter_id):
            checks = _compile_inline(filter_id)
        else:
            record: Filter | None = filters.get(f"{tenant}:{filter_id}")
            if record is None:
                raise NotFound(f"NOT_FOUND:{filter_id}", subject="filter", subject_id=filter_id)
            if record.activation is not None and not record.activation.is_active_at(scope.now_at):
                continue
            checks = compile_filter(record)
        for check in checks:
            if not check(scope):
                return False
        was_asked = True
    return was_asked


def check_filters(world: World, tenant: str, filter_ids: Sequence[str] | None, item_id: str) -> None:
    """Raise BadRequest `broken reference to filter` for the first filter that does not exist or cannot be parsed."""
    filters = world.state.table("filters")
    for filter_id in filter_ids or ():
        try:
            if is_inline(filter_id):
                _compile_inline(filter_id)
            elif f"{tenant}:{filter_id}" not in filters:
                raise NotFound()
        except CgrError:
            raise BadRequest(
                f"broken reference to filter: <{filter_id}> for item with ID: {tenant}:{item_id}"
            ) from None
