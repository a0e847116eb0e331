"""Whether the ledger adds up to the balances, for every account of a store that may be in use meanwhile.

Rules: what is compared is one moment of the store, read in order, so memory does not grow with it; amounts are exact.
The amounts of a balance's lines, and what its first line began with, are what it holds. Only where old lines were
removed (the ledger does not begin with its first line) may a first line begin with something, and may a balance have
no lines at all: then it cannot be checked and is counted. Does not know: who reads the findings.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from cgrcore.accounting import Account
from cgrcore.errors import Corrupt, Unavailable
from cgrcore.money import format_nano, nano_from_number, parse_nano

__all__ = ["Checked", "Disagreement", "Sum", "check_postgres", "check_sqlite"]

#: How long a statement waits for a writer that holds the file.
BUSY_TIMEOUT_S = 30.0

#: Rows that PostgreSQL hands over at a time.
FETCH_SIZE = 5000


class Disagreement(NamedTuple):
    """A balance whose lines do not add up to it. None: there is no such balance, or it has no lines."""

    account_id: str
    balance_type: str
    balance_uuid: str
    held_nano: int | None
    ledger_nano: int | None

    def __str__(self) -> str:
        held = "is not there" if self.held_nano is None else f"holds {format_nano(self.held_nano)}"
        lines = "has no lines" if self.ledger_nano is None else f"is {format_nano(self.ledger_nano)} by its lines"
        return f"{self.account_id}: balance {self.balance_uuid} of {self.balance_type} {held} and {lines}"


class Sum(NamedTuple):
    """The lines of one balance: what the first began with, and what all add up to."""

    account_id: str
    balance_type: str
    balance_uuid: str
    opening_nano: int
    amount_nano: int


class Checked:
    """Iterates over the disagreements; then `account_count` were looked at and `unchecked_count` balances of them have
    no lines left."""

    def __init__(self, accounts: Iterable[tuple[str, bytes]], sums: Iterable[Sum], is_pruned: bool) -> None:
        self._accounts = accounts
        self._sums = sums
        self._is_pruned = is_pruned
        self.account_count = 0
        self.unchecked_count = 0

    def __iter__(self) -> Iterator[Disagreement]:
        groups = ((key, list(lines)) for key, lines in groupby(self._sums, key=lambda line: line.account_id))
        waiting = next(groups, None)
        for account_id, body in self._accounts:
            self.account_count += 1
            while waiting is not None and waiting[0] < account_id:
                yield from self._compare(waiting[0], {}, waiting[1])
                waiting = next(groups, None)
            lines = []
            if waiting is not None and waiting[0] == account_id:
                lines, waiting = waiting[1], next(groups, None)
            yield from self._compare(account_id, _held(account_id, body), lines)
        while waiting is not None:
            yield from self._compare(waiting[0], {}, waiting[1])
            waiting = next(groups, None)

    def _compare(self, account_id: str, held: dict[tuple[str, str], int], lines: list[Sum]) -> Iterator[Disagreement]:
        for line in lines:
            name = line.balance_type, line.balance_uuid
            value_nano = held.pop(name, None)
            ledger_nano = line.amount_nano + (line.opening_nano if self._is_pruned else 0)
            if (value_nano or 0) != ledger_nano or (line.opening_nano and not self._is_pruned):
                yield Disagreement(account_id, *name, value_nano, ledger_nano)
        for name, value_nano in held.items():
            if self._is_pruned:
                self.unchecked_count += 1
            elif value_nano:
                yield Disagreement(account_id, *name, value_nano, None)


def _held(account_id: str, body: bytes) -> dict[tuple[str, str], int]:
    """Return what an account's balances hold by type and UUID. Raises Corrupt."""
    try:
        account = Account.decode(body)
    except (ValueError, TypeError, LookupError) as error:
        raise Corrupt(f"account {account_id} cannot be read: {error}") from error
    held: dict[tuple[str, str], int] = {}
    for kind, balances in account.balances.items():
        for balance in balances or ():
            name = kind, balance.uuid
            held[name] = held.get(name, 0) + balance.value_nano
    return held


# --- SQLite ----------------------------------------------------------------------------------------------------------


class _ExactSum:
    """SQLite's sum of decimal texts, which its own would make a float."""

    def __init__(self) -> None:
        self._total_nano = 0

    def step(self, amount: str) -> None:
        self._total_nano += parse_nano(amount)

    def finalize(self) -> str:
        return str(self._total_nano)


#: A column beside min() is that of the row with the minimum.
_SQLITE_SUMS = """SELECT account_id, balance_type, balance_uuid, min(line_id), before_value, exact_sum(amount)
    FROM ledger GROUP BY account_id, balance_type, balance_uuid ORDER BY account_id"""
_ACCOUNTS = "SELECT id, body FROM accounts WHERE body IS NOT NULL ORDER BY id"
_FIRST_LINE = "SELECT min(line_id) FROM ledger"


def check_sqlite(path: Path) -> Iterator[Checked]:
    """Yield the check of the store in a file, once; its moment ends with the iteration. Raises Unavailable."""
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            connection.create_aggregate("exact_sum", 1, _ExactSum)  # type: ignore[arg-type]  # typeshed: sums are int
            connection.execute("PRAGMA temp_store=FILE")
            connection.execute("BEGIN")
            first = connection.execute(_FIRST_LINE).fetchone()[0]
            rows = connection.execute(_SQLITE_SUMS)
            sums = (Sum(key, kind, uuid, parse_nano(began), int(total)) for key, kind, uuid, _, began, total in rows)
            yield Checked(connection.execute(_ACCOUNTS), sums, is_pruned=(first or 1) > 1)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise Unavailable(f"SQLite: {error}") from error


# --- PostgreSQL ------------------------------------------------------------------------------------------------------

_POSTGRES_SUMS = """SELECT sums.account_id, sums.balance_type, sums.balance_uuid, ledger.before_value, sums.amount
    FROM (SELECT account_id, balance_type, balance_uuid, min(line_id) AS line_id, sum(amount) AS amount
          FROM ledger GROUP BY account_id, balance_type, balance_uuid) AS sums
    JOIN ledger USING (line_id) ORDER BY sums.account_id COLLATE "C\""""


def check_postgres(conninfo: str) -> Iterator[Checked]:
    """As `check_sqlite`, of the store in a database."""
    import psycopg

    try:
        with psycopg.connect(conninfo) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            first = connection.execute(_FIRST_LINE).fetchone()
            with connection.cursor("sums") as sums, connection.cursor("accounts") as accounts:
                sums.itersize = accounts.itersize = FETCH_SIZE
                sums.execute(_POSTGRES_SUMS)
                accounts.execute('SELECT id, body FROM accounts WHERE body IS NOT NULL ORDER BY id COLLATE "C"')
                lines = (Sum(key, kind, uuid, _nano(began), _nano(total)) for key, kind, uuid, began, total in sums)
                yield Checked(
                    ((key, bytes(body)) for key, body in accounts), lines, (first or (1,))[0] not in (None, 1)
                )
    except psycopg.Error as error:
        raise Unavailable(f"PostgreSQL: {str(error).strip()}") from error


def _nano(value: Decimal) -> int:
    return int(nano_from_number(value))
