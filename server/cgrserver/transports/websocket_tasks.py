"""The tasks of one websocket: reading calls, and sending their answers as they are ready.

Rules: a client with too many calls in work is not read from; a call that stalls and a client that does not read end the
connection. Cancelled through `idle`, calls in work are answered within a bounded time. Does not know: the handshake.
"""

from collections.abc import Awaitable, Callable

import trio

from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.transports.answers import Answers
from cgrserver.transports.limits import TransportLimits
from cgrserver.transports.websocket import WebSocket

__all__ = ["serve_websocket"]

READ_BYTES = 65536

Send = Callable[[bytes], Awaitable[None]]


async def serve_websocket(
    stream: trio.SocketStream,
    first: bytes,
    send: Send,
    dispatcher: Dispatcher,
    limits: TransportLimits,
    idle: set[trio.CancelScope],
) -> None:
    """Serve a connection until its end. `first` are bytes that came with the handshake; `send` has a deadline.

    While it waits for calls its scope is in `idle`. Raises TooSlowError.
    """
    websocket = WebSocket(limits.request_bytes)
    answers = Answers(dispatcher)
    turn = trio.Lock()

    async def send_in_turn(data: bytes) -> None:
        async with turn:
            await send(data)

    async def send_answers() -> None:
        while True:
            await answers.change()
            with trio.CancelScope(shield=True):  # what was taken is sent, within the deadline of `send`
                await send_in_turn(b"".join(websocket.text(answer) for answer in answers.taken()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_answers)
        data = first or await _read(stream, websocket, limits, idle)
        while data is not None:
            calls, at_once = websocket.receive(data)
            if at_once:
                await send_in_turn(at_once)
            if not answers.call(calls) or websocket.is_over:
                break
            await answers.below(limits.calls)
            data = await _read(stream, websocket, limits, idle)
        with trio.move_on_after(limits.stop_s):
            await answers.below(1)
        nursery.cancel_scope.cancel()
    rest = b"".join(websocket.text(answer) for answer in answers.taken())
    await send(rest + websocket.close())


async def _read(
    stream: trio.SocketStream, websocket: WebSocket, limits: TransportLimits, idle: set[trio.CancelScope]
) -> bytes | None:
    """Return what comes next, None when waiting for it was given up."""
    with trio.CancelScope() as scope:
        if websocket.is_within_call:
            scope.deadline = trio.current_time() + limits.request_s
        idle.add(scope)
        try:
            return bytes(await stream.receive_some(READ_BYTES))
        finally:
            idle.discard(scope)
    return None
