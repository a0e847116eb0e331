"""Sessions on their way from one node to another."""

from decimal import Decimal

import msgspec
import pytest

from cgrcore.errors import BadRequest, Conflict, NotFound
from cgrcore.sessions import (
    Session,
    active_sessions,
    forget,
    passive_sessions,
    session_as_wire,
    session_from_wire,
    stand_by,
)
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import balance, make_account
from tests.sessions.calls import Phone, decide, held, make_world

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def sent(world: World, session: Session) -> Session:
    """Return a session as the other node reads what is sent."""
    return session_from_wire(world, _decoder.decode(_encoder.encode(session_as_wire(session))))


def test_a_session_arrives_as_it_was(phone: Phone) -> None:
    phone.initiate("60s")
    phone.update("60s", LastUsed="45s")
    arrived = sent(phone.world, phone.session)
    assert _decoder.decode(_encoder.encode(session_as_wire(arrived))) == _decoder.decode(
        _encoder.encode(session_as_wire(phone.session))
    )


@pytest.mark.parametrize("name", ["start", "end_at", "reserve_ns", "usage_index_ns", "slices", "max_cost_so_far_nano"])
def test_what_the_next_slice_depends_on_arrives(phone: Phone, name: str) -> None:
    phone.initiate("60s")
    phone.update("60s", LastUsed="45s")
    (run,), (there,) = phone.session.runs, sent(phone.world, phone.session).runs
    assert getattr(there, name) == getattr(run, name)


def test_the_other_node_charges_on(phone: Phone) -> None:
    phone.initiate("60s")
    other = make_world()
    make_account(other, balance(other, "*monetary", "m", "9.4"))
    decide(other, lambda world: stand_by(world, sent(world, phone.session)))
    there = Phone(other)
    there.update("60s")
    there.terminate("100s")
    run = there.session.runs[0]
    assert run.cost is not None
    assert (held(other), run.cost.usage_ns) == ({"m": "9"}, 100 * SECOND_NS)


def test_a_debit_loop_goes_on_from_its_next_instant(phone: Phone) -> None:
    phone.options["*sessionsDebitInterval"] = "10s"
    phone.initiate()
    arrived = sent(phone.world, phone.session)
    assert (arrived.debit_interval_ns, arrived.runs[0].next_debit_at) == (
        10 * SECOND_NS,
        phone.session.runs[0].next_debit_at,
    )


@pytest.mark.parametrize("runs", [[{}], [{"Event": 5}], [{"Event": {}, "CD": {"LoopIndex": "x"}}], [None]])
def test_runs_that_cannot_be_read_are_refused(world: World, runs: object) -> None:
    with pytest.raises(BadRequest):
        session_from_wire(world, {"CGRID": "c", "EventStart": {}, "SRuns": runs})


# --- which node charges ----------------------------------------------------------------------------------------------


def test_a_session_of_another_node_stands_by(phone: Phone) -> None:
    phone.initiate("60s")
    other = make_world()
    decide(other, lambda world: stand_by(world, sent(world, phone.session)))
    assert (len(passive_sessions(other)), len(active_sessions(other))) == (1, 0)


def test_what_the_other_node_heard_of_later_is_given_up(phone: Phone) -> None:
    phone.initiate("60s")
    taken_over = sent(phone.world, phone.session)
    taken_over.updated_at += 1
    decide(phone.world, lambda world: stand_by(world, taken_over))
    assert (phone.is_active, len(passive_sessions(phone.world))) == (False, 1)


def test_what_was_heard_of_later_here_is_kept(phone: Phone) -> None:
    phone.initiate("60s")
    stale = sent(phone.world, phone.session)
    stale.updated_at -= 1
    with pytest.raises(Conflict):
        decide(phone.world, lambda world: stand_by(world, stale))
    assert phone.is_active


def test_a_session_that_ended_on_the_other_node_is_forgotten(phone: Phone) -> None:
    passive_sessions(phone.world).put("c", Session("c", "cgrates.org", {}, {}, []))
    phone.world.state.take()
    decide(phone.world, lambda world: forget(world, "c", None))
    assert len(passive_sessions(phone.world)) == 0


def test_a_session_that_ended_on_the_other_node_is_not_charged_here(phone: Phone) -> None:
    phone.initiate("60s")
    decide(phone.world, lambda world: forget(world, phone.cgrid, phone.world.now_at + 1))
    assert not phone.is_active


def test_an_end_from_before_the_latest_news_ends_nothing(phone: Phone) -> None:
    phone.initiate("60s")
    with pytest.raises(NotFound):
        decide(phone.world, lambda world: forget(world, phone.cgrid, phone.world.now_at - 1))
    assert phone.is_active
