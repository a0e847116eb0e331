"""A ledger line tells which call it was for, beside the request that caused it."""

import pytest
from cgrserver.storage.gathering import Gathering
from cgrserver.storage.tables import Codecs, declared_tables

from cgrcore.accounting import charge_rated, charge_rest, charge_slice, debit, refund_increments
from cgrcore.world import World
from tests.accounting.small_world import NOW_AT, balance, call, make_account


@pytest.fixture
def paid(world: World) -> World:
    make_account(world, balance(world, "*monetary", "main", "100"))
    world.state.begin("SessionSv1.UpdateSession")
    return world


def told(world: World) -> list[str]:
    """Close the decision and return what its ledger lines name as their reason."""
    gathering = Gathering(Codecs(declared_tables()))
    gathering.take(world.state.take(), NOW_AT)
    return [line.reason for line in gathering.close().ledger]


def test_a_slice_of_a_call_names_the_call(paid: World) -> None:
    charge_slice(paid, call(10), "cgrid1", "*default", is_forced=False)
    assert told(paid) == ["SessionSv1.UpdateSession for cgrid1"]


def test_the_rest_of_a_call_names_the_call(paid: World) -> None:
    charge_rest(paid, call(10), "cgrid1", "*default")
    assert told(paid) == ["SessionSv1.UpdateSession for cgrid1"]


def test_a_cdr_names_its_call(paid: World) -> None:
    charge_rated(paid, call(10), "cgrid1", "*default")
    assert told(paid) == ["SessionSv1.UpdateSession for cgrid1"]


def test_what_is_given_back_names_the_call(paid: World) -> None:
    cost = charge_rated(paid, call(10), "cgrid1", "*default")
    paid.state.take()
    paid.state.begin("CDRsV1.ProcessEvent")
    refund_increments(paid, cost, "*voice")
    assert told(paid) == ["CDRsV1.ProcessEvent for cgrid1"]


def test_several_charges_of_one_call_name_it_once(paid: World) -> None:
    charge_slice(paid, call(10), "cgrid1", "run1", is_forced=False)
    charge_slice(paid, call(20), "cgrid1", "run2", is_forced=False)
    assert told(paid) == ["SessionSv1.UpdateSession for cgrid1"]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_what_was_for_several_calls_names_none(paid: World, count: int) -> None:
    for number in range(count):
        charge_slice(paid, call(10), f"cgrid{number}", "*default", is_forced=False)
    assert told(paid) == ["SessionSv1.UpdateSession for several calls"]


def test_a_debit_of_no_call_names_the_request_alone(paid: World) -> None:
    debit(paid, call(10))
    assert told(paid) == ["SessionSv1.UpdateSession"]
