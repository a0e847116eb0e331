"""`python -m cgrserver.cli.pages [FOLDER]` writes the pages of the documentation that are made from the program."""

import sys
from collections.abc import Callable
from pathlib import Path

from cgrserver.cli import COMMANDS, command_line
from cgrserver.cli.config_page import config_page
from cgrserver.cli.methods_page import methods_page

__all__ = ["PAGES"]

_COMMANDS_INTRODUCTION = """\
# Commands

*This page is made by `python -m cgrserver.cli.pages`; a test keeps it true.*

Exit status: 0 success; 1 a refusal, or a mistake in what was given; 2 a wrong use of the command line. `cgrcore
--install-completion` makes your shell complete commands and options.

"""


def _commands_page() -> str:
    """Return docs/commands.md: every command with its options, made from its function."""
    app = command_line({command.name for command in COMMANDS})
    arguments, sys.argv = sys.argv, ["cgrcore"]  # else pages would name the program that makes them
    try:
        made = str(app.generate_docs(output_format="markdown"))
    finally:
        sys.argv = arguments
    return _COMMANDS_INTRODUCTION + made[made.index("## cgrcore serve") :].rstrip() + "\n"


#: File in docs/ to what makes it.
PAGES: dict[str, Callable[[], str]] = {
    "commands.md": _commands_page,
    "configuration.md": config_page,
    "methods.md": methods_page,
}

if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    for name, make in PAGES.items():
        (folder / name).write_text(make(), encoding="utf-8")
