"""Methods on triggers: groups of them, and those of accounts."""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.accounting import Account, account_id_of, edit_account
from cgrcore.actions import ActionTrigger, BalanceFilter, TriggerGroup
from cgrcore.actions.attach import add_triggers, group_of, keep_triggers, replace_triggers
from cgrcore.actions.build import parse_set
from cgrcore.actions.trigger_fields import changed_trigger
from cgrcore.errors import CgrError, NotFound, mandatory_missing, server_error
from cgrcore.money import nano_from_number
from cgrcore.timing import parse_time
from cgrcore.world import World
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []


def _zone(world: World) -> str:
    return str(world.settings["general"].get("default_timezone") or "UTC")


def _account(world: World, tenant: str, account: str) -> Account:
    """Return an existing account, to be changed. Raises NotFound."""
    account_id = account_id_of(world.tenant(tenant), account)
    world.state.table("accounts").require(account_id)
    return edit_account(world, account_id)


def _evaluate(world: World, account: Account) -> None:
    evaluate = world.parts.get("triggers")
    if evaluate is not None:
        evaluate(world, account)


class AccountArgs(Args):
    Tenant: str = ""
    Account: str = ""


@method("APIerSv1.GetAccountActionTriggers", mandatory=("Account",), aliases=apier_names("GetAccountActionTriggers"))
def get_account_action_triggers(world: World, args: AccountArgs) -> list[dict[str, Any]]:
    """Show the triggers of an account."""
    account_id = account_id_of(world.tenant(args.Tenant), args.Account)
    account = world.state.table("accounts").get(account_id)
    if account is None:
        raise server_error(NotFound(subject="accounts", subject_id=account_id))
    return [trigger.as_wire() for trigger in account.triggers or ()]


class AddAccountTriggersArgs(Args):
    Tenant: str = ""
    Account: str = ""
    ActionTriggerIDs: list[str] | None = None
    ActionTriggerOverwrite: bool = False
    ActivationDate: str = ""
    Executed: bool = False


@method("APIerSv1.AddAccountActionTriggers", mandatory=("Account",), aliases=apier_names("AddAccountActionTriggers"))
def add_account_action_triggers(world: World, args: AddAccountTriggersArgs) -> str:
    """Give an account the triggers of groups."""
    activates = parse_time(args.ActivationDate, world.now_at, _zone(world))
    account = _account(world, args.Tenant, args.Account)
    if args.ActionTriggerOverwrite:
        account.triggers = None
    for group_id in args.ActionTriggerIDs or ():
        add_triggers(
            account,
            [
                msgspec.structs.replace(
                    trigger,
                    activates_at=activates.at,
                    is_executed=args.Executed,
                )
                for trigger in group_of(world, group_id)
            ],
        )
    return "OK"


class AccountTriggerArgs(Args):
    Tenant: str = ""
    Account: str = ""
    GroupID: str = ""
    UniqueID: str = ""
    Executed: bool = False

    def means(self, trigger: ActionTrigger) -> bool:
        """Tell whether a trigger has the ids given; none given means any."""
        return self.GroupID in ("", trigger.id) and self.UniqueID in ("", trigger.unique_id)


@method(
    "APIerSv1.RemoveAccountActionTriggers", mandatory=("Account",), aliases=apier_names("RemoveAccountActionTriggers")
)
def remove_account_action_triggers(world: World, args: AccountTriggerArgs) -> str:
    """Take triggers from an account, all without ids."""
    keep_triggers(_account(world, args.Tenant, args.Account), lambda trigger: not args.means(trigger))
    return "OK"


@method(
    "APIerSv1.ResetAccountActionTriggers", mandatory=("Account",), aliases=apier_names("ResetAccountActionTriggers")
)
def reset_account_action_triggers(world: World, args: AccountTriggerArgs) -> str:
    """Mark triggers of an account as executed, or as ready; those that are ready fire when they should."""
    account = _account(world, args.Tenant, args.Account)
    replace_triggers(
        account,
        lambda it: msgspec.structs.replace(it, is_executed=args.Executed) if args.means(it) else it,
    )
    if not args.Executed:
        _evaluate(world, account)
    return "OK"


class SetAccountTriggersArgs(Args):
    Tenant: str = ""
    Account: str = ""
    GroupID: str = ""
    UniqueID: str = ""
    ActionTrigger: dict[str, Any] | None = None


@method("APIerSv1.SetAccountActionTriggers", mandatory=("Account",), aliases=apier_names("SetAccountActionTriggers"))
def set_account_action_triggers(world: World, args: SetAccountTriggersArgs) -> str:
    """Change the triggers of an account that the ids mean, or give it a new one; they fire when they should."""
    account = _account(world, args.Tenant, args.Account)
    fields = args.ActionTrigger or {}
    wanted = AccountTriggerArgs(GroupID=args.GroupID, UniqueID=args.UniqueID)
    if any(wanted.means(trigger) for trigger in account.triggers or ()):
        replace_triggers(account, lambda it: _changed(world, it, fields) if wanted.means(it) else it)
    else:
        _require_new(args.GroupID, fields)
        fresh = ActionTrigger(args.GroupID, args.UniqueID or world.new_id())
        add_triggers(account, [_changed(world, fresh, fields)])
    _evaluate(world, account)
    return "OK"


def _changed(world: World, trigger: ActionTrigger, fields: dict[str, Any]) -> ActionTrigger:
    return changed_trigger(trigger, fields, world.now_at, _zone(world))


def _require_new(group_id: str, fields: dict[str, Any]) -> None:
    if not group_id:
        raise mandatory_missing(("GroupID",))
    missing = [key for key in ("ThresholdType", "ThresholdValue") if key not in fields]
    if missing:
        raise mandatory_missing(missing)


class SetTriggerArgs(Args):
    GroupID: str = ""
    UniqueID: str = ""
    ActionTrigger: dict[str, Any] | None = None


@method("APIerSv1.SetActionTrigger", mandatory=("GroupID",), aliases=apier_names("SetActionTrigger"))
def set_action_trigger(world: World, args: SetTriggerArgs) -> str:
    """Change a trigger of a group, or add one."""
    table = world.state.table("action_triggers")
    group = table.get(args.GroupID) or TriggerGroup(args.GroupID, ())
    fields = args.ActionTrigger or {}
    if args.UniqueID and any(trigger.unique_id == args.UniqueID for trigger in group.triggers):
        triggers = [
            _changed(world, trigger, fields) if trigger.unique_id == args.UniqueID else trigger
            for trigger in group.triggers
        ]
    else:
        fresh = ActionTrigger(args.GroupID, args.UniqueID or world.new_id())
        triggers = [*group.triggers, _changed(world, fresh, fields)]
    table.put(args.GroupID, TriggerGroup(args.GroupID, tuple(triggers)))
    return "OK"


class GroupsArgs(Args):
    GroupIDs: list[str] | None = None


@method("APIerSv1.GetActionTriggers", aliases=apier_names("GetActionTriggers"))
def get_action_triggers(world: World, args: GroupsArgs) -> list[dict[str, Any]]:
    """Show the triggers of groups, of all without ids."""
    ids = args.GroupIDs or sorted(world.state.table("action_triggers"))
    return [trigger.as_wire() for group_id in ids for trigger in group_of(world, group_id)]


class RemoveTriggerArgs(Args):
    GroupID: str = ""
    UniqueID: str = ""


@method("APIerSv1.RemoveActionTrigger", mandatory=("GroupID",), aliases=apier_names("RemoveActionTrigger"))
def remove_action_trigger(world: World, args: RemoveTriggerArgs) -> str:
    """Remove a trigger of a group, or the whole group."""
    table = world.state.table("action_triggers")
    if not args.UniqueID:
        table.remove(args.GroupID)
        return "OK"
    kept = tuple(trigger for trigger in group_of(world, args.GroupID) if trigger.unique_id != args.UniqueID)
    if kept:
        table.put(args.GroupID, TriggerGroup(args.GroupID, kept))
    else:
        table.remove(args.GroupID)
    return "OK"


class AddTriggeredActionArgs(Args):
    ActionTriggersId: str = ""
    Tenant: str = ""
    Account: str = ""
    ThresholdType: str = ""
    ThresholdValue: Decimal = Decimal(0)
    BalanceId: str = ""
    BalanceType: str = ""
    BalanceDestinationIds: str = ""
    BalanceRatingSubject: str = ""
    BalanceWeight: Decimal = Decimal(0)
    BalanceExpiryTime: str = ""
    BalanceSharedGroup: str = ""
    Weight: Decimal = Decimal(0)
    ActionsId: str = ""


@method("APIerSv1.AddTriggeredAction", mandatory=("Account",), aliases=apier_names("AddTriggeredAction"))
def add_triggered_action(world: World, args: AddTriggeredActionArgs) -> str:
    """Give an account one trigger of its own (older form of SetAccountActionTriggers)."""
    try:
        expires = parse_time(args.BalanceExpiryTime, world.now_at, _zone(world))
    except CgrError as error:
        raise server_error(error) from None
    balance = BalanceFilter(
        id=args.BalanceId or None,
        type=args.BalanceType or None,
        expires_at=expires.at,
        expires_offset_s=expires.offset_s,
        weight_nano=nano_from_number(args.BalanceWeight) or None,
        destination_ids=parse_set(args.BalanceDestinationIds) or None,
        rating_subject=args.BalanceRatingSubject or None,
        shared_groups=parse_set(args.BalanceSharedGroup) or None,
    )
    trigger = ActionTrigger(
        args.ActionTriggersId,
        "",
        threshold_type=args.ThresholdType,
        threshold_nano=nano_from_number(args.ThresholdValue),
        balance=balance,
        weight_nano=nano_from_number(args.Weight),
        actions_id=args.ActionsId,
    )
    add_triggers(_account(world, args.Tenant, args.Account), [trigger])
    return "OK"
