"""Loading tariff plans: from folders, from the store of plans, one object at a time; importing files into the store."""

import base64
import re
from pathlib import Path
from typing import Any

import structlog
import trio

from cgrcore.errors import BadRequest, CgrError, NotFound, PartiallyExecuted, server_error
from cgrcore.scheduling.due import reload_schedule
from cgrcore.tariffplan import (
    KINDS,
    KINDS_BY_FILE,
    Defaults,
    Plan,
    PlanRefused,
    load,
    load_account_actions,
    load_destination,
    load_rating_plans,
    load_rating_profiles,
    load_shared_group,
    read_files,
    store_plan,
    stored_plan,
    unload,
    write_files,
)
from cgrcore.tariffplan.records import TpAccountActions, TpRatingProfile
from cgrcore.timing import format_time
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method
from cgrserver.tariffs import read_folder, read_zip, write_folder, write_zip

__all__: list[str] = []

log = structlog.get_logger()

NO_CSV = "ERROR: finding csv files!"
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=\r\n]")

#: What CGRateS answers without a prefix.
_BARE = frozenset(("invalid data",))


class FolderArgs(Args):
    FolderPath: str = ""
    DryRun: bool = False
    Validate: bool = False
    APIOpts: dict[str, Any] | None = None
    Caching: str | None = None


class StoredArgs(Args):
    TPid: str = ""
    DryRun: bool = False
    Validate: bool = False
    APIOpts: dict[str, Any] | None = None
    Caching: str | None = None


class ImportArgs(Args):
    TPid: str = ""
    FolderPath: str = ""
    RunId: str = ""
    CsvSeparator: str = ""
    APIOpts: dict[str, Any] | None = None


class ZipArgs(Args):
    TPid: str = ""
    File: str = ""


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


def _names(name: str) -> tuple[str, ...]:
    return (f"ApierV1.{name}", f"APIerSv2.{name}", f"ApierV2.{name}")


def _told(error: CgrError, source: str) -> CgrError:
    """Return an error as clients read it. All that is wrong with a plan goes to the log, with its places."""
    if isinstance(error, PlanRefused):
        for line in error.report:
            log.warning("tariff plan refused", source=source, mistake=line)
        return PlanRefused(error.mistakes, "" if str(error) in _BARE else "SERVER_ERROR: ")
    return server_error(error)


async def _read_folder(store: Any, world: World, args: FolderArgs) -> Plan:
    """Read a folder in a thread of its own, since a large one takes seconds."""
    if not args.FolderPath:
        raise BadRequest("MANDATORY_IE_MISSING:FolderPath")
    defaults = Defaults(world.tenant(""))

    def read() -> Plan:
        return read_files(read_folder(Path(args.FolderPath)), defaults)

    return await trio.to_thread.run_sync(read)


def _load(world: World, plan: Plan, args: FolderArgs | StoredArgs, source: str) -> None:
    try:
        load(world, plan, must_be_sound=args.Validate)
    except CgrError as error:
        raise _told(error, source) from None
    if args.DryRun:
        world.state.undo()
    else:
        reload_schedule(world)


@method("APIerSv1.LoadTariffPlanFromFolder", fetch=_read_folder, aliases=("ApierV1.LoadTariffPlanFromFolder",))
def load_tariff_plan_from_folder(world: World, args: FolderArgs, plan: Plan) -> str:
    """Load a folder of CSV files whole, or refuse it with every mistake in the log and change nothing."""
    _load(world, plan, args, args.FolderPath)
    return "OK"


@method("APIerSv2.LoadTariffPlanFromFolder", fetch=_read_folder, aliases=("ApierV2.LoadTariffPlanFromFolder",))
def load_tariff_plan_from_folder_v2(world: World, args: FolderArgs, plan: Plan) -> dict[str, Any]:
    """Load a folder of CSV files whole, or refuse it; return what marks the load."""
    _load(world, plan, args, args.FolderPath)
    load_id = world.new_id()
    return {
        "LoadID": load_id,
        "RatingLoadID": load_id,
        "AccountingLoadID": load_id,
        "LoadTime": format_time(world.now_at),
    }


@method("APIerSv1.RemoveTPFromFolder", fetch=_read_folder, aliases=_names("RemoveTPFromFolder"))
def remove_tp_from_folder(world: World, args: FolderArgs, plan: Plan) -> str:
    """Remove from force what a folder of CSV files names. Accounts stay."""
    _unload(world, plan, args, args.FolderPath)
    return "OK"


@method("APIerSv1.LoadTariffPlanFromStorDb", mandatory=("TPid",), aliases=_names("LoadTariffPlanFromStorDb"))
def load_tariff_plan_from_stor_db(world: World, args: StoredArgs) -> str:
    """Load a stored tariff plan whole, or refuse it and change nothing. A plan without objects loads nothing."""
    _load(world, stored_plan(world, args.TPid), args, args.TPid)
    return "OK"


@method("APIerSv1.RemoveTPFromStorDB", mandatory=("TPid",), aliases=_names("RemoveTPFromStorDB"))
def remove_tp_from_stor_db(world: World, args: StoredArgs) -> str:
    """Remove from force what a stored tariff plan names; the stored plan stays, and so do accounts."""
    _unload(world, stored_plan(world, args.TPid), args, args.TPid)
    return "OK"


def _unload(world: World, plan: Plan, args: FolderArgs | StoredArgs, source: str) -> None:
    if plan.mistakes:
        raise _told(PlanRefused(plan.mistakes), source)
    if not args.DryRun:
        unload(world, plan)
        reload_schedule(world)


async def _read_import(store: Any, world: World, args: ImportArgs) -> Plan:
    defaults = Defaults(world.tenant(""), args.TPid, args.RunId)
    separator = args.CsvSeparator or ","

    def read() -> Plan:
        return read_files(read_folder(Path(args.FolderPath)), defaults, separator=separator, refuse_repeats=False)

    return await trio.to_thread.run_sync(read)


@method(
    "APIerSv1.ImportTariffPlanFromFolder",
    mandatory=("TPid", "FolderPath"),
    fetch=_read_import,
    aliases=_names("ImportTariffPlanFromFolder"),
)
def import_tariff_plan_from_folder(world: World, args: ImportArgs, plan: Plan) -> str:
    """Import a folder of CSV files into the store of plans, or refuse it with every mistake in the log."""
    if plan.mistakes:
        raise _told(PlanRefused(plan.mistakes), args.FolderPath)
    store_plan(world, plan)
    return "OK"


@method("APIerSv1.ImportTPZipFile", aliases=_names("ImportTPZipFile"))
def import_tp_zip_file(world: World, args: ZipArgs) -> str:
    """Import an archive of CSV files (base64) into the store of plans; a file with a mistake is left out whole."""
    wrong = _NOT_BASE64.search(args.File)
    try:
        archive = base64.b64decode("".join(args.File.split()), validate=True)
    except ValueError:
        place = wrong.start() if wrong else len(args.File)
        raise BadRequest(f"illegal base64 data at input byte {place}") from None
    files = read_zip(archive)
    if not files or not args.TPid:
        return NO_CSV
    known = {name: content for name, content in files.items() if name in KINDS_BY_FILE}
    plan = read_files(known, Defaults(world.tenant(""), args.TPid), refuse_repeats=False)
    store_plan(world, plan)
    if plan.mistakes:
        _told(PlanRefused(plan.mistakes), f"archive for {args.TPid}")
        raise PartiallyExecuted()
    return "OK"


class ExportArgs(Args):
    TPid: str = ""
    FileFormat: str | None = None
    FieldSeparator: str | None = None
    ExportPath: str | None = None
    Compress: bool | None = None


@method("APIerSv1.ExportTPToZipString", mandatory=("TPid",), aliases=_names("ExportTPToZipString"))
def export_tp_to_zip_string(world: World, args: ExportArgs) -> str:
    """Return a stored tariff plan as an archive of CSV files, in base64."""
    files = _exported(world, args)
    return base64.b64encode(write_zip(files)).decode()


async def _write_export(store: Any, world: World, args: ExportArgs) -> list[str]:
    files = _exported(world, args)
    folder = Path(args.ExportPath or "")
    if args.Compress:
        await trio.to_thread.run_sync(write_folder, folder, {"tpexport.zip": write_zip(files)})
    else:
        await trio.to_thread.run_sync(write_folder, folder, files)
    return sorted(files)


@method(
    "APIerSv1.ExportTPToFolder",
    mandatory=("TPid",),
    fetch=_write_export,
    aliases=_names("ExportTPToFolder"),
)
def export_tp_to_folder(world: World, args: ExportArgs, names: list[str]) -> dict[str, Any]:
    """Write a stored tariff plan as CSV files into a folder of the server; return what was written."""
    return {"ExportPath": args.ExportPath, "ExportedFiles": names, "Compressed": bool(args.Compress)}


def _exported(world: World, args: ExportArgs) -> dict[str, bytes]:
    files = write_files(stored_plan(world, args.TPid), KINDS, args.FieldSeparator or ",")
    if not files:
        raise server_error(NotFound(subject="tariff plan", subject_id=args.TPid))
    return files


@method("APIerSv1.LoadDestination", mandatory=("TPid",), aliases=_names("LoadDestination"))
def load_one_destination(world: World, args: DestinationArgs) -> str:
    """Load a destination of a stored plan; all of its destinations when no id is given."""
    try:
        load_destination(world, args.TPid, args.ID)
    except CgrError as error:
        raise _told(error, args.TPid) from None
    return "OK"


@method("APIerSv1.LoadSharedGroup", mandatory=("TPid",), aliases=_names("LoadSharedGroup"))
def load_one_shared_group(world: World, args: SharedGroupArgs) -> str:
    """Load a shared group of a stored plan; all of its shared groups when no id is given."""
    try:
        load_shared_group(world, args.TPid, args.SharedGroupId)
    except CgrError as error:
        raise _told(error, args.TPid) from None
    return "OK"


@method("APIerSv1.LoadRatingPlan", mandatory=("TPid",), aliases=_names("LoadRatingPlan"))
def load_one_rating_plan(world: World, args: RatingPlanArgs) -> str:
    """Load a rating plan of a stored plan with its destinations; all of its rating plans when no id is given."""
    try:
        load_rating_plans(world, args.TPid, args.RatingPlanId)
    except CgrError as error:
        raise _told(error, args.TPid) from None
    return "OK"


def _load_profiles(world: World, wanted: TpRatingProfile) -> str:
    try:
        load_rating_profiles(world, wanted)
    except CgrError as error:
        raise _told(error, wanted.TPid) from None
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
        raise _told(error, wanted.TPid) from None
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
