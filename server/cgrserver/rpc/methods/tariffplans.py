"""Methods that load tariff plans."""

from pathlib import Path
from typing import Any

import structlog
import trio

from cgrcore.errors import BadRequest
from cgrcore.scheduling.due import reload_schedule
from cgrcore.tariffplan import PlanRefused, load_plan
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method
from cgrserver.tariffs import read_folder

__all__: list[str] = []

log = structlog.get_logger()


class LoadFolderArgs(Args):
    FolderPath: str = ""
    DryRun: bool = False
    Validate: bool = False
    APIOpts: dict[str, Any] | None = None
    Caching: str | None = None


async def _read(store: Any, world: World, args: LoadFolderArgs) -> dict[str, bytes]:
    if not args.FolderPath:
        raise BadRequest("MANDATORY_IE_MISSING:FolderPath")
    return await trio.to_thread.run_sync(read_folder, Path(args.FolderPath))


@method(
    "APIerSv1.LoadTariffPlanFromFolder",
    fetch=_read,
    aliases=("ApierV1.LoadTariffPlanFromFolder", "APIerSv2.LoadTariffPlanFromFolder", "ApierV2.LoadTariffPlanFromFolder"),
)
def load_tariff_plan_from_folder(world: World, args: LoadFolderArgs, contents: dict[str, bytes]) -> str:
    """Load a folder of CSV files whole, or refuse it with every mistake in the log and change nothing."""
    try:
        load_plan(world, contents)
    except PlanRefused as refused:
        for mistake in refused.mistakes:
            log.warning("tariff plan refused", folder=args.FolderPath, mistake=str(mistake))
        raise
    if args.DryRun:
        world.state.undo()
        return "OK"
    reload_schedule(world)
    return "OK"
