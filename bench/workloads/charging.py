"""Charging in process: price, debit and the snapshot the ledger is made of, over many accounts, without sockets."""

import gc
import time
import uuid
from collections.abc import Callable, Iterator

from bench.registry import Context, Measure, Wrong, benchmark
from cgrcore.accounting import Account, Balance, debit, max_usage
from cgrcore.accounting.charge import account_of, charge
from cgrcore.config import read_settings
from cgrcore.money import NANO
from cgrcore.rating import (
    Activation,
    Call,
    Destination,
    PlanRate,
    Rate,
    Rating,
    RatingPlan,
    RatingProfile,
    Timing,
    rate,
    tariff_of,
)
from cgrcore.rating.split import rate_by_hours
from cgrcore.timing import SECOND_NS
from cgrcore.world import World

__all__: list[str] = []

ACCOUNTS = 100_000
CALLS = 20_000
START_AT = 1_710_235_800 * SECOND_NS
PRICE_NANO = 10_000_000

#: 0.6 for a minute, by the second.
RATE = Rate(0, 600_000_000, SECOND_NS, 60 * SECOND_NS)


def _world() -> World:
    """Return a world of accounts with money, half of them with a minute to speak first."""
    world = World(read_settings([]), lambda: str(uuid.uuid4()), START_AT)
    table = world.state.table
    table("destinations").put("DST", Destination("DST", ("49",)))
    plan = RatingPlan("RP", {"DST": (PlanRate(Timing("*any"), Rating(rates=(RATE,)), NANO),)})
    table("rating_plans").put("RP", plan)
    key = "*out:cgrates.org:call:*any"
    table("rating_profiles").put(key, RatingProfile(key, (Activation(0, "RP"),)))
    for number in range(ACCOUNTS):
        account_id = f"cgrates.org:{number}"
        units = Balance(str(uuid.uuid4()), "minutes", "*voice", 60 * SECOND_NS * NANO * (number % 2))
        money = Balance(str(uuid.uuid4()), "main", "*monetary", 10**6 * NANO)
        table("accounts").put(account_id, Account(account_id, {"*monetary": [money], "*voice": [units]}))
    world.state.take()
    gc.collect()
    gc.freeze()
    return world


def _calls() -> list[Call]:
    """Return calls of a minute from accounts in no order."""
    names = (str(number * 7919 % ACCOUNTS) for number in range(CALLS))
    return [
        Call("cgrates.org", "call", name, name, f"4940{name}", "*voice", START_AT, 60 * SECOND_NS) for name in names
    ]


def _best_ns(world: World, calls: list[Call], do: Callable[[Call], object], seconds: float) -> float:
    """Return the time of one call, a decision each, in the best of the runs that fit into `seconds`."""
    best = float("inf")
    deadline = time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < deadline:
        began = time.perf_counter_ns()
        for call in calls:
            world.state.begin("bench")
            do(call)
            world.state.take()
        best = min(best, (time.perf_counter_ns() - began) / len(calls))
    return best


@benchmark("debit")
def debits(context: Context) -> Iterator[Measure]:
    """Rate and debit over 100,000 accounts: cgrcore/_fast/debits.pyx, payments.pyx, accounts.pyx, flatprices.pyx."""
    world, calls = _world(), _calls()
    before_nano = _held(world)
    costs_nano = sum(debit(world, call).cost_nano for call in calls)
    world.state.take()
    # Every other account speaks its minute for nothing.
    if before_nano - _held(world) != costs_nano or costs_nano != CALLS // 2 * 60 * PRICE_NANO:
        raise Wrong(f"{CALLS} calls cost {costs_nano} nano, the accounts lost {before_nano - _held(world)}")
    tariff = tariff_of(world)
    share = context.seconds / 6
    measured: dict[str, Callable[[Call], object]] = {
        "empty decision": lambda call: None,
        "rate, by hours": lambda call: rate_by_hours(tariff, call),
        "rate": lambda call: rate(tariff, call),
        "rate and debit": lambda call: charge(
            world, call, account_of(world, call), is_dry_run=False, may_go_negative=True
        ),
        "rate, debit and cost document": lambda call: debit(world, call),
        "maximum usage": lambda call: max_usage(world, call),
    }
    for name, do in measured.items():
        yield Measure(name, _best_ns(world, calls, do, share) / 1000, "us")
    gc.unfreeze()


def _held(world: World) -> int:
    accounts = world.state.table("accounts").records.values()
    return sum(it.value_nano for account in accounts for it in account.balances["*monetary"] or ())
