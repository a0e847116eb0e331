"""`cgrcore serve`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["serve"]


def serve(
    *,
    config: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
) -> int:
    """Run the server until it is stopped.

    Prints `cgrcore ready: ...` with its addresses once it answers. SIGTERM or ^C stops it in order: what is under way
    is finished and written; a second one stops it at once.

    Parameters
    ----------
    config:
        A configuration file, or a folder whose *.json files are read in alphabetical order. Without it: every
        service there is, with its data in cgrcore.db in the working folder.
    set_:
        One setting over the configuration, as section.key=value; may be given again and again.
    """
    from cgrserver import app, settings

    return app.serve(settings.load(config, set_ or ()))
