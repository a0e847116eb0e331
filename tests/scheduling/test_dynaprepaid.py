"""Accounts that come to be with their first call."""

import pytest

from cgrcore.accounting import Account
from cgrcore.actions import ActionSet
from cgrcore.errors import BadRequest
from cgrcore.money import NANO
from cgrcore.rating.records import Timing
from cgrcore.scheduling import ActionTiming
from cgrcore.scheduling.dynaprepaid import make_dynaprepaid_account
from cgrcore.scheduling.plans import set_plan
from cgrcore.world import World
from tests.actions.conftest import ACCOUNT_ID, make_world, step


@pytest.fixture
def world() -> World:
    world = make_world()
    world.state.table("actions").put("START", ActionSet("START", (step("*topup", 5, type="*monetary", id="M"),)))
    set_plan(world, "P", [ActionTiming("u", Timing(start_time="*asap"), "START")])
    world.settings["schedulers"]["dynaprepaid_actionplans"] = ["P"]
    world.settings["sessions"]["scheduler_conns"] = ["*internal"]
    return world


def money_of(world: World) -> int:
    account: Account = world.state.table("accounts").require(ACCOUNT_ID)
    return (account.balances["*monetary"] or [])[0].value_nano // NANO


def test_the_configured_plans_make_the_account_once(world: World) -> None:
    make_dynaprepaid_account(world, ACCOUNT_ID, "sessions")
    make_dynaprepaid_account(world, ACCOUNT_ID, "sessions")
    assert money_of(world) == 5


def test_without_a_connection_to_the_scheduler_it_is_an_error(world: World) -> None:
    world.settings["sessions"]["scheduler_conns"] = []
    with pytest.raises(BadRequest, match=r"^MANDATORY_IE_MISSING: \[connIDs\]$"):
        make_dynaprepaid_account(world, ACCOUNT_ID, "sessions")
