"""The HTTP listener (port 2080): a task for each connection around `HttpConnection`, with its deadlines.

Rules: requests of one connection are answered one after the other, those of others meanwhile; a request that stalls, a
client that does not read and connections beyond the limit are closed with a logged reason; a connection without
requests is closed after a while. Cancelled, it accepts no more, closes who asks nothing, waits a bounded time for
answers in work, and closes. Does not know: what is asked.
"""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
import trio

from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.transports.http_protocol import HttpConnection, HttpRequest, NotHttp
from cgrserver.transports.http_routes import HttpRoutes
from cgrserver.transports.json_tcp import listen_on
from cgrserver.transports.limits import TransportLimits
from cgrserver.transports.websocket import NoWebSocket, accept
from cgrserver.transports.websocket_tasks import serve_websocket

__all__ = ["serve_http"]

log = structlog.get_logger()

READ_BYTES = 65536

#: How long a connection may stay without a request.
IDLE_S = 300.0

#: The pause after accepting has failed: most likely out of descriptors.
ACCEPT_PAUSE_S = 0.25


class _HttpServer:
    def __init__(self, dispatcher: Dispatcher, settings: Mapping[str, Mapping[str, Any]]) -> None:
        self.limits = TransportLimits.of(settings)
        self._dispatcher = dispatcher
        self._routes = HttpRoutes(dispatcher, settings)
        self._count = 0
        self._idle: set[trio.CancelScope] = set()
        self._is_stopping = False

    async def accept(self, listener: trio.SocketListener, nursery: trio.Nursery) -> None:
        """Accept connections until cancelled."""
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                log.warning("a connection could not be accepted", error=str(error))
                await trio.sleep(ACCEPT_PAUSE_S)
                continue
            if self._count >= self.limits.connections:
                log.warning("a connection was refused, there are too many", limit=self.limits.connections)
                stream.socket.close()
                continue
            self._count += 1
            nursery.start_soon(self._serve, stream)

    def stop(self) -> None:
        """Close who asks nothing, and everybody else after the next answer."""
        self._is_stopping = True
        for scope in self._idle:
            scope.cancel()

    async def _serve(self, stream: trio.SocketStream) -> None:
        try:
            async with stream:
                await self._serve_requests(stream, HttpConnection(self.limits.request_bytes))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client has left
        except trio.TooSlowError as error:
            log.warning("a connection was closed", reason=str(error))
        except Exception:  # the top of a task
            log.exception("a connection failed")
        finally:
            self._count -= 1

    async def _serve_requests(self, stream: trio.SocketStream, connection: HttpConnection) -> None:
        while not self._is_stopping and not connection.is_over:
            try:
                request = await self._next(stream, connection)
            except NotHttp as error:
                await self._send(stream, error.answer)
                return
            if request is None:
                return
            if request.path == self._routes.websocket_path:
                await self._websocket(stream, connection, request)
                return
            response = await self._routes.answer(request)
            await self._send(stream, connection.respond(request, response, time.time()))

    async def _websocket(self, stream: trio.SocketStream, connection: HttpConnection, request: HttpRequest) -> None:
        refused = self._routes.refusal(request)
        if refused is not None:
            await self._send(stream, connection.respond(request, refused, time.time()))
            return
        try:
            await self._send(stream, accept(request))
        except NoWebSocket as error:
            await self._send(stream, error.answer)
            return
        first = connection.leftover()
        send = partial(self._send, stream)
        await serve_websocket(stream, first, send, self._dispatcher, self.limits, self._idle)

    async def _next(self, stream: trio.SocketStream, connection: HttpConnection) -> HttpRequest | None:
        """Return the next request, None when none comes any more. Raises NotHttp, TooSlowError."""
        request = connection.next_request()
        if request is None and connection.is_between_requests and not await self._wait(stream, connection):
            return None
        deadline = trio.current_time() + self.limits.request_s
        while request is None:
            request = connection.next_request()
            if request is not None or connection.is_over:
                break
            await self._send(stream, connection.pending())
            with trio.move_on_at(deadline) as scope:
                connection.receive(await stream.receive_some(READ_BYTES))
            if scope.cancelled_caught:
                raise trio.TooSlowError(f"a request did not arrive whole within {self.limits.request_s:g} s")
        return request

    async def _wait(self, stream: trio.SocketStream, connection: HttpConnection) -> bool:
        """Wait for the first bytes of a request; return False when the wait was given up, or the client has left."""
        with trio.move_on_after(IDLE_S) as scope:
            self._idle.add(scope)
            try:
                data = await stream.receive_some(READ_BYTES)
            finally:
                self._idle.discard(scope)
            connection.receive(data)
            return bool(data)
        return False

    async def _send(self, stream: trio.SocketStream, data: bytes) -> None:
        if data:
            with trio.move_on_after(self.limits.send_s + len(data) / 100_000) as scope:
                await stream.send_all(data)
            if scope.cancelled_caught:
                raise trio.TooSlowError("the client does not read its answer")


async def serve_http(
    address: str,
    dispatcher: Dispatcher,
    settings: Mapping[str, Mapping[str, Any]],
    *,
    task_status: trio.TaskStatus[tuple[str, int]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve HTTP clients on `address` until cancelled; started with the address that is listened on. Raises OSError.

    Cancelled, requests that are in work are answered within `TransportLimits.stop_s`, then every connection is closed.
    """
    server = _HttpServer(dispatcher, settings)
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(listen_on(address)))
    sheltered = trio.CancelScope(shield=True)
    stopping = trio.Event()

    async def hold(*, task_status: trio.TaskStatus[trio.Nursery]) -> None:
        with sheltered:
            async with trio.open_nursery() as connections:
                task_status.started(connections)
                await stopping.wait()

    async with trio.open_nursery() as nursery:
        connections = await nursery.start(hold)
        try:
            async with listener:
                task_status.started(listener.socket.getsockname()[:2])
                await server.accept(listener, connections)
        finally:
            server.stop()
            sheltered.deadline = trio.current_time() + server.limits.stop_s
            stopping.set()
