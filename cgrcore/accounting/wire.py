"""Accounts as clients see them: the current form, the form of APIerSv1, and the summary that events and costs carry.

Rules: null and {} differ as they do in the record; amounts are exact numbers; sets in one text are sorted.
Does not know: how accounts change.
"""

from typing import Any

from cgrcore.accounting.records import Account, Balance
from cgrcore.money import number_from_nano
from cgrcore.rating import AccountState, BalanceState
from cgrcore.timing import ZERO_AT, format_time

__all__ = [
    "SUMMARY_TYPES",
    "account_as_old_wire",
    "account_as_wire",
    "account_state",
    "account_summary",
    "balance_as_wire",
]

#: The types that a summary lists, in its order.
SUMMARY_TYPES = ("*data", "*sms", "*mms", "*voice", "*generic", "*monetary")


def balance_as_wire(balance: Balance) -> dict[str, Any]:
    """Return a balance under its wire names."""
    factors = balance.factors
    return {
        "Uuid": balance.uuid,
        "ID": balance.id,
        "Value": number_from_nano(balance.value_nano),
        "ExpirationDate": format_time(balance.expires_at, balance.expires_offset_min * 60),
        "Weight": number_from_nano(balance.weight_nano),
        "DestinationIDs": balance.destination_ids,
        "RatingSubject": balance.rating_subject,
        "Categories": balance.categories,
        "SharedGroups": balance.shared_groups,
        "Timings": _timings(balance),
        "TimingIDs": balance.timing_ids,
        "Disabled": balance.is_disabled,
        "Factors": None if factors is None else {key: number_from_nano(value) for key, value in factors.items()},
        "Blocker": balance.is_blocker,
    }


def _timings(balance: Balance) -> list[Any] | None:
    return None if balance.timings is None else [timing.as_wire() for timing in balance.timings]


def account_as_wire(account: Account, updated_at: int = ZERO_AT) -> dict[str, Any]:
    """Return an account under its wire names. A stored account shows no time of update; the reply to a change does."""
    counters, triggers = account.unit_counters, account.triggers
    return {
        "ID": account.id,
        "BalanceMap": {
            kind: None if group is None else [balance_as_wire(balance) for balance in group]
            for kind, group in account.balances.items()
        }
        or None,
        "UnitCounters": None
        if counters is None
        else {kind: [counter.as_wire() for counter in group] for kind, group in counters.items()},
        "ActionTriggers": None if triggers is None else [trigger.as_wire() for trigger in triggers],
        "AllowNegative": account.allow_negative,
        "Disabled": account.is_disabled,
        "UpdateTime": format_time(updated_at),
    }


def account_as_old_wire(account: Account) -> dict[str, Any]:
    """Return an account in the form of APIerSv1.GetAccount: sets as texts, types with the direction behind."""
    return {
        "Id": f"*out:{account.id}",
        "BalanceMap": {
            f"{kind}*out": [_old_balance(balance) for balance in group or ()]
            for kind, group in account.balances.items()
        },
        "UnitCounters": [
            {"BalanceType": kind, "Balances": [_old_counter(counter) for counter in unit.counters]}
            for kind, group in (account.unit_counters or {}).items()
            for unit in group
        ],
        "ActionTriggers": [_old_trigger(trigger) for trigger in account.triggers or ()],
        "AllowNegative": account.allow_negative,
        "Disabled": account.is_disabled,
    }


def _text(items: dict[str, bool] | None) -> str:
    return ";".join(item if items[item] else f"!{item}" for item in sorted(items)) if items else ""


def _old_balance(balance: Balance) -> dict[str, Any]:
    return {
        "Uuid": balance.uuid,
        "Id": balance.id,
        "Value": number_from_nano(balance.value_nano),
        "ExpirationDate": format_time(balance.expires_at, balance.expires_offset_min * 60),
        "Weight": number_from_nano(balance.weight_nano),
        "DestinationIds": _text(balance.destination_ids),
        "RatingSubject": balance.rating_subject,
        "Category": _text(balance.categories),
        "SharedGroup": _text(balance.shared_groups),
        "Timings": _timings(balance),
        "TimingIDs": _text(balance.timing_ids),
        "Disabled": balance.is_disabled,
    }


def _old_counter(counter: Any) -> dict[str, Any]:
    wanted = counter.filter
    timings = wanted.timings
    return {
        "Uuid": wanted.uuid or "",
        "Id": wanted.id or "",
        "Value": 0,  # old clients were shown what is counted, never how much
        "ExpirationDate": format_time(ZERO_AT if wanted.expires_at is None else wanted.expires_at),
        "Weight": number_from_nano(wanted.weight_nano or 0),
        "DestinationIds": _text(wanted.destination_ids),
        "RatingSubject": wanted.rating_subject or "",
        "Category": _text(wanted.categories),
        "SharedGroup": _text(wanted.shared_groups),
        "Timings": None if timings is None else [timing.as_wire() for timing in timings],
        "TimingIDs": _text(wanted.timing_ids),
        "Disabled": bool(wanted.is_disabled),
    }


def _old_trigger(trigger: Any) -> dict[str, Any]:
    wanted = trigger.balance
    return {
        "Id": trigger.id,
        "ThresholdType": trigger.threshold_type,
        "ThresholdValue": number_from_nano(trigger.threshold_nano),
        "Recurrent": trigger.is_recurrent,
        "MinSleep": trigger.min_sleep_ns,
        "BalanceId": wanted.id or "",
        "BalanceType": wanted.type or "",
        "BalanceDestinationIds": _text(wanted.destination_ids),
        "BalanceWeight": number_from_nano(wanted.weight_nano or 0),
        "BalanceExpirationDate": format_time(ZERO_AT if wanted.expires_at is None else wanted.expires_at),
        "BalanceTimingTags": _text(wanted.timing_ids),
        "BalanceRatingSubject": wanted.rating_subject or "",
        "BalanceCategory": _text(wanted.categories),
        "BalanceSharedGroup": _text(wanted.shared_groups),
        "BalanceDisabled": bool(wanted.is_disabled),
        "Weight": number_from_nano(trigger.weight_nano),
        "ActionsId": trigger.actions_id,
        "MinQueuedItems": trigger.min_queued_items,
        "Executed": trigger.is_executed,
    }


def account_state(account: Account, initial: dict[Balance, int] | None = None) -> AccountState:
    """Return what events and costs tell of an account: its balances by type, with their values before and now.

    `initial` holds the values before a debit, 0 for a balance that is not in it; without it they are what they are now.
    """
    tenant, _, name = account.id.partition(":")
    states = account.states(SUMMARY_TYPES, initial, BalanceState)
    for state in states:
        factors: dict[str, Any] | None = state.factors
        if factors is not None:
            state.factors = {key: number_from_nano(value) for key, value in factors.items()}
    return AccountState(tenant, name, states, account.allow_negative, account.is_disabled)


def account_summary(account: Account) -> dict[str, Any]:
    """Return an account's state in the wire's form."""
    return account_state(account).as_wire()
