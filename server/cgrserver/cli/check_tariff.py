"""`cgrcore check-tariff`."""

from pathlib import Path

__all__ = ["check_tariff"]


def check_tariff(folder: Path, /) -> int:
    """Check the CSV files of a tariff plan.

    Every mistake is one line `file:line:column: what`, on standard error; exit status 1 when there is one. A sound plan
    is shown as a table of what it holds. No server is needed, and nothing is loaded.

    Parameters
    ----------
    folder:
        The folder with Destinations.csv, Rates.csv, ...
    """
    import sys
    import time
    import uuid

    from rich.console import Console
    from rich.table import Table

    from cgrcore.config import read_settings
    from cgrcore.tariffplan import KINDS_BY_FILE, Defaults, PlanRefused, load, read_files
    from cgrcore.world import World
    from cgrserver.tariffs import read_folder

    contents = read_folder(folder)
    for path in sorted(folder.glob("*.csv")):
        if path.name not in KINDS_BY_FILE:
            print(f"warning: {path.name} is no file of a tariff plan", file=sys.stderr)
    if not contents:
        print(f"{folder}: no file of a tariff plan in this folder", file=sys.stderr)
        return 1
    world = World(read_settings([]), lambda: str(uuid.uuid4()), time.time_ns())
    world.state.begin()
    try:
        loaded = load(world, read_files(contents, Defaults(world.tenant(""))))
    except PlanRefused as refused:
        print(*refused.report, sep="\n", file=sys.stderr)
        count = len(refused.mistakes)
        print(f"{count} mistake{'s' if count > 1 else ''}: this plan would not be loaded", file=sys.stderr)
        return 1
    table = Table(box=None, pad_edge=False)
    table.add_column("What")
    table.add_column("Count", justify="right")
    for name, records in loaded.records.items():
        if records:
            table.add_row(name.replace("_", " "), f"{len(records):,}")
    Console().print(table)
    print("the tariff plan is sound")
    return 0
