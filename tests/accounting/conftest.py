import pytest

from cgrcore.world import World
from tests.accounting.small_world import make_world


@pytest.fixture
def world() -> World:
    """A world with the tariff of `small_world`."""
    return make_world()
