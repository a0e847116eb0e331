"""How long what has ended is remembered.

Sessions until their CDR has had its time; what one cost whose CDR has not come is kept for that, in the store, so that
a CDR is never charged a second time however late it comes. Identities of CDRs until a repeat would find the stored row.
Bounded work for each call, so that it can run between requests.
"""

from itertools import islice

from cgrcore.cdrs.records import SessionCost
from cgrcore.sessions import Session, closed_sessions
from cgrcore.world import World

__all__ = ["forget_closed", "forget_taken"]

#: How many records one call removes at most: everybody waits for it and for its commit.
BATCH_SIZE = 500


def forget_closed(world: World, before_at: int) -> int:
    """Forget sessions that ended before the instant; return how many. They are held in order of their end."""
    closed = closed_sessions(world)
    old = [key for key, session in islice(closed.records.items(), BATCH_SIZE) if session.updated_at < before_at]
    for key in old:
        session = closed.remove(key)
        if session is not None and not session.has_cdr:
            _keep_costs(world, session)
    return len(old)


def _keep_costs(world: World, session: Session) -> None:
    """Keep what the runs of a session cost for CDRs that are still to come."""
    for run in session.runs:
        if run.cost is not None:
            kept = SessionCost(
                cgrid=session.cgrid,
                run_id=run.run_id,
                origin_host=str(run.event.get("OriginHost") or ""),
                origin_id=str(run.event.get("OriginID") or ""),
                cost_source="*sessions",
                usage_ns=run.total_usage_ns,
                cost_details=run.cost,
                created_at=world.now_at,
            )
            world.state.effects.rows.append(("session_costs", "insert", kept))


def forget_taken(world: World, before_at: int) -> int:
    """Forget identities of CDRs that were taken before the instant; return how many."""
    taken = world.state.table("cdr_ids")
    old = [key for key, at in islice(taken.records.items(), BATCH_SIZE) if at < before_at]
    for key in old:
        taken.remove(key)
    return len(old)
