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

import msgspec
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
    """The answers of a table, and the task that forgets old ones."""

    def __init__(self, world: World, ttl_ns: int, table: str = "answers", limit: int = 0) -> None:
        """`limit` is how many `forget` leaves room for, the oldest going first; 0 for all that are not too old."""
        self._world = world
        self._ttl_ns = ttl_ns
        self._name = table
        self._limit = limit
        self._by_age: deque[tuple[int, str]] = deque()
        self.read_again()

    def read_again(self) -> None:
        """Take the table as it is: to be called when it was loaded."""
        self._by_age = deque(sorted((answer.at, key) for key, answer in self._table.records.items()))

    @property
    def _table(self) -> Table[Answer]:
        return self._world.state.table(self._name)

    def name(self, method: str, args: Any, params: msgspec.Raw) -> str:
        """Return what the answer is kept under, "" for a request without a key.

        `params` is the JSON text of the arguments, looked at where `args` has no place for options. Raises BadRequest
        for a key that cannot be one.
        """
        options = getattr(args, "APIOpts", _NO_PLACE)
        if options is _NO_PLACE:
            options = _options_in(params)
        key = options.get(OPTION) if options else None
        if not key:
            return ""
        name = f"{method}:{key}"
        if not isinstance(key, str) or len(name) > KEY_LIMIT:
            raise BadRequest(f"{OPTION} must be a text of at most {KEY_LIMIT - len(method) - 1} characters")
        return name

    def find(self, name: str) -> bytes | None:
        """Return the result of the first request of a name, None when this is the first.

        Raises the first one's error when that was its answer.
        """
        answer = self._table.get(name)
        if answer is None or answer.at + self._ttl_ns <= self._world.now_at:
            return None
        if answer.reply.startswith(ERROR):
            raise CgrError(answer.reply.removeprefix(ERROR).decode())
        return answer.reply

    def keep(self, name: str, result: bytes) -> None:
        """In the open decision, keep its result under a name."""
        now_at = self._world.now_at
        self._table.put(name, Answer(result, now_at))
        self._by_age.append((now_at, name))

    def keeps_refusal(self, name: str, error: CgrError) -> bool:
        """Say no: what an error undid is asked for anew."""
        return False

    def keep_error(self, name: str, error: CgrError) -> None:
        """In the open decision, keep the error that ends it and keeps its changes."""
        self.keep(name, ERROR + str(error).encode())

    def forget(self, world: World) -> int:
        """As a decision, drop answers that are too old, or one too many with another; return how many."""
        count = 0
        while self._by_age and count < FORGET_LIMIT:
            at, key = self._by_age[0]
            is_crowded = self._limit and len(self._by_age) >= self._limit
            if at + self._ttl_ns > world.now_at and not is_crowded:
                break
            self._by_age.popleft()
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


_NO_PLACE: Any = object()


class _Argument(msgspec.Struct):
    APIOpts: dict[str, Any] | None = None


_read_options = msgspec.json.Decoder(tuple[_Argument]).decode


def _options_in(params: msgspec.Raw) -> dict[str, Any] | None:
    """Return the options in arguments whose record has none: tariff plan records are as in CGRateS."""
    text = bytes(params)
    if OPTION.encode() not in text:
        return None
    try:
        return _read_options(text)[0].APIOpts
    except msgspec.MsgspecError:
        return None
