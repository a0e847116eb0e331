"""Replies of a moment ago, given again: the cache partition `*rpc_responses`, for clients without idempotency keys.

With a limit other than 0, a method of `METHODS` is decided once for an event of one ID within the partition's TTL
(2 s); a second request with that ID gets the first one's reply or error. Rules: events without an ID are all new; what
could not be decided (Unavailable) is no reply; a reply is given again once it is durable, and what a crash takes back
is forgotten with it. It is a cache: neither a restart nor its limit keeps a reply. A request with an idempotency key is
answered by that, see `answers`. Does not know: how requests arrive.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cgrcore.errors import CgrError, Unavailable
from cgrcore.world import World
from cgrserver.rpc.answers import ERROR, Answers

__all__ = ["METHODS", "Responses"]

#: Begins the names of this partition among those of answers.
RESPONSE = "\0"

#: Replies beyond these are forgotten where the partition has no limit of its own.
MOST_KEPT = 100_000


def _event_id(args: Any) -> str:
    return str(args.ID)


def _call_id(args: Any) -> str:
    return f"{args.CgrID}:{args.RunID}" if args.CgrID else ""


def _record_id(args: Any) -> str:
    return f"{args.CGRID}:{args.RunID}" if args.CGRID else ""


def _cost_id(args: Any) -> str:
    cost = args.Cost or {}
    return f"{cost['CGRID']}:{cost.get('RunID') or ''}" if cost.get("CGRID") else ""


#: The methods whose replies are kept, and what tells their requests apart.
METHODS: Mapping[str, Callable[[Any], str]] = {
    **dict.fromkeys(
        (
            *("SessionSv1.AuthorizeEvent", "SessionSv1.AuthorizeEventWithDigest"),
            *("SessionSv1.InitiateSession", "SessionSv1.InitiateSessionWithDigest"),
            *("SessionSv1.UpdateSession", "SessionSv1.TerminateSession", "SessionSv1.ProcessMessage"),
            *("SessionSv1.ProcessEvent", "SessionSv1.ProcessCDR", "CDRsV1.ProcessEvent", "CDRsV2.ProcessEvent"),
        ),
        _event_id,
    ),
    **dict.fromkeys(("CDRsV1.ProcessCDR", "CDRsV1.ProcessExternalCDR"), _record_id),
    **dict.fromkeys(("CDRsV1.StoreSessionCost", "CDRsV2.StoreSessionCost"), _cost_id),
    **dict.fromkeys(
        ("Responder.Debit", "Responder.MaxDebit", "Responder.RefundIncrements", "Responder.RefundRounding"), _call_id
    ),
}


class Responses:
    """The replies of the table `rpc_responses`, and behind them the answers to requests with a key."""

    def __init__(self, world: World, answers: Answers, ttl_ns: int, limit: int) -> None:
        """`limit` is how many replies are kept, the oldest forgotten first; below 0 as many as may be."""
        self._world = world
        self._answers = answers
        self._replies = Answers(world, ttl_ns, "rpc_responses", limit if 0 < limit < MOST_KEPT else MOST_KEPT)

    def _keeper(self, name: str) -> Answers:
        return self._replies if name.startswith(RESPONSE) else self._answers

    def name(self, method: str, args: Any, params: msgspec.Raw) -> str:
        """Return what the reply is kept under, "" when it is not kept. Raises as `Answers.name`."""
        name = self._answers.name(method, args, params)
        if name or method not in METHODS:
            return name
        request_id = METHODS[method](args)
        if not request_id:
            return ""
        tenant = getattr(args, "Tenant", "")
        is_usual = not tenant or tenant == self._world.settings["general"]["default_tenant"]
        return f"{RESPONSE}{method}:{request_id}" if is_usual else f"{RESPONSE}{method}:{tenant}:{request_id}"

    def find(self, name: str) -> bytes | None:
        """Return the reply to the first request of a name, None when this is the first. Raises its error."""
        return self._keeper(name).find(name)

    def keep(self, name: str, result: bytes) -> None:
        """In the open decision, keep its result under a name."""
        keeper = self._keeper(name)
        if keeper is self._replies:
            keeper.forget(self._world)
        keeper.keep(name, result)

    def keeps_refusal(self, name: str, error: CgrError) -> bool:
        """Tell whether an error that undid its decision is a reply to be kept."""
        return name.startswith(RESPONSE) and not isinstance(error, Unavailable)

    def keep_error(self, name: str, error: CgrError) -> None:
        """In the open decision, keep the error that ends it."""
        self.keep(name, ERROR + str(error).encode())
