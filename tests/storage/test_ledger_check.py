"""The ledger is held against the balances of a store: every account that disagrees is found, and no other."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cgrserver.storage.gathering import Gathering
from cgrserver.storage.ledger_check import check_postgres, check_sqlite
from cgrserver.storage.postgres import PostgresStore
from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs

from cgrcore.world import World
from tests.storage.conftest import balance, put_account


class Kept:
    """A store with accounts whose balances changed now and then, and a way to tamper with it."""

    def __init__(self, store: SqliteStore | PostgresStore, check: Callable[[], Any], run: Callable[[str], Any]) -> None:
        self.store = store
        self._check = check
        self.run = run
        self.world = World({"general": {}}, new_id=lambda: "id")
        self.decide(
            lambda table: [put_account(self.world, f"t:{n}", balance(f"u{n}", 10**9 * n)) for n in range(1, 12)]
        )
        self.decide(lambda table: [self.add(table, f"t:{n}", 5) for n in range(1, 12)])
        self.decide(lambda table: self.add(table, "t:3", -(10**30)))
        self.decide(lambda table: table.remove("t:4"))

    def add(self, table: Any, key: str, amount_nano: int) -> None:
        table.edit(key).balances["*monetary"][0].value_nano += amount_nano

    def decide(self, change: Callable[[Any], Any]) -> None:
        self.world.state.begin("test")
        change(self.world.state.table("accounts"))
        gathering = Gathering(Codecs({"accounts": type(self.world.state.table("accounts").get("t:1"))}))
        gathering.take(self.world.state.take(), 1)
        self.store.commit(gathering.close())

    def found(self) -> tuple[list[str], int, int]:
        """Return what disagrees, how many accounts there are, and how many balances could not be checked."""
        for checked in self._check():
            return [str(it) for it in checked], checked.account_count, checked.unchecked_count
        raise AssertionError


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.live)])
def kept(request: pytest.FixtureRequest, tmp_path: Path, codecs: Codecs) -> Iterator[Kept]:
    store: SqliteStore | PostgresStore
    if request.param == "sqlite":
        path = tmp_path / "store.db"

        def run_sqlite(sql: str) -> None:
            connection = sqlite3.connect(path)
            connection.execute(sql)
            connection.commit()
            connection.close()

        store = SqliteStore(path, codecs)
        made = Kept(store, lambda: check_sqlite(path), run_sqlite)
    else:
        conninfo = request.getfixturevalue("postgres")

        def run_postgres(sql: str) -> None:
            with psycopg.connect(conninfo) as connection:
                connection.execute(sql)

        store = PostgresStore(conninfo, codecs)
        made = Kept(store, lambda: check_postgres(conninfo), run_postgres)
    yield made
    store.close()


def test_a_ledger_that_adds_up_is_sound_while_the_store_is_open(kept: Kept) -> None:
    assert kept.found() == ([], 10, 0)


def test_each_account_that_disagrees_is_named(kept: Kept) -> None:
    kept.run("UPDATE ledger SET amount = '1.000000006' WHERE account_id = 't:1' AND before_value = '0'")
    kept.run("DELETE FROM accounts WHERE id = 't:2'")
    kept.run("DELETE FROM ledger WHERE account_id = 't:11'")
    assert kept.found() == (
        [
            "t:1: balance u1 of *monetary holds 1.000000005 and is 1.000000011 by its lines",
            "t:11: balance u11 of *monetary holds 11.000000005 and has no lines",
            "t:2: balance u2 of *monetary is not there and is 2.000000005 by its lines",
        ],
        9,
        0,
    )


def test_lines_that_begin_with_something_are_wrong(kept: Kept) -> None:
    kept.run("DELETE FROM ledger WHERE account_id = 't:5' AND before_value = '0'")
    assert kept.found()[0] == ["t:5: balance u5 of *monetary holds 5.000000005 and is 0.000000005 by its lines"]


def test_a_ledger_whose_first_lines_were_pruned_goes_on_from_what_was_there(kept: Kept) -> None:
    kept.run("DELETE FROM ledger WHERE line_id <= 12")
    assert kept.found() == ([], 10, 1)  # 11 first lines and one more: of t:1 none are left
    kept.run("UPDATE ledger SET amount = '7' WHERE account_id = 't:6'")
    assert [text.partition(":")[2][:10] for text in kept.found()[0]] == ["6: balance"]
