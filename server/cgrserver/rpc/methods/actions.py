"""Methods on action sets: define, read, remove, execute."""

from collections.abc import Awaitable
from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.actions import Action, ActionSet
from cgrcore.actions.build import ActionText, build_action
from cgrcore.actions.run import run_actions, sorted_actions
from cgrcore.errors import BadRequest, Conflict, NotFound, server_error
from cgrcore.ports import Reads
from cgrcore.world import World
from cgrserver.rpc.registry import Args, apier_names, method
from cgrserver.services.last_cdr import find_last_summary

__all__: list[str] = []


class V1TPAction(Args):
    """An item of APIerSv1.SetActions: units and the weight of the balance are numbers, filters a list."""

    Identifier: str = ""
    BalanceId: str = ""
    BalanceUuid: str = ""
    BalanceType: str = ""
    Units: Decimal = Decimal(0)
    ExpiryTime: str = ""
    DestinationIds: str = ""
    RatingSubject: str = ""
    Categories: str = ""
    SharedGroups: str = ""
    BalanceWeight: Decimal | None = None
    ExtraParameters: str = ""
    Filters: list[str] | None = None
    BalanceBlocker: str = ""
    BalanceDisabled: str = ""
    Weight: Decimal = Decimal(0)
    TimingTags: str = ""


class SetActionsV1Args(Args):
    ActionsId: str = ""
    Overwrite: bool = False
    Actions: list[V1TPAction] | None = None


class TPAction(Args):
    """An item of APIerSv2.SetActions: all but the weight are texts."""

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


class SetActionsV2Args(Args):
    ActionsId: str = ""
    Overwrite: bool = False
    Actions: list[TPAction] | None = None


@method("APIerSv1.SetActions", mandatory=("ActionsId", "Actions"), aliases=("ApierV1.SetActions",))
def set_actions(world: World, args: SetActionsV1Args) -> str:
    """Define an action set."""
    items = args.Actions or []
    for item in items:
        _require(item.Identifier, [] if item.Identifier else ["Identifier"])
    return _store(world, args.ActionsId, args.Overwrite, [_text_of(item) for item in items])


def _fields_of(item: TPAction | V1TPAction) -> dict[str, Any]:
    fields = msgspec.structs.asdict(item)
    del fields["APIOpts"]
    return fields


def _text_of(item: V1TPAction) -> ActionText:
    fields = _fields_of(item)
    weight = fields["BalanceWeight"]
    return ActionText(
        **{
            **fields,
            "Units": f"{item.Units:f}",
            "BalanceWeight": "" if weight is None else f"{weight:f}",
            "Filters": ";".join(item.Filters or ()),
        }
    )


@method("APIerSv2.SetActions", mandatory=("ActionsId", "Actions"), aliases=("ApierV2.SetActions",))
def set_actions_v2(world: World, args: SetActionsV2Args) -> str:
    """Define an action set, from texts."""
    items = args.Actions or []
    for item in items:
        missing = [] if item.Identifier else ["Identifier"]
        if item.BalanceType and not item.Units:
            missing.append("Units")
        _require(item.Identifier, missing)
    return _store(world, args.ActionsId, args.Overwrite, [ActionText(**_fields_of(it)) for it in items])


def _require(identifier: str, missing: list[str]) -> None:
    if missing:
        raise BadRequest(f"MANDATORY_IE_MISSING:Action:{identifier}:[{' '.join(missing)}]")


def _store(world: World, set_id: str, overwrite: bool, texts: list[ActionText]) -> str:
    table = world.state.table("actions")
    if not overwrite and set_id in table:
        raise Conflict(subject="actions", subject_id=set_id)
    timings = world.state.table("timings")
    actions = tuple(build_action(set_id, text, timings.get, world.now_at) for text in texts)
    table.put(set_id, ActionSet(set_id, actions))
    return "OK"


def _actions_of(world: World, set_id: str) -> tuple[Action, ...]:
    found = world.state.table("actions").get(set_id)
    if found is None:
        raise server_error(NotFound(subject="actions", subject_id=set_id))
    actions: tuple[Action, ...] = found.actions
    return actions


@method("APIerSv1.GetActions", aliases=("ApierV1.GetActions",))
def get_actions(world: World, args: str) -> list[dict[str, Any]]:
    """Show an action set as the texts it could be set with."""
    if not args:
        raise BadRequest("MANDATORY_IE_MISSING ActionsId: ")
    return [{**ActionText.of(action), "Weight": _weight(action)} for action in _actions_of(world, args)]


def _weight(action: Action) -> Any:
    return action.as_wire()["Weight"]


class GetActionsArgs(Args):
    ActionIDs: list[str] | None = None
    Offset: int = 0
    Limit: int = 0


@method("APIerSv2.GetActions", aliases=("ApierV2.GetActions",))
def get_actions_v2(world: World, args: GetActionsArgs) -> dict[str, Any]:
    """Show action sets by their ids, all without ids."""
    ids = args.ActionIDs or sorted(world.state.table("actions"))
    if args.Offset > 0:
        ids = ids[args.Offset :]
    if args.Limit > 0:
        ids = ids[: args.Limit]
    return {set_id: [action.as_wire() for action in _actions_of(world, set_id)] for set_id in ids if set_id}


class NoArgs(Args):
    """Nothing is asked for."""


@method("APIerSv2.GetActionsCount", aliases=("ApierV2.GetActionsCount",))
def get_actions_count(world: World, args: NoArgs) -> int:
    """Count the action sets. NOT_FOUND for none."""
    count = len(world.state.table("actions"))
    if not count:
        raise NotFound(subject="actions")
    return count


class RemoveActionsArgs(Args):
    ActionIDs: list[str] | None = None


@method("APIerSv1.RemoveActions", aliases=apier_names("RemoveActions"))
def remove_actions(world: World, args: RemoveActionsArgs) -> str:
    """Remove action sets; those that do not exist are passed over."""
    if args.ActionIDs is None:
        raise NotFound(subject="actions")
    for set_id in args.ActionIDs:
        world.state.table("actions").remove(set_id)
    return "OK"


class ExecuteActionArgs(Args):
    Tenant: str = ""
    Account: str = ""
    ActionsId: str = ""


def _last_summary(store: Reads, world: World, args: ExecuteActionArgs) -> Awaitable[dict[str, Any]] | None:
    """Read what the account's last rated CDR says of it, for a set that asks for it; any other set need not wait."""
    actions = sorted_actions(world, args.ActionsId) or ()
    if not args.Account or all(action.type != "*reset_account_cdr" for action in actions):
        return None
    return find_last_summary(store, f"{world.tenant(args.Tenant)}:{args.Account}")


@method("APIerSv1.ExecuteAction", aliases=apier_names("ExecuteAction"), fetch=_last_summary)
def execute_action(world: World, args: ExecuteActionArgs, last_summary: dict[str, Any] | None) -> str:
    """Run an action set for an account, or for none."""
    account_id = f"{world.tenant(args.Tenant)}:{args.Account}" if args.Account else None
    run_actions(world, args.ActionsId, account_id, last_summary=last_summary)
    return "OK"
