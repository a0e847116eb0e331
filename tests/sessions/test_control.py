"""Steering sessions from outside: lists, ends and changes by filter, standing by, silence, debits the server makes."""

import pytest

from cgrcore.errors import CgrError, NotFound
from cgrcore.event import CgrEvent
from cgrcore.sessions import (
    activate,
    active_sessions,
    alter,
    auto_debit,
    count_runs,
    deactivate,
    disconnect,
    end_silent,
    end_stale,
    list_runs,
    passive_sessions,
    stale_sessions,
)
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import START_AT, balance, make_account
from tests.sessions.calls import Phone, add_charger, decide, held

OF_CALL_2 = "*string:~*req.OriginID:call-2"


@pytest.fixture
def phones(phone: Phone) -> list[Phone]:
    """Three calls under way, a minute reserved for each."""
    phones = [phone, *(Phone(phone.world, OriginID=f"call-{number}") for number in (2, 3))]
    for it in phones:
        it.initiate("60s")
    return phones


def listed(world: World, filters: list[str], limit: int | None = None, offset: int | None = None) -> list[str]:
    found = list_runs(world, active_sessions(world), "cgrates.org", filters, limit, offset)
    return [session.event["OriginID"] for session, _ in found]


# --- lists -----------------------------------------------------------------------------------------------------------


def test_without_a_filter_all_sessions_are_listed(phones: list[Phone]) -> None:
    assert sorted(listed(phones[0].world, [])) == ["call-1", "call-2", "call-3"]


def test_a_filter_chooses_among_sessions(phones: list[Phone]) -> None:
    assert listed(phones[0].world, [OF_CALL_2]) == ["call-2"]


def test_a_filter_on_any_field_chooses_among_sessions(phones: list[Phone]) -> None:
    assert len(listed(phones[0].world, ["*string:~*req.Account:1001"])) == 3


def test_pages_follow_one_another(phones: list[Phone]) -> None:
    world = phones[0].world
    assert listed(world, [], 2) + listed(world, [], 2, 2) == listed(world, [])


def test_a_list_without_sessions_is_not_found(phones: list[Phone]) -> None:
    with pytest.raises(NotFound):
        listed(phones[0].world, ["*string:~*req.Account:1002"])


def test_runs_are_counted_one_by_one(phone: Phone) -> None:
    add_charger(phone.world, "again")
    phone.initiate("60s")
    assert count_runs(phone.world, active_sessions(phone.world), "cgrates.org", []) == 2


def test_nothing_is_a_count_too(world: World) -> None:
    assert count_runs(world, active_sessions(world), "cgrates.org", []) == 0


# --- ends and changes ------------------------------------------------------------------------------------------------


def test_a_disconnected_session_is_charged_what_was_reserved(phones: list[Phone]) -> None:
    decide(phones[0].world, lambda world: disconnect(world, "cgrates.org", [OF_CALL_2], None))
    assert ([it.is_active for it in phones], held(phones[0].world)) == ([True, False, True], {"m": "8.2"})


def test_no_more_sessions_are_disconnected_than_asked(phones: list[Phone]) -> None:
    ended, _ = decide(phones[0].world, lambda world: disconnect(world, "cgrates.org", [], 2))
    assert (len(ended), sum(it.is_active for it in phones)) == (2, 1)


def test_one_session_whose_charge_fails_keeps_no_other_from_ending(phones: list[Phone]) -> None:
    world = phones[0].world
    first, *_ = sorted(phones, key=lambda it: it.cgrid)
    for run in first.session.runs:
        run.event["Account"] = "unknown"
        run.total_usage_ns += 60 * SECOND_NS
    ended, is_whole = decide(world, lambda world: disconnect(world, "cgrates.org", [], None))
    assert (len(ended), is_whole, [it.is_active for it in phones]) == (3, False, [False] * 3)


def test_disconnecting_nothing_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        decide(world, lambda world: disconnect(world, "cgrates.org", [], None))


def test_sessions_that_pass_the_filter_are_altered(phones: list[Phone]) -> None:
    world = phones[0].world
    world.settings["sessions"]["alterable_fields"] = ["Lane"]
    decide(world, lambda world: alter(world, "cgrates.org", [OF_CALL_2], None, {"Lane": "left"}, {}))
    assert [it.session.runs[0].event.get("Lane") for it in phones] == [None, "left", None]


def test_an_alteration_does_not_rename_a_session(phones: list[Phone]) -> None:
    decide(phones[0].world, lambda world: alter(world, "cgrates.org", [OF_CALL_2], None, {"OriginID": "x"}, {}))
    assert phones[1].session.event["OriginID"] == "call-2"


def test_sessions_that_no_client_knows_are_stale(phones: list[Phone]) -> None:
    assert stale_sessions(phones[0].world, {phones[0].cgrid, phones[2].cgrid}) == [phones[1].cgrid]


def test_sessions_of_a_client_that_told_nothing_are_not_stale(phones: list[Phone]) -> None:
    phones[1].session.connection_id = "deaf"
    assert stale_sessions(phones[0].world, {phones[0].cgrid, phones[2].cgrid}, {"deaf"}) == []


def test_a_stale_session_is_charged_for_a_part_of_the_extra_usage(phone: Phone) -> None:
    phone.initiate("60s")
    decide(phone.world, lambda world: end_stale(world, phone.cgrid, 60 * SECOND_NS))
    usage_ns = phone.session.runs[0].total_usage_ns
    assert 60 * SECOND_NS < usage_ns < 120 * SECOND_NS


def test_a_filter_that_does_not_exist_ends_nothing(phones: list[Phone]) -> None:
    with pytest.raises(NotFound):
        decide(phones[0].world, lambda world: disconnect(world, "cgrates.org", ["FLT_UNKNOWN"], None))
    assert all(it.is_active for it in phones)


# --- what was allocated ----------------------------------------------------------------------------------------------


class Lines:
    """A resource: which calls hold a line."""

    def __init__(self, world: World) -> None:
        self.held = {"call-1"}
        world.settings["sessions"]["resources_conns"] = ["*internal"]
        world.parts["resources_for_sessions"] = self._ask

    def _ask(self, world: World, event: CgrEvent, what: str) -> str:
        assert what == "release"
        usage_id = event.options["*rsUsageID"]
        if usage_id not in self.held:
            raise NotFound(subject="usage", subject_id=usage_id)
        self.held.remove(usage_id)
        return "OK"


def test_a_disconnected_session_gives_back_its_resources(phone: Phone) -> None:
    lines = Lines(phone.world)
    phone.initiate("60s")
    decide(phone.world, lambda world: disconnect(world, "cgrates.org", [], None))
    assert lines.held == set()


def test_a_silent_session_gives_back_its_resources(silent: Phone) -> None:
    lines = Lines(silent.world)
    assert silence(silent)
    assert lines.held == set()


def test_a_session_without_resources_ends_too(phone: Phone) -> None:
    lines = Lines(phone.world)
    lines.held.clear()
    phone.initiate("60s")
    decide(phone.world, lambda world: disconnect(world, "cgrates.org", [], None))
    assert not phone.is_active


# --- standing by -----------------------------------------------------------------------------------------------------


def test_a_deactivated_session_stands_by(phones: list[Phone]) -> None:
    decide(phones[0].world, lambda world: deactivate(world, [phones[1].cgrid]))
    assert ([it.is_active for it in phones], list(passive_sessions(phones[0].world))) == (
        [True, False, True],
        [phones[1].cgrid],
    )


def test_without_an_id_all_sessions_stand_by(phones: list[Phone]) -> None:
    decide(phones[0].world, lambda world: deactivate(world, []))
    assert not any(it.is_active for it in phones)


def test_an_activated_session_is_charged_on(phone: Phone) -> None:
    phone.initiate("60s")
    decide(phone.world, lambda world: deactivate(world, []))
    decide(phone.world, lambda world: activate(world, []))
    phone.terminate("45s")
    assert held(phone.world) == {"m": "9.55"}


def test_ids_that_are_not_found_are_told(phones: list[Phone]) -> None:
    missing = decide(phones[0].world, lambda world: deactivate(world, [phones[0].cgrid, "unknown"]))
    assert missing == ["unknown"]


# --- silence ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def silent(phone: Phone) -> Phone:
    """A call with a minute reserved, of which nobody has spoken for its time to live of 10 s."""
    phone.options["*sessionsTTL"] = "10s"
    return phone


def silence(phone: Phone, after_s: int = 10) -> bool:
    """Let the call begin, wait, and say whether it was ended."""
    phone.initiate("60s")
    phone.world.now_at = START_AT + after_s * SECOND_NS
    return decide(phone.world, lambda world: end_silent(world, phone.cgrid)) is not None


def test_a_silent_session_ends_and_pays_for_the_silence(silent: Phone) -> None:
    assert silence(silent)
    assert (silent.is_active, held(silent.world)) == (False, {"m": "9.3"})


def test_a_session_that_is_not_silent_for_long_enough_goes_on(silent: Phone) -> None:
    assert not silence(silent, after_s=9)
    assert silent.is_active


def test_a_session_without_a_time_to_live_is_never_silent(phone: Phone) -> None:
    assert not silence(phone, after_s=10**6)


def test_a_silent_session_may_be_charged_a_usage_of_its_own(silent: Phone) -> None:
    silent.options["*sessionsTTLUsage"] = "5s"
    silence(silent)
    assert held(silent.world) == {"m": "9.95"}


def test_the_silence_itself_may_be_given(silent: Phone) -> None:
    silent.options["*sessionsTTLLastUsage"] = "0s"
    silence(silent)
    assert held(silent.world) == {"m": "9.4"}


def test_a_silent_session_ends_even_when_nothing_is_left_to_pay_with(world: World) -> None:
    make_account(world, balance(world, "*monetary", "m", "0.6"))
    phone = Phone(world, {"*sessionsTTL": "10s"})
    assert silence(phone)
    assert (phone.session.runs[0].total_usage_ns, held(world)) == (60 * SECOND_NS, {"m": "0"})


def test_a_session_that_is_gone_is_not_ended_twice(silent: Phone) -> None:
    assert silence(silent)
    assert decide(silent.world, lambda world: end_silent(world, silent.cgrid)) is None


# --- debits the server makes -----------------------------------------------------------------------------------------


@pytest.fixture
def ticking(phone: Phone) -> Phone:
    """A call the server debits 10 s at a time."""
    phone.options["*sessionsDebitInterval"] = "10s"
    phone.initiate()
    return phone


def tick(phone: Phone) -> int | None:
    """Let the server make the next debit; return what was granted (s), None when none was made."""
    made = decide(phone.world, lambda world: auto_debit(world, phone.cgrid, "*default"))
    return None if made is None else made[1] // SECOND_NS


def test_the_first_debit_is_due_at_the_start(ticking: Phone) -> None:
    assert (tick(ticking), held(ticking.world)) == (10, {"m": "9.9"})


def test_the_next_debit_is_due_when_the_granted_time_is_over(ticking: Phone) -> None:
    tick(ticking)
    assert ticking.session.runs[0].next_debit_at == START_AT + 10 * SECOND_NS


def test_a_debit_is_not_made_before_it_is_due(ticking: Phone) -> None:
    tick(ticking)
    ticking.world.now_at += 9 * SECOND_NS
    assert (tick(ticking), held(ticking.world)) == (None, {"m": "9.9"})


def test_a_debit_is_not_made_for_a_session_that_is_gone(ticking: Phone) -> None:
    ticking.terminate("0s")
    assert tick(ticking) is None


def test_the_last_debit_grants_what_is_left(world: World) -> None:
    make_account(world, balance(world, "*monetary", "m", "0.15"))
    phone = Phone(world, {"*sessionsDebitInterval": "10s"})
    phone.initiate()
    tick(phone)
    phone.world.now_at += 10 * SECOND_NS
    assert (tick(phone), held(world)) == (5, {"m": "0"})


def test_the_end_gives_back_what_the_server_debited_too_early(ticking: Phone) -> None:
    tick(ticking)
    ticking.terminate("4s")
    assert held(ticking.world) == {"m": "9.96"}


def test_a_debit_that_fails_changes_nothing(ticking: Phone) -> None:
    ticking.world.state.table("accounts").remove("cgrates.org:1001")
    ticking.world.state.take()
    with pytest.raises(CgrError):
        tick(ticking)
    assert ticking.session.runs[0].slices == 0
