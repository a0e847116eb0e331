import socket as _socket
from collections.abc import Callable
from typing import Any

from cgrcore.codecs import Frames
from cgrserver.transports.limits import TransportLimits

class Connection:
    socket: _socket.socket
    peer: str
    frames: Frames
    in_work: int
    ending: str
    unsent: int
    is_closed: bool
    since: float
    blocked_since: float
    client: Any
    def deliver(self, reply: bytes) -> None: ...
    def queue(self, reply: bytes) -> None: ...
    def send(self, data: bytes) -> None: ...

class Sockets:
    epoll_fd: int
    connections: dict[int, Connection]
    is_accepting: bool
    is_stopping: bool
    unfinished: set[Connection]
    blocked: set[Connection]
    counts: dict[str, int]
    now: float
    def __init__(
        self,
        listener: _socket.socket,
        receive: Callable[[bytes, Connection], bytes | None],
        begin: Callable[[], None],
        end: Callable[[], None],
        log: Callable[..., Any],
        limits: TransportLimits,
        accepted: Callable[[Connection], None] | None = None,
    ) -> None: ...
    def drain(self) -> int: ...
    def flush(self) -> None: ...
    def resume_accepting(self) -> None: ...
    def stop_accepting(self) -> None: ...
    def drop(self, connection: Connection, reason: str) -> None: ...
    def close(self) -> None: ...
