"""Loading one object of a stored plan: a destination, a rating plan or profile, a shared group, account actions."""

from cgrcore.errors import BadRequest, CgrError
from cgrcore.scheduling.due import reload_schedule
from cgrcore.tariffplan import (
    load_account_actions,
    load_destination,
    load_rating_plans,
    load_rating_profiles,
    load_shared_group,
)
from cgrcore.tariffplan.records import TpAccountActions, TpRatingProfile
from cgrcore.world import World
from cgrserver.rpc.refusals import told
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []


class DestinationArgs(Args):
    TPid: str = ""
    ID: str = ""


class RatingPlanArgs(Args):
    TPid: str = ""
    RatingPlanId: str = ""


class SharedGroupArgs(Args):
    TPid: str = ""
    SharedGroupId: str = ""


class RatingProfileIdArgs(Args):
    TPid: str = ""
    RatingProfileID: str = ""


class AccountActionsIdArgs(Args):
    TPid: str = ""
    AccountActionsId: str = ""


@method("APIerSv1.LoadDestination", mandatory=("TPid",), aliases=apier_names("LoadDestination"))
def load_one_destination(world: World, args: DestinationArgs) -> str:
    """Load a destination of a stored plan; all of its destinations when no id is given."""
    try:
        load_destination(world, args.TPid, args.ID)
    except CgrError as error:
        raise told(error, args.TPid) from None
    return "OK"


@method("APIerSv1.LoadSharedGroup", mandatory=("TPid",), aliases=apier_names("LoadSharedGroup"))
def load_one_shared_group(world: World, args: SharedGroupArgs) -> str:
    """Load a shared group of a stored plan; all of its shared groups when no id is given."""
    try:
        load_shared_group(world, args.TPid, args.SharedGroupId)
    except CgrError as error:
        raise told(error, args.TPid) from None
    return "OK"


@method("APIerSv1.LoadRatingPlan", mandatory=("TPid",), aliases=apier_names("LoadRatingPlan"))
def load_one_rating_plan(world: World, args: RatingPlanArgs) -> str:
    """Load a rating plan of a stored plan with its destinations; all of its rating plans when no id is given."""
    try:
        load_rating_plans(world, args.TPid, args.RatingPlanId)
    except CgrError as error:
        raise told(error, args.TPid) from None
    return "OK"


def _load_profiles(world: World, wanted: TpRatingProfile) -> str:
    try:
        load_rating_profiles(world, wanted)
    except CgrError as error:
        raise told(error, wanted.TPid) from None
    return "OK"


@method("APIerSv1.LoadRatingProfile", mandatory=("TPid",), aliases=("ApierV1.LoadRatingProfile",))
def load_rating_profile(world: World, args: TpRatingProfile) -> str:
    """Load the rating profiles of a stored plan that have the fields given."""
    args.Tenant = world.tenant(args.Tenant)
    return _load_profiles(world, args)


@method("APIerSv2.LoadRatingProfile", mandatory=("TPid",), aliases=("ApierV2.LoadRatingProfile",))
def load_rating_profile_v2(world: World, args: RatingProfileIdArgs) -> str:
    """Load the rating profile of a stored plan with that id (`load:tenant:category:subject`); all without one."""
    parts = args.RatingProfileID.split(":") if args.RatingProfileID else [""] * 4
    if len(parts) != 4:
        raise BadRequest(f"Wrong TPRatingProfileId: {args.RatingProfileID}")
    load_id, tenant, category, subject = parts
    return _load_profiles(world, TpRatingProfile(args.TPid, load_id, tenant, category, subject))


def _load_accounts(world: World, wanted: TpAccountActions) -> str:
    try:
        load_account_actions(world, wanted)
    except CgrError as error:
        raise told(error, wanted.TPid) from None
    reload_schedule(world)
    return "OK"


@method("APIerSv1.LoadAccountActions", mandatory=("TPid",), aliases=("ApierV1.LoadAccountActions",))
def load_one_account_actions(world: World, args: TpAccountActions) -> str:
    """Load the account actions of a stored plan that have the fields given, with what they name."""
    return _load_accounts(world, args)


@method("APIerSv2.LoadAccountActions", mandatory=("TPid",), aliases=("ApierV2.LoadAccountActions",))
def load_account_actions_v2(world: World, args: AccountActionsIdArgs) -> str:
    """Load the account actions of a stored plan with that id (`load:tenant:account`), with what they name; all without
    one.
    """
    parts = args.AccountActionsId.split(":") if args.AccountActionsId else [""] * 3
    if len(parts) != 3:
        raise BadRequest(f"Wrong TP Account Action Id: {args.AccountActionsId}")
    load_id, tenant, account = parts
    return _load_accounts(world, TpAccountActions(args.TPid, load_id, tenant, account))
