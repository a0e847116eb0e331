"""A real server is killed and started again: accounts, sessions and CDRs are as its clients were told."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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


class Server:
    """A server process on one store, and a client of it."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "store.db"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        databases = [f"{section}.{key}" for section in ("data_db", "stor_db") for key in ("db_name",)]
        options = [f"listen.rpc_json=127.0.0.1:{self.port}", *(f"{name}={self.database}" for name in databases)]
        command = [sys.executable, "-m", "cgrserver.cli", "serve"]
        self.process = subprocess.Popen([*command, *(part for option in options for part in ("--set", option))])
        deadline = time.monotonic() + 30
        while True:
            try:
                self.client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
                return
            except ConnectionRefusedError:
                assert self.process.poll() is None, "the server ended by itself"
                assert time.monotonic() < deadline, "the server does not listen"
                time.sleep(0.05)  # another process's start has no event to wait for

    def call(self, method: str, **params: Any) -> Any:
        self.client.sendall(json.dumps({"method": method, "params": [params], "id": 1}).encode() + b"\n")
        reply = b""
        while not reply.endswith(b"\n"):
            reply += self.client.recv(65536)
        answer = json.loads(reply)
        assert answer["error"] is None, f"{method}: {answer['error']}"
        return answer["result"]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.client.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.kill()


def balances(server: Server) -> list[Any]:
    found = server.call("APIerSv2.GetAccount", Tenant="cgrates.org", Account="1001")["BalanceMap"]
    return [(kind, held["ID"], held["Uuid"], held["Value"]) for kind, group in found.items() for held in group]


def active_sessions(server: Server) -> list[Any]:
    """Return the sessions as listed, but for the name that each process gives itself."""
    return [{**listed, "NodeID": ""} for listed in server.call("SessionSv1.GetActiveSessions")]


@pytest.mark.slow
def test_a_killed_server_comes_back_as_its_clients_knew_it(server: Server) -> None:
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
def test_a_call_under_way_goes_on_after_a_kill(server: Server) -> None:
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
def test_a_request_repeated_after_a_kill_is_not_done_twice(server: Server) -> None:
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
