"""`cgrcore rerate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from cgrserver.rerating.posting import Posting

__all__ = ["rerate"]

#: How long the server may take to correct a batch.
_ANSWER_TIMEOUT_S = 60.0


def rerate(
    *,
    tariff: Path,
    input_: Annotated[list[str], Parameter(name="--input", negative="", consume_multiple=True)],
    output: str,
    mapping: Path | None = None,
    rejected: str = "",
    table: str = "cdrs",
    output_table: str = "cdrs_rerated",
    output_format: Literal["csv", "csv.gz", "csv.zst", "parquet", "arrow"] | None = None,
    breakdown: Annotated[bool, Parameter(negative="")] = False,
    threads: int = 0,
    engine: Literal["threads", "dask"] = "threads",
    scheduler: str = "",
    config: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    quiet: Annotated[bool, Parameter(negative="")] = False,
    what_if: Path | None = None,
    groups: Path | None = None,
    chart: Path | None = None,
    post: Annotated[bool, Parameter(negative="")] = False,
    dry_run: bool = True,
    least_difference: str = "0",
    report: Path | None = None,
    server: Annotated[str, Parameter(env_var="CGRCORE_SERVER")] = "127.0.0.1:2012",
) -> int:
    """Rate files or tables of CDRs anew.

    Every row of the input is in the output, with `Cost`, `DestinationID`, `RatingPlanID` and `Error` behind its own
    columns. Rows that cannot be rated have the reason in `Error`, and are in a file of their own too. An output that is
    there already is replaced when the new one is whole, not before. Accounts are not touched. See docs/rerating.md.

    Examples: `cgrcore rerate --tariff tariffplans/retail --input march.csv.gz --output march.parquet`,
    `cgrcore rerate --tariff new --input cdrs/ --output rated/ --output-format parquet --threads 8`,
    `cgrcore rerate --tariff new --input cgrcore.db --output march.csv`,
    `cgrcore rerate --tariff new --input postgresql://cdrs@db/billing --table calls --mapping calls.toml
    --output rerated.parquet`,
    `cgrcore rerate --tariff old --what-if new --input march.parquet --output compared.parquet --chart march.html`,
    `cgrcore rerate --tariff new --input cgrcore.db --output march.parquet --post --no-dry-run`.

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
    what_if:
        A folder with another tariff: rows get its result too, in columns called New..., and the Difference; what it
        would change is shown by destination, plan, subject and day.
    groups:
        With --what-if, a file (.parquet, .csv) for all groups, of which only the largest are shown.
    chart:
        With --what-if, a file (.png, .svg, .html) for a chart of the groups.
    post:
        Compare with the CDRs of a running server, and correct their costs: accounts pay or get back the difference.
        The input needs the columns CGRID and RunID. Run again what was cut off: nothing is corrected twice.
    dry_run:
        With --post, only say what would be corrected. Nothing is, unless --no-dry-run is given.
    least_difference:
        With --post, the smallest difference that is corrected, such as 0.001.
    report:
        With --post, a CSV file that gets a line for each correction: what was before and is after, or why not. A dry
        run makes it anew, a real one goes on with what is there.
    server:
        With --post, the address of the server's rpc_json listener.
    """
    import gc
    import os
    import sys
    import time

    gc.disable()  # what is imported stays: looking for dead cycles in it is a sixth of the time to start
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        print("rerate needs pyarrow: pip install 'cgrcore[columns]'", file=sys.stderr)
        return 1
    from cgrcore.money import parse_nano
    from cgrserver import settings
    from cgrserver.rerating.command import Wanted, rerate_files
    from cgrserver.rerating.mapping import read_mapping
    from cgrserver.rerating.posting import Posting
    from cgrserver.rerating.rating import Plan
    from cgrserver.rerating.writing import Places
    from cgrserver.tariffs import read_folder

    gc.freeze()
    gc.enable()
    for folder in (tariff, *(() if what_if is None else (what_if,))):
        if not folder.is_dir():
            print(f"{folder}: no such folder", file=sys.stderr)
            return 1
    contents = read_folder(tariff)
    if not contents:
        print(f"{tariff}: no file of a tariff plan in this folder", file=sys.stderr)
        return 1
    columns = read_mapping(mapping)
    least_nano = parse_nano(least_difference)
    wanted = Wanted(
        plan=Plan(contents, settings.load(config, set_ or ()), time.time_ns()),
        mapping=columns,
        inputs=tuple(input_),
        table=table,
        places=Places(output, rejected, output_table, output_format or "", columns.csv.delimiter),
        with_breakdown=breakdown,
        threads=threads if threads > 0 else len(os.sched_getaffinity(0)),
        is_distributed=engine == "dask",
        scheduler=scheduler,
        is_quiet=quiet,
    )
    if what_if is None:
        if groups is not None or chart is not None:
            print("--groups and --chart belong to --what-if", file=sys.stderr)
            return 2
        status = rerate_files(wanted)
        if not post or status != 0:
            return status
        places = wanted.places
        posting = Posting((places.output,), wanted.plan, columns, places.table, dry_run, least_nano, report)
        return _post(posting, server)
    if post:
        print("--post corrects by one tariff: leave out --what-if", file=sys.stderr)
        return 2
    from cgrserver.rerating.whatif import WhatIf, compare_files

    others = read_folder(what_if)
    if not others:
        print(f"{what_if}: no file of a tariff plan in this folder", file=sys.stderr)
        return 1
    return compare_files(wanted, WhatIf(Plan(others, wanted.plan.settings, wanted.plan.now_at), groups, chart))


def _post(posting: "Posting", server: str) -> int:
    """Post the costs of the output to a server."""
    from cgrcore.errors import Refused
    from cgrserver.cli.call import ErrorReply, ask
    from cgrserver.rerating.posting import post, tell

    def send(request: bytes) -> bytes:
        try:
            return ask(server, request, _ANSWER_TIMEOUT_S)
        except ErrorReply as error:
            raise Refused(f"{server}: {error}") from None

    tell(post(posting, send), is_dry_run=posting.is_dry_run)
    return 0
