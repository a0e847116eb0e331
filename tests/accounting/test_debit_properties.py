"""The kernel against the model that walks increments, and what holds for every debit."""

from copy import deepcopy
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.accounting import Account, Balance, debit, max_debit, max_usage, refund_listed
from cgrcore.errors import Refused
from cgrcore.rating import Call, EventCost, rate, tariff_of
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import RATINGS, START_AT, call, make_account, make_world, money
from tests.oracle.debits import Blocked, ModelBalance, Run, charge

NANO = 10**9
WORLD = make_world()

amounts = st.integers(-100, 40_000).map(lambda cents: f"{cents // 1000}.{cents % 1000:03d}" if cents >= 0 else "-0.1")
weights = st.sampled_from([0, 10, 20])
blockers = st.sampled_from([False, False, False, True])
steps = st.sampled_from(["1s", "7s", "1m", "500ms"])
factors = st.sampled_from([None, 2 * NANO, NANO // 2, 1_300_000_001])


def _steps_ns(text: str) -> int:
    return {"1s": SECOND_NS, "7s": 7 * SECOND_NS, "1m": 60 * SECOND_NS, "500ms": SECOND_NS // 2}[text]


@st.composite
def moneys(draw: Any, name: str) -> Balance:
    return Balance(
        WORLD.new_id(),
        name,
        "*monetary",
        money(draw(amounts)),
        weight_nano=draw(weights) * NANO,
        is_blocker=draw(blockers),
    )


@st.composite
def unit_balances(draw: Any, name: str) -> Balance:
    factor = draw(factors)
    return Balance(
        WORLD.new_id(),
        name,
        "*voice",
        draw(st.integers(0, 200)) * SECOND_NS * NANO // 2,
        weight_nano=draw(weights) * NANO,
        rating_subject=f"*zero{draw(steps)}",
        factors=None if factor is None else {"f": factor},
        is_blocker=draw(blockers),
    )


balance_lists = st.tuples(
    st.integers(0, 3).flatmap(lambda n: st.tuples(*(moneys(f"m{i}") for i in range(n)))),
    st.integers(0, 2).flatmap(lambda n: st.tuples(*(unit_balances(f"u{i}") for i in range(n)))),
).map(lambda pair: [*pair[0], *pair[1]])
calls = st.builds(
    lambda prefix, usage, first: call(usage, prefix + "1", is_first=first),
    st.sampled_from(sorted(RATINGS)),
    st.integers(1, 400),
    st.booleans(),
)


def _with_factor(it: Call) -> Call:
    return msgspec.structs.replace(it, extra_fields={"BalanceFactorID": "f"})


def _model(world: World, it: Call, balances: list[Balance], *, is_dry: bool) -> Run:
    def spans(start_at: int, usage_ns: int, index_ns: int) -> list[Any]:
        return rate(
            tariff_of(world),
            msgspec.structs.replace(it, start_at=start_at, usage_ns=usage_ns, duration_index_ns=index_ns),
        )

    models = {
        balance.id: ModelBalance(
            balance.id,
            Fraction(balance.value_nano, NANO),
            balance.weight_nano,
            _steps_ns(balance.rating_subject[5:]) if balance.rating_subject else None,
            Fraction((balance.factors or {}).get("f", NANO), NANO),
            balance.is_blocker,
        )
        for balance in balances
        # What is empty at the start is not chosen, unless it blocks.
        if balance.value_nano > 0 or balance.is_blocker
    }
    return Run(
        [models[b.id] for b in balances if b.type == "*voice" and b.id in models],
        [models[b.id] for b in balances if b.type == "*monetary" and b.id in models],
        spans,
        it.start_at,
        it.end_at,
        it.duration_index_ns,
        it.is_first,
        is_dry,
    )


def _account(balances: list[Balance]) -> Account:
    return make_account(WORLD, *(balance.copy() for balance in balances))


def _values(account: Account) -> dict[str, Fraction]:
    return {it.id: Fraction(it.value_nano, NANO) for group in account.balances.values() for it in group or ()}


@given(calls, balance_lists, st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_kernel_pays_as_the_model_does(it: Call, balances: list[Balance], may_go_negative: bool) -> None:
    it = _with_factor(it)
    account = _account(balances)
    run = _model(WORLD, it, balances, is_dry=False)
    try:
        charge(run, may_go_negative=may_go_negative)
    except Blocked:
        before = _values(account)
        with pytest.raises(Refused, match="INSUFFICIENT_CREDIT_BALANCE_BLOCKER"):
            debit(WORLD, it, may_go_negative=may_go_negative)
        after = _values(account)
        after.pop("*default", None)
        assert after == before
        WORLD.state.rollback()
        return
    cost = debit(WORLD, it, may_go_negative=may_go_negative)
    WORLD.state.take()
    assert Fraction(cost.cost_nano, NANO) == sum((paid.cost for paid in run.paid), Fraction(0))
    assert cost.rated_usage_ns == sum(paid.usage_ns for paid in run.paid)
    wanted = {balance.id: Fraction(balance.value_nano, NANO) for balance in balances}
    wanted.update({model.name: model.value for model in (*run.units, *run.money)})
    found = _values(account)
    assert -found.pop("*default", Fraction(0)) == run.debt
    assert found == wanted


@given(calls, balance_lists)
@settings(max_examples=200, deadline=None)
def test_maximum_usage_is_what_the_model_can_pay(it: Call, balances: list[Balance]) -> None:
    it = _with_factor(it)
    account = _account(balances)
    before = deepcopy(_values(account))
    indexed = msgspec.structs.replace(it, duration_index_ns=it.usage_ns)
    run = charge(_model(WORLD, indexed, balances, is_dry=True), may_go_negative=False)
    paid_ns = 0 if run.is_fee_owed else min(it.usage_ns, sum(paid.usage_ns for paid in run.paid))
    assert max_usage(WORLD, it) == paid_ns
    assert _values(account) == before
    assert not WORLD.state.take()


@given(calls, balance_lists)
@settings(max_examples=150, deadline=None)
def test_what_maximum_usage_grants_can_be_paid_without_debt(it: Call, balances: list[Balance]) -> None:
    balances = [balance for balance in balances if balance.factors is None]
    account = _account(balances)
    granted_ns = max_usage(WORLD, it)
    debit(WORLD, msgspec.structs.replace(it, usage_ns=granted_ns, duration_index_ns=granted_ns))
    WORLD.state.take()
    assert _values(account).get("*default", 0) >= 0


@given(calls, balance_lists)
@settings(max_examples=150, deadline=None)
def test_a_refund_undoes_a_debit(it: Call, balances: list[Balance]) -> None:
    it = _with_factor(it)
    account = _account(balances)
    before = _values(account)
    try:
        cost = debit(WORLD, it)
    except Refused:
        WORLD.state.rollback()
        return
    refund_listed(WORLD, EventCost.from_call_cost(cost).increments(), "*voice")
    WORLD.state.take()
    after = _values(account)
    assert after.pop("*default", Fraction(0)) == 0
    assert after == before


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(["49", "49800", "49151"]), balance_lists)
@settings(max_examples=150, deadline=None)
def test_splitting_usage_at_an_increment_border_changes_nothing(
    first_s: int, second_s: int, prefix: str, balances: list[Balance]
) -> None:
    balances = [balance for balance in balances if not balance.is_blocker and balance.type == "*monetary"]
    if prefix == "49151":
        first_s += 60
    whole = call(first_s + second_s, prefix)
    whole_account = _account(balances)
    total_nano = debit(WORLD, whole).cost_nano
    at_once = _values(whole_account)
    split_account = _account(balances)
    one = debit(WORLD, msgspec.structs.replace(whole, usage_ns=first_s * SECOND_NS))
    rest = msgspec.structs.replace(
        whole,
        start_at=START_AT + first_s * SECOND_NS,
        usage_ns=second_s * SECOND_NS,
        duration_index_ns=(first_s + second_s) * SECOND_NS,
        is_first=False,
    )
    two = debit(WORLD, rest)
    WORLD.state.take()
    assert one.cost_nano + two.cost_nano == total_nano
    assert sum(_values(split_account).values()) == sum(at_once.values())


@given(calls, balance_lists)
@settings(max_examples=200, deadline=None)
def test_a_maximum_debit_charges_what_maximum_usage_grants(it: Call, balances: list[Balance]) -> None:
    it = _with_factor(it)
    account = _account(balances)
    granted_ns = max_usage(WORLD, it)
    try:
        cost = max_debit(WORLD, it)
    except Refused:
        WORLD.state.rollback()
        return
    WORLD.state.take()
    charged = _values(account)
    twin = _account(balances)
    if granted_ns == 0:
        assert cost.spans is None
        assert charged == _values(twin)
        return
    wanted = debit(WORLD, msgspec.structs.replace(it, usage_ns=granted_ns, duration_index_ns=granted_ns))
    WORLD.state.take()
    assert charged == _values(twin)
    assert cost.cost_nano == wanted.cost_nano
