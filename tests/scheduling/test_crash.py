"""Runs of a real server that is killed again and again: each of them happens once, however the process ends.

Top-ups of 1 are due all the time: what was topped up says how many runs there were, the ledger what each of them did.
"""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import CallRefused, ServerProcess, until

TENANT = "cgrates.org"
ACCOUNT = f"{TENANT}:1001"

#: How many plans run once each, and over how long.
PLANS = 150
SPREAD_MS = 3000
KILLS = 5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path, ("schedulers.catch_up=*once", "general.default_timezone=UTC"))
    top_up = {"Identifier": "*topup", "BalanceType": "*sms", "BalanceId": "S", "Units": 1, "Weight": 10}
    server.call("APIerSv1.SetActions", ActionsId="ONE", Actions=[top_up])
    server.call("APIerSv1.SetAccount", Tenant=TENANT, Account="1001")
    yield server
    server.kill()


def units(server: ServerProcess) -> int:
    groups = server.call("APIerSv2.GetAccount", Tenant=TENANT, Account="1001")["BalanceMap"] or {}
    return sum(balance["Value"] for balance in groups.get("*sms") or ())


def is_over(server: ServerProcess) -> bool:
    """Tell whether no run is ahead within the next hours."""
    try:
        ahead = server.call("APIerSv1.GetScheduledActions")
    except CallRefused:
        return True
    soon = (datetime.now(UTC) + timedelta(hours=6)).isoformat()
    return not any(run["NextRunTime"] < soon for run in ahead)


def kill_and_wait(server: ServerProcess, seed: int) -> None:
    """Kill the server at random moments, then let it finish, then start it once more."""
    moments = random.Random(seed)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.02, 0.3))
        server.kill()
        server.start()
    until(lambda: is_over(server), 60)
    server.kill()
    server.start()


def check_ledger(server: ServerProcess, count: int) -> None:
    lines: list[dict[str, Any]] = server.call("LedgerSv1.GetHistory", Tenant=TENANT, Account="1001")
    assert [line["After"] for line in lines] == list(accumulate(line["Amount"] for line in lines))
    assert sum(line["Amount"] for line in lines) == count


def plan(server: ServerProcess, plan_id: str, clocks: list[str]) -> None:
    items = [{"ActionsId": "ONE", "Time": clock, "Weight": 10} for clock in clocks]
    server.call("APIerSv1.SetActionPlanAccounts", Id=plan_id, ActionPlan=items, AccountIDs=[ACCOUNT])


@pytest.mark.slow
def test_what_runs_once_runs_once_through_kills(server: ServerProcess) -> None:
    for number in range(PLANS):
        plan(server, f"P{number}", [f"+{number * SPREAD_MS // PLANS}ms"])
    server.call("SchedulerSv1.Reload")
    kill_and_wait(server, 1)
    assert units(server) == PLANS
    check_ledger(server, PLANS)


@pytest.mark.slow
def test_a_daily_run_runs_once_a_day_through_kills(server: ServerProcess) -> None:
    start = datetime.now(UTC) + timedelta(seconds=2)
    clocks = [f"{start + timedelta(seconds=later):%H:%M:%S}" for later in range(4)]
    plan(server, "DAILY", clocks)
    server.call("SchedulerSv1.Reload")
    kill_and_wait(server, 2)
    assert units(server) == len(clocks)
    check_ledger(server, len(clocks))
    assert len(server.call("APIerSv1.GetScheduledActions")) == len(clocks)


@pytest.mark.slow
def test_what_is_to_run_as_soon_as_possible_runs_once_through_kills(server: ServerProcess) -> None:
    plan(server, "ASAP", ["*asap"])  # attaching is one task, and so is each of the following
    for _ in range(3):
        server.call("APIerSv2.SetAccount", Tenant=TENANT, Account="1001", ActionPlanIDs=["ASAP"])
    server.kill()
    server.start()
    server.kill()
    server.start()
    server.call("SchedulerSv1.Reload")
    assert units(server) == 4
    check_ledger(server, 4)
