"""Charging in process, without sockets and stores: price, debit, ledger line, cost, over many accounts.

A debit is a decision of its own, made by what sessions call: the account is found by its name, how it was is saved to
be undone, the call is rated, the balance changes, what follows a change is seen to, and the ledger line is gathered for
a commit of a thousand decisions. Left out: reading a request, the document of the cost where it is not named, encoding
the account, the disk. Times are of the processor.

Where all accounts are charged at random, most of the time is waiting for memory: the same is told of few accounts.
"""

import gc
import random
import time
import uuid
from collections.abc import Callable, Iterator

from cgrserver.storage.gathering import Gathering
from cgrserver.storage.tables import Codecs, declared_tables

from bench.registry import Context, Measure, Wrong, benchmark
from cgrcore.accounting import Account, Balance, charge_slice, debit, max_usage
from cgrcore.accounting.debit import plainly_paid
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

#: Accounts that are at hand, since they are charged all the time.
BUSY_ACCOUNTS = 100

#: Decisions of one commit.
COMMIT_SIZE = 1_000

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


def _calls(accounts: int) -> list[Call]:
    """Return calls of a minute from so many of the accounts, in no order."""
    pick = random.Random(1).randrange
    names = [str(pick(accounts)) for _ in range(CALLS)]
    return [
        Call("cgrates.org", "call", name, name, f"4940{name}", "*voice", START_AT, 60 * SECOND_NS) for name in names
    ]


def _best_ns(world: World, calls: list[Call], do: Callable[[Call], object], seconds: float) -> float:
    """Return the time of one call, a decision each, in the best of the runs that fit into `seconds`."""
    best = float("inf")
    deadline = time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < deadline:
        began = time.process_time_ns()
        for call in calls:
            world.state.begin("bench")
            do(call)
            world.state.take()
        best = min(best, (time.process_time_ns() - began) / len(calls))
    return best


def _best_ledger_ns(world: World, codecs: Codecs, calls: list[Call], seconds: float) -> float:
    """Return the time of one call that is rated, debited and written into the ledger, in the best of the runs."""
    best = float("inf")
    state, now_at = world.state, world.now_at
    deadline = time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < deadline:
        began = time.process_time_ns()
        for first in range(0, len(calls), COMMIT_SIZE):
            gathering = Gathering(codecs)
            for call in calls[first : first + COMMIT_SIZE]:
                state.begin("bench")
                plainly_paid(world, call)
                gathering.take(state.take(), now_at)
        best = min(best, (time.process_time_ns() - began) / len(calls))
    return best


def _check(world: World, codecs: Codecs, calls: list[Call]) -> None:
    """Charge all calls. Raises Wrong when costs, ledger and balances disagree, or with the tariff."""
    before_nano = _held(world)
    costs_nano = 0
    gathering = Gathering(codecs)
    for call in calls:
        world.state.begin("bench")
        costs_nano += debit(world, call).cost_nano
        gathering.take(world.state.take(), world.now_at)
    lost_nano = before_nano - _held(world)
    lines = gathering.close().ledger
    written_nano = -sum(line.amount_nano for line in lines if line.balance_type == "*monetary")
    # Every other account speaks its first minute for nothing.
    free = len({call.account for call in calls if int(call.account) % 2})
    wanted_nano = (len(calls) - free) * 60 * PRICE_NANO
    if not costs_nano == lost_nano == written_nano == wanted_nano or len(lines) != len(calls):
        raise Wrong(
            f"{len(calls)} calls cost {costs_nano} nano and not {wanted_nano}, the accounts lost {lost_nano}, "
            f"{len(lines)} lines tell of {written_nano}"
        )


@benchmark("debit")
def debits(context: Context) -> Iterator[Measure]:
    """Rate and debit over 100,000 accounts, goal 1 us: cgrcore/_fast/soles.pyx, rules.pyx, accounts.pyx, ledger.pyx."""
    world, codecs = _world(), Codecs(declared_tables())
    calls, busy_calls = _calls(ACCOUNTS), _calls(BUSY_ACCOUNTS)
    _check(world, codecs, calls)
    tariff = tariff_of(world)
    share = context.seconds / 8
    measured: dict[str, Callable[[Call], object]] = {
        "empty decision": lambda call: None,
        "rate, by hours": lambda call: rate_by_hours(tariff, call),
        "rate": lambda call: rate(tariff, call),
        "maximum usage": lambda call: max_usage(world, call),
        "rate and debit": lambda call: plainly_paid(world, call),
    }
    for name, do in measured.items():
        yield Measure(name, _best_ns(world, calls, do, share) / 1000, "us")
    yield Measure("rate, debit and ledger line", _best_ledger_ns(world, codecs, calls, share) / 1000, "us")
    busy_us = _best_ledger_ns(world, codecs, busy_calls, share) / 1000
    yield Measure("the same, accounts at hand", busy_us, "us", {"accounts": BUSY_ACCOUNTS})
    documents: dict[str, Callable[[Call], object]] = {
        "rate, debit and session's cost": lambda call: charge_slice(world, call, "", "", is_forced=False),
        "rate, debit and cost document": lambda call: debit(world, call),
    }
    for name, do in documents.items():
        yield Measure(name, _best_ns(world, calls, do, share) / 1000, "us")
    gc.unfreeze()


def _held(world: World) -> int:
    accounts = world.state.table("accounts").records.values()
    return sum(it.value_nano for account in accounts for it in account.balances["*monetary"] or ())
