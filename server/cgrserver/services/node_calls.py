"""Calling the methods of another node: JSON-RPC over TCP, one call at a time on a connection that is kept.

Rules: a call has a deadline, connecting included; after one that failed the connection is made anew. Cancelled, a call
may have been made, and its connection is closed. Does not know: what is called.
"""

import socket
from typing import Any

import trio

from cgrcore.codecs import Answer, Frames, NotJson, call_text, read_message
from cgrcore.errors import Refused, Unavailable

__all__ = ["NodeConnection"]

READ_BYTES = 65536

#: The longest answer that is read.
ANSWER_BYTES = 64 << 20


class NodeConnection:
    """A connection to the node at `address` ("host:port").

    `has_failed` tells of the last call: True when the node was not reached or did not answer.
    """

    def __init__(self, address: str, deadline_s: float) -> None:
        self.address = address
        self.has_failed = False
        self._deadline_s = deadline_s
        self._stream: trio.SocketStream | None = None
        self._frames = Frames(ANSWER_BYTES)
        self._last_id = 0

    async def call(self, method: str, argument: Any) -> Any:
        """Return the result of a call. Raises Refused with the text of the node's error, Unavailable."""
        self.has_failed = True
        try:
            with trio.fail_after(self._deadline_s):
                answer = await self._ask(method, argument)
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError, NotJson) as error:
            await self.close()
            raise Unavailable(str(error) or type(error).__name__) from None
        except trio.TooSlowError:
            await self.close()
            raise Unavailable(f"no answer within {self._deadline_s:g} s") from None
        except BaseException:
            await self.close()
            raise
        self.has_failed = False
        if answer.error:
            raise Refused(answer.error)
        return answer.result

    async def _ask(self, method: str, argument: Any) -> Answer:
        if self._stream is None:
            host, _, port = self.address.rpartition(":")
            self._stream = await trio.open_tcp_stream(host.strip("[]") or "127.0.0.1", int(port))
            self._stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._frames = Frames(ANSWER_BYTES)
        self._last_id += 1
        await self._stream.send_all(call_text(self._last_id, method, argument))
        while True:
            data = await self._stream.receive_some(READ_BYTES)
            frames = self._frames.feed(data) if data else []
            for frame in frames:
                answer = read_message(frame)
                if isinstance(answer, Answer) and answer.id == self._last_id:
                    return answer
            if not data or self._frames.error:
                raise trio.BrokenResourceError("the node closed the connection")

    async def close(self) -> None:
        """Close the connection; the next call makes a new one."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await trio.aclose_forcefully(stream)
