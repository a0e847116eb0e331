"""Responder.ExplainDebit, on a real server: it says what an authorisation and a debit do, before they do it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.server_process import ROOT, ServerProcess

TENANT = "cgrates.org"
CALL = {
    "Tenant": TENANT,
    "Category": "call",
    "Account": "9001",
    "Subject": "1001",
    "Destination": "1002",
    "TimeStart": "2023-01-07T17:00:00Z",
    "TimeEnd": "2023-01-07T17:03:00Z",
}


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose account 9001 has a minute, money in a group, and balances that do not fit."""
    server = ServerProcess(tmp_path_factory.mktemp("explain"))
    server.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(ROOT / "tariffplans" / "fosdem"))
    for kind, value, balance in (
        ("*voice", 60 * 10**9, {"ID": "minute", "Weight": 30}),
        ("*monetary", 1, {"ID": "little", "Weight": 20}),
        ("*monetary", 50, {"ID": "money", "Weight": 10}),
        ("*monetary", 50, {"ID": "elsewhere", "DestinationIDs": "DST_1001"}),
        ("*monetary", 50, {"ID": "off", "Disabled": True}),
        ("*data", 5, {"ID": "data"}),
    ):
        params = {"Tenant": TENANT, "Account": "9001", "BalanceType": kind, "Value": value, "Balance": balance}
        server.call("APIerSv1.AddBalance", **params)
    yield server
    server.kill()


def explain(server: ServerProcess, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = server.call("Responder.ExplainDebit", **{**CALL, **fields})
    return found


def values(server: ServerProcess) -> dict[str, Decimal]:
    account = server.call("APIerSv2.GetAccount", Tenant=TENANT, Account="9001")
    return {it["ID"]: Decimal(str(it["Value"])) for group in account["BalanceMap"].values() for it in group}


def test_what_it_says_is_what_a_debit_then_does(server: ServerProcess) -> None:
    before = values(server)
    found = explain(server)
    assert values(server) == before, "nothing changes"
    cost = server.call("Responder.Debit", **CALL)
    assert cost["Cost"] == found["Cost"]
    after = values(server)
    said = {line["ID"]: (Decimal(str(line["Before"])), Decimal(str(line["After"]))) for line in found["Balances"]}
    assert said == {name: (before[name], after[name]) for name in before}


def test_each_balance_has_its_reason(server: ServerProcess) -> None:
    lines = {line["ID"]: (line["Used"], line["Reason"]) for line in explain(server)["Balances"]}
    assert lines["minute"] == (True, "gave units")
    assert lines["money"] == (True, "paid the price")
    assert lines["elsewhere"] == (False, "other destination")
    assert lines["off"] == (False, "disabled")
    assert lines["data"] == (False, "holds *data, the call uses *voice")


def test_what_it_grants_is_what_an_authorisation_grants(server: ServerProcess) -> None:
    event = {**CALL, "RequestType": "*prepaid", "OriginID": "x", "SetupTime": CALL["TimeStart"], "Usage": "3h"}
    asked = server.call("SessionSv1.AuthorizeEvent", Tenant=TENANT, GetMaxUsage=True, Event=event)
    assert explain(server, TimeEnd="2023-01-07T20:00:00Z")["MaxUsage"] == asked["MaxUsage"]


def test_a_balance_that_refuses_is_named(server: ServerProcess) -> None:
    balance = {"ID": "blocker", "Weight": 100, "Blocker": True}
    params = {"Tenant": TENANT, "Account": "9001", "BalanceType": "*voice", "Value": 10**9, "Balance": balance}
    server.call("APIerSv1.AddBalance", **params)
    assert explain(server)["Refusal"] == "INSUFFICIENT_CREDIT_BALANCE_BLOCKER"
