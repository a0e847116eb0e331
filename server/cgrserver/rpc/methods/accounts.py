"""Accounts: making, reading, listing, removing them; and the shared groups they belong to."""

from typing import Any

from cgrcore.accounting import (
    Account,
    SharedGroup,
    account_as_old_wire,
    account_as_wire,
    account_id_of,
    edit_account,
)
from cgrcore.actions import ActionTrigger
from cgrcore.actions.counters import init_counters
from cgrcore.errors import CgrError, NotFound, server_error
from cgrcore.scheduling.due import reload_schedule
from cgrcore.scheduling.plans import attach_plans, detach_account
from cgrcore.world import World
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []


class AccountArgs(Args):
    Tenant: str = ""
    Account: str = ""
    ReloadScheduler: bool = False


class SetAccountArgs(Args):
    Tenant: str = ""
    Account: str = ""
    ActionPlanID: str = ""
    ActionTriggersID: str = ""
    ExtraOptions: dict[str, bool] | None = None
    ReloadScheduler: bool = False
    APIOpts: dict[str, Any] | None = None


class SetAccountV2Args(Args):
    Tenant: str = ""
    Account: str = ""
    ActionPlanIDs: list[str] | None = None
    ActionPlansOverwrite: bool = False
    ActionTriggerIDs: list[str] | None = None
    ActionTriggerOverwrite: bool = False
    ExtraOptions: dict[str, bool] | None = None
    ReloadScheduler: bool = False


class AccountsArgs(Args):
    Tenant: str = ""
    AccountIDs: list[str] | None = None
    Offset: int = 0
    Limit: int = 0
    Filter: dict[str, bool] | None = None


class TenantArgs(Args):
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


class PageArgs(Args):
    Tenant: str = ""
    Search: str = ""
    Limit: int | None = None
    Offset: int | None = None


# --- making and removing ---------------------------------------------------------------------------------------------


@method("APIerSv1.SetAccount", mandatory=("Account",), aliases=("ApierV1.SetAccount",))
def set_account(world: World, args: SetAccountArgs) -> str:
    """Make an account or change it.

    A plan given takes the place of all its plans, a group of triggers that of all its triggers.
    """
    account_id = account_id_of(world.tenant(args.Tenant), args.Account)
    try:
        if args.ActionPlanID:
            attach_plans(world, account_id, [args.ActionPlanID], overwrite=True, with_asap=True)
        account = edit_account(world, account_id)
        if args.ActionTriggersID:
            account.triggers = _triggers_of(world, args.ActionTriggersID)
            init_counters(account)
    except CgrError as error:
        raise server_error(error) from None
    return _finish(world, account, args.ExtraOptions, args.ReloadScheduler)


@method("APIerSv2.SetAccount", mandatory=("Account",), aliases=("ApierV2.SetAccount",))
def set_account_v2(world: World, args: SetAccountV2Args) -> str:
    """Make an account or change it: plans and triggers are added to those it has, or replace them."""
    account_id = account_id_of(world.tenant(args.Tenant), args.Account)
    try:
        if args.ActionPlanIDs or args.ActionPlansOverwrite:
            attach_plans(
                world, account_id, args.ActionPlanIDs or (), overwrite=args.ActionPlansOverwrite, with_asap=False
            )
        account = edit_account(world, account_id)
        if args.ActionTriggerIDs or args.ActionTriggerOverwrite:
            _add_triggers(world, account, args.ActionTriggerIDs or [], overwrite=args.ActionTriggerOverwrite)
    except CgrError as error:
        raise server_error(error) from None
    return _finish(world, account, args.ExtraOptions, args.ReloadScheduler)


def _triggers_of(world: World, group_id: str) -> tuple[ActionTrigger, ...]:
    triggers: tuple[ActionTrigger, ...] = world.state.table("action_triggers").require(group_id).triggers
    return triggers


def _add_triggers(world: World, account: Account, group_ids: list[str], *, overwrite: bool) -> None:
    kept: tuple[ActionTrigger, ...] = () if overwrite else account.triggers or ()
    for group_id in group_ids:
        known = {(trigger.id, trigger.unique_id) for trigger in kept}
        kept += tuple(it for it in _triggers_of(world, group_id) if (it.id, it.unique_id) not in known)
    account.triggers = kept
    init_counters(account)


def _finish(world: World, account: Account, options: dict[str, bool] | None, reloads: bool) -> str:
    for name, value in (options or {}).items():
        if name == "AllowNegative":
            account.allow_negative = value
        elif name == "Disabled":
            account.is_disabled = value
    if reloads:
        reload_schedule(world)
    return "OK"


@method("APIerSv1.RemoveAccount", mandatory=("Account",), aliases=apier_names("RemoveAccount"))
def remove_account(world: World, args: AccountArgs) -> str:
    """Remove an account and detach it from its plans. One that does not exist is removed already."""
    account_id = account_id_of(world.tenant(args.Tenant), args.Account)
    world.state.table("accounts").remove(account_id)
    detach_account(world, account_id)
    # The schedule stays as loaded, whatever ReloadScheduler says: a run passes over accounts that are detached.
    return "OK"


# --- reading ---------------------------------------------------------------------------------------------------------


def _account(world: World, args: AccountArgs) -> Account:
    account: Account = world.state.table("accounts").require(account_id_of(world.tenant(args.Tenant), args.Account))
    return account


@method("APIerSv1.GetAccount", aliases=("ApierV1.GetAccount",))
def get_account(world: World, args: AccountArgs) -> dict[str, Any]:
    """Return an account in the form of old clients."""
    return account_as_old_wire(_account(world, args))


@method("APIerSv2.GetAccount", aliases=("ApierV2.GetAccount",))
def get_account_v2(world: World, args: AccountArgs) -> dict[str, Any]:
    """Return an account."""
    return account_as_wire(_account(world, args))


def _accounts(world: World, args: AccountsArgs) -> list[Account]:
    """Return the accounts that a request means: those named, or all of the tenant, sorted, from offset to limit."""
    table = world.state.table("accounts")
    tenant = world.tenant(args.Tenant)
    if args.AccountIDs:
        found = [account_id_of(tenant, name) for name in args.AccountIDs]
    else:
        found = sorted(key for key in table if key.startswith(f"{tenant}:"))
    start = max(args.Offset, 0)
    page = found[start : start + args.Limit] if args.Limit > 0 else found[start:]
    table.need(page)
    wanted = args.Filter or {}
    return [
        account
        for account in map(table.get, page)
        if account is not None
        and wanted.get("AllowNegative", account.allow_negative) == account.allow_negative
        and wanted.get("Disabled", account.is_disabled) == account.is_disabled
    ]


@method("APIerSv1.GetAccounts", aliases=("ApierV1.GetAccounts",))
def get_accounts(world: World, args: AccountsArgs) -> list[dict[str, Any]]:
    """Return accounts of a tenant in the form of old clients."""
    return [account_as_old_wire(account) for account in _accounts(world, args)]


@method("APIerSv2.GetAccounts", aliases=("ApierV2.GetAccounts",))
def get_accounts_v2(world: World, args: AccountsArgs) -> list[dict[str, Any]]:
    """Return accounts of a tenant."""
    return [account_as_wire(account) for account in _accounts(world, args)]


def _count(world: World, tenant: str) -> int:
    prefix = f"{world.tenant(tenant)}:"
    return sum(1 for key in world.state.table("accounts") if key.startswith(prefix))


@method("APIerSv1.GetAccountsCount", aliases=("ApierV1.GetAccountsCount",))
def get_accounts_count(world: World, args: TenantArgs) -> int:
    """Return how many accounts a tenant has."""
    return _count(world, args.Tenant)


@method("APIerSv2.GetAccountsCount", aliases=("ApierV2.GetAccountsCount",))
def get_accounts_count_v2(world: World, args: TenantArgs) -> int:
    """Return how many accounts a tenant has; none is NOT_FOUND."""
    count = _count(world, args.Tenant)
    if not count:
        raise NotFound(subject="accounts")
    return count


@method("APIerSv1.GetAccountIDs", aliases=apier_names("GetAccountIDs"))
def get_account_ids(world: World, args: PageArgs) -> list[str]:
    """Return the names of a tenant's accounts, sorted."""
    prefix = f"{world.tenant(args.Tenant)}:"
    found = sorted(key[len(prefix) :] for key in world.state.table("accounts") if key.startswith(prefix + args.Search))
    if not found:
        raise NotFound(subject="accounts")
    start = max(args.Offset or 0, 0)
    return found[start : start + args.Limit] if args.Limit else found[start:]


# --- shared groups ---------------------------------------------------------------------------------------------------


@method("APIerSv1.GetSharedGroup", args=str, aliases=apier_names("GetSharedGroup"))
def get_shared_group(world: World, group_id: str) -> dict[str, Any]:
    """Return a shared group; one that does not exist is empty and nameless."""
    group: SharedGroup = world.state.table("shared_groups").get(group_id) or SharedGroup("")
    return group.as_wire()
