"""The tasks of sessions on a clock that a test moves: silence, debits the server makes, what clients are told."""

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing
from cgrserver.services.sessions import SessionTimersTask, forget_what_is_over

from cgrcore.errors import Unavailable
from cgrcore.sessions import Session, closed_sessions
from cgrcore.thresholds import ThresholdProfile, install, store_profile
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import START_AT, balance, make_account
from tests.sessions.calls import Phone, decide, held, make_world


class Client:
    """The client of all sessions, when it is connected: what it was told of and asked for."""

    longest_end_ns = 15 * SECOND_NS

    def __init__(self) -> None:
        self.is_connected = False
        self.told: list[tuple[str, str]] = []
        self.asked: list[tuple[str, str]] = []
        self.warned: list[str] = []
        self.refuse: Callable[[], object] = lambda: None

    def can_ask(self, session: Session) -> bool:
        return self.is_connected

    def tell_ended(self, session: Session, told: dict[str, Any], tenant: str = "") -> None:
        self.told.append((session.event["OriginID"], told["DisconnectCause"]))

    def warn(self, session: Session) -> None:
        self.warned.append(session.event["OriginID"])

    def ask_to_end(self, session: Session, cause: str, give_up: Callable[[], object]) -> None:
        self.asked.append((session.event["OriginID"], cause))
        self.refuse = give_up


class Server:
    """A world with one call, the task of its sessions, and what it told clients: (OriginID, cause)."""

    def __init__(self, credit: str = "10", **options: Any) -> None:
        self.world = make_world()
        make_account(self.world, balance(self.world, "*monetary", "m", credit))
        self.phone = Phone(self.world, {f"*sessions{name}": value for name, value in options.items()})
        self.client = Client()
        self.told = self.client.told
        self.is_away = False
        self.task = SessionTimersTask(self.world, self.decide, lambda: self.world.now_at, self.client)

    def decide(self, reason: str, decision: Callable[[World], Any]) -> Any:
        if self.is_away:
            raise Unavailable
        return decide(self.world, decision)

    def look(self, *seconds: int) -> None:
        """Let the task look at its clock these many seconds after the start of the call."""
        for it in seconds:
            self.world.now_at = START_AT + it * SECOND_NS
            self.task.run_due(self.world.now_at)


@pytest.fixture
def silent() -> Server:
    """A call with a time to live of 10 s, a minute of it reserved."""
    server = Server(TTL="10s")
    server.phone.initiate("60s")
    return server


@pytest.fixture
def ticking() -> Server:
    """A call the server debits 10 s at a time."""
    server = Server(DebitInterval="10s")
    server.phone.initiate()
    return server


# --- silence ---------------------------------------------------------------------------------------------------------


def test_a_silent_session_goes_on_until_its_time_is_over(silent: Server) -> None:
    silent.look(9)
    assert (silent.phone.is_active, silent.told) == (True, [])


def test_a_silent_session_is_ended_and_its_client_told(silent: Server) -> None:
    silent.look(10)
    assert (silent.phone.is_active, silent.told) == (False, [("call-1", "SESSION_TIMEOUT")])


def test_a_silent_session_has_its_cdr(silent: Server) -> None:
    silent.look(10)
    assert silent.phone.session.has_cdr


def test_a_session_that_was_heard_of_lives_longer(silent: Server) -> None:
    silent.world.now_at += 8 * SECOND_NS
    silent.phone.update("60s")
    silent.look(10, 17)
    assert silent.phone.is_active


def test_a_session_that_was_heard_of_ends_later(silent: Server) -> None:
    silent.world.now_at += 8 * SECOND_NS
    silent.phone.update("60s")
    silent.look(10, 18)
    assert silent.told == [("call-1", "SESSION_TIMEOUT")]


def test_a_session_that_has_ended_is_left_alone(silent: Server) -> None:
    silent.phone.terminate("5s")
    silent.look(10)
    assert (silent.told, held(silent.world)) == ([], {"m": "9.95"})


def test_sessions_of_before_a_restart_end_too(silent: Server) -> None:
    silent.world.parts.clear()
    silent.look(10)
    assert not silent.phone.is_active


def test_a_session_ends_once_the_store_is_back(silent: Server) -> None:
    silent.is_away = True
    silent.look(10)
    silent.is_away = False
    silent.look(11)
    assert silent.told == [("call-1", "SESSION_TIMEOUT")]


def test_a_client_is_told_though_charging_the_end_failed(silent: Server) -> None:
    silent.phone.session.options["*sessionsTTLUsage"] = "5m"
    silent.world.state.table("accounts").remove("cgrates.org:1001")
    silent.world.state.take()
    silent.look(10)
    assert (silent.phone.is_active, silent.told) == (False, [("call-1", "SESSION_TIMEOUT")])


def test_a_client_is_told_though_a_threshold_failed(silent: Server) -> None:
    silent.world.settings["cdrs"]["thresholds_conns"] = ["*internal"]
    install(silent.world)
    store_profile(silent.world, ThresholdProfile("cgrates.org", "T", max_hits=-1, action_ids=("UNKNOWN",)))
    silent.world.state.take()
    silent.look(10)
    assert (silent.phone.session.has_cdr, silent.told) == (True, [("call-1", "SESSION_TIMEOUT")])


# --- debits ----------------------------------------------------------------------------------------------------------


def test_a_debit_is_made_for_every_interval(ticking: Server) -> None:
    ticking.look(*range(36))
    assert held(ticking.world) == {"m": "9.6"}


def test_a_call_without_credit_is_ended_and_its_client_told() -> None:
    server = Server("0.15", DebitInterval="10s")
    server.phone.initiate()
    server.look(*range(20))
    assert (server.phone.is_active, server.told) == (False, [("call-1", "INSUFFICIENT_CREDIT")])


def test_a_call_that_ran_out_of_credit_costs_what_was_debited() -> None:
    server = Server("0.15", DebitInterval="10s")
    server.phone.initiate()
    server.look(*range(20))
    assert (held(server.world), server.phone.session.runs[0].total_usage_ns) == ({"m": "0"}, 15 * SECOND_NS)


def test_a_call_that_cannot_be_rated_is_ended() -> None:
    server = Server(DebitInterval="10s")
    server.phone.initiate(Destination="1")
    server.look(0)
    assert server.told == [("call-1", "UNAUTHORIZED_DESTINATION")]


def test_a_call_whose_debit_fails_is_ended(ticking: Server) -> None:
    ticking.world.state.table("accounts").remove("cgrates.org:1001")
    ticking.world.state.take()
    ticking.look(0)
    assert ticking.told == [("call-1", "SERVER_ERROR")]


def test_a_debit_waits_for_the_store(ticking: Server) -> None:
    ticking.is_away = True
    ticking.look(0)
    ticking.is_away = False
    ticking.look(1)
    assert (ticking.told, held(ticking.world)) == ([], {"m": "9.9"})


# --- clients that are connected --------------------------------------------------------------------------------------


@pytest.fixture
def poor() -> Server:
    """A call with credit for 15 s, debited 10 s at a time, whose client is connected."""
    server = Server("0.15", DebitInterval="10s")
    server.client.is_connected = True
    server.phone.initiate()
    return server


def test_a_client_is_asked_to_end_a_call_without_credit(poor: Server) -> None:
    poor.look(*range(16))
    assert (poor.client.asked, poor.told, poor.phone.is_active) == ([("call-1", "INSUFFICIENT_CREDIT")], [], True)


def test_a_client_is_asked_once(poor: Server) -> None:
    poor.look(*range(25))
    assert len(poor.client.asked) == 1


def test_a_call_that_is_to_end_is_debited_no_more(poor: Server) -> None:
    poor.look(*range(16))
    make_account(poor.world, balance(poor.world, "*monetary", "m", "10"))
    poor.look(*range(16, 25))
    assert held(poor.world) == {"m": "10"}


def test_a_client_that_ends_the_call_says_what_was_used(poor: Server) -> None:
    poor.look(*range(16))
    poor.phone.terminate("12s")
    poor.look(40)
    assert (poor.told, held(poor.world)) == ([], {"m": "0.03"})


def test_a_call_that_its_client_does_not_end_is_ended(poor: Server) -> None:
    poor.look(*range(16), 29)
    assert poor.phone.is_active
    poor.look(30)
    assert (poor.phone.is_active, poor.told) == (False, [("call-1", "FORCED_DISCONNECT")])


def test_a_call_whose_client_refuses_is_ended_at_once(poor: Server) -> None:
    poor.look(*range(16))
    poor.client.refuse()
    poor.look(16)
    assert (poor.phone.is_active, poor.phone.session.has_cdr) == (False, True)


def test_a_refusal_after_the_end_is_late(poor: Server) -> None:
    poor.look(*range(16))
    poor.phone.terminate("12s")
    poor.client.refuse()
    poor.look(16)
    assert held(poor.world) == {"m": "0.03"}


def test_a_call_that_is_to_end_is_ended_after_a_restart(poor: Server) -> None:
    poor.look(*range(16))
    poor.world.parts.clear()
    poor.client.is_connected = False
    poor.look(30)
    assert not poor.phone.is_active


def test_a_client_is_warned_when_little_is_left(poor: Server) -> None:
    poor.world.settings["sessions"]["min_dur_low_balance"] = 6 * SECOND_NS
    poor.look(*range(11))
    assert poor.client.warned == ["call-1"]


def test_a_client_is_not_warned_while_more_is_left(poor: Server) -> None:
    poor.world.settings["sessions"]["min_dur_low_balance"] = 4 * SECOND_NS
    poor.look(*range(16))
    assert poor.client.warned == []


def test_a_warning_longer_than_the_interval_is_none(poor: Server) -> None:
    poor.world.settings["sessions"]["min_dur_low_balance"] = 10 * SECOND_NS
    poor.look(*range(16))
    assert poor.client.warned == []


# --- as tasks --------------------------------------------------------------------------------------------------------


async def run_for(seconds: float, task: Callable[..., Any], *args: Any) -> None:
    with trio.move_on_after(seconds):
        await task(*args)


async def test_the_task_looks_at_its_clock_again_and_again(
    silent: Server, autojump_clock: trio.testing.MockClock
) -> None:
    start_s = trio.current_time()

    def clock() -> int:
        silent.world.now_at = START_AT + round((trio.current_time() - start_s) * SECOND_NS)
        return silent.world.now_at

    await run_for(11, SessionTimersTask(silent.world, silent.decide, clock, silent.client).run)
    assert silent.told == [("call-1", "SESSION_TIMEOUT")]


async def test_sessions_are_forgotten_when_their_time_has_passed(
    silent: Server, autojump_clock: trio.testing.MockClock
) -> None:
    silent.look(10)
    await run_for(65, forget_what_is_over, silent.decide, lambda: START_AT + 3600 * SECOND_NS, 60 * SECOND_NS, 0)
    assert len(closed_sessions(silent.world)) == 0


async def test_what_ended_before_a_start_or_a_clock_set_forward_is_remembered_its_time(
    silent: Server, autojump_clock: trio.testing.MockClock
) -> None:
    silent.look(10)
    start_s = trio.current_time()

    def clock() -> int:
        """A clock that is set forward by an hour after 50 s."""
        elapsed_s = trio.current_time() - start_s
        return START_AT + round((3600 * 24 + elapsed_s + (3600 if elapsed_s > 50 else 0)) * SECOND_NS)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(forget_what_is_over, silent.decide, clock, 60 * SECOND_NS, 0)
        await trio.sleep(105)
        assert len(closed_sessions(silent.world)) == 1
        await trio.sleep(10)
        assert len(closed_sessions(silent.world)) == 0
        nursery.cancel_scope.cancel()


async def test_sessions_are_remembered_until_then(silent: Server, autojump_clock: trio.testing.MockClock) -> None:
    silent.look(10)
    await run_for(5, forget_what_is_over, silent.decide, lambda: START_AT + 30 * SECOND_NS, 60 * SECOND_NS, 0)
    assert len(closed_sessions(silent.world)) == 1


async def test_forgetting_waits_for_the_store(silent: Server, autojump_clock: trio.testing.MockClock) -> None:
    silent.look(10)
    silent.is_away = True
    await run_for(65, forget_what_is_over, silent.decide, lambda: START_AT + 3600 * SECOND_NS, 60 * SECOND_NS, 0)
    assert len(closed_sessions(silent.world)) == 1
