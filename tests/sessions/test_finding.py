"""Finding sessions: their names, those that stand by, those that began under another name."""

from hashlib import sha1

import msgspec
import pytest

from cgrcore.errors import NotFound, Refused
from cgrcore.sessions import active_sessions, cgrid_of, count_runs, deactivate, passive_sessions
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.sessions.calls import Phone, decide, held


@pytest.fixture
def moved(phone: Phone) -> Phone:
    """The call under the name it has after a transfer."""
    phone.initiate("60s")
    return Phone(phone.world, OriginID="call-2", InitialOriginID="call-1")


def test_a_session_is_named_by_its_origin() -> None:
    assert cgrid_of({"OriginID": "call", "OriginHost": "host"}) == sha1(b"callhost").hexdigest()


def test_a_name_that_is_given_stands() -> None:
    assert cgrid_of({"CGRID": "abc", "OriginID": "call"}) == "abc"


def test_an_origin_of_any_length_has_a_name() -> None:
    origin = "x" * 100_000
    assert cgrid_of({"OriginID": origin}) == sha1(origin.encode()).hexdigest()


def test_a_session_that_stands_by_is_taken_over_by_its_next_event(phone: Phone) -> None:
    phone.initiate("60s")
    session = active_sessions(phone.world).remove(phone.cgrid)
    assert session is not None
    passive_sessions(phone.world).put(phone.cgrid, session)
    phone.world.state.take()
    phone.update("60s")
    assert (phone.session.runs[0].total_usage_ns, len(passive_sessions(phone.world))) == (120 * SECOND_NS, 0)


def test_a_session_that_stands_by_is_left_as_it_was_by_a_refused_update(phone: Phone) -> None:
    phone.initiate("60s")
    decide(phone.world, lambda world: deactivate(world, []))
    before = msgspec.msgpack.encode(passive_sessions(phone.world).require(phone.cgrid))
    with pytest.raises(Refused):
        phone.update("1h", is_forced=True, LastUsed="20s")
    assert msgspec.msgpack.encode(passive_sessions(phone.world).require(phone.cgrid)) == before


def test_a_call_that_was_transferred_goes_on_under_its_new_name(phone: Phone, moved: Phone) -> None:
    moved.update("60s")
    assert (phone.is_active, moved.session.runs[0].total_usage_ns) == (False, 120 * SECOND_NS)


def test_a_transfer_names_the_session_and_its_cost_anew(moved: Phone) -> None:
    moved.update("60s")
    session = moved.session
    run = session.runs[0]
    assert run.cost is not None
    assert {session.cgrid, session.event["CGRID"], run.event["CGRID"], run.cost.cgrid} == {moved.cgrid}


def test_a_transferred_call_ends_under_its_new_name(moved: Phone) -> None:
    moved.terminate("40s")
    assert (moved.is_active, held(moved.world)) == (False, {"m": "9.6"})


def test_a_refused_update_leaves_the_call_under_its_old_name(phone: Phone, moved: Phone) -> None:
    with pytest.raises(Refused):
        moved.update("1h", is_forced=True)
    assert (phone.is_active, moved.is_active, phone.session.cgrid) == (True, False, phone.cgrid)


def test_a_transfer_of_an_unknown_call_begins_one(world: World, phone: Phone) -> None:
    moved = Phone(world, OriginID="call-2", InitialOriginID="nothing")
    moved.update("60s")
    assert moved.is_active


def test_a_filter_that_does_not_exist_is_told(phone: Phone) -> None:
    phone.initiate("60s")
    with pytest.raises(NotFound):
        count_runs(phone.world, active_sessions(phone.world), "cgrates.org", ["FLT_UNKNOWN"])
