"""How a task has its decisions made where not all records are in memory.

A turn of a task is a function that makes decisions. One that misses records raises NotInMemory out of the turn;
`Complete` fetches them and takes the turn again, until it is through. So a turn goes on from where its decisions left
the tables, not from what it remembers.
"""

from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["Complete", "at_once"]

#: Takes a turn and returns what it returns.
Complete = Callable[[Callable[[], Any]], Awaitable[Any]]


async def at_once(turn: Callable[[], Any]) -> Any:
    """Take a turn where all records are in memory."""
    return turn()
