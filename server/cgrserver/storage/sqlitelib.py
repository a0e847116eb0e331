"""Reaches the SQLite that Python's `sqlite3` uses, for what is done without Python's lock.

It must be the same library: two in one process would drop each other's locks on a file.
"""

import _sqlite3
import ctypes

__all__ = ["addresses"]


def addresses(*names: str) -> tuple[int, ...] | None:
    """Return where these functions of SQLite are, None when `sqlite3` hides them."""
    try:
        # It is a part of some interpreters, and then has no file.
        library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        return tuple(ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in names)
    except (AttributeError, OSError):
        return None
