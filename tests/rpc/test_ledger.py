"""LedgerSv1: the changes of an account's balances, read through a store."""

from decimal import Decimal
from typing import Any

import pytest
from cgrserver.commit import Committer
from cgrserver.rpc.methods import ledger
from cgrserver.rpc.registry import METHODS
from cgrserver.storage.memory import MemoryStore
from cgrserver.storage.reads import StoreReads
from cgrserver.storage.tables import Codecs

from cgrcore.config import read_settings
from cgrcore.errors import NotFound
from cgrcore.ports import Batch, LedgerLine
from cgrcore.world import World

DAY_NS = 86400 * 10**9
TOP_UP = LedgerLine("cgrates.org:1001", "u1", "main", "*monetary", 0, 10_500_000_000, "APIerSv1.SetBalance", DAY_NS)
DEBIT = LedgerLine("cgrates.org:1001", "u1", "main", "*monetary", 10_500_000_000, 10**10, "Responder.Debit", 2 * DAY_NS)


async def call(name: str, args: Any) -> Any:
    codecs = Codecs({})
    store = MemoryStore(codecs)
    store.commit(Batch(ledger=[TOP_UP, DEBIT]))
    world = World(read_settings([]), lambda: "id", now_at=3 * DAY_NS)
    world.settings["general"]["default_timezone"] = "UTC"
    method = METHODS[name]
    assert method.fetch is not None
    reads = StoreReads(store, Committer(store, world, codecs))
    return method.decide(world, args, await method.fetch(reads, world, args))


async def test_every_change_is_listed_oldest_first() -> None:
    lines = await call("LedgerSv1.GetHistory", ledger.HistoryArgs(Account="1001"))
    assert [line["Amount"] for line in lines] == [Decimal("10.5"), Decimal("-0.5")]
    assert lines[0] == {
        "Time": "1970-01-02T00:00:00Z",
        "BalanceType": "*monetary",
        "BalanceID": "main",
        "BalanceUUID": "u1",
        "Before": 0,
        "Amount": Decimal("10.5"),
        "After": Decimal("10.5"),
        "Reason": "APIerSv1.SetBalance",
        "IdempotencyKey": "",
    }


async def test_a_period_is_half_open() -> None:
    args = ledger.HistoryArgs(Account="1001", TimeStart="1970-01-02T00:00:00Z", TimeEnd="1970-01-03T00:00:00Z")
    assert [line["After"] for line in await call("LedgerSv1.GetHistory", args)] == [Decimal("10.5")]


@pytest.mark.parametrize(("time", "held"), [("1970-01-02T12:00:00Z", Decimal("10.5")), ("", 10), ("-1h", 10)])
async def test_what_a_balance_held_is_its_last_change_before(time: str, held: object) -> None:
    lines = await call("LedgerSv1.GetBalancesAt", ledger.AtArgs(Account="1001", Time=time))
    assert [line["After"] for line in lines] == [held]


async def test_an_account_without_changes_is_not_found() -> None:
    with pytest.raises(NotFound):
        await call("LedgerSv1.GetHistory", ledger.HistoryArgs(Account="1002"))
