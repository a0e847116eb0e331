"""Which triggers of an account an action such as `*reset_triggers` means.

Rules: the balance type, when given, must be the trigger's. Extra parameters name a group or a trigger, and then that
alone decides; else the action's filter must mean what the trigger watches, and the threshold type be the one named,
if one is.
"""

import json

import msgspec

from cgrcore.accounting import Account, Balance, matches
from cgrcore.actions.balance_filter import BalanceFilter
from cgrcore.actions.records import Action, ActionTrigger
from cgrcore.timing import ZERO_AT

__all__ = ["change_triggers", "means_trigger"]


def means_trigger(action: Action, trigger: ActionTrigger) -> bool:
    """Tell whether an action means the trigger."""
    balance = action.balance
    if balance is None:
        return True
    if balance.type is not None and balance.type != (trigger.balance.type or ""):
        return False
    named = _named(action.extra_parameters)
    if named.get("GroupID"):
        return trigger.id == named["GroupID"]
    if named.get("UniqueID"):
        return trigger.unique_id == named["UniqueID"]
    if named.get("ThresholdType", trigger.threshold_type) != trigger.threshold_type:
        return False
    return matches(balance, _as_balance(trigger.balance))


def _as_balance(described: BalanceFilter) -> Balance:
    """Return a balance that is as a trigger's filter describes it."""
    return Balance(
        described.uuid or "",
        described.id or "",
        described.type or "",
        expires_at=ZERO_AT if described.expires_at is None else described.expires_at,
        weight_nano=described.weight_nano or 0,
        destination_ids=described.destination_ids,
        rating_subject=described.rating_subject or "",
        categories=described.categories,
        shared_groups=described.shared_groups,
        timing_ids=described.timing_ids,
        is_disabled=bool(described.is_disabled),
        is_blocker=bool(described.is_blocker),
    )


def _named(text: str) -> dict[str, str]:
    try:
        fields = json.loads(text) if text else {}
    except ValueError:
        return {}
    if not isinstance(fields, dict):
        return {}
    return {key: value for key, value in fields.items() if isinstance(value, str)}


def change_triggers(account: Account, action: Action, **changes: bool) -> None:
    """Change the triggers of the account that the action means."""
    if account.triggers:
        account.triggers = tuple(
            msgspec.structs.replace(trigger, **changes) if means_trigger(action, trigger) else trigger
            for trigger in account.triggers
        )
