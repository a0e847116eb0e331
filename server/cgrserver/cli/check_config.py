"""`cgrcore check-config`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["check_config"]


def check_config(
    *,
    config: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    print_: Annotated[bool, Parameter(name="--print", negative="")] = False,
) -> int:
    """Check a configuration, and tell every mistake.

    Each mistake is one line `file:line:column: what`, on standard error. Exit status 1 when there is one.

    Parameters
    ----------
    config:
        A configuration file, or a folder whose *.json files are read in alphabetical order.
    set_:
        One setting over the configuration, as section.key=value; may be given again and again.
    print_:
        Print the configuration with all defaults as JSON.
    """
    import sys

    import msgspec

    import cgrserver.rpc.methods  # noqa: F401 - declares the methods
    from cgrserver import settings
    from cgrserver.rpc.registry import METHODS

    found, mistakes = settings.find_setting_mistakes(config, set_ or ())
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    if mistakes:
        count = len(mistakes)
        print(f"{count} mistake{'s' if count > 1 else ''}: the server will not start with this", file=sys.stderr)
        return 1
    if warning := settings.unserved_warning(found, METHODS):
        print(f"warning: {warning}", file=sys.stderr)
    if print_:
        text = msgspec.json.Encoder(decimal_format="number").encode(found.raw)
        print(msgspec.json.format(text, indent=2).decode())
    else:
        print("the configuration is sound")
    return 0
