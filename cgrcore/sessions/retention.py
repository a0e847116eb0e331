"""How long what has ended is remembered.

Closed sessions until their CDR can no longer come, CDR identities until a repeat would find the stored row.

Bounded work for each call, so that it can run between requests.
"""

from itertools import islice

from cgrcore.sessions.finding import closed_sessions
from cgrcore.world import World

__all__ = ["forget_closed", "forget_taken"]

#: How many records one call removes at most.
BATCH_SIZE = 10_000


def forget_closed(world: World, before_at: int) -> int:
    """Forget sessions that ended before the instant; return how many. They are kept in order of their end."""
    closed = closed_sessions(world)
    old = [key for key, session in islice(closed.records.items(), BATCH_SIZE) if session.updated_at < before_at]
    for key in old:
        closed.remove(key)
    return len(old)


def forget_taken(world: World, before_at: int) -> int:
    """Forget identities of CDRs that were taken before the instant; return how many."""
    taken = world.state.table("cdr_ids")
    old = [key for key, at in islice(taken.records.items(), BATCH_SIZE) if at < before_at]
    for key in old:
        taken.remove(key)
    return len(old)
