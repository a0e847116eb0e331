"""`cgrcore migrate`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["migrate"]


def migrate(
    *,
    config: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Bring the store's schema up to date.

    Starting the server does it too. Prints the migrations that ran, one a line. Exit status 1 when the store cannot be
    opened or a server serves from it.

    Parameters
    ----------
    config:
        A configuration file, or a folder whose *.json files are read in alphabetical order.
    set_:
        One setting over the configuration, as section.key=value; may be given again and again.
    dry_run:
        Run them, print them, and undo all of it.
    """
    import sys

    from cgrcore.errors import CgrError
    from cgrserver import settings
    from cgrserver.storage import migrate_store

    try:
        ran = migrate_store(settings.load(config, set_ or ())["data_db"], is_dry_run=dry_run)
    except CgrError as error:
        print(error, file=sys.stderr)
        return 1
    for name in ran:
        print(f"would run {name}" if dry_run else f"ran {name}")
    if not ran:
        print("the schema is up to date")
    return 0
