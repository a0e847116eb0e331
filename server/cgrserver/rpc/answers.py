"""First answers, given again: a request with an idempotency key is decided once, however often it is sent.

A client puts `"*idempotencyKey"` into `APIOpts`, a text of its own making for each thing it wants done, and repeats the
same request until it has an answer. The answer is kept in the transaction of what was done: both are there or neither.
Rules: a key counts per method; an error that undoes its decision is no answer: the next attempt is a first one again;
an answer is kept for `general.idempotency_ttl`. Does not know: how requests arrive, how tables are stored.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import trio

from cgrcore.errors import BadRequest, CgrError, Unavailable
from cgrcore.ports import Answer
from cgrcore.state import KEY_LIMIT, Table
from cgrcore.world import World

__all__ = ["OPTION", "Answers"]

OPTION = "*idempotencyKey"

#: Begins a reply that is the text of an error. No JSON begins so.
ERROR = b"!"

#: How often answers that are too old are looked for, and how many go in one decision.
LOOK_S = 10.0
FORGET_LIMIT = 1000


class Answers:
    """The answers of the table `answers`, and the task that forgets old ones."""

    def __init__(self, world: World, ttl_ns: int) -> None:
        self._world = world
        self._ttl_ns = ttl_ns
        self._by_age: deque[tuple[int, str]] = deque()
        self.read_again()

    def read_again(self) -> None:
        """Take the table as it is: to be called when it was loaded."""
        self._by_age = deque(sorted((answer.at, key) for key, answer in self._table.records.items()))

    @property
    def _table(self) -> Table[Answer]:
        return self._world.state.table("answers")

    def find(self, method: str, args: Any) -> bytes | None:
        """Return the result of the first request with the same key, None when this is the first or has no key.

        Raises the first one's error when that was its answer.
        """
        key = _key(method, args)
        answer = self._table.get(key) if key else None
        if answer is None or answer.at + self._ttl_ns <= self._world.now_at:
            return None
        if answer.reply.startswith(ERROR):
            raise CgrError(answer.reply.removeprefix(ERROR).decode())
        return answer.reply

    def keep(self, method: str, args: Any, result: bytes) -> None:
        """In the open decision, keep its result for its key."""
        key = _key(method, args)
        if key:
            now_at = self._world.now_at
            self._table.put(key, Answer(result, now_at))
            self._by_age.append((now_at, key))

    def keep_error(self, method: str, args: Any, error: CgrError) -> None:
        """In the open decision, keep the error that ends it and keeps its changes."""
        self.keep(method, args, ERROR + str(error).encode())

    def forget(self, world: World) -> int:
        """As a decision, drop answers that are too old; return how many."""
        count = 0
        while self._by_age and self._by_age[0][0] + self._ttl_ns <= world.now_at and count < FORGET_LIMIT:
            at, key = self._by_age.popleft()
            answer = self._table.get(key)
            if answer is not None and answer.at == at:
                self._table.remove(key)
                count += 1
        return count

    async def run(self, decide: Callable[[str, Callable[[World], int]], int]) -> None:
        """Forget what is too old, until cancelled."""
        while True:
            await trio.sleep(LOOK_S)
            with suppress(Unavailable):  # the store is away: they are forgotten later
                while self._by_age and decide("forget answers", self.forget) == FORGET_LIMIT:
                    await trio.sleep(0)


def _key(method: str, args: Any) -> str:
    options = getattr(args, "APIOpts", None)
    key = options.get(OPTION) if options else None
    if not key:
        return ""
    name = f"{method}:{key}"
    if not isinstance(key, str) or len(name) > KEY_LIMIT:
        raise BadRequest(f"{OPTION} must be a text of at most {KEY_LIMIT - len(method) - 1} characters")
    return name
