"""JSON-RPC over TCP (port 2012): a listener that serves every client from one loop.

Rules: the loop belongs to one task, which waits for the epoll object of `Sockets` and lets other tasks run between
drains; requests that stall, clients that do not read and connections beyond the limit are closed with a logged reason.
Cancelled, it stops accepting and reading, waits a bounded time for calls in work and unsent replies, and closes.
Does not know: what a request says.
"""

import socket
from collections.abc import Callable, Mapping
from typing import Any

import structlog
import trio

from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.transports.limits import TransportLimits
from cgrserver.transports.sockets import Connection, Sockets

__all__ = ["listen_on", "serve_frames", "serve_json"]

log = structlog.get_logger()

#: Drains in a row before other tasks have their turn: each costs a trio round less, and none delays them by much.
DRAINS_A_TURN = 4

#: How often deadlines are looked at; they may be late by that.
DEADLINE_LOOK_S = 0.25


def listen_on(address: str) -> socket.socket:
    """Return a listening socket on "host:port". Raises OSError.

    Host "" or "*" means every interface, port 0 a free one.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("" if host == "*" else host, int(port)))
        listener.listen(4096)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


async def serve_json(
    address: str,
    dispatcher: Dispatcher,
    settings: Mapping[str, Mapping[str, Any]],
    *,
    task_status: trio.TaskStatus[tuple[str, int]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve clients on `address` until cancelled; started with the address that is listened on. Raises OSError.

    Cancelled, calls that are in work are answered within `TransportLimits.stop_s`, then every connection is closed.
    """
    await serve_frames(address, dispatcher, settings, dispatcher.receive, task_status=task_status)


async def serve_frames(
    address: str,
    dispatcher: Dispatcher,
    settings: Mapping[str, Mapping[str, Any]],
    receive: Callable[[bytes, Connection], bytes | None],
    accept: Callable[[Connection], None] | None = None,
    *,
    task_status: trio.TaskStatus[tuple[str, int]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve clients as `serve_json` does, with `receive` taking their frames (see `Sockets`).

    `accept` is told of each new connection.
    """
    limits = TransportLimits.of(settings)
    with listen_on(address) as listener:
        begin, end = dispatcher.begin_batch, dispatcher.end_batch
        sockets = Sockets(listener, receive, begin, end, log.warning, limits, accept)
        dispatcher.on_delivery(sockets.flush)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_watch_deadlines, sockets, limits)
                sockets.now = trio.current_time()
                task_status.started(listener.getsockname()[:2])
                try:
                    await _serve(sockets)
                finally:
                    await _stop(sockets, limits)
        finally:
            dispatcher.off_delivery(sockets.flush)
            sockets.close()


async def _serve(sockets: Sockets) -> None:
    while True:
        await trio.lowlevel.wait_readable(sockets.epoll_fd)
        sockets.now = trio.current_time()
        for _ in range(DRAINS_A_TURN):
            if sockets.drain() == 0:
                break


async def _watch_deadlines(sockets: Sockets, limits: TransportLimits) -> None:
    while True:
        await trio.sleep(DEADLINE_LOOK_S)
        sockets.resume_accepting()
        now = trio.current_time()
        for connection in [c for c in sockets.unfinished if now - c.since > limits.request_s]:
            sockets.drop(connection, f"a request did not arrive whole within {limits.request_s:g} s")
        for connection in [c for c in sockets.blocked if now - c.blocked_since > limits.send_s]:
            sockets.drop(connection, f"the client read nothing for {limits.send_s:g} s")


async def _stop(sockets: Sockets, limits: TransportLimits) -> None:
    sockets.stop_accepting()
    sockets.flush()
    with trio.CancelScope(shield=True), trio.move_on_after(limits.stop_s):
        while sockets.connections:
            with trio.move_on_after(DEADLINE_LOOK_S):
                await trio.lowlevel.wait_readable(sockets.epoll_fd)
            sockets.drain()
            sockets.flush()
    if sockets.connections:
        log.warning("connections were cut at the stop", count=len(sockets.connections))
