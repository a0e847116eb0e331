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


class Server:
    """A world with one call, the task of its sessions, and what it told clients: (OriginID, cause)."""

    def __init__(self, credit: str = "10", **options: Any) -> None:
        self.world = make_world()
        make_account(self.world, balance(self.world, "*monetary", "m", credit))
        self.phone = Phone(self.world, {f"*sessions{name}": value for name, value in options.items()})
        self.told: list[tuple[str, str]] = []
        self.is_away = False
        self.task = SessionTimersTask(self.world, self.decide, lambda: self.world.now_at, self._tell)

    def decide(self, reason: str, decision: Callable[[World], Any]) -> Any:
        if self.is_away:
            raise Unavailable
        return decide(self.world, decision)

    def _tell(self, session: Session, cause: str) -> None:
        self.told.append((session.event["OriginID"], cause))

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

    await run_for(11, SessionTimersTask(silent.world, silent.decide, clock, silent._tell).run)
    assert silent.told == [("call-1", "SESSION_TIMEOUT")]


async def test_sessions_are_forgotten_when_their_time_has_passed(
    silent: Server, autojump_clock: trio.testing.MockClock
) -> None:
    silent.look(10)
    await run_for(5, forget_what_is_over, silent.decide, lambda: START_AT + 3600 * SECOND_NS, 60 * SECOND_NS, 0)
    assert len(closed_sessions(silent.world)) == 0


async def test_sessions_are_remembered_until_then(silent: Server, autojump_clock: trio.testing.MockClock) -> None:
    silent.look(10)
    await run_for(5, forget_what_is_over, silent.decide, lambda: START_AT + 30 * SECOND_NS, 60 * SECOND_NS, 0)
    assert len(closed_sessions(silent.world)) == 1


async def test_forgetting_waits_for_the_store(silent: Server, autojump_clock: trio.testing.MockClock) -> None:
    silent.look(10)
    silent.is_away = True
    await run_for(5, forget_what_is_over, silent.decide, lambda: START_AT + 3600 * SECOND_NS, 60 * SECOND_NS, 0)
    assert len(closed_sessions(silent.world)) == 1
