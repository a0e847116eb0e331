"""A PostgreSQL server that the tests of crashes may end as they like."""

from collections.abc import Iterator

import pytest

from tests.postgres_server import PostgresServer

__all__ = ["database"]


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresServer]:
    """A PostgreSQL server of one file of tests."""
    server = PostgresServer()
    yield server
    server.close()
