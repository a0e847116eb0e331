"""Sessions as they are kept: encoded and back, copied, and shown to clients."""

import msgspec

from cgrcore.sessions import TABLES, Session, external_session
from cgrcore.timing import SECOND_NS, format_time
from tests.accounting.small_world import START_AT
from tests.sessions.calls import Phone


def through_bytes(session: Session) -> Session:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(session), type=Session)


def test_a_session_under_way_survives_the_store(phone: Phone) -> None:
    phone.options["*sessionsTTL"] = "10m"
    phone.initiate("60s")
    phone.update("60s", LastUsed="20s")
    assert through_bytes(phone.session) == phone.session


def test_a_session_that_has_ended_survives_the_store(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("45s")
    assert through_bytes(phone.session) == phone.session


def test_a_stored_session_goes_on_as_if_nothing_had_been(phone: Phone) -> None:
    phone.initiate("60s")
    sessions = phone.world.state.table("sessions")
    sessions.put(phone.cgrid, through_bytes(phone.session))
    phone.world.state.take()
    phone.update("60s", LastUsed="20s")
    phone.terminate("50s")
    cost = phone.session.runs[0].cost
    assert cost is not None
    assert (cost.usage_ns, cost.cost_nano) == (50 * SECOND_NS, 500_000_000)


def test_a_copy_stays_as_the_session_was(phone: Phone) -> None:
    phone.world.settings["sessions"]["alterable_fields"] = ["Lane"]
    phone.initiate("60s")
    before = phone.session.copy()
    kept = through_bytes(phone.session)
    phone.options["*sessionsTTL"] = "10m"
    phone.update("60s", LastUsed="20s", Lane="left")
    assert before == kept
    assert before != phone.session


def test_every_table_of_the_subject_holds_sessions() -> None:
    assert set(TABLES.values()) == {Session}


def test_a_session_is_shown_with_what_it_has_used(phone: Phone) -> None:
    phone.initiate("60s")
    shown = external_session(phone.session, phone.session.runs[0], "node")
    chosen = ("CGRID", "RunID", "NodeID", "Usage", "DurationIndex", "LoopIndex", "Account")
    assert [shown[name] for name in chosen] == [
        phone.cgrid,
        "*default",
        "node",
        60 * SECOND_NS,
        60 * SECOND_NS,
        1,
        "1001",
    ]


def test_instants_of_a_session_are_shown_as_the_event_told_them(phone: Phone) -> None:
    phone.initiate("60s", SetupTime="")
    shown = external_session(phone.session, phone.session.runs[0], "")
    assert (shown["SetupTime"], shown["AnswerTime"]) == ("0001-01-01T00:00:00Z", format_time(START_AT))


def test_fields_without_a_column_are_shown_as_extra_fields(phone: Phone) -> None:
    phone.initiate("60s", Lane="left", Floor=3)
    assert external_session(phone.session, phone.session.runs[0], "")["ExtraFields"] == {"Lane": "left", "Floor": "3"}
