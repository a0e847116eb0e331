"""The CDRs of sessions: all they say comes from the session, and they are written once."""

import pytest

from cgrcore.cdrs import Cdr, StoredCdrs, process_session_cdr, session_of_cdr
from cgrcore.errors import CgrError, PartiallyExecuted
from cgrcore.event import CgrEvent
from cgrcore.sessions import initiate, record_failed_start
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import money
from tests.sessions.calls import Phone, add_charger, decide, held


def announce(phone: Phone, usage: str | None = None) -> list[Cdr]:
    """Let the CDR of a call come; return what is noted for the store."""
    rows: list[Cdr] = []

    def decision(world: World) -> None:
        try:
            process_session_cdr(world, phone.event(usage), StoredCdrs())
        finally:
            rows.extend(row for _, _, row in world.state.effects.rows)

    decide(phone.world, decision)
    return rows


def announce_one(phone: Phone, usage: str | None = None) -> Cdr:
    (cdr,) = announce(phone, usage)
    return cdr


# --- what the CDR says -----------------------------------------------------------------------------------------------


def test_the_cdr_has_the_usage_and_the_cost_of_the_session(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("45s")
    cdr = announce_one(phone)
    assert (cdr.usage_ns, cdr.cost_nano, cdr.cost_source) == (45 * SECOND_NS, money("0.45"), "*sessions")


def test_the_cdr_of_an_ended_session_charges_nothing(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("45s")
    announce(phone, "500s")
    assert held(phone.world) == {"m": "9.55"}


def test_what_the_event_of_the_cdr_says_otherwise_is_ignored(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("45s")
    phone.fields["Destination"] = "4930"
    cdr = announce_one(phone, "500s")
    assert (cdr.usage_ns, cdr.destination) == (45 * SECOND_NS, "4940")


def test_a_cdr_ends_an_active_session_with_its_usage(phone: Phone) -> None:
    phone.initiate("60s")
    cdr = announce_one(phone, "45s")
    assert (phone.is_active, cdr.cost_nano, held(phone.world)) == (False, money("0.45"), {"m": "9.55"})


def test_a_cdr_charges_what_was_used_beyond_the_reservation(phone: Phone) -> None:
    phone.initiate("60s")
    announce(phone, "75s")
    assert held(phone.world) == {"m": "9.25"}


def test_every_run_has_a_cdr(phone: Phone) -> None:
    add_charger(phone.world, "again")
    phone.initiate("60s")
    assert sorted(cdr.run_id for cdr in announce(phone, "60s")) == ["*default", "again"]


def test_a_transferred_call_is_ended_by_its_cdr(phone: Phone) -> None:
    phone.initiate("60s")
    moved = Phone(phone.world, OriginID="call-2", InitialOriginID="call-1")
    cdr = announce_one(moved, "45s")
    assert (cdr.cgrid, cdr.origin_id, phone.is_active) == (moved.cgrid, "call-2", False)


def test_a_message_has_a_cdr_with_its_cost(phone: Phone) -> None:
    phone.message("5s")
    cdr = announce_one(phone, "5s")
    assert (cdr.cost_nano, held(phone.world)) == (money("0.05"), {"m": "9.95"})


# --- once ------------------------------------------------------------------------------------------------------------


def test_a_second_cdr_of_a_session_is_not_written(phone: Phone) -> None:
    phone.initiate("60s")
    announce(phone, "45s")
    with pytest.raises(PartiallyExecuted):
        announce(phone, "45s")
    assert held(phone.world) == {"m": "9.55"}


# --- by request type -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_type", ["*postpaid", "*pseudoprepaid"])
def test_what_the_session_only_granted_is_charged_by_the_cdr(phone: Phone, request_type: str) -> None:
    phone.fields["RequestType"] = request_type
    phone.initiate("60s")
    phone.terminate("45s")
    assert (announce_one(phone).cost_nano, held(phone.world)) == (money("0.45"), {"m": "9.55"})


def test_what_is_only_rated_has_a_cost_and_no_charge(phone: Phone) -> None:
    phone.fields["RequestType"] = "*rated"
    phone.initiate("60s")
    phone.terminate("45s")
    assert (announce_one(phone).cost_nano, held(phone.world)) == (money("0.45"), {"m": "10"})


def test_what_is_not_to_be_charged_has_no_cost(phone: Phone) -> None:
    phone.fields["RequestType"] = "*none"
    phone.initiate("60s")
    phone.terminate("45s")
    assert (announce_one(phone).cost_nano, held(phone.world)) == (None, {"m": "10"})


# --- without a session -----------------------------------------------------------------------------------------------


def test_without_a_session_the_event_itself_is_charged(phone: Phone) -> None:
    cdr = announce_one(phone, "60s")
    assert (cdr.source, cdr.cost_nano, held(phone.world)) == ("*sessions", money("0.6"), {"m": "9.4"})


def test_a_cdr_finds_its_session_while_it_is_active_and_afterwards(phone: Phone) -> None:
    before = session_of_cdr(phone.world, phone.fields)
    phone.initiate("60s")
    during = session_of_cdr(phone.world, phone.fields)
    phone.terminate("60s")
    after = session_of_cdr(phone.world, phone.fields)
    assert [before, during, after] == [None, phone.session, phone.session]


def test_a_cdr_finds_the_session_its_call_was_transferred_from(phone: Phone) -> None:
    phone.initiate("60s")
    moved = Phone(phone.world, OriginID="call-2", InitialOriginID="call-1")
    assert session_of_cdr(phone.world, moved.fields) == phone.session


# --- a start that was refused ----------------------------------------------------------------------------------------


@pytest.fixture
def rating(phone: Phone) -> Phone:
    """The call, where CDRs are rated as the server is set up to do."""
    phone.world.settings["cdrs"]["rals_conns"] = ["*internal"]
    return phone


def refuse(phone: Phone, usage: str, *, is_forced: bool = False) -> None:
    def decision(world: World) -> None:
        event: CgrEvent = phone.event(usage)
        with pytest.raises(CgrError):
            initiate(world, event, is_forced=is_forced)
        world.state.undo()
        record_failed_start(world, event)

    decide(phone.world, decision)


def test_the_cdr_of_a_refused_start_tells_why(rating: Phone) -> None:
    rating.fields["Destination"] = "1"
    refuse(rating, "60s")
    cdr = announce_one(rating, "60s")
    assert (cdr.cost_nano, cdr.extra_info) == (None, "UNAUTHORIZED_DESTINATION")


def test_a_call_that_went_through_though_refused_is_charged_by_its_usage(rating: Phone) -> None:
    refuse(rating, "1001s", is_forced=True)
    cdr = announce_one(rating, "60s")
    assert (cdr.usage_ns, held(rating.world)) == (60 * SECOND_NS, {"m": "9.4"})


def test_the_usage_that_the_end_of_a_refused_start_told_stands(rating: Phone) -> None:
    refuse(rating, "1001s", is_forced=True)
    rating.terminate("30s")
    assert announce_one(rating, "60s").usage_ns == 30 * SECOND_NS


def test_a_start_refused_after_the_end_leaves_the_session_its_cost(rating: Phone) -> None:
    rating.initiate("60s")
    rating.terminate("45s")
    refuse(rating, "1h", is_forced=True)
    cdr = announce_one(rating, "45s")
    assert (cdr.cost_source, held(rating.world)) == ("*sessions", {"m": "9.55"})
