"""`cgrcore rerate`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

__all__ = ["rerate"]


def rerate(
    *,
    tariff: Path,
    input_: Annotated[list[str], Parameter(name="--input", negative="", consume_multiple=True)],
    output: str,
    mapping: Path | None = None,
    rejected: str = "",
    table: str = "cdrs",
    output_table: str = "cdrs_rerated",
    output_format: Literal["", "csv", "csv.gz", "csv.zst", "parquet", "arrow"] = "",
    breakdown: Annotated[bool, Parameter(negative="")] = False,
    threads: int = 0,
    engine: Literal["threads", "dask"] = "threads",
    scheduler: str = "",
    config: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Rate files or tables of CDRs anew.

    Every row of the input is in the output, with `Cost`, `DestinationID`, `RatingPlanID` and `Error` behind its own
    columns. Rows that cannot be rated have the reason in `Error`, and are in a file of their own too. An output that is
    there already is replaced when the new one is whole, not before. Accounts are not touched. See docs/rerating.md.

    Examples: `cgrcore rerate --tariff tariffplans/retail --input march.csv.gz --output march.parquet`,
    `cgrcore rerate --tariff new --input cdrs/ --output rated/ --output-format parquet --threads 8`,
    `cgrcore rerate --tariff new --input cgrcore.db --output march.csv`,
    `cgrcore rerate --tariff new --input postgresql://cdrs@db/billing --table calls --mapping calls.toml
    --output rerated.parquet`.

    Parameters
    ----------
    tariff:
        The folder with Destinations.csv, Rates.csv, ...
    input_:
        Files (CSV, also .gz or .zst; Parquet; Arrow; SQLite), folders of them, or PostgreSQL databases as URLs.
    output:
        A file of one of these formats, by its name; a folder (its name ends in /), which gets a file for each of the
        input's; or a PostgreSQL database.
    mapping:
        A TOML file that says how the columns are called. Without it: as the fields of CDRs (Tenant, Category, Account,
        Subject, Destination, AnswerTime, Usage, RequestType, ToR), or as in the server's table of CDRs.
    rejected:
        Where rows go that cannot be rated. Beside the output when not given: out.rejected.csv beside out.csv.
    table:
        The table or view to read of a database.
    output_table:
        The table to make in a database. It must not be there yet.
    output_format:
        The format of the files in a folder; that of the input's when not given.
    breakdown:
        Add a column `Breakdown` with the priced spans of each call, as JSON.
    threads:
        How many threads rate, or with Dask processes; as many as there are processors when not given.
    engine:
        Who rates: threads of this process, or Dask's workers.
    scheduler:
        The address of a Dask cluster's scheduler, such as tcp://10.0.0.1:8786. Without it one is started here.
    config:
        A configuration file, or a folder whose *.json files are read in alphabetical order: defaults for tenant,
        category and time zone, and the limits of usage.
    set_:
        One setting over the configuration, as section.key=value; may be given again and again.
    quiet:
        Show no progress.
    """
    import os
    import sys

    try:
        import pyarrow  # noqa: F401
    except ImportError:
        print("rerate needs pyarrow: pip install 'cgrcore[columns]'", file=sys.stderr)
        return 1
    from cgrserver import settings
    from cgrserver.rerating.command import Wanted, rerate_files
    from cgrserver.rerating.mapping import read_mapping
    from cgrserver.rerating.rating import Plan
    from cgrserver.rerating.writing import Places
    from cgrserver.tariffs import read_folder

    contents = read_folder(tariff)
    if not contents:
        print(f"{tariff}: no file of a tariff plan in this folder", file=sys.stderr)
        return 1
    columns = read_mapping(mapping)
    wanted = Wanted(
        plan=Plan(contents, settings.load(config, set_ or ())),
        mapping=columns,
        inputs=tuple(input_),
        table=table,
        places=Places(output, rejected, output_table, output_format, columns.csv.delimiter),
        with_breakdown=breakdown,
        threads=threads if threads > 0 else len(os.sched_getaffinity(0)),
        is_distributed=engine == "dask",
        scheduler=scheduler,
        is_quiet=quiet,
    )
    return rerate_files(wanted)
