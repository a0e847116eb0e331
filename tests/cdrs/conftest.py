"""The world, the call and the office that the tests of CDRs begin with."""

import pytest

from cgrcore.world import World
from tests.accounting.small_world import balance, make_account
from tests.cdrs.arriving import Office
from tests.sessions.calls import Phone, make_world


@pytest.fixture
def world() -> World:
    """The world of the tests of sessions, account 1001 with 10 of money in balance m."""
    world = make_world()
    make_account(world, balance(world, "*monetary", "m", "10"))
    return world


@pytest.fixture
def phone(world: World) -> Phone:
    """A prepaid call of that account at 0.01 a second."""
    return Phone(world)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)
