"""When sessions need attention: the earliest instant of each, noted once, put right when it has moved."""

import msgspec

from cgrcore.sessions import timers_of
from cgrcore.sessions.timers import SessionTimers, due_at, spread
from cgrcore.timing import SECOND_NS, ZERO_AT
from tests.accounting.small_world import START_AT
from tests.sessions.calls import Phone


def test_a_session_without_limits_is_never_due(phone: Phone) -> None:
    phone.initiate("60s")
    assert (due_at(phone.session), timers_of(phone.world).next_at) == (None, None)


def test_a_silent_session_is_due_after_its_time_to_live(phone: Phone) -> None:
    phone.options["*sessionsTTL"] = "10s"
    phone.initiate("60s")
    assert timers_of(phone.world).next_at == START_AT + 10 * SECOND_NS


def test_the_configured_time_to_live_holds_where_no_option_says_otherwise(phone: Phone) -> None:
    phone.world.settings["sessions"]["session_ttl"] = 5 * SECOND_NS
    phone.initiate("60s")
    assert due_at(phone.session) == START_AT + 5 * SECOND_NS


def test_a_session_that_debits_by_itself_is_due_at_once(phone: Phone) -> None:
    phone.options["*sessionsDebitInterval"] = "10s"
    phone.initiate()
    assert timers_of(phone.world).next_at == START_AT


def test_every_event_puts_the_end_by_silence_off(phone: Phone) -> None:
    phone.options["*sessionsTTL"] = "10s"
    phone.initiate("60s")
    phone.world.now_at += 4 * SECOND_NS
    phone.update("60s")
    assert phone.session.expires_at == START_AT + 14 * SECOND_NS


def test_what_is_due_is_told_once(phone: Phone) -> None:
    phone.options["*sessionsTTL"] = "10s"
    phone.initiate("60s")
    timers = timers_of(phone.world)
    at = START_AT + 10 * SECOND_NS
    assert [timers.pop_due(at - 1), timers.pop_due(at), timers.pop_due(at)] == [[], [phone.cgrid], []]


def test_a_session_is_noted_once_for_an_instant(phone: Phone) -> None:
    phone.options["*sessionsTTL"] = "10s"
    phone.initiate("60s")
    phone.update("60s")
    assert timers_of(phone.world).pop_due(START_AT + 3600 * SECOND_NS) == [phone.cgrid]


def test_an_earlier_instant_takes_the_place_of_a_later_one(phone: Phone) -> None:
    phone.initiate("60s")
    timers = SessionTimers()
    for at in (START_AT + 2, START_AT + 1):
        timers.watch(msgspec.structs.replace(phone.session, expires_at=at))
    assert (timers.pop_due(START_AT + 1), timers.pop_due(START_AT + 2)) == ([phone.cgrid], [])


def test_timers_are_built_from_the_table_after_a_restart(phone: Phone) -> None:
    phone.options["*sessionsTTL"] = "10s"
    phone.initiate("60s")
    phone.world.parts.clear()
    assert timers_of(phone.world).next_at == START_AT + 10 * SECOND_NS


def test_a_run_that_waits_for_nothing_has_no_instant(phone: Phone) -> None:
    phone.initiate("60s")
    assert phone.session.runs[0].next_debit_at == ZERO_AT


def test_a_delay_spreads_the_ends_of_silent_sessions(phone: Phone) -> None:
    phone.options |= {"*sessionsTTL": "10s", "*sessionsTTLMaxDelay": "5s"}
    phone.initiate("60s")
    delay_ns = phone.session.expires_at - START_AT - 10 * SECOND_NS
    assert 0 < delay_ns < 5 * SECOND_NS


def test_the_delay_of_a_session_is_always_the_same(phone: Phone) -> None:
    assert spread(phone.cgrid, SECOND_NS) == spread(phone.cgrid, SECOND_NS)


def test_delays_differ_from_session_to_session() -> None:
    assert len({spread(str(number), SECOND_NS) for number in range(100)}) == 100


def test_without_a_limit_there_is_no_delay() -> None:
    assert spread("any", 0) == 0
