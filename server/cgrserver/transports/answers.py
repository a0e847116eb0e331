"""The answers to calls that came together and are answered together: of one HTTP request, of one websocket.

Rules: every frame is a call; its answer comes at once or later, in any order; what is no JSON ends the stream of calls.
Does not know: where answers go.
"""

from collections.abc import Iterable

import trio

from cgrcore.codecs import NotJson
from cgrserver.rpc.dispatcher import Dispatcher

__all__ = ["Answers"]


class Answers:
    """A channel that keeps answers in the order in which they are ready."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._ready: list[bytes] = []
        self._changed = trio.Event()
        self.in_work = 0

    def deliver(self, reply: bytes) -> None:
        self.in_work -= 1
        self._ready.append(reply)
        self._changed.set()

    def call(self, frames: Iterable[bytes]) -> bool:
        """Make calls of frames; return False when one of them is no JSON, which the following are then not made."""
        self._dispatcher.begin_batch()
        try:
            for frame in frames:
                self.in_work += 1
                try:
                    reply = self._dispatcher.receive(frame, self)
                except NotJson:
                    self.in_work -= 1
                    return False
                if reply is not None:
                    self.deliver(reply)
        finally:
            self._dispatcher.end_batch()
        return True

    def taken(self) -> list[bytes]:
        """Return the answers that are ready and were not taken before."""
        ready, self._ready = self._ready, []
        return ready

    async def change(self) -> None:
        """Wait until an answer is ready."""
        while not self._ready:
            await self._next()

    async def below(self, count: int) -> None:
        """Wait until fewer calls than `count` are in work."""
        while self.in_work >= count:
            await self._next()

    async def all(self) -> bytes:
        """Wait until every call is answered, and return the answers. Cancelled, the calls are made all the same."""
        await self.below(1)
        return b"".join(self.taken())

    async def _next(self) -> None:
        """Wait for the next answer; several tasks may."""
        if self._changed.is_set():
            self._changed = trio.Event()
        await self._changed.wait()
