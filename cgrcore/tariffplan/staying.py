"""Making many objects that stay: the search for dead cycles would look at each of them again and again, and find none.

It takes a third of the time of loading a large plan.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_search_for_cycles"]


@contextmanager
def without_search_for_cycles() -> Iterator[None]:
    """Have Python make no such search meanwhile, in the whole process. Also a decorator."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
