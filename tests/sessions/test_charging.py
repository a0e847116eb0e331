"""Charging slice by slice: however a call is cut, it costs what the whole costs, and nothing is lost on the way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.accounting import debit
from cgrcore.errors import BadRequest
from cgrcore.sessions import default_usage
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import balance, call, make_account
from tests.sessions.calls import Phone, held, make_world

CREDIT_NANO = 1000 * 10**9

#: Slices as (asked, used of it) in seconds.
slices = st.lists(
    st.integers(1, 200).flatmap(lambda asked: st.tuples(st.just(asked), st.integers(0, asked))), min_size=1, max_size=6
)
#: One price, minutes begun, two slots with a connect fee, a cap above which calls are free.
destinations = st.sampled_from(["4940", "4930", "49151", "53"])

quick = settings(max_examples=50, deadline=None)


def rich_world() -> World:
    world = make_world()
    make_account(world, balance(world, "*monetary", "m", 1000))
    return world


def money_nano(world: World) -> int:
    account = world.state.table("accounts").require("cgrates.org:1001")
    return sum(it.value_nano for it in account.balances["*monetary"])


def price_nano(usage_s: int, destination: str) -> int:
    """Return what the account pays for the whole call at once. A quote is capped to the unit, a debit is not."""
    return debit(rich_world(), call(usage_s, destination)).cost_nano if usage_s else 0


def talk(phone: Phone, parts: list[tuple[int, int]]) -> int:
    """Ask for the slices one after the other, telling what was used of the one before; return the usage (s)."""
    last: str | None = None
    for number, (asked_s, used_s) in enumerate(parts):
        request = phone.update if number else phone.initiate
        request(f"{asked_s}s", LastUsed=last)
        last = f"{used_s}s"
    return sum(used for _, used in parts)


@quick
@given(slices, destinations)
def test_a_call_in_slices_costs_what_the_whole_costs(parts: list[tuple[int, int]], destination: str) -> None:
    world = rich_world()
    phone = Phone(world, Destination=destination)
    usage_s = talk(phone, parts)
    phone.terminate(f"{usage_s}s")
    assert CREDIT_NANO - money_nano(world) == price_nano(usage_s, destination)


@quick
@given(slices, destinations, st.integers(0, 1500))
def test_the_final_usage_alone_decides_what_a_call_costs(
    parts: list[tuple[int, int]], destination: str, final_s: int
) -> None:
    world = rich_world()
    phone = Phone(world, Destination=destination)
    talk(phone, parts)
    phone.terminate(f"{final_s}s")
    assert CREDIT_NANO - money_nano(world) == price_nano(final_s, destination)


@quick
@given(slices, destinations)
def test_a_session_costs_what_its_account_paid(parts: list[tuple[int, int]], destination: str) -> None:
    world = rich_world()
    phone = Phone(world, Destination=destination)
    talk(phone, parts)
    cost = phone.session.runs[0].cost
    assert cost is not None
    assert cost.cost_nano == CREDIT_NANO - money_nano(world)


@quick
@given(slices)
def test_a_call_that_was_not_used_gives_everything_back(parts: list[tuple[int, int]]) -> None:
    world = make_world()
    units = balance(world, "*voice", "u", 45 * SECOND_NS)
    make_account(world, units, balance(world, "*monetary", "m", 1000))
    before = held(world)
    phone = Phone(world)
    talk(phone, parts)
    phone.terminate("0s")
    assert held(world) == before


@quick
@given(slices)
def test_units_and_money_pay_a_call_in_slices_as_they_pay_the_whole(parts: list[tuple[int, int]]) -> None:
    world = make_world()
    units = balance(world, "*voice", "u", 45 * SECOND_NS)
    make_account(world, units, balance(world, "*monetary", "m", 1000))
    phone = Phone(world)
    usage_s = talk(phone, parts)
    phone.terminate(f"{usage_s}s")
    assert CREDIT_NANO - money_nano(world) == max(usage_s - 45, 0) * 10**7


@quick
@given(slices, st.integers(1, 30))
def test_grants_never_exceed_what_the_account_holds(parts: list[tuple[int, int]], credit: int) -> None:
    world = make_world()
    make_account(world, balance(world, "*monetary", "m", credit))
    talk(Phone(world), parts)
    assert money_nano(world) >= 0


def test_the_usage_a_request_stands_for_depends_on_what_is_used(world: World) -> None:
    found = [default_usage(world, tor) for tor in ("", "*voice", "*data", "*sms", "*generic")]
    assert found == [3 * 3600 * SECOND_NS, 3 * 3600 * SECOND_NS, 2**20, 1, 3 * 3600 * SECOND_NS]


def test_minutes_that_were_begun_are_a_reserve_for_the_next_slice(phone: Phone) -> None:
    phone.initiate("10s", Destination="4930")
    phone.update("50s")
    assert held(phone.world) == {"m": "9.76"}


def test_the_next_slice_begins_where_the_paid_time_ends(phone: Phone) -> None:
    phone.initiate("10s", Destination="4930")
    phone.update("60s")
    run = phone.session.runs[0]
    assert run.end_at - run.start.at == 120 * SECOND_NS


@pytest.mark.parametrize("told", [{"Usage": "-1s"}, {"Usage": "60s", "LastUsed": "-1h"}, {"TotalUsage": "-1s"}])
def test_less_than_nothing_is_no_usage(told: dict[str, str]) -> None:
    phone = Phone(rich_world())
    phone.initiate("60s")
    before = held(phone.world)
    with pytest.raises(BadRequest, match="negative"):
        phone.update(**told)
    assert held(phone.world) == before


def test_an_end_with_less_than_nothing_leaves_the_session() -> None:
    phone = Phone(rich_world())
    phone.initiate("60s")
    with pytest.raises(BadRequest, match="negative Usage"):
        phone.terminate("-1s")
    assert phone.is_active
