"""The queries that both SQL stores answer alike. What differs is in their `Dialect`, and in how rows are fetched."""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from cgrcore.cdrs.filter import CdrFilter
from cgrcore.cdrs.records import Cdr, SessionCost
from cgrcore.ports import Calls, LedgerLine
from cgrcore.state import Table
from cgrcore.world import World
from cgrserver.storage.cdr_sql import CdrQuery, Dialect
from cgrserver.storage.rows import (
    CDR_COLUMNS,
    LEDGER_COLUMNS,
    RECORD_TABLES,
    SESSION_COST_COLUMNS,
    cdr_from_row,
    ledger_from_row,
    session_cost_from_row,
)
from cgrserver.storage.tables import Codecs

__all__ = ["SqlQueries"]

T = TypeVar("T")

ACCOUNTS = "SELECT id, body FROM accounts WHERE body IS NOT NULL"
CDRS = f"SELECT order_id, {', '.join(CDR_COLUMNS)} FROM cdrs"
LINES = f"SELECT line_id, {', '.join(LEDGER_COLUMNS)}"
SESSION_COSTS = f"SELECT {', '.join(SESSION_COST_COLUMNS)} FROM session_costs"

_first: Callable[[Sequence[Any]], Any] = itemgetter(0)


def _pair(row: Sequence[Any]) -> tuple[str, bytes]:
    return row[0], row[1]


class SqlQueries:
    """The reading half of an SQL store."""

    def __init__(self, dialect: Dialect, codecs: Codecs) -> None:
        self._dialect = dialect
        self._codecs = codecs

    def _rows(self, sql: str, parameters: Sequence[Any], make: Callable[[Sequence[Any]], T]) -> list[T]:
        """Run a query and return what `make` makes of each row. Parameters are written {} in the text."""
        raise NotImplementedError

    def load(self, world: World) -> None:
        for table in world.state.tables.values():
            table.hold({})

        def put(row: Sequence[Any]) -> None:
            name, key, body = row
            world.state.table(name).records[key] = self._codecs.decode(name, key, body)

        for name, sql_table in RECORD_TABLES.items():
            if name != "accounts":
                self._rows(f"SELECT '{name}', id, body FROM {sql_table}", (), put)
        self._rows("SELECT kind, id, body FROM documents", (), put)
        self._load_accounts(world.state.table("accounts"))

    def _load_accounts(self, accounts: Table[Any]) -> None:
        found = dict(self._account_rows(f" LIMIT {accounts.limit + 1}" if accounts.limit else ""))
        is_whole = not accounts.limit or len(found) <= accounts.limit
        if not is_whole:
            found.popitem()
        accounts.hold(found, self._codecs.decode_account, is_whole)

    def _account_rows(self, page: str) -> Iterable[tuple[str, bytes]]:
        """Return the rows of accounts, in no order."""
        return self._rows(f"{ACCOUNTS}{page}", (), _pair)

    def find_accounts(self, account_ids: Sequence[str]) -> dict[str, bytes]:
        wanted = self._dialect.among.format(column="id")
        return dict(self._rows(f"{ACCOUNTS} AND {wanted}", (self._dialect.texts(account_ids),), _pair))

    def account_ids(self) -> list[str]:
        return self._rows("SELECT id FROM accounts WHERE body IS NOT NULL", (), _first)

    def find_cdrs(self, criteria: CdrFilter) -> list[Cdr]:
        query = CdrQuery(criteria, self._dialect)
        return self._rows(f"{CDRS} WHERE {query.where} {query.page}", query.parameters, cdr_from_row)

    def count_cdrs(self, criteria: CdrFilter) -> int:
        query = CdrQuery(criteria, self._dialect)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM cdrs WHERE {query.where} {query.page}) AS page"
        return self._rows(sql, query.parameters, lambda row: int(row[0]))[0]

    def get_cdr(self, cgrid: str, run_id: str) -> Cdr | None:
        found = self._rows(f"{CDRS} WHERE cgrid = {{}} AND run_id = {{}}", (cgrid, run_id), cdr_from_row)
        return found[0] if found else None

    def find_calls(self, cgrids: Sequence[str]) -> Calls:
        calls = self._dialect.among.format(column="cgrid")
        wanted = (self._dialect.texts(cgrids),)
        return (
            self._rows(f"{CDRS} WHERE {calls} ORDER BY order_id", wanted, cdr_from_row),
            self._rows(f"{SESSION_COSTS} WHERE {calls} ORDER BY id", wanted, session_cost_from_row),
        )

    def find_session_costs(
        self, cgrid: str = "", run_id: str = "", origin_host: str = "", origin_id_prefix: str = ""
    ) -> list[SessionCost]:
        given = {"cgrid": cgrid, "run_id": run_id, "origin_host": origin_host}
        conditions = [f"{column} = {{}}" for column, value in given.items() if value]
        parameters: list[Any] = [value for value in given.values() if value]
        if origin_id_prefix:
            conditions.append("substr(origin_id, 1, {}) = {}")
            parameters += [len(origin_id_prefix), origin_id_prefix]
        where = " AND ".join(conditions) or "1 = 1"
        return self._rows(f"{SESSION_COSTS} WHERE {where} ORDER BY id", parameters, session_cost_from_row)

    def history(self, account_id: str, from_at: int | None = None, until_at: int | None = None) -> list[LedgerLine]:
        conditions = ["1 = 1"]
        parameters: list[Any] = [account_id]
        for condition, bound in (("at >= {}", from_at), ("at < {}", until_at)):
            if bound is not None:
                conditions.append(condition)
                parameters.append(bound)
        sql = f"{LINES} FROM {self._dialect.account_ledger} AS lines WHERE {' AND '.join(conditions)} ORDER BY line_id"
        return self._rows(sql, parameters, ledger_from_row)

    def balances_at(self, account_id: str, at: int) -> list[LedgerLine]:
        lines = f"SELECT max(line_id) FROM {self._dialect.account_ledger} AS lines WHERE at <= {{}}"
        sql = f"{LINES} FROM ledger WHERE line_id IN ({lines} GROUP BY balance_type, balance_uuid) ORDER BY line_id"
        return self._rows(sql, (account_id, at), ledger_from_row)
