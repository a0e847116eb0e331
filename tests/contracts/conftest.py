"""Every store that there is, each fresh for its test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cgrserver.storage.memory import MemoryStore
from cgrserver.storage.postgres import PostgresStore
from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs

from cgrcore.accounting import Account
from cgrcore.ports import Answer
from tests.postgres_server import postgres, postgres_server

__all__ = ["postgres", "postgres_server"]


@pytest.fixture
def codecs() -> Codecs:
    return Codecs({"accounts": Account, "answers": Answer, "marks": int})


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.live)])
def store(request: pytest.FixtureRequest, tmp_path: Path, codecs: Codecs) -> Iterator[object]:
    """Each store in turn."""
    if request.param == "memory":
        made: MemoryStore | SqliteStore | PostgresStore = MemoryStore(codecs)
    elif request.param == "sqlite":
        made = SqliteStore(tmp_path / "store.db", codecs)
    else:
        made = PostgresStore(request.getfixturevalue("postgres"), codecs)
    yield made
    made.close()
