"""SMGenericV1: the sessions of old clients, whose argument is the event itself and whose usage is in seconds.

Each method is its counterpart of SessionSv1 with one flag; errors are the same.
"""

from collections.abc import Callable
from typing import Any

from cgrcore.money import number_from_nano
from cgrcore.world import World
from cgrserver.rpc.methods import cdrs, sessions  # noqa: F401  # they declare the counterparts
from cgrserver.rpc.registry import METHODS, method

__all__: list[str] = []

Event = dict[str, Any]


def _seconds(reply: dict[str, Any]) -> Any:
    """Return the usage that was granted in seconds, -1 for one without limit."""
    usage_ns: int = reply.get("MaxUsage") or 0
    return number_from_nano(usage_ns) if usage_ns >= 0 else -1


def _as_it_is(reply: Any) -> Any:
    return reply


def _declare(name: str, summary: str, counterpart: str, shape: Callable[[Any], Any], **flags: bool) -> None:
    asked = METHODS[f"SessionSv1.{counterpart}"]
    fetch = asked.fetch

    def arguments(event: Event) -> Any:
        tenant = event.get("Tenant")
        return asked.args(Tenant=tenant if isinstance(tenant, str) else "", Event=event, **flags)

    def decide(world: World, args: Event, *fetched: Any) -> Any:
        return shape(asked.decide(world, arguments(args), *fetched))

    decide.__doc__ = summary
    method(
        f"SMGenericV1.{name}",
        args=Event,
        fetch=None if fetch is None else lambda store, world, args: fetch(store, world, arguments(args)),
    )(decide)


_declare(
    "GetMaxUsage",
    "Say for how many seconds an event may last, reserving nothing; -1 without limit.",
    "AuthorizeEvent",
    _seconds,
    GetMaxUsage=True,
)
_declare(
    "InitiateSession",
    "Begin a session; return the seconds of its first slice, -1 without limit.",
    "InitiateSession",
    _seconds,
    InitSession=True,
)
_declare(
    "UpdateSession",
    "Reserve the next slice of a session; return its seconds, -1 without limit.",
    "UpdateSession",
    _seconds,
    UpdateSession=True,
)
_declare(
    "TerminateSession",
    "End a session and settle its final usage.",
    "TerminateSession",
    _as_it_is,
    TerminateSession=True,
)
_declare("ProcessCDR", "Write the CDRs of a session, or of a call without one.", "ProcessCDR", _as_it_is)
