"""From the texts of tariff plans and requests to actions and triggers, and back to the texts that list them.

Rules: a set is `;`-separated, `!x` excludes x, `*zero` is the empty set; units of `*voice` are durations, all others
numbers, or a formula as JSON. What cannot be read raises BadRequest with the text that CGRateS gives.
Does not know: which ids exist, apart from timings, which are resolved here since a balance carries them whole.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.actions.balance_filter import BalanceFilter, ValueFormula
from cgrcore.actions.records import Action
from cgrcore.errors import BadRequest
from cgrcore.money import NANO, format_nano, parse_nano
from cgrcore.rating.records import Timing
from cgrcore.timing import SECOND_NS, parse_duration

__all__ = ["ActionText", "build_action", "parse_bool", "parse_set", "parse_units", "parse_weight", "show_set"]

#: 2050-01-01 UTC in seconds: `*time_desc` weighs a balance by the time left until then.
_DESCENDING_FROM_S = 2_524_608_000

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


class ActionText(msgspec.Struct, kw_only=True):
    """An action as texts: a line of Actions.csv, or an item of SetActions. The names are those of the wire."""

    Identifier: str = ""
    BalanceId: str = ""
    BalanceUuid: str = ""
    BalanceType: str = ""
    Units: str = ""
    ExpiryTime: str = ""
    Filters: str = ""
    TimingTags: str = ""
    DestinationIds: str = ""
    RatingSubject: str = ""
    Categories: str = ""
    SharedGroups: str = ""
    BalanceWeight: str = ""
    ExtraParameters: str = ""
    BalanceBlocker: str = ""
    BalanceDisabled: str = ""
    Weight: Decimal = Decimal(0)

    @classmethod
    def of(cls, action: Action) -> dict[str, Any]:
        """Return an action as the texts that APIerSv1.GetActions shows."""
        balance = action.balance or BalanceFilter()
        value = balance.value or ValueFormula()
        formula = json.dumps({"Method": value.method, "Params": value.params}) if value.method else ""
        return {
            "Identifier": action.type,
            "BalanceId": balance.id or "",
            "BalanceUuid": "",
            "BalanceType": balance.type or "",
            "Units": formula or format_nano(value.static_nano),
            "ExpiryTime": action.expiration,
            "Filters": ";".join(action.filters or ()),
            "TimingTags": show_set(balance.timing_ids),
            "DestinationIds": show_set(balance.destination_ids),
            "RatingSubject": balance.rating_subject or "",
            "Categories": show_set(balance.categories),
            "SharedGroups": show_set(balance.shared_groups),
            "BalanceWeight": format_nano(balance.weight_nano or 0),
            "ExtraParameters": action.extra_parameters,
            "BalanceBlocker": "true" if balance.is_blocker else "false",
            "BalanceDisabled": "true" if balance.is_disabled else "false",
        }


def build_action(set_id: str, text: ActionText, timing: Callable[[str], Timing | None], now_at: int) -> Action:
    """Return the action that the texts describe. `timing` finds a timing by its id.

    Every set and text of the balance filter is given, empty ones too; weight, blocker and disabled only when not empty.
    Raises BadRequest for a value that cannot be read, and for a timing that does not exist.
    """
    timing_ids = parse_set(text.TimingTags)
    timings = []
    for timing_id in timing_ids:
        if timing_id == "*any":
            continue
        found = timing(timing_id)
        if found is None:
            raise BadRequest(f'error: NOT_FOUND querying timing with id: "{timing_id}"')
        timings.append(found)
    balance = BalanceFilter(
        uuid=text.BalanceUuid,
        id=text.BalanceId,
        type=text.BalanceType,
        value=parse_units(text.Units, text.BalanceType),
        weight_nano=parse_weight(text.BalanceWeight, now_at) if text.BalanceWeight else None,
        destination_ids=parse_set(text.DestinationIds),
        rating_subject=text.RatingSubject,
        categories=parse_set(text.Categories),
        shared_groups=parse_set(text.SharedGroups),
        timing_ids=timing_ids,
        timings=tuple(timings) or None,
        is_disabled=parse_bool(text.BalanceDisabled) if text.BalanceDisabled else None,
        is_blocker=parse_bool(text.BalanceBlocker) if text.BalanceBlocker else None,
    )
    return Action(
        id=set_id,
        type=text.Identifier,
        extra_parameters=text.ExtraParameters,
        filters=tuple(text.Filters.split(";")) if text.Filters else None,
        expiration=text.ExpiryTime,
        weight_nano=parse_nano(str(text.Weight)),
        balance=balance,
    )


def parse_set(text: str) -> dict[str, bool]:
    """Return a `;`-separated set: True for what it includes, False for what it excludes (`!id`)."""
    found: dict[str, bool] = {}
    for part in text.split(";"):
        item = part.strip()
        if item == "*zero":
            return {}
        if item.startswith("!"):
            found[item[1:]] = False
        elif item:
            found[item] = True
    return found


def show_set(items: dict[str, bool] | None) -> str:
    """Return a set as its text, sorted, so that equal sets read equal."""
    return ";".join(item if items[item] else f"!{item}" for item in sorted(items)) if items else ""


def parse_bool(text: str) -> bool:
    """Return a truth value as Go reads it. Raises BadRequest with Go's text."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise BadRequest(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def parse_weight(text: str, now_at: int) -> int:
    """Return a balance's weight (scaled by 10^-9): a number, or the seconds of `*time_asc` or `*time_desc`."""
    if text == "*time_asc":
        return now_at // SECOND_NS * NANO
    if text == "*time_desc":
        return (_DESCENDING_FROM_S - now_at // SECOND_NS) * NANO
    try:
        return parse_nano(text)
    except BadRequest:
        raise BadRequest(f'strconv.ParseFloat: parsing "{text}": invalid syntax') from None


def parse_units(text: str, balance_type: str) -> ValueFormula:
    """Return the amount that a Units field means: a duration for `*voice`, a number, or a formula as JSON.

    Raises BadRequest "Invalid value: ..." for anything else.
    """
    trimmed = text.strip()
    if not trimmed:
        return ValueFormula()
    if trimmed.startswith("{"):
        return _formula(trimmed)
    try:
        if balance_type == "*voice":
            return ValueFormula(static_nano=parse_duration(trimmed) * NANO)
        return ValueFormula(static_nano=parse_nano(trimmed))
    except BadRequest:
        raise BadRequest(f"Invalid value: {text}") from None


def _formula(text: str) -> ValueFormula:
    try:
        fields = json.loads(text, parse_float=Decimal)
        method, params = fields["Method"], fields["Params"]
    except (ValueError, KeyError, TypeError):
        raise BadRequest(f"Invalid value: {text}") from None
    if method != "*incremental" or not isinstance(params, dict):
        raise BadRequest(f"Invalid value: {text}")
    units = params.get("Units")
    if isinstance(units, Decimal):
        params = {**params, "Units": str(units)}
    return ValueFormula(method=method, params=params)
