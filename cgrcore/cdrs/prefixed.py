"""A CDR for several sessions: the event names them by how their OriginIDs begin, as a switch does whose call has legs.

Rules: each session that cost something gives a CDR of its own, under its own CGRID and OriginID; where none is found
the event's CDR is charged like any other. Does not know: how a session's cost is taken.
"""

from collections.abc import Mapping

import msgspec

from cgrcore.cdrs.charge import PAID_BY_SESSION
from cgrcore.cdrs.processed import Processed
from cgrcore.cdrs.records import SessionCost
from cgrcore.sessions import closed_sessions
from cgrcore.world import World

__all__ = ["PREFIX", "cdrs_of_prefix", "ended_by_prefix"]

#: The field of an event that says how the OriginIDs begin.
PREFIX = "OriginIDPrefix"


def ended_by_prefix(world: World, origin_host: str, prefix: str) -> list[str]:
    """Return the CGRIDs of the ended sessions at hand whose OriginID begins so, of one host where one is given."""
    sessions = closed_sessions(world)
    events = ((cgrid, sessions.require(cgrid).event) for cgrid in sessions)
    return [
        cgrid
        for cgrid, event in events
        if _is_meant(str(event.get("OriginID") or ""), event.get("OriginHost") or "", origin_host, prefix)
    ]


def _is_meant(origin_id: str, host: str, wanted_host: str, prefix: str) -> bool:
    return origin_id.startswith(prefix) and (not wanted_host or host == wanted_host)


def cdrs_of_prefix(
    world: World, item: Processed, session_costs: Mapping[tuple[str, str], SessionCost]
) -> list[Processed]:
    """Return a CDR for each session that the event means, or the event's own when it means none that cost anything."""
    cdr = item.cdr
    prefix = cdr.extra_fields.get(PREFIX, "")
    if not prefix or cdr.cost_details is not None or cdr.request_type not in PAID_BY_SESSION:
        return [item]
    found: dict[str, tuple[str, int]] = {}
    for cost in session_costs.values():
        if cost.run_id == cdr.run_id and _is_meant(cost.origin_id, cost.origin_host, cdr.origin_host, prefix):
            found[cost.cgrid] = cost.origin_id, cost.usage_ns
    sessions = closed_sessions(world)
    for cgrid in ended_by_prefix(world, cdr.origin_host, prefix):
        session = sessions.require(cgrid)
        for run in session.runs:
            if run.run_id == cdr.run_id and run.cost is not None and not session.is_failed:
                found[cgrid] = str(session.event["OriginID"]), run.cost.usage_ns
    return [
        Processed(
            msgspec.structs.replace(cdr, cgrid=cgrid, origin_id=origin_id, usage_ns=cdr.usage_ns or usage_ns),
            item.run,
            list(item.flags),
        )
        for cgrid, (origin_id, usage_ns) in found.items()
    ] or [item]
