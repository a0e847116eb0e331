"""Slices told at once are what a call's cost would tell of them, whoever pays."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.accounting import Balance, charge_rated, charge_rest, charge_slice, debit, max_debit
from cgrcore.errors import CgrError
from cgrcore.rating import Call, CallCost, EventCost
from tests.accounting.small_world import make_account, money
from tests.accounting.test_debit_properties import WORLD, _with_factor, balance_lists, calls

#: What most accounts hold: enough for all, in one balance.
rich = st.builds(
    lambda kind, weight: Balance(
        WORLD.new_id(), "rich", kind, money(10**6 if kind == "*monetary" else 10**12), weight_nano=weight
    ),
    st.sampled_from(["*monetary", "*voice", "*generic"]),
    st.sampled_from([0, 30 * 10**9]),
)
balances_of = balance_lists | st.tuples(rich, balance_lists).map(lambda pair: [pair[0], *pair[1]])

Outcome = tuple[Any, ...]


def _outcome(balances: list[Balance], charge: Callable[[], Outcome]) -> Outcome:
    """Return what charging a fresh account tells, or its error, and what the account holds afterwards."""
    account = make_account(WORLD, *(balance.copy() for balance in balances))
    told: Outcome
    try:
        told = charge()
    except CgrError as error:
        told = (type(error), str(error))
        WORLD.state.rollback()
    account = WORLD.state.table("accounts").require(account.id)
    WORLD.state.take()
    held = [(it.id, it.value_nano, it.is_dirty) for group in account.balances.values() for it in group or ()]
    return *told, held


def _told(cost: CallCost, *, is_kept_empty: bool) -> Outcome:
    kept = EventCost.from_call_cost(cost, "cg", "run") if cost.spans or is_kept_empty else None
    return cost.usage_ns, cost.cost_nano, _without_default(kept)


def _without_default(cost: EventCost | None) -> Any:
    """Return a cost as plain values; the balance that goes into debt has a new name each time."""
    return None if cost is None else str(cost).replace(_default_uuid(), "DEFAULT")


def _default_uuid() -> str:
    account = WORLD.state.table("accounts").require("cgrates.org:1001")
    found = [it.uuid for it in account.balances.get("*monetary") or () if it.id == "*default"]
    return found[0] if found else "none"


@given(calls, balances_of, st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_slice_is_told_as_a_maximum_debit_would_tell_it(it: Call, balances: list[Balance], is_forced: bool) -> None:
    it = _with_factor(it)

    def slices() -> Outcome:
        done = charge_slice(WORLD, it, "cg", "run", is_forced=is_forced)
        return done.usage_ns, done.cost_nano, _without_default(done.cost)

    def documents() -> Outcome:
        return _told(max_debit(WORLD, it, is_forced=is_forced), is_kept_empty=False)

    assert _outcome(balances, slices) == _outcome(balances, documents)


@given(calls, balances_of)
@settings(max_examples=200, deadline=None)
def test_the_rest_of_a_call_is_told_as_a_debit_would_tell_it(it: Call, balances: list[Balance]) -> None:
    it = _with_factor(it)

    def rest() -> Outcome:
        done = charge_rest(WORLD, it, "cg", "run")
        return done.usage_ns, done.cost_nano, _without_default(done.cost)

    assert _outcome(balances, rest) == _outcome(balances, lambda: _told(debit(WORLD, it), is_kept_empty=True))


@given(calls, balances_of)
@settings(max_examples=200, deadline=None)
def test_a_rated_call_is_told_as_a_rounded_debit_would_tell_it(it: Call, balances: list[Balance]) -> None:
    it = _with_factor(it)

    def rated() -> Outcome:
        cost = charge_rated(WORLD, it, "cg", "run")
        return cost.usage_ns, cost.cost_nano, _without_default(cost)

    def documents() -> Outcome:
        cost = EventCost.from_call_cost(debit(WORLD, it, perform_rounding=True), "cg", "run")
        return cost.usage_ns, cost.cost_nano, _without_default(cost)

    assert _outcome(balances, rated) == _outcome(balances, documents)
