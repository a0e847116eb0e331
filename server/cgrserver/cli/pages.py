"""`python -m cgrserver.cli.pages [FOLDER]` writes the pages of the documentation that are made from the program."""

import sys
from collections.abc import Callable
from pathlib import Path

from cgrserver.cli.config_page import config_page
from cgrserver.cli.methods_page import methods_page

__all__ = ["PAGES"]

#: File in docs/ to what makes it.
PAGES: dict[str, Callable[[], str]] = {"configuration.md": config_page, "methods.md": methods_page}

if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    for name, make in PAGES.items():
        (folder / name).write_text(make(), encoding="utf-8")
