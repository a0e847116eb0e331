"""A small world with accounts, action sets and triggers, whose clock stands until a test moves it."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from cgrcore.accounting import Account, Balance
from cgrcore.actions import Action, ActionSet, BalanceFilter, ValueFormula
from cgrcore.actions.triggers import install_triggers
from cgrcore.config import read_settings
from cgrcore.money import NANO
from cgrcore.timing import parse_time
from cgrcore.world import World

NOW_AT = parse_time("2026-03-01T12:00:00Z", 0).at
ACCOUNT_ID = "cgrates.org:1001"

Define = Callable[..., str]


def make_world(now_at: int = NOW_AT) -> World:
    settings = read_settings([])
    settings["general"]["default_timezone"] = "UTC"
    numbers = count(1)
    world = World(settings, lambda: f"uuid-{next(numbers)}", now_at)
    install_triggers(world)
    world.state.begin("test")
    return world


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def account(world: World) -> Account:
    """An account with 10 of money in balance MAIN."""
    account = Account(ACCOUNT_ID, {"*monetary": [Balance("m-1", "MAIN", "*monetary", 10 * NANO)]})
    world.state.table("accounts").put(ACCOUNT_ID, account)
    return account


def step(kind: str, units: int | None = None, weight: int = 10, **fields: Any) -> Action:
    """Return an action; `units` are whole, further fields are those of its balance filter or of itself."""
    own = {name: fields.pop(name) for name in ("extra_parameters", "filters", "expiration") if name in fields}
    value = None if units is None else ValueFormula(units * NANO)
    return Action("SET", kind, weight_nano=weight * NANO, balance=BalanceFilter(value=value, **fields), **own)


@pytest.fixture
def define(world: World) -> Define:
    """Define an action set and return its id."""

    def define(*actions: Action, set_id: str = "SET") -> str:
        world.state.table("actions").put(set_id, ActionSet(set_id, actions))
        return set_id

    return define
