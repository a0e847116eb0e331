"""The actions that change balances: top up, debit, set, remove, expire, transfer.

Rules: a topup adds whatever the sign of its units, a debit subtracts them as they are. Extra parameters that are a JSON
map of numbers become the factors of a balance that is made. How balances are found and changed is accounting's.
"""

import json
from decimal import Decimal

import msgspec

from cgrcore.accounting import (
    DEFAULT_ID,
    Balance,
    Reset,
    Transfer,
    change_balances,
    edit_account,
    matches,
    remove_balances,
    set_balance,
    transfer_balance,
)
from cgrcore.actions.balance_filter import BalanceFilter, ValueFormula
from cgrcore.actions.context import Moved, Run, require_account
from cgrcore.actions.formula import value_at
from cgrcore.actions.records import Action
from cgrcore.errors import BadRequest, NotFound
from cgrcore.money import nano_from_number

__all__ = [
    "debit",
    "debit_reset",
    "remove_balance",
    "remove_expired",
    "set_expiry",
    "set_one_balance",
    "topup",
    "topup_reset",
    "topup_zero_negative",
    "transfer",
    "transfer_monetary_default",
]


def topup(run: Run, action: Action) -> None:
    """Add the units to every balance that the filter means, or to a new one."""
    _change(run, action, -abs(_units_nano(run, action)), Reset.NEVER)


def topup_reset(run: Run, action: Action) -> None:
    """As `topup`, from zero."""
    _change(run, action, -abs(_units_nano(run, action)), Reset.ALWAYS)


def debit(run: Run, action: Action) -> None:
    """Subtract the units from every balance that the filter means, or from a new one."""
    _change(run, action, _units_nano(run, action), Reset.NEVER)


def debit_reset(run: Run, action: Action) -> None:
    """As `debit`, from zero."""
    _change(run, action, _units_nano(run, action), Reset.ALWAYS)


def topup_zero_negative(run: Run, action: Action) -> None:
    """As `debit`, from zero where a balance is negative: units below zero are what adds."""
    _change(run, action, _units_nano(run, action), Reset.NEGATIVE)


def _units_nano(run: Run, action: Action) -> int:
    balance = action.balance
    return 0 if balance is None or balance.value is None else value_at(balance.value, run.world.now_at)


def _change(run: Run, action: Action, amount_nano: int, reset: Reset) -> None:
    wanted = action.balance or BalanceFilter()
    factors = _factors(action.extra_parameters)
    if factors:
        wanted = msgspec.structs.replace(wanted, factors=factors)
    changed = change_balances(run.world, require_account(run), wanted, amount_nano, reset=reset)
    run.values_nano[run.place] = changed[-1].value_nano


def _factors(text: str) -> dict[str, int] | None:
    """Return the factors that extra parameters give, None when they are anything else."""
    if not text:
        return None
    try:
        fields = json.loads(text, parse_float=Decimal)
        return {key: nano_from_number(value) for key, value in fields.items()}
    except (ValueError, AttributeError, BadRequest):
        return None


def set_one_balance(run: Run, action: Action) -> None:
    """Give one balance what the filter says, value included; it is made when it is missing."""
    wanted = action.balance or BalanceFilter()
    if wanted.value is not None:
        fixed = ValueFormula(value_at(wanted.value, run.world.now_at))
        wanted = msgspec.structs.replace(wanted, value=fixed)
    changed = set_balance(run.world, require_account(run), wanted)
    run.values_nano[run.place] = changed.value_nano


def remove_balance(run: Run, action: Action) -> None:
    """Remove the balances that the filter means. Raises NotFound for none."""
    wanted = action.balance or BalanceFilter()
    run.removed[run.place] = remove_balances(run.world, require_account(run), wanted)


def remove_expired(run: Run, action: Action) -> None:
    """Remove the expired balances that the filter means. Raises NotFound for none."""
    wanted = action.balance or BalanceFilter()
    run.removed[run.place] = remove_balances(run.world, require_account(run), wanted, only_expired=True)


def set_expiry(run: Run, action: Action) -> None:
    """Give the balances that the filter means, whatever their expiry, the one of the action (none: never)."""
    wanted = action.balance or BalanceFilter()
    expires_at = wanted.expires_at
    for balance in require_account(run).balances.get(wanted.type or "") or ():
        if matches(wanted, balance, ignores_expiry=True):
            balance.expires_at = Balance().expires_at if expires_at is None else expires_at
            balance.expires_offset_min = wanted.expires_offset_s // 60


def transfer(run: Run, action: Action) -> None:
    """Move units from one balance of the account to one of another, as the extra parameters say.

    Raises BadRequest for unreadable parameters, NotFound for an unknown destination, Refused as accounting says.
    """
    source = require_account(run)
    try:
        fields = json.loads(action.extra_parameters, parse_float=Decimal)
        destination_id = str(fields["DestinationAccountID"])
        balance_id = str(fields["DestinationBalanceID"])
        reference = fields.get("DestinationReferenceValue")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BadRequest("error unmarshaling ExtraParameters") from None
    if destination_id == source.id:
        destination = source
    elif destination_id in run.world.state.table("accounts"):
        destination = edit_account(run.world, destination_id)
    else:
        raise NotFound("retrieving destination account failed: NOT_FOUND", subject_id=destination_id)
    order = Transfer(
        source_id=(action.balance.id or "") if action.balance else "",
        destination_id=balance_id,
        units_nano=_units_nano(run, action),
        reference_nano=None if reference is None else nano_from_number(reference),
    )
    giver, taker, units_nano = transfer_balance(run.world, source, destination, order)
    run.moved[run.place] = Moved(
        source=giver,
        source_before_nano=giver.value_nano + units_nano,
        destination=taker,
        destination_before_nano=taker.value_nano - units_nano,
        destination_account_id=destination_id,
        units_nano=units_nano,
    )
    run.values_nano[run.place] = giver.value_nano


def transfer_monetary_default(run: Run, action: Action) -> None:
    """Move what is positive in the money balances the filter means into `*default`. Raises NotFound without money."""
    account = require_account(run)
    wanted = action.balance or BalanceFilter()
    group = account.balances.get("*monetary")
    if group is None:
        raise NotFound(subject="balances", subject_id="*monetary")
    default = next((balance for balance in group if balance.id == DEFAULT_ID), None)
    if default is None:
        default = Balance(run.world.new_id(), DEFAULT_ID, "*monetary")
        account.balances["*monetary"] = [*group, default]
    for balance in group:
        if balance.id != DEFAULT_ID and balance.value_nano > 0 and matches(wanted, balance):
            default.value_nano += balance.value_nano
            balance.value_nano = 0
