"""Whatever is committed in whatever order: SQLite and PostgreSQL hold what the store in memory holds."""

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from cgrserver.storage.memory import MemoryStore
from cgrserver.storage.postgres import PostgresStore
from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgrcore.cdrs.filter import CdrFilter
from cgrcore.cdrs.records import Cdr, SessionCost
from cgrcore.ports import Answer, Batch, LedgerLine
from cgrcore.world import World

CODECS = Codecs({"answers": Answer, "marks": int})
NAMES = st.sampled_from("abc")
RUNS = st.sampled_from(["*default", "*raw"])
AMOUNTS = st.integers(-(10**30), 10**30)

CDRS = st.builds(
    Cdr,
    cgrid=NAMES,
    run_id=RUNS,
    account=st.text(max_size=3).filter(lambda text: text.isprintable()),
    cost_nano=st.none() | AMOUNTS,
    usage_ns=st.integers(0, 100),
    extra_fields=st.dictionaries(NAMES, NAMES, max_size=2),
)
LINES = st.builds(
    LedgerLine,
    account_id=NAMES,
    balance_uuid=NAMES,
    balance_id=NAMES,
    balance_type=st.just("*monetary"),
    before_nano=AMOUNTS,
    after_nano=AMOUNTS,
    reason=NAMES,
    at=st.integers(0, 5),
)
BODIES = {
    "answers": st.binary(max_size=3).map(lambda reply: msgspec.msgpack.encode(Answer(reply, 1))),
    "marks": st.integers(0, 9).map(msgspec.msgpack.encode),
}
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        name: st.dictionaries(NAMES, st.none() | body).map(lambda touched: list(touched.items()))
        for name, body in BODIES.items()
    },
)


def once(rows: list[Any]) -> list[Any]:
    """A batch names a call's run once, as the committer makes it."""
    return list({(row.cgrid, row.run_id): row for row in rows}.values())


def names_besides(rows: list[Any], names: list[tuple[str, str]]) -> list[tuple[str, str]]:
    kept = {(row.cgrid, row.run_id) for row in rows}
    return [name for name in dict.fromkeys(names) if name not in kept]


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    cdrs = once(draw(st.lists(CDRS, max_size=4)))
    costs = once(draw(st.lists(st.builds(SessionCost, cgrid=NAMES, run_id=RUNS, origin_id=NAMES), max_size=3)))
    removed = st.lists(st.tuples(NAMES, RUNS), max_size=2)
    return Batch(
        at=draw(st.integers(1, 99)),
        records=draw(RECORDS),
        ledger=draw(st.lists(LINES, max_size=4)),
        cdrs=cdrs,
        removed_cdrs=names_besides(cdrs, draw(removed)),
        session_costs=costs,
        removed_session_costs=names_besides(costs, draw(removed)),
    )


def everything(store: Any) -> dict[str, Any]:
    """Return what a store holds, by its own account. Numbers that it gives rows by itself are left out."""
    world = World({}, new_id=lambda: "")
    store.load(world)
    tables = {name: dict(sorted(table.records.items())) for name, table in world.state.tables.items() if table.records}
    cdrs = [msgspec.structs.replace(cdr, order_id=0) for cdr in store.find_cdrs(CdrFilter())]
    held: dict[str, Any] = {"tables": tables, "cdrs": cdrs, "session costs": store.find_session_costs()}
    for name in "abc":
        held[f"history {name}"] = [line.numbered(0) for line in store.history(name)]
        for at in range(6):
            lines = store.balances_at(name, at)
            held[f"balances {name} {at}"] = [line.numbered(0) for line in lines]
    return held


def agree(store: Any, committed: list[Batch]) -> None:
    model = MemoryStore(CODECS)
    for batch in committed:
        model.commit(batch)
        store.commit(batch)
    assert everything(store) == everything(model)


@given(st.lists(batches(), max_size=5))
@settings(max_examples=60, deadline=None)
def test_sqlite_agrees(committed: list[Batch]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder, "store.db"), CODECS, is_every_commit_synced=False)
        try:
            agree(store, committed)
        finally:
            store.close()


@pytest.mark.live
@given(committed=st.lists(batches(), max_size=5))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_postgres_agrees(postgres: str, committed: list[Batch]) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP SCHEMA trial CASCADE")
        connection.execute("CREATE SCHEMA trial")
    store = PostgresStore(postgres, CODECS)
    try:
        agree(store, committed)
    finally:
        store.close()
