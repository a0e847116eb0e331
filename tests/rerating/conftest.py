"""What the tests of rerating share: a tariff plan in a folder, a PostgreSQL server."""

from pathlib import Path

import pytest

from tests.postgres_server import postgres, postgres_server
from tests.rerating.calls import write_plan

__all__ = ["plan", "postgres", "postgres_server"]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A folder with a tariff: Germany 0.06 a minute by the second, its mobiles 0.1 and 0.12 by the minute."""
    return write_plan(tmp_path / "plan")
