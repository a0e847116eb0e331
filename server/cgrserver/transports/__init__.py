"""The listeners: thin shells around the codecs, which own sockets and deadlines and decide nothing."""

from cgrserver.transports.json_tcp import serve_json
from cgrserver.transports.limits import TransportLimits

__all__ = ["TransportLimits", "serve_json"]
