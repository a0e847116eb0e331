"""Changing the balances of an account: APIerSv1.AddBalance and its kin.

Each runs actions on the account, as a set of them would: whole or not at all.
"""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.accounting import BalanceFilter, account_id_of, edit_account
from cgrcore.actions import Action, ValueFormula
from cgrcore.actions.context import Run
from cgrcore.actions.run import run_step, undone_on_failure
from cgrcore.errors import CgrError, PartiallyExecuted, mandatory_missing, server_error
from cgrcore.money import nano_from_number
from cgrcore.world import World
from cgrserver.rpc.balance_fields import balance_filter
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []

_JSON = msgspec.json.Encoder(decimal_format="number")


class BalanceArgs(Args):
    Tenant: str = ""
    Account: str = ""
    BalanceType: str = ""
    Value: Decimal = Decimal(0)
    Balance: dict[str, Any] | None = None
    ActionExtraData: dict[str, Any] | None = None
    Overwrite: bool = False
    Cdrlog: bool = False


class BalanceItem(Args):
    BalanceType: str = ""
    Value: Decimal = Decimal(0)
    Balance: dict[str, Any] | None = None
    ActionExtraData: dict[str, Any] | None = None
    Cdrlog: bool = False


class BalancesArgs(Args):
    Tenant: str = ""
    Account: str = ""
    Balances: list[BalanceItem] | None = None


class TransferArgs(Args):
    Tenant: str = ""
    SourceAccountID: str = ""
    SourceBalanceID: str = ""
    DestinationAccountID: str = ""
    DestinationBalanceID: str = ""
    DestinationReferenceValue: Decimal | None = None
    Units: Decimal = Decimal(0)
    Cdrlog: bool = False
    APIOpts: dict[str, Any] | None = None


def _run(world: World, account_id: str, actions: list[Action], extra: Any) -> None:
    """Run actions on an account, which is made when it is missing.

    Raises PartiallyExecuted when one fails; then nothing of them stays.
    """
    if account_id not in world.state.table("accounts"):
        edit_account(world, account_id)
    try:
        with undone_on_failure(world.state):
            run = Run(world=world, account=edit_account(world, account_id), actions=tuple(actions), extra=extra)
            for place in range(len(actions)):
                run_step(run, place)
    except CgrError as error:
        raise PartiallyExecuted(subject="accounts", subject_id=account_id) from error


def _logged(kind: str, wanted: BalanceFilter, cdrlog: bool, extra_parameters: str = "") -> list[Action]:
    """Return an action on a balance, then that the account is published and the CDR, if wanted, logged."""
    actions = [Action("", kind, extra_parameters, balance=wanted), Action("", "*publish_account")]
    return [*actions, Action("", "*cdrlog")] if cdrlog else actions


def _change(world: World, args: BalanceArgs, kind: str) -> str:
    wanted = balance_filter(world, args.BalanceType, args.Balance, args.Value)
    account_id = account_id_of(world.tenant(args.Tenant), args.Account)
    _run(world, account_id, _logged(kind, wanted, args.Cdrlog), args.ActionExtraData)
    return "OK"


@method("APIerSv1.AddBalance", mandatory=("Account", "BalanceType"), aliases=apier_names("AddBalance"))
def add_balance(world: World, args: BalanceArgs) -> str:
    """Add to the balances that `Balance` means, or to a new one; with Overwrite they are set to zero before."""
    return _change(world, args, "*topup_reset" if args.Overwrite else "*topup")


@method("APIerSv1.DebitBalance", mandatory=("Account", "BalanceType"), aliases=apier_names("DebitBalance"))
def debit_balance(world: World, args: BalanceArgs) -> str:
    """Subtract from the balances that `Balance` means, or a new one; with Overwrite they are set to zero before."""
    return _change(world, args, "*debit_reset" if args.Overwrite else "*debit")


def _require_id(fields: dict[str, Any] | None) -> None:
    if not (fields or {}).get("ID") and not (fields or {}).get("UUID"):
        raise mandatory_missing(["BalanceID or BalanceUUID"])


@method("APIerSv1.SetBalance", mandatory=("Account", "BalanceType"), aliases=apier_names("SetBalance"))
def set_balance(world: World, args: BalanceArgs) -> str:
    """Give one balance, found by its id or UUID, the fields of `Balance` and the value, if it is not 0."""
    _require_id(args.Balance)
    return _change(world, args, "*set_balance")


@method("APIerSv1.SetBalances", mandatory=("Account", "Balances"), aliases=apier_names("SetBalances"))
def set_balances(world: World, args: BalancesArgs) -> str:
    """Set several balances of an account, one after the other, as SetBalance does.

    Those before one that is wrong stay.
    """
    for item in args.Balances or ():
        one = BalanceArgs(
            Tenant=args.Tenant,
            Account=args.Account,
            BalanceType=item.BalanceType,
            Value=item.Value,
            Balance=item.Balance,
            ActionExtraData=item.ActionExtraData,
            Cdrlog=item.Cdrlog,
        )
        try:
            set_balance(world, one)
        except CgrError as error:
            error.keeps_changes = True
            raise
    return "OK"


@method("APIerSv1.RemoveBalances", mandatory=("Account", "BalanceType"), aliases=apier_names("RemoveBalances"))
def remove_balances(world: World, args: BalanceArgs) -> str:
    """Remove the balances that `Balance` means."""
    account_id = account_id_of(world.tenant(args.Tenant), args.Account)
    world.state.table("accounts").require(account_id)
    return _change(world, args, "*remove_balance")


@method(
    "APIerSv1.TransferBalance",
    mandatory=("SourceAccountID", "SourceBalanceID", "DestinationAccountID", "DestinationBalanceID"),
    aliases=apier_names("TransferBalance"),
)
def transfer_balance(world: World, args: TransferArgs) -> str:
    """Move units from a balance of one account to a balance of another."""
    tenant = world.tenant(args.Tenant)
    fields: dict[str, Any] = {
        "DestinationAccountID": account_id_of(tenant, args.DestinationAccountID),
        "DestinationBalanceID": args.DestinationBalanceID,
    }
    if args.DestinationReferenceValue is not None:
        fields["DestinationReferenceValue"] = args.DestinationReferenceValue
    wanted = BalanceFilter(id=args.SourceBalanceID, value=ValueFormula(nano_from_number(args.Units)))
    account_id = account_id_of(tenant, args.SourceAccountID)
    try:
        world.state.table("accounts").require(account_id)
        actions = _logged("*transfer_balance", wanted, args.Cdrlog, _JSON.encode(fields).decode())
        _run(world, account_id, actions, None)
    except CgrError as error:
        raise server_error(PartiallyExecuted()) from error
    return ""
