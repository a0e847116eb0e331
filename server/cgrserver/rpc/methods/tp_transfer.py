"""Tariff plans in and out of the store of plans: folders and archives of CSV files."""

import base64
import re
from pathlib import Path
from typing import Any

import trio

from cgrcore.errors import BadRequest, NotFound, PartiallyExecuted, server_error
from cgrcore.tariffplan import (
    KINDS,
    KINDS_BY_FILE,
    Defaults,
    Plan,
    PlanRefused,
    read_files,
    store_plan,
    stored_plan,
    write_files,
)
from cgrcore.world import World
from cgrserver.rpc.refusals import told
from cgrserver.rpc.registry import Args, apier_names, method
from cgrserver.tariffs import read_folder, read_zip, write_folder, write_zip

__all__: list[str] = []

NO_CSV = "ERROR: finding csv files!"
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=\r\n]")


class ImportArgs(Args):
    TPid: str = ""
    FolderPath: str = ""
    RunId: str = ""
    CsvSeparator: str = ""
    APIOpts: dict[str, Any] | None = None


class ZipArgs(Args):
    TPid: str = ""
    File: str = ""


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
    aliases=apier_names("ImportTariffPlanFromFolder"),
)
def import_tariff_plan_from_folder(world: World, args: ImportArgs, plan: Plan) -> str:
    """Import a folder of CSV files into the store of plans, or refuse it with every mistake in the log."""
    if plan.mistakes:
        raise told(PlanRefused(plan.mistakes), args.FolderPath)
    store_plan(world, plan)
    return "OK"


async def _read_archive(store: Any, world: World, args: ZipArgs) -> Plan | None:
    """Read an archive in a thread of its own; None for one without CSV files, or without a plan to import into."""
    defaults = Defaults(world.tenant(""), args.TPid)

    def read() -> Plan | None:
        files = read_zip(_decoded(args.File))
        if not files or not args.TPid:
            return None
        known = {name: content for name, content in files.items() if name in KINDS_BY_FILE}
        return read_files(known, defaults, refuse_repeats=False)

    return await trio.to_thread.run_sync(read)


def _decoded(text: str) -> bytes:
    wrong = _NOT_BASE64.search(text)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        place = wrong.start() if wrong else len(text)
        raise BadRequest(f"illegal base64 data at input byte {place}") from None


@method("APIerSv1.ImportTPZipFile", fetch=_read_archive, aliases=apier_names("ImportTPZipFile"))
def import_tp_zip_file(world: World, args: ZipArgs, plan: Plan | None) -> str:
    """Import an archive of CSV files (base64) into the store of plans; a file with a mistake is left out whole."""
    if plan is None:
        return NO_CSV
    store_plan(world, plan)
    if plan.mistakes:
        told(PlanRefused(plan.mistakes), f"archive for {args.TPid}")
        raise PartiallyExecuted()
    return "OK"


class ExportArgs(Args):
    TPid: str = ""
    FileFormat: str | None = None
    FieldSeparator: str | None = None
    ExportPath: str | None = None
    Compress: bool | None = None


@method("APIerSv1.ExportTPToZipString", mandatory=("TPid",), aliases=apier_names("ExportTPToZipString"))
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
    aliases=apier_names("ExportTPToFolder"),
)
def export_tp_to_folder(world: World, args: ExportArgs, names: list[str]) -> dict[str, Any]:
    """Write a stored tariff plan as CSV files into a folder of the server; return what was written."""
    return {"ExportPath": args.ExportPath, "ExportedFiles": names, "Compressed": bool(args.Compress)}


def _exported(world: World, args: ExportArgs) -> dict[str, bytes]:
    files = write_files(stored_plan(world, args.TPid), KINDS, args.FieldSeparator or ",")
    if not files:
        raise server_error(NotFound(subject="tariff plan", subject_id=args.TPid))
    return files
