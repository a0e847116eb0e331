"""Changing a trigger by a map of fields, as requests give them. A field that is absent stays as it is.

Rules: numbers and truth values may be texts, times are any text that stands for one, sets are lists. What cannot be
read raises BadRequest with the text that CGRateS gives.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.actions.build import parse_bool
from cgrcore.actions.records import ActionTrigger
from cgrcore.errors import BadRequest
from cgrcore.money import nano_from_number, parse_nano
from cgrcore.timing import Moment, parse_duration, parse_time

__all__ = ["changed_trigger"]


def changed_trigger(trigger: ActionTrigger, fields: Mapping[str, Any], now_at: int, zone: str) -> ActionTrigger:
    """Return the trigger with the fields given changed. Raises BadRequest for one that cannot be read."""
    read = _Reader(fields, now_at, zone)
    balance: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    for name, key, value in (
        ("threshold_type", "ThresholdType", read.text),
        ("threshold_nano", "ThresholdValue", read.number),
        ("is_recurrent", "Recurrent", read.flag),
        ("is_executed", "Executed", read.flag),
        ("min_sleep_ns", "MinSleep", read.duration),
        ("expires_at", "ExpirationDate", read.instant),
        ("activates_at", "ActivationDate", read.instant),
        ("min_queued_items", "MinQueuedItems", read.whole),
        ("actions_id", "ActionsID", read.text),
        ("weight_nano", "Weight", read.number),
    ):
        if key in fields:
            changes[name] = value(key)
    for name, key, part in (
        ("id", "BalanceID", read.text),
        ("type", "BalanceType", read.text),
        ("destination_ids", "BalanceDestinationIds", read.set),
        ("weight_nano", "BalanceWeight", read.number),
        ("timing_ids", "BalanceTimingTags", read.set),
        ("rating_subject", "BalanceRatingSubject", read.text),
        ("categories", "BalanceCategories", read.set),
        ("shared_groups", "BalanceSharedGroups", read.set),
        ("is_blocker", "BalanceBlocker", read.flag),
        ("is_disabled", "BalanceDisabled", read.flag),
    ):
        if key in fields:
            balance[name] = part(key)
    if "BalanceExpirationDate" in fields:
        expires = read.moment("BalanceExpirationDate")
        balance.update(expires_at=expires.at, expires_offset_s=expires.offset_s)
    if balance:
        changes["balance"] = msgspec.structs.replace(trigger.balance, **balance)
    return msgspec.structs.replace(trigger, **changes)


class _Reader:
    """The fields, each read as the kind it has."""

    __slots__ = ("fields", "now_at", "zone")

    def __init__(self, fields: Mapping[str, Any], now_at: int, zone: str) -> None:
        self.fields = fields
        self.now_at = now_at
        self.zone = zone

    def text(self, key: str) -> str:
        value = self.fields[key]
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    def number(self, key: str) -> int:
        value = self.fields[key]
        if isinstance(value, str):
            try:
                return parse_nano(value)
            except BadRequest:
                raise BadRequest(f'strconv.ParseFloat: parsing "{value}": invalid syntax') from None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return nano_from_number(value)
        raise _unfit(value, "float64")

    def whole(self, key: str) -> int:
        value = self.fields[key]
        if isinstance(value, str):
            try:
                return int(value)
            except ValueError:
                raise BadRequest(f'strconv.ParseInt: parsing "{value}": invalid syntax') from None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return int(value)
        raise _unfit(value, "int")

    def flag(self, key: str) -> bool:
        value = self.fields[key]
        if isinstance(value, str):
            return parse_bool(value) if value else False
        if isinstance(value, bool):
            return value
        if isinstance(value, int | Decimal):
            return value > 0
        raise _unfit(value, "bool")

    def duration(self, key: str) -> int:
        value = self.fields[key]
        return parse_duration(value) if isinstance(value, str) else int(value or 0)

    def moment(self, key: str) -> Moment:
        return parse_time(self.text(key), self.now_at, self.zone)

    def instant(self, key: str) -> int:
        return self.moment(key).at

    def set(self, key: str) -> dict[str, bool]:
        value = self.fields[key]
        items = value if isinstance(value, list) else str(value or "").split(";")
        found = {}
        for item in items:
            text = str(item).strip()
            if text:
                found[text.removeprefix("!")] = not text.startswith("!")
        return found


def _unfit(value: Any, kind: str) -> BadRequest:
    return BadRequest(f"cannot convert field: {'<nil>' if value is None else value} to {kind}")
