"""Messages that wait to be delivered, in a line for each target, so that one who hangs holds up nobody else's.

Rules: a line is in the order its messages were queued; so many of it are under way, pauses between attempts included.
Does not know: how a message is delivered.
"""

from collections import deque
from collections.abc import Iterable, Iterator

import trio

from cgrcore.actions import Message

__all__ = ["Lines"]

#: Messages of one target that are under way, and attempts of these at one time.
UNDER_WAY = 100
AT_ONCE = 4


class _Line:
    """One target's messages. `attempts` limits those that are tried at one time."""

    __slots__ = ("attempts", "under_way", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Message] = deque()
        self.under_way: set[str] = set()
        self.attempts = trio.CapacityLimiter(AT_ONCE)

    def start(self) -> Iterator[Message]:
        """Yield the messages that get under way now."""
        while self.waiting and len(self.under_way) < UNDER_WAY:
            message = self.waiting.popleft()
            self.under_way.add(message.uuid)
            yield message


class Lines:
    """All lines, by kind and target."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], _Line] = {}

    def take_in(self, messages: Iterable[Message]) -> list[Message]:
        """Line up all messages there are, but for those under way; return those that get under way now."""
        lines = self._lines = {key: line for key, line in self._lines.items() if line.under_way}
        for line in lines.values():
            line.waiting.clear()
        for message in sorted(messages, key=lambda message: message.queued_at):
            line = lines.setdefault((message.kind, message.target), _Line())
            if message.uuid not in line.under_way:
                line.waiting.append(message)
        return [message for line in lines.values() for message in line.start()]

    def attempts_of(self, message: Message) -> trio.CapacityLimiter:
        """Return what limits the attempts at one time to the target of a message that is under way."""
        return self._lines[message.kind, message.target].attempts

    def end(self, message: Message) -> list[Message]:
        """Note that a message is not under way any more; return those that get under way in its place."""
        line = self._lines[message.kind, message.target]
        line.under_way.discard(message.uuid)
        return list(line.start())
