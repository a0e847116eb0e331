"""The store in memory: nothing survives the process. For tests, trials and `durability = memory`.

Its queries are the plain meaning of what SQL stores do, and the contract tests hold these against it.
"""

import threading
from collections.abc import Sequence
from itertools import count, islice
from typing import Any

import msgspec

from cgrcore.cdrs.filter import CdrFilter
from cgrcore.cdrs.records import Cdr, SessionCost
from cgrcore.ports import Batch, Calls, LedgerLine
from cgrcore.state import Table
from cgrcore.world import World
from cgrserver.storage.rows import latest
from cgrserver.storage.tables import Codecs

__all__ = ["MemoryStore"]


class MemoryStore:
    """A store that keeps everything in dictionaries. Safe to read from several threads."""

    #: Reading and writing take no longer than handing them to a thread would.
    is_instant = True

    def __init__(self, codecs: Codecs) -> None:
        self._codecs = codecs
        self._lock = threading.Lock()
        self._records: dict[str, dict[str, bytes]] = {}
        self._ledger: dict[str, list[LedgerLine]] = {}
        self._cdrs: dict[tuple[str, str], Cdr] = {}
        self._runs: dict[str, dict[str, None]] = {}
        self._session_costs: dict[tuple[str, str], SessionCost] = {}
        self._cost_keys: dict[str, dict[tuple[str, str], None]] = {}
        self._order_ids = count(1)
        self._line_ids = count(1)

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def reopen(self) -> None:
        """Do nothing: memory does not fail."""

    def load(self, world: World) -> None:
        for table in world.state.tables.values():
            table.hold({})
        with self._lock:
            for name, bodies in self._records.items():
                records = world.state.table(name).records
                if name != "accounts":
                    records.update((key, self._codecs.decode(name, key, body)) for key, body in bodies.items())
            self._load_accounts(world.state.table("accounts"))

    def _load_accounts(self, accounts: Table[Any]) -> None:
        bodies = self._records.get("accounts", {})
        is_whole = not accounts.limit or len(bodies) <= accounts.limit
        found = dict(bodies if is_whole else islice(bodies.items(), accounts.limit))
        accounts.hold(found, self._codecs.decode_account, is_whole)

    def find_accounts(self, account_ids: Sequence[str]) -> dict[str, bytes]:
        with self._lock:
            bodies = self._records.get("accounts", {})
            return {key: bodies[key] for key in account_ids if key in bodies}

    def account_ids(self) -> list[str]:
        with self._lock:
            return list(self._records.get("accounts", ()))

    def commit(self, batch: Batch) -> None:
        with self._lock:
            for name, touched in batch.records.items():
                bodies = self._records.setdefault(name, {})
                for record_id, body in touched:
                    if body is None:
                        bodies.pop(record_id, None)
                    else:
                        bodies[record_id] = body
            for line in batch.ledger:
                self._ledger.setdefault(line.account_id, []).append(line.numbered(next(self._line_ids)))
            for cdr in batch.cdrs:
                self._keep(cdr, batch.at)
            for cost in batch.session_costs:
                self._keep_cost(cost, batch.at)
            for key in batch.removed_cdrs:
                self._cdrs.pop(key, None)
                self._runs.get(key[0], {}).pop(key[1], None)
            for key in batch.removed_session_costs:
                self._session_costs.pop(key, None)
                self._cost_keys.get(key[0], {}).pop(key, None)

    def _keep(self, cdr: Cdr, at: int) -> None:
        key = cdr.cgrid, cdr.run_id
        held = self._cdrs.get(key)
        self._runs.setdefault(cdr.cgrid, {})[cdr.run_id] = None
        self._cdrs[key] = msgspec.structs.replace(
            cdr,
            order_id=held.order_id if held else next(self._order_ids),
            created_at=held.created_at if held else cdr.created_at or at,
            updated_at=at,
        )

    def _keep_cost(self, cost: SessionCost, at: int) -> None:
        key = cost.cgrid, cost.run_id
        held = self._session_costs.get(key)
        created_at = held.created_at if held else cost.created_at or at
        self._session_costs[key] = msgspec.structs.replace(cost, created_at=created_at)
        self._cost_keys.setdefault(cost.cgrid, {})[key] = None

    def find_cdrs(self, criteria: CdrFilter) -> list[Cdr]:
        with self._lock:
            if "cgrid" not in criteria.among:
                return criteria.select(self._cdrs.values())
            return criteria.select(cdr for cgrid in dict.fromkeys(criteria.among["cgrid"]) for cdr in self._call(cgrid))

    def _call(self, cgrid: str) -> list[Cdr]:
        return [self._cdrs[cgrid, run_id] for run_id in self._runs.get(cgrid, ())]

    def find_calls(self, cgrids: Sequence[str]) -> Calls:
        with self._lock:
            cdrs = [cdr for cgrid in cgrids for cdr in self._call(cgrid)]
            costs = [cost for cgrid in cgrids for cost in self._costs_of(cgrid)]
        return sorted(cdrs, key=lambda cdr: cdr.order_id), costs

    def _costs_of(self, cgrid: str) -> list[SessionCost]:
        return [self._session_costs[key] for key in self._cost_keys.get(cgrid, ())]

    def count_cdrs(self, criteria: CdrFilter) -> int:
        return len(self.find_cdrs(criteria))

    def get_cdr(self, cgrid: str, run_id: str) -> Cdr | None:
        return self._cdrs.get((cgrid, run_id))

    def find_session_costs(
        self, cgrid: str = "", run_id: str = "", origin_host: str = "", origin_id_prefix: str = ""
    ) -> list[SessionCost]:
        with self._lock:
            return [
                cost
                for cost in self._session_costs.values()
                if (not cgrid or cost.cgrid == cgrid)
                and (not run_id or cost.run_id == run_id)
                and (not origin_host or cost.origin_host == origin_host)
                and cost.origin_id.startswith(origin_id_prefix)
            ]

    def history(self, account_id: str, from_at: int | None = None, until_at: int | None = None) -> list[LedgerLine]:
        with self._lock:
            return [
                line
                for line in self._ledger.get(account_id, ())
                if (from_at is None or line.at >= from_at) and (until_at is None or line.at < until_at)
            ]

    def balances_at(self, account_id: str, at: int) -> list[LedgerLine]:
        return latest(line for line in self.history(account_id) if line.at <= at)
