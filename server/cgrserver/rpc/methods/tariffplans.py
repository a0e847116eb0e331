"""Loading tariff plans into force, whole: from folders and from the store of plans; and taking them out again."""

from pathlib import Path
from typing import Any

import trio

from cgrcore.errors import BadRequest, CgrError
from cgrcore.scheduling.due import reload_schedule
from cgrcore.tariffplan import Defaults, Plan, PlanRefused, load, read_files, stored_plan, unload
from cgrcore.timing import format_time
from cgrcore.world import World
from cgrserver.rpc.refusals import told
from cgrserver.rpc.registry import Args, apier_names, method
from cgrserver.tariffs import read_folder

__all__: list[str] = []


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
        raise told(error, source) from None
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


@method("APIerSv1.RemoveTPFromFolder", fetch=_read_folder, aliases=apier_names("RemoveTPFromFolder"))
def remove_tp_from_folder(world: World, args: FolderArgs, plan: Plan) -> str:
    """Remove from force what a folder of CSV files names. Accounts stay."""
    _unload(world, plan, args, args.FolderPath)
    return "OK"


@method("APIerSv1.LoadTariffPlanFromStorDb", mandatory=("TPid",), aliases=apier_names("LoadTariffPlanFromStorDb"))
def load_tariff_plan_from_stor_db(world: World, args: StoredArgs) -> str:
    """Load a stored tariff plan whole, or refuse it and change nothing. A plan without objects loads nothing."""
    _load(world, stored_plan(world, args.TPid), args, args.TPid)
    return "OK"


@method("APIerSv1.RemoveTPFromStorDB", mandatory=("TPid",), aliases=apier_names("RemoveTPFromStorDB"))
def remove_tp_from_stor_db(world: World, args: StoredArgs) -> str:
    """Remove from force what a stored tariff plan names; the stored plan stays, and so do accounts."""
    _unload(world, stored_plan(world, args.TPid), args, args.TPid)
    return "OK"


def _unload(world: World, plan: Plan, args: FolderArgs | StoredArgs, source: str) -> None:
    if plan.mistakes:
        raise told(PlanRefused(plan.mistakes), source)
    if not args.DryRun:
        unload(world, plan)
        reload_schedule(world)
