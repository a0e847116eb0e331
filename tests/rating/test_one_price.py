"""One call has one price: quoted, debited at once or in parts, charged by a session slice by slice, rated in bulk.

The tariffs are those for which this must hold to the last digit: a price a step with no more decimals than the system
has; hours, the same for all destinations and of one weight, or slots, but not both; one activation; no cap; no rounding
to fewer decimals. With others a part may begin under rates that the whole does not reach, as it does in the recorded
conversations.
"""

from itertools import pairwise
from random import Random

import msgspec
import numpy
import pytest

from cgrcore.accounting import debit
from cgrcore.rating import (
    Activation,
    Call,
    CallColumns,
    Destination,
    PlanRate,
    Quote,
    Rate,
    Rating,
    RatingPlan,
    RatingProfile,
    Timing,
    explain_quote,
    quote,
    rate_columns,
    tariff_of,
)
from cgrcore.timing import SECOND_NS, format_time
from cgrcore.world import World
from tests.accounting.small_world import START_AT, balance, make_account
from tests.rating.small_tariffs import empty_world
from tests.sessions.calls import Phone, add_charger

CREDIT_NANO = 10**9 * 10**9
STEPS_S = (1, 6, 10, 30, 60)
#: Calls begin within a day of this, where hours of the tariff begin.
STARTS = ("08:00:00", "09:30:30", "09:45:00", "19:00:00", "23:59:30")
NUMBERS = ("49", "4930", "493012", "39", "1")


def _world(random: Random) -> World:
    """Return a world with a random tariff and an account that can pay any call."""
    world = empty_world()
    world.now_at = START_AT
    add_charger(world, "*default")
    has_slots = random.random() < 0.5
    timings = [Timing("*any")]
    if not has_slots:
        timings += [Timing(f"T{start}", start_time=start) for start in random.sample(STARTS, random.randint(0, 3))]

    def rates_of_all() -> tuple[PlanRate, ...]:
        return tuple(PlanRate(timing, _rating(random, has_slots), 10**10) for timing in timings)

    rates = {}
    for prefix in random.sample(NUMBERS[:4], random.randint(1, 4)):
        world.state.table("destinations").put(f"D{prefix}", Destination(f"D{prefix}", (prefix,)))
        rates[f"D{prefix}"] = rates_of_all()
    rates["*any"] = rates_of_all()
    world.state.table("rating_plans").put("P", RatingPlan("P", rates))
    key = "*out:cgrates.org:call:*any"
    world.state.table("rating_profiles").put(key, RatingProfile(key, (Activation(0, "P"),)))
    world.state.take()
    make_account(world, balance(world, "*monetary", "m", 10**9))
    return world


def _rating(random: Random, has_slots: bool) -> Rating:
    """Return a rating whose steps cost a whole number of 0.00001."""
    starts = [0]
    if has_slots:
        starts = sorted({0, *(random.choice((10, 30, 45, 60, 61, 180)) for _ in range(random.randint(1, 3)))})
    slots = []
    for start_s in starts:
        step_s = random.choice(STEPS_S)
        step_nano = random.choice((0, 1, 17, 100, 3333)) * 10**4
        slots.append(Rate(start_s * SECOND_NS, step_nano * (60 // step_s), step_s * SECOND_NS, 60 * SECOND_NS))
    fee_nano = random.choice((0, 0, 25 * 10**7))
    return Rating(fee_nano, random.choice(("*up", "*down", "*middle")), random.choice((5, 6)), 0, "", tuple(slots))


def _call(random: Random) -> Call:
    usage_s = random.choice((1, 59, 60, 61, random.randint(1, 900), random.randint(900, 60_000)))
    start_s = random.choice((0, random.randint(-3600, 3600), random.randint(-30_000, 52_000)))
    number = random.choice(NUMBERS) + str(random.randint(0, 99))
    start_at, usage_ns = START_AT + start_s * SECOND_NS, usage_s * SECOND_NS
    return Call("cgrates.org", "call", "1001", "1001", number, "*voice", start_at, usage_ns)


def _held_nano(world: World) -> int:
    account = world.state.table("accounts").require("cgrates.org:1001")
    return sum(it.value_nano for it in account.balances["*monetary"])


def _parts(random: Random, explained: Quote) -> list[Call]:
    """Return the call cut into up to eight at borders of its increments."""
    call = explained.call
    steps = [
        part.start_at + number * part.slot.increment_ns
        for part in explained.parts
        if part.slot is not None
        for number in random.sample(range(part.increment_count), min(3, part.increment_count))
    ]
    inner = [at for at in steps if call.start_at < at < call.end_at]
    borders = [call.start_at, *sorted(set(random.sample(inner, random.randint(0, min(7, len(inner)))))), call.end_at]
    return [
        msgspec.structs.replace(
            call,
            start_at=start_at,
            usage_ns=end_at - start_at,
            duration_index_ns=end_at - call.start_at,
            is_first=start_at == call.start_at,
        )
        for start_at, end_at in pairwise(borders)
    ]


def _compare(seed: int, calls: int) -> None:
    random = Random(seed)
    world = _world(random)
    tariff = tariff_of(world)
    asked = [_call(random) for _ in range(calls)]
    quoted = [quote(world, it).cost_nano for it in asked]
    rated = rate_columns(
        tariff,
        CallColumns(
            [it.destination for it in asked],
            numpy.array([it.start_at for it in asked]),
            numpy.array([it.usage_ns for it in asked]),
            "1001",
            "cgrates.org",
        ),
    )
    assert rated.costs_nano.tolist() == quoted, f"bulk: seed {seed}"
    for number, it in enumerate(asked):
        before_nano = _held_nano(world)
        costs = [debit(world, part).cost_nano for part in _parts(random, explain_quote(tariff, it))]
        world.state.take()
        assert sum(costs) == quoted[number], f"debits: seed {seed}, call {number}: {it}"
        assert before_nano - _held_nano(world) == quoted[number], f"account: seed {seed}, call {number}: {it}"


def _talk(seed: int, number: int, world: World, random: Random, it: Call) -> None:
    """Let a switch make the call in slices of any length, of which it uses more or less than it asked for."""
    before_nano = _held_nano(world)
    moment = format_time(it.start_at)
    fields = {"OriginID": f"call-{number}", "Destination": it.destination, "SetupTime": moment, "AnswerTime": moment}
    phone = Phone(world, **fields)
    used_s, last = 0, None
    usage_s = it.usage_ns // SECOND_NS
    for place in range(random.randint(1, 5)):
        asked_s = random.randint(1, max(1, min(usage_s, 600)))
        request = phone.update if place else phone.initiate
        request(f"{asked_s}s", LastUsed=last)
        last_s = random.randint(0, asked_s)
        last, used_s = f"{last_s}s", used_s + last_s
    phone.terminate(f"{usage_s}s")
    paid_nano = before_nano - _held_nano(world)
    assert paid_nano == quote(world, it).cost_nano, f"session: seed {seed}, call {number}: {it}"


def test_a_quote_is_the_sum_of_any_split_into_debits_and_the_result_in_bulk() -> None:
    for seed in range(150):
        _compare(seed, 20)


def test_a_session_in_slices_of_any_length_costs_the_quote() -> None:
    for seed in range(60):
        random = Random(seed)
        world = _world(random)
        for number in range(5):
            _talk(seed, number, world, random, _call(random))


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(4))
def test_many_quotes_are_the_sum_of_any_split(part: int) -> None:
    for seed in range(1000 + part * 10_000, 1000 + part * 10_000 + 5_000):
        _compare(seed, 20)
