"""`*cdrlog`: a CDR for every change of a balance in the action set.

Rules: one CDR for each action of the set that changes balances, whatever its weight; for each removed balance one.
The extra parameters are a JSON map of further fields, whose values may read `~*acnt.` and `~*act.`; a path that leads
nowhere is empty. The CDR is priced already and is not charged. Does not know: how CDRs are stored.
"""

import json
from decimal import Decimal
from hashlib import sha1
from typing import Any

import msgspec

from cgrcore.accounting import Balance
from cgrcore.actions.balance_filter import BalanceFilter
from cgrcore.actions.build import show_set
from cgrcore.actions.context import Moved, Run
from cgrcore.actions.formula import value_at
from cgrcore.actions.records import Action
from cgrcore.errors import BadRequest, CgrError
from cgrcore.filters import Scope, parse_rsr
from cgrcore.money import format_nano, number_from_nano, parse_nano
from cgrcore.timing import Moment

__all__ = ["log_cdrs"]

_LOGGED = frozenset(
    (
        *("*debit", "*debit_reset", "*topup", "*topup_reset", "*set_balance"),
        *("*remove_balance", "*remove_expired", "*transfer_balance"),
    )
)
_encode_json = msgspec.json.Encoder(decimal_format="number").encode


def log_cdrs(run: Run, action: Action) -> None:
    """Write the CDRs of the set. Raises BadRequest for extra parameters that are no JSON map."""
    if not run.world.settings["schedulers"]["cdrs_conns"]:
        raise CgrError("No connection with CDR Server")
    template = _template(run, action)
    if run.account is None:
        return
    for place, logged in enumerate(run.actions):
        if logged.type not in _LOGGED:
            continue
        if place in run.removed:
            for balance in run.removed[place]:
                _write(run, place, logged, template, _of_removed(balance))
        elif place in run.moved:
            _write(run, place, logged, template, _of_transfer(run.moved[place]))
        else:
            _write(run, place, logged, template, {})


def _template(run: Run, action: Action) -> dict[str, str]:
    fields: dict[str, str] = {}
    for given in (action.extra_parameters, run.extra):
        if not given:
            continue
        if isinstance(given, str):
            try:
                given = json.loads(given, parse_float=Decimal)
            except ValueError:
                raise BadRequest("error unmarshaling ExtraParameters") from None
        if not isinstance(given, dict):
            raise BadRequest("extra parameters are no map of fields")
        fields.update((key, value if isinstance(value, str) else str(value)) for key, value in given.items())
    return fields


def _of_removed(balance: Balance) -> dict[str, Any]:
    return {"ToR": balance.type, "Cost": number_from_nano(balance.value_nano), "BalanceID": balance.id}


def _of_transfer(moved: Moved) -> dict[str, Any]:
    return {
        "Destination": moved.destination_account_id.partition(":")[2],
        "Cost": number_from_nano(abs(moved.units_nano)),
        "SourceBalanceSummary": _summary(moved.source, moved.source_before_nano),
        "DestinationBalanceSummary": _summary(moved.destination, moved.destination_before_nano),
    }


def _summary(balance: Balance, before_nano: int) -> str:
    summary = {
        "UUID": balance.uuid,
        "ID": balance.id,
        "Type": balance.type,
        "Initial": number_from_nano(before_nano),
        "Value": number_from_nano(balance.value_nano),
    }
    if balance.weight_nano:
        summary["Weight"] = number_from_nano(balance.weight_nano)
    summary["Disabled"] = balance.is_disabled
    return str(_encode_json(summary), "utf-8")


def _write(run: Run, place: int, logged: Action, template: dict[str, str], found: dict[str, Any]) -> None:
    account = run.account
    assert account is not None
    world = run.world
    scope = Scope(world, {"*acnt": _account_fields(run, place, logged), "*act": _action_fields(run, logged)})
    name = account.id.partition(":")[2]
    event: dict[str, Any] = {
        "ToR": (logged.balance.type if logged.balance else None) or "",
        "OriginHost": "127.0.0.1",
        "RequestType": "*none",
        "Tenant": account.tenant,
        "Account": name,
        "Subject": name,
        "Cost": number_from_nano(abs(_value_nano(run, logged))),
        "Usage": 1,
        **found,
        **{key: _read(text, scope) for key, text in template.items()},
    }
    log = world.parts.get("log_cdr")
    if log is None:
        raise CgrError("No connection with CDR Server")
    log(world, _complete(run, logged, event))


def _complete(run: Run, logged: Action, event: dict[str, Any]) -> dict[str, Any]:
    origin_id = run.world.new_id()
    now = Moment(run.world.now_at, 0)
    return {
        **event,
        "Cost": _cost(event["Cost"]),
        "OriginID": origin_id,
        "RunID": logged.type,
        "Source": "*cdrlog",
        "SetupTime": now,
        "AnswerTime": now,
        "PreRated": True,
        "CGRID": sha1(f"{origin_id}{event['OriginHost']}".encode()).hexdigest(),
    }


def _cost(given: Any) -> int | Decimal:
    """Return a cost as a number. A text that is none counts as 0."""
    try:
        return number_from_nano(parse_nano(given)) if isinstance(given, str) else given
    except BadRequest:
        return 0


def _value_nano(run: Run, logged: Action) -> int:
    balance = logged.balance
    return 0 if balance is None or balance.value is None else value_at(balance.value, run.world.now_at)


def _account_fields(run: Run, place: int, logged: Action) -> dict[str, Any]:
    account, balance = run.account, logged.balance or BalanceFilter()
    assert account is not None
    return {
        "AccountID": account.id,
        "Tenant": account.tenant,
        "Account": account.id.partition(":")[2],
        "BalanceType": balance.type or "",
        "BalanceUUID": balance.uuid or "",
        "BalanceID": balance.id or "",
        "BalanceValue": format_nano(run.values_nano.get(place, 0)),
        "DestinationIDs": show_set(balance.destination_ids),
        "ExtraParameters": logged.extra_parameters,
        "RatingSubject": balance.rating_subject or "",
        "Category": show_set(balance.categories),
        "SharedGroups": show_set(balance.shared_groups),
        "Factors": "",
    }


def _action_fields(run: Run, logged: Action) -> dict[str, Any]:
    return {
        "ActionID": logged.id,
        "ActionType": logged.type,
        "ActionValue": format_nano(abs(_value_nano(run, logged))),
    }


def _read(text: str, scope: Scope) -> str:
    if not text.startswith("~"):
        return text
    try:
        return parse_rsr(text).read(scope)
    except CgrError:
        return ""
