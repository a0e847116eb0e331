"""What a correction is to leave behind is what a debit takes: the same tariff again changes nothing."""

from random import Random

import pytest
from cgrserver.rerating.debited import Debits
from cgrserver.rerating.rating import Plan

from cgrcore.cdrs.charge import charge_cdr
from cgrcore.cdrs.records import Cdr
from cgrcore.rating import Call
from cgrcore.timing import DAY_NS, SECOND_NS, Moment, format_time
from cgrcore.world import World
from tests.accounting.small_world import START_AT, balance, make_account
from tests.rerating.calls import PLAN
from tests.sessions.calls import Phone, add_charger


def _plan(random: Random, *, has_slots: bool = True) -> Plan:
    """Return a plan of two destinations with slots, fees and every kind of rounding."""
    rates = []
    for tag in ("RT_DE", "RT_MOBILE"):
        fee = random.choice(("0", "0.1", "0.00004"))
        for start in sorted(random.sample((0, 20, 60, 90), random.randint(1, 3))) if has_slots else (0,):
            # A session's slices tell only where a step has more decimals than costs have.
            price = f"0.{random.randint(1, 99999):05d}" if has_slots else f"0.{random.randint(1, 160) * 6:04d}"
            rates.append(f"{tag},{fee},{price},60s,{random.choice((1, 6, 60))}s,{start}s")
    method, decimals = random.choice(("*up", "*middle", "*down")), random.choice((0, 1, 2, 4, 5))
    cap = random.choice(("0,", "0.5,*free")) if has_slots else "0,"
    joined = f"DR,DST_DE,RT_DE,{method},{decimals},{cap}\nDR,DST_MOBILE,RT_MOBILE,{method},{decimals},{cap}\n"
    contents = {**PLAN, "Rates.csv": "\n".join(rates) + "\n", "DestinationRates.csv": joined}
    return Plan({name: content.encode() for name, content in contents.items()})


def _cdr(random: Random) -> Cdr:
    start = Moment(START_AT + random.randint(-50_000, 50_000) * SECOND_NS)
    return Cdr(
        cgrid="c",
        request_type="*postpaid",
        tenant="cgrates.org",
        category="call",
        account="1001",
        subject="1001",
        destination=random.choice(("4930", "4915", "44")),
        answer_time=start,
        setup_time=start,
        usage_ns=random.choice((0, 1, 59, 60, 61, random.randint(1, 90_000))) * SECOND_NS,
    )


@pytest.mark.parametrize("seed", range(40))
def test_a_cdr_that_an_account_paid_costs_the_same_again(seed: int) -> None:
    random = Random(seed)
    debits = Debits(_plan(random))
    world: World = debits._world
    make_account(world, balance(world, "*monetary", "m", 10**6))
    for _ in range(20):
        cdr = _cdr(random)
        charged = charge_cdr(world, cdr)
        world.state.take()
        again = debits.cost_nano(
            Call("cgrates.org", "call", "1001", "1001", cdr.destination, "*voice", cdr.answer_time.at, cdr.usage_ns)
        )
        assert again == charged.cost_nano, (seed, cdr)


def test_nothing_of_a_debit_stays() -> None:
    debits = Debits(Plan({name: content.encode() for name, content in PLAN.items()}))
    call = Call("cgrates.org", "call", "1001", "1001", "4930", "*voice", START_AT, 60 * SECOND_NS)
    assert [debits.cost_nano(call), debits.cost_nano(call)] == [60_000_000] * 2
    account = debits._world.state.table("accounts").require("cgrates.org:*rerated")
    assert [it.value_nano for it in account.balances["*monetary"]] == [10**27]


def test_what_cannot_be_rated_takes_nothing() -> None:
    debits = Debits(Plan({name: content.encode() for name, content in PLAN.items()}))
    call = Call("cgrates.org", "call", "1001", "1001", "1", "*voice", START_AT, 60 * SECOND_NS)
    assert debits.cost_nano(call) is None


def test_a_session_is_rounded_when_it_has_ended() -> None:
    """2 s before and 3 s after midnight at 0.001: a debit rounds both up to 0.01, a session what they are together."""
    contents = {**PLAN, "DestinationRates.csv": PLAN["DestinationRates.csv"].replace(",4,", ",2,")}
    debits = Debits(Plan({name: content.encode() for name, content in contents.items()}))
    midnight_at = START_AT // DAY_NS * DAY_NS
    call = Call("cgrates.org", "call", "1001", "1001", "4930", "*voice", midnight_at - 2 * SECOND_NS, 5 * SECOND_NS)
    assert debits.cost_nano(call) == 20_000_000
    assert debits.cost_nano(call, by_session=True) == 10_000_000


@pytest.mark.parametrize("seed", range(20))
def test_a_call_that_a_session_charged_costs_the_same_again(seed: int) -> None:
    random = Random(seed)
    debits = Debits(_plan(random, has_slots=False))
    world = debits._world
    add_charger(world, "*default")
    make_account(world, balance(world, "*monetary", "m", 10**6))
    for number in range(10):
        cdr = _cdr(random)
        usage_s = max(cdr.usage_ns // SECOND_NS, 1)
        moment = format_time(cdr.answer_time.at)
        name = f"{seed}-{number}"
        phone = Phone(world, OriginID=name, Destination="4930", SetupTime=moment, AnswerTime=moment)
        phone.initiate(f"{random.randint(1, 600)}s")
        phone.update(f"{random.randint(1, 600)}s", LastUsed="1s")
        phone.terminate(f"{usage_s}s")
        charged = phone.session.runs[0].cost
        start_at = cdr.answer_time.at
        call = Call("cgrates.org", "call", "1001", "1001", "4930", "*voice", start_at, usage_s * SECOND_NS)
        assert charged is not None
        assert debits.cost_nano(call, by_session=True) == charged.cost_nano, (seed, number, cdr)
