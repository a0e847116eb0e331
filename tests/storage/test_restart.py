"""A real server is killed and started again: accounts, sessions and CDRs are as its clients were told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import ServerProcess

EVENT = {
    "Tenant": "cgrates.org",
    "Account": "1001",
    "Destination": "1002",
    "RequestType": "*prepaid",
    "ToR": "*generic",
    "OriginID": "call-1",
    "OriginHost": "h",
    "AnswerTime": "2024-01-01T00:00:00Z",
    "Usage": "10",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    made = ServerProcess(tmp_path)
    yield made
    made.kill()


def balances(server: ServerProcess) -> list[Any]:
    found = server.call("APIerSv2.GetAccount", Tenant="cgrates.org", Account="1001")["BalanceMap"]
    return [(kind, held["ID"], held["Uuid"], held["Value"]) for kind, group in found.items() for held in group]


def active_sessions(server: ServerProcess) -> list[Any]:
    """Return the sessions as listed, but for the name that each process gives itself."""
    return [{**listed, "NodeID": ""} for listed in server.call("SessionSv1.GetActiveSessions")]


@pytest.mark.slow
def test_a_killed_server_comes_back_as_its_clients_knew_it(server: ServerProcess) -> None:
    account = {"Tenant": "cgrates.org", "Account": "1001", "Value": 12.5, "Balance": {"ID": "main"}}
    assert server.call("APIerSv1.AddBalance", BalanceType="*monetary", **account) == "OK"
    assert server.call("APIerSv1.AddBalance", BalanceType="*generic", **account) == "OK"
    event = {**EVENT, "RequestType": "*none", "OriginID": "cdr-1"}
    assert server.call("CDRsV1.ProcessEvent", Flags=["*chargers:false", "*attributes:false"], Event=event) == "OK"
    held = balances(server)
    cdrs = server.call("CDRsV1.GetCDRs", OriginIDs=["cdr-1"])
    server.kill()
    server.start()
    assert balances(server) == held
    assert server.call("CDRsV1.GetCDRs", OriginIDs=["cdr-1"]) == cdrs
    assert server.call("APIerSv1.AddBalance", BalanceType="*monetary", **account) == "OK"
    assert [value for kind, _, _, value in balances(server) if kind == "*monetary"] == [25]


@pytest.mark.slow
def test_a_call_under_way_goes_on_after_a_kill(server: ServerProcess) -> None:
    plan = Path(__file__).parents[2] / "tariffplans" / "fosdem"
    assert server.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(plan)) == "OK"
    account = {"Tenant": "cgrates.org", "Account": "1001", "Value": 100, "Balance": {"ID": "main"}}
    server.call("APIerSv1.AddBalance", BalanceType="*monetary", **account)
    event = {**EVENT, "ToR": "*voice", "Category": "call", "Usage": "60s"}
    granted = server.call("SessionSv1.InitiateSession", InitSession=True, Tenant="cgrates.org", ID="1", Event=event)
    sessions = active_sessions(server)
    held = balances(server)
    server.kill()
    server.start()
    assert active_sessions(server) == sessions
    assert balances(server) == held
    update = server.call("SessionSv1.UpdateSession", UpdateSession=True, Tenant="cgrates.org", ID="2", Event=event)
    assert update["MaxUsage"] == granted["MaxUsage"] == 60 * 10**9
    assert server.call("SessionSv1.TerminateSession", TerminateSession=True, Event=event) == "OK"


@pytest.mark.slow
def test_a_request_repeated_after_a_kill_is_not_done_twice(server: ServerProcess) -> None:
    request = {
        "Tenant": "cgrates.org",
        "Account": "1001",
        "BalanceType": "*monetary",
        "Value": 5,
        "Balance": {"ID": "main"},
        "APIOpts": {"*idempotencyKey": "top-up-1"},
    }
    assert server.call("APIerSv1.AddBalance", **request) == "OK"
    server.kill()
    server.start()
    assert server.call("APIerSv1.AddBalance", **request) == "OK"
    assert [value for _, _, _, value in balances(server)] == [5]
