"""A world with accounts and CDR marks, a SQLite store for it, and decisions to commit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs

from tests.postgres_server import postgres, postgres_server

__all__ = ["postgres", "postgres_server"]

from cgrcore.accounting.records import Account, Balance
from cgrcore.ports import Answer
from cgrcore.world import World

TABLES = {"answers": Answer, "accounts": Account, "marks": int, "caches": None}


@pytest.fixture
def codecs() -> Codecs:
    return Codecs(TABLES)


@pytest.fixture
def world() -> World:
    return World({"general": {"default_tenant": "cgrates.org"}}, new_id=lambda: "id")


@pytest.fixture
def store(tmp_path: Path, codecs: Codecs) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.db", codecs)
    yield made
    made.close()


def balance(uuid: str, value_nano: int) -> Balance:
    return Balance(uuid=uuid, id=f"id-{uuid}", type="*monetary", value_nano=value_nano)


def put_account(world: World, account_id: str, *balances: Balance) -> None:
    """In the open decision, put an account with money balances."""
    world.state.table("accounts").put(account_id, Account(account_id, {"*monetary": list(balances)}))
