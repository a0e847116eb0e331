"""CDRs that an action writes about a change of a balance: priced already, stored as they are."""

from typing import Any

from cgrcore.cdrs.records import cdr_from_event
from cgrcore.world import World

__all__ = ["log_cdr"]


def log_cdr(world: World, event: dict[str, Any]) -> None:
    """Store the CDR that an event describes, in the transaction of the open decision."""
    world.state.effects.rows.append(("cdrs", "insert", cdr_from_event(world, event["Tenant"], event)))
