"""The world, the account and the call that the tests of sessions begin with."""

import pytest

from cgrcore.accounting import Account
from cgrcore.world import World
from tests.accounting.small_world import balance, make_account
from tests.sessions.calls import Phone, make_world


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def account(world: World) -> Account:
    """An account with 10 of money in balance m: 1000 s of the call below."""
    return make_account(world, balance(world, "*monetary", "m", "10"))


@pytest.fixture
def phone(world: World, account: Account) -> Phone:
    """A prepaid call of that account at 0.01 a second."""
    return Phone(world)
