"""The bounds of a connection, so that none can hold up or exhaust the server."""

from collections.abc import Mapping
from typing import Any

import msgspec

from cgrcore.timing import SECOND_NS

__all__ = ["TransportLimits"]


class TransportLimits(msgspec.Struct, frozen=True):
    """What one client may take.

    `request_bytes`: the largest request. `request_s`: how long a request that has begun may take to arrive.
    `unsent_bytes`: replies that may wait for a client to read them; above half of it nothing more is read from that
    client. `send_s`: how long a client may take no byte of what waits for it. `calls`: calls in work of one connection,
    above which nothing more is read from it. `connections`: open connections. `stop_s`: how long a stop waits for calls
    in work and unsent replies.
    """

    request_bytes: int = 64 << 20
    request_s: float = 30.0
    unsent_bytes: int = 16 << 20
    send_s: float = 30.0
    calls: int = 4096
    connections: int = 20_000
    stop_s: float = 5.0

    @classmethod
    def of(cls, settings: Mapping[str, Mapping[str, Any]]) -> "TransportLimits":
        """Return what section `limits` of the configuration says; a stop waits `cores.shutdown_timeout`."""
        limits = settings.get("limits")
        if limits is None:
            return cls()
        return cls(
            request_bytes=limits["max_request_size"],
            request_s=limits["request_timeout"] / SECOND_NS,
            unsent_bytes=limits["max_reply_backlog"],
            send_s=limits["send_timeout"] / SECOND_NS,
            calls=limits["max_connection_calls"],
            connections=limits["max_connections"],
            stop_s=settings["cores"]["shutdown_timeout"] / SECOND_NS,
        )
