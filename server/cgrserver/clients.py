"""The clients that can be called: each on the connection it opened, by calls with ids of the server's own.

Rules: a call waits for its answer until its deadline, and no longer than the connection lives; an answer that comes
later is for nobody. Calls that wait are bounded for each client. Does not know: what is called, bytes of requests.
"""

from collections.abc import Callable, Iterator
from typing import Any

import trio

from cgrcore.codecs import Answer, call_text
from cgrcore.errors import Refused, Unavailable

__all__ = ["Client", "Clients"]

#: Calls of one client that may wait for an answer. Who leaves that many unanswered is not asked more.
MAX_WAITING = 1000


class _Waiting:
    """One call under way."""

    __slots__ = ("answer", "done")

    def __init__(self) -> None:
        self.done = trio.Event()
        self.answer: Answer | None = None


class Client:
    """A connection that can be called. `send` queues bytes to it; `id` names it, in sessions too."""

    def __init__(self, client_id: str, send: Callable[[bytes], None]) -> None:
        self.id = client_id
        self._send = send
        self._waiting: dict[int, _Waiting] = {}
        self._last_call_id = 0
        self.is_closed = False
        self.on_closed: Callable[[], None] | None = None

    async def call(self, method: str, argument: Any, deadline_s: float) -> Any:
        """Call a method of the client and return its result, as JSON has it.

        Raises Refused with the text of the client's error, Unavailable when no answer comes. Cancelled, the call has
        been made all the same, and its answer is for nobody.
        """
        if self.is_closed:
            raise Unavailable("the client is gone")
        if len(self._waiting) >= MAX_WAITING:
            raise Unavailable("the client leaves too many calls unanswered")
        self._last_call_id += 1
        call_id, waiting = self._last_call_id, _Waiting()
        self._waiting[call_id] = waiting
        try:
            self._send(call_text(call_id, method, argument))
            with trio.move_on_after(deadline_s):
                await waiting.done.wait()
        finally:
            del self._waiting[call_id]
        answer = waiting.answer
        if answer is None:
            raise Unavailable("the client is gone" if self.is_closed else f"no answer within {deadline_s:g} s")
        if answer.error:
            raise Refused(answer.error)
        return answer.result

    def answered(self, answer: Answer) -> None:
        """Take an answer of the client. One to no call that waits is ignored."""
        waiting = self._waiting.get(answer.id)
        if waiting is not None:
            waiting.answer = answer
            waiting.done.set()

    def closed(self) -> None:
        """The connection is closed: whoever waits is told so."""
        self.is_closed = True
        for waiting in self._waiting.values():
            waiting.done.set()
        if self.on_closed is not None:
            self.on_closed()


class Clients:
    """All clients that can be called, by id, in the order they came."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}

    def add(self, client: Client) -> None:
        """Know a client until its connection closes."""
        self._clients[client.id] = client
        client.on_closed = lambda: self._forget(client.id)

    def _forget(self, client_id: str) -> None:
        self._clients.pop(client_id, None)

    def get(self, client_id: str) -> Client | None:
        return self._clients.get(client_id)

    def __len__(self) -> int:
        return len(self._clients)

    def __iter__(self) -> Iterator[Client]:
        return iter(list(self._clients.values()))
