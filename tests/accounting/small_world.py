"""A small world for the tests of accounting: one tariff in memory, accounts made as needed."""

import itertools
from typing import Any

from cgrcore.accounting import Account, Balance
from cgrcore.config import read_settings
from cgrcore.money import format_nano
from cgrcore.rating import Activation, Call, Destination, PlanRate, Rate, Rating, RatingPlan, RatingProfile, Timing
from cgrcore.timing import SECOND_NS
from cgrcore.world import World

#: 2024-03-12T09:30:00Z
START_AT = 1_710_235_800 * SECOND_NS
NOW_AT = START_AT + 3600 * SECOND_NS


def money(value: str | int) -> int:
    """Return an amount in nano of a number written plainly."""
    whole, _, fraction = str(value).partition(".")
    sign = -1 if whole.startswith("-") else 1
    return int(whole or "0") * 10**9 + sign * int(fraction.ljust(9, "0") or "0")


def plan_rate(rating: Rating) -> PlanRate:
    return PlanRate(Timing("*any"), rating, money(10))


def per_minute(price: str, *, step_s: int = 1, fee: str = "0", cap: str = "0", strategy: str = "") -> Rating:
    """Return a rating of one slot."""
    rate = Rate(0, money(price), step_s * SECOND_NS, 60 * SECOND_NS)
    return Rating(money(fee), "*up", 4, money(cap), strategy, (rate,))


RATINGS = {
    "49": per_minute("0.6"),
    "4930": per_minute("0.24", step_s=60),
    "49151": Rating(
        money("0.05"),
        "*up",
        4,
        0,
        "",
        (
            Rate(0, money("0.12"), 60 * SECOND_NS, 60 * SECOND_NS),
            Rate(60 * SECOND_NS, money("0.06"), SECOND_NS, 60 * SECOND_NS),
        ),
    ),
    "49800": per_minute("0"),
    "49900": per_minute("3", step_s=60, fee="1.5", cap="10", strategy="*disconnect"),
    "53": per_minute("6", step_s=60, cap="15", strategy="*free"),
    "40": Rating(money("0.0004"), "*up", 2, 0, "", (Rate(0, money("0.024"), SECOND_NS, 60 * SECOND_NS),)),
}


def make_world() -> World:
    """Return a world with the tariff above for everybody, categories `call` and `gold` at half the price of 49."""
    counter = itertools.count(1)
    world = World(read_settings([]), lambda: f"00000000-0000-0000-0000-{next(counter):012d}", NOW_AT)
    table = world.state.table
    for prefix in RATINGS:
        table("destinations").put(f"DST_{prefix}", Destination(f"DST_{prefix}", (prefix,)))
    rates = {f"DST_{prefix}": (plan_rate(rating),) for prefix, rating in RATINGS.items()}
    table("rating_plans").put("RP", RatingPlan("RP", rates))
    table("rating_plans").put("RP_GOLD", RatingPlan("RP_GOLD", {"DST_49": (plan_rate(per_minute("0.3")),)}))
    for subject, plan in (("*any", "RP"), ("gold", "RP_GOLD")):
        key = f"*out:cgrates.org:call:{subject}"
        table("rating_profiles").put(key, RatingProfile(key, (Activation(0, plan),)))
    world.state.take()
    return world


def make_account(world: World, *balances: Balance, name: str = "1001", allow_negative: bool = False) -> Account:
    """Put an account with these balances into the world."""
    account = Account(f"cgrates.org:{name}", allow_negative=allow_negative)
    for balance in balances:
        account.balances[balance.type] = [*(account.balances.get(balance.type) or ()), balance]
    world.state.table("accounts").put(account.id, account)
    world.state.take()
    return account


def call(
    usage_s: int, destination: str = "4940", *, name: str = "1001", tor: str = "*voice", is_first: bool = True
) -> Call:
    """Return a call of whole seconds."""
    return Call(
        tenant="cgrates.org",
        category="call",
        subject=name,
        account=name,
        destination=destination,
        tor=tor,
        start_at=START_AT,
        usage_ns=usage_s * SECOND_NS,
        is_first=is_first,
    )


def balance(world: World, kind: str, name: str, value: str | int, **fields: Any) -> Balance:
    """Make a balance of a type, an id and a value as a plain number; keyword arguments as Balance takes them."""
    return Balance(world.new_id(), name, kind, money(value), **fields)


def values(account: Account) -> dict[str, str]:
    """Return what an account holds by balance id, as plain numbers."""
    return {it.id: format_nano(it.value_nano) for group in account.balances.values() for it in group or ()}
