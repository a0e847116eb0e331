"""The one prepaid call of the fosdem tariff plan, played against a real server process."""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import ROOT, CallRefused, ServerProcess

PLAN = ROOT / "tariffplans" / "fosdem"

ANSWERED = {
    "Account": "1001",
    "AnswerTime": "2023-01-07T17:00:10Z",
    "Destination": "1002",
    "OriginID": "abcd123",
    "RequestType": "*prepaid",
}
SET_UP = {
    "Account": "1001",
    "Destination": "1002",
    "OriginID": "abcd123",
    "RequestType": "*prepaid",
    "SetupTime": "2018-01-07T17:00:00Z",
}


def event(usage: str) -> dict[str, str]:
    return {**ANSWERED, "Usage": usage}


def balance(server: ServerProcess, account: str = "1001") -> Decimal:
    """Return what the account holds, all balances together. Amounts here are sums of powers of two, exact as floats."""
    found = server.call("APIerSv2.GetAccount", Tenant="cgrates.org", Account=account)["BalanceMap"]
    return sum((Decimal(held["Value"]) for group in found.values() for held in group), Decimal())


def load_plan(server: ServerProcess) -> None:
    """Load the plan and wait for the top-up, which the scheduler runs a moment later."""
    assert server.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(PLAN)) == "OK"
    deadline = time.monotonic() + 30
    while True:
        try:
            assert balance(server) == 10
            assert balance(server, "1002") == 10
            return
        except (CallRefused, AssertionError):
            assert time.monotonic() < deadline, "the top-up has not run"
            time.sleep(0.02)  # another process's scheduler has no event to wait for


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start servers with the plan loaded: `start("section.key=value", ...)`."""
    started = []

    def begin(*settings: str) -> ServerProcess:
        server = ServerProcess(tmp_path, settings)
        started.append(server)
        load_plan(server)
        return server

    yield begin
    for server in started:
        server.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server with the plan loaded, for all tests of a file."""
    server = ServerProcess(tmp_path_factory.mktemp("shared"), ("limits.max_request_size=1048576",))
    load_plan(server)
    yield server
    server.kill()


def cdrs(server: ServerProcess) -> Any:
    return server.call("CDRsV1.GetCDRs", OriginIDs=["abcd123"])
