"""What the charging system asks of a store, as interfaces and the records that cross them.

A store keeps two things: the records of the tables, and lines that are appended or replaced by name (CDRs, costs of
sessions, the ledger). It changes by `commit` of one `Batch`, which is one transaction: all of it is kept, or nothing.
`Store` blocks and is used from threads; `Reads` is what a method's `fetch` sees. Does not know: SQL, files.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from cgrcore._fast.ledger import LedgerLine
from cgrcore.cdrs.filter import CdrFilter
from cgrcore.cdrs.records import Cdr, SessionCost
from cgrcore.world import World

__all__ = ["Answer", "Batch", "Calls", "LedgerLine", "Reads", "Store"]


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What was answered to a request with an idempotency key: the encoded reply, and when.

    The table `answers` holds it under that key. A decision that puts one has its ledger lines marked with the key.
    """

    reply: bytes
    at: int


class Batch(msgspec.Struct):
    """What one transaction writes.

    `records` maps a table to its touched keys and their encoded records, None for a removed one. `at` is the
    instant that rows are stamped with (ns UTC).
    """

    at: int = 0
    records: dict[str, list[tuple[str, bytes | None]]] = {}
    ledger: list[LedgerLine] = []
    cdrs: list[Cdr] = []
    removed_cdrs: list[tuple[str, str]] = []
    session_costs: list[SessionCost] = []
    removed_session_costs: list[tuple[str, str]] = []


#: The CDRs and the session costs of some calls.
Calls = tuple[list[Cdr], list[SessionCost]]


class Store(Protocol):
    """A place where the state is kept. Every call blocks; `commit` is called from one thread at a time.

    All raise Unavailable when the store cannot be reached or written (the text says why), Corrupt when what it
    holds contradicts itself.
    """

    def load(self, world: World) -> None:
        """Fill the tables of the world with everything that was committed, and nothing else.

        Of accounts no more than the limit of their table; what they hold is looked at when they are used first.
        """
        ...

    def find_accounts(self, account_ids: Sequence[str]) -> dict[str, bytes]:
        """Return those of the accounts that there are, encoded, by id."""
        ...

    def account_ids(self) -> list[str]:
        """Return the ids of all accounts, in no order."""
        ...

    def commit(self, batch: Batch) -> None:
        """Keep the whole batch, durably, or nothing of it."""
        ...

    def reopen(self) -> None:
        """Begin anew after a failed commit, and prove that writing works again."""
        ...

    def close(self) -> None: ...

    def find_cdrs(self, criteria: CdrFilter) -> list[Cdr]:
        """Return the matching CDRs in the filter's order, ties by `order_id`."""
        ...

    def count_cdrs(self, criteria: CdrFilter) -> int:
        """Return how many CDRs `find_cdrs` would return."""
        ...

    def get_cdr(self, cgrid: str, run_id: str) -> Cdr | None: ...

    def find_calls(self, cgrids: Sequence[str]) -> Calls:
        """Return all CDRs and session costs of these calls, by `order_id` and in the order they were stored."""
        ...

    def find_session_costs(
        self, cgrid: str = "", run_id: str = "", origin_host: str = "", origin_id_prefix: str = ""
    ) -> list[SessionCost]:
        """Return the session costs that agree with every value given, in the order they were stored."""
        ...

    def history(self, account_id: str, from_at: int | None = None, until_at: int | None = None) -> list[LedgerLine]:
        """Return the account's ledger lines with from_at <= at < until_at, oldest first."""
        ...

    def balances_at(self, account_id: str, at: int) -> list[LedgerLine]:
        """Return the last line at or before the instant of each of the account's balances, oldest first."""
        ...


class Reads(Protocol):
    """The store as a decision's `fetch` sees it. A call waits until what was decided before it is durable."""

    async def find_cdrs(self, criteria: CdrFilter) -> list[Cdr]: ...

    async def count_cdrs(self, criteria: CdrFilter) -> int: ...

    async def get_cdr(self, cgrid: str, run_id: str) -> Cdr | None: ...

    async def find_calls(self, cgrids: Sequence[str]) -> Calls: ...

    async def find_session_costs(
        self, cgrid: str = "", run_id: str = "", origin_host: str = "", origin_id_prefix: str = ""
    ) -> list[SessionCost]: ...

    async def history(
        self, account_id: str, from_at: int | None = None, until_at: int | None = None
    ) -> list[LedgerLine]: ...

    async def balances_at(self, account_id: str, at: int) -> list[LedgerLine]: ...
