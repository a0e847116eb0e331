"""The store of tariff plans: SetTP*, GetTP*, GetTP*Ids, RemoveTP* of every kind of object, from the table of kinds."""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.errors import BadRequest, NotFound, mandatory_missing
from cgrcore.tariffplan import (
    KINDS,
    Kind,
    find_item,
    ids_of_plan,
    items_of_plan,
    plan_ids,
    remove_item,
    remove_stored_plan,
    store_item,
)
from cgrcore.tariffplan.records import TpAccountActions, TpActionPlan, TpDestination, TpRatingProfile
from cgrcore.world import World
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []

_BY_NAME = {kind.name: kind for kind in KINDS}

#: Methods that APIerSv2 has in a form of its own.
_OWN_IN_V2 = frozenset(("SetTPDestination", "GetTPDestination", "RemoveTPDestination"))


class PlanArgs(Args):
    TPid: str = ""


class ListArgs(Args):
    """What ids to list. All but the plan is taken and has no effect, as with CGRateS's own store."""

    TPid: str = ""
    Tenant: str = ""
    Limit: int | None = None
    Offset: int | None = None
    Search: str = ""


class IdArgs(Args):
    TPid: str = ""
    ID: str = ""


class TenantIdArgs(Args):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""


class RatingProfileIdArgs(Args):
    TPid: str = ""
    RatingProfileID: str = ""


class AccountActionsIdArgs(Args):
    TPid: str = ""
    AccountActionsId: str = ""


class TagArgs(Args):
    TPid: str = ""
    Tag: str = ""


class LoadIdsArgs(Args):
    TPid: str = ""
    Tenant: str = ""
    Category: str = ""
    Subject: str = ""


class NoArgs(Args):
    pass


def _names(name: str) -> tuple[str, ...]:
    return (f"ApierV1.{name}",) if name in _OWN_IN_V2 else apier_names(name)


def _shown(item: Any) -> Any:
    return msgspec.to_builtins(item, builtin_types=(Decimal,))


def _address(kind: Kind) -> tuple[type[Args], tuple[str, ...]]:
    """Return how an object of a kind is named in requests: the arguments, and those that are mandatory."""
    if kind.name == "rating_profiles":
        return RatingProfileIdArgs, ("TPid", "RatingProfileID")
    if kind.name == "account_actions":
        return AccountActionsIdArgs, ("TPid", "AccountActionsId")
    return (TenantIdArgs if kind.has_tenant else IdArgs), ("TPid", "ID")


def _item_id(world: World, args: Any) -> str:
    if isinstance(args, RatingProfileIdArgs):
        if args.RatingProfileID.count(":") != 3:
            raise BadRequest(f"Wrong TPRatingProfileId: {args.RatingProfileID}")
        return args.RatingProfileID
    if isinstance(args, AccountActionsIdArgs):
        if args.AccountActionsId.count(":") != 2:
            raise BadRequest(f"Wrong TP Account Action Id: {args.AccountActionsId}")
        return args.AccountActionsId
    if isinstance(args, TenantIdArgs):
        return f"{world.tenant(args.Tenant)}:{args.ID}"
    item_id: str = args.ID
    return item_id


def _check_action_plan(item: TpActionPlan) -> None:
    for line in item.ActionPlan or ():
        missing = [field for field in ("ActionsId", "TimingId", "Weight") if not getattr(line, field)]
        if missing:
            raise BadRequest(f"MANDATORY_IE_MISSING:Action:{line.ActionsId}:[{' '.join(missing)}]")


def _declare(kind: Kind) -> None:
    """Declare the methods on one kind of object."""
    what = f"{kind.name.replace('_', ' ')} of a stored tariff plan"

    def set_item(world: World, args: Any) -> str:
        if isinstance(args, TpActionPlan):
            _check_action_plan(args)
        store_item(world, kind, args)
        return "OK"

    def get_item(world: World, args: Any) -> Any:
        return _shown(find_item(world, kind, args.TPid, _item_id(world, args)))

    def remove(world: World, args: Any) -> str:
        remove_item(world, kind, args.TPid, _item_id(world, args))
        return "OK"

    def get_ids(world: World, args: Any) -> list[str]:
        return ids_of_plan(world, kind, args.TPid)

    set_item.__doc__ = f"Keep an object among the {what}, in place of the one with its id."
    get_item.__doc__ = f"Return one of the {what}."
    remove.__doc__ = f"Remove one of the {what}, if it is there."
    get_ids.__doc__ = f"Return the ids of the {what}."
    address, mandatory = _address(kind)
    for name, decide, args, needed in (
        (f"SetTP{kind.wire}", set_item, kind.record, kind.mandatory),
        (f"GetTP{kind.wire}", get_item, address, mandatory),
        (f"RemoveTP{kind.wire}", remove, address, mandatory),
        (kind.ids_method, get_ids, ListArgs, ("TPid",)),
    ):
        method(f"APIerSv1.{name}", args=args, mandatory=needed, aliases=_names(name))(decide)


for _kind in KINDS:
    if _kind.wire:
        _declare(_kind)


@method("APIerSv2.SetTPDestination", mandatory=("TPid", "ID", "Prefixes"), aliases=("ApierV2.SetTPDestination",))
def set_tp_destination(world: World, args: TpDestination) -> str:
    """Keep a destination of a stored tariff plan, in place of the one with its id."""
    store_item(world, _BY_NAME["destinations"], args)
    return "OK"


@method("APIerSv2.GetTPDestination", mandatory=("TPid", "Tag"), aliases=("ApierV2.GetTPDestination",))
def get_tp_destination(world: World, args: TagArgs) -> Any:
    """Return a destination of a stored tariff plan."""
    return _shown(find_item(world, _BY_NAME["destinations"], args.TPid, args.Tag))


@method("APIerSv2.RemoveTPDestination", mandatory=("TPid", "Tag"), aliases=("ApierV2.RemoveTPDestination",))
def remove_tp_destination(world: World, args: TagArgs) -> str:
    """Remove a destination of a stored tariff plan, if it is there."""
    remove_item(world, _BY_NAME["destinations"], args.TPid, args.Tag)
    return "OK"


@method("APIerSv1.GetTPRatingProfileLoadIds", mandatory=("TPid",), aliases=_names("GetTPRatingProfileLoadIds"))
def get_tp_rating_profile_load_ids(world: World, args: LoadIdsArgs) -> list[str]:
    """Return the load ids of a plan's rating profiles that have the fields given."""
    items = items_of_plan(world, _BY_NAME["rating_profiles"], args.TPid).values()
    fields = ("Tenant", "Category", "Subject")
    return sorted({i.LoadId for i in items if all(getattr(args, f) in ("", getattr(i, f)) for f in fields)})


@method(
    "APIerSv1.GetTPRatingProfilesByLoadID",
    mandatory=("TPid", "LoadId"),
    aliases=_names("GetTPRatingProfilesByLoadID"),
)
def get_tp_rating_profiles_by_load_id(world: World, args: TpRatingProfile) -> Any:
    """Return the rating profiles of one load of a plan."""
    return _of_load(world, "rating_profiles", args, ("LoadId", "Tenant", "Category", "Subject"))


@method("APIerSv1.GetTPAccountActionLoadIds", mandatory=("TPid",), aliases=_names("GetTPAccountActionLoadIds"))
def get_tp_account_action_load_ids(world: World, args: ListArgs) -> list[str]:
    """Return the load ids of a plan's account actions."""
    return sorted({item.LoadId for item in items_of_plan(world, _BY_NAME["account_actions"], args.TPid).values()})


@method(
    "APIerSv1.GetTPAccountActionsByLoadId",
    mandatory=("TPid", "LoadId"),
    aliases=_names("GetTPAccountActionsByLoadId"),
)
def get_tp_account_actions_by_load_id(world: World, args: TpAccountActions) -> Any:
    """Return the account actions of one load of a plan."""
    return _of_load(world, "account_actions", args, ("LoadId", "Tenant", "Account"))


def _of_load(world: World, name: str, args: Any, fields: tuple[str, ...]) -> Any:
    items = items_of_plan(world, _BY_NAME[name], args.TPid).values()
    found = [item for item in items if all(getattr(args, f) in ("", getattr(item, f)) for f in fields)]
    if not found:
        raise NotFound(subject=name, subject_id=args.LoadId)
    return _shown(found)


@method("APIerSv1.GetTPIds", aliases=_names("GetTPIds"))
def get_tp_ids(world: World, args: NoArgs) -> list[str]:
    """Return the ids of all stored tariff plans."""
    return plan_ids(world)


@method("APIerSv1.RemTP", aliases=_names("RemTP"))
def rem_tp(world: World, args: PlanArgs) -> str:
    """Remove a stored tariff plan; what was loaded from it stays in force."""
    if not args.TPid:
        raise mandatory_missing(("TPid",))
    remove_stored_plan(world, args.TPid)
    return "OK"
