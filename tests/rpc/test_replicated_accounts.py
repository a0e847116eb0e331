"""An account that one node shows is the account that another keeps."""

from typing import Any

import msgspec
from cgrserver.rpc.methods.replicated_accounts import StoredAccount, replicate_account

from cgrcore.accounting import Account, account_as_wire
from cgrcore.actions import ActionTrigger, BalanceFilter, Counter, UnitCounter, ValueFormula
from cgrcore.rating import Timing
from tests.accounting.small_world import NOW_AT, balance, make_account, make_world, money

_JSON = msgspec.json.Encoder(decimal_format="number")


def _stored(document: dict[str, Any]) -> StoredAccount:
    return msgspec.json.decode(_JSON.encode(document), type=StoredAccount)


def test_an_account_comes_back_as_it_was_shown() -> None:
    world = make_world()
    trigger = ActionTrigger(
        "G", "U", "*max_balance", money("5.5"), balance=BalanceFilter(type="*monetary", value=ValueFormula(money(1)))
    )
    held = make_account(
        world,
        balance(
            world,
            "*monetary",
            "m",
            "1.25",
            weight_nano=money(10),
            destination_ids={"DST": True},
            timings=(Timing("PEAK", week_days=(1, 2)),),
            timing_ids={"PEAK": True},
            factors={"x": money("1.5")},
            expires_at=NOW_AT + 10**9,
        ),
        name="x",
    )
    held.triggers = (trigger,)
    held.unit_counters = {"*voice": (UnitCounter("*event", (Counter(money(3), BalanceFilter(id="U")),)),)}
    shown = account_as_wire(held)
    world.state.table("accounts").remove(held.id)
    assert replicate_account(world, _stored(shown)) == "OK"
    kept: Account = world.state.table("accounts").require(held.id)
    assert account_as_wire(kept) == shown


def test_one_without_balances_leaves_those_that_are_here() -> None:
    world = make_world()
    make_account(world, balance(world, "*monetary", "m", "1.25"), name="x")
    replicate_account(world, StoredAccount(ID="cgrates.org:x", Disabled=True))
    kept: Account = world.state.table("accounts").require("cgrates.org:x")
    assert kept.is_disabled
    assert kept.balances["*monetary"]
