"""Fraud mitigation, played against a real server: a burst of expensive calls closes the account and tells the operator.

The trigger counts what calls to a destination cost. Its actions disable the account, end its calls and post to HTTP.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.receivers import HttpReceiver, http_receiver
from tests.server_process import ROOT, CallRefused, ServerProcess, until

PLAN = ROOT / "tariffplans" / "fosdem"
TENANT = "cgrates.org"

#: What calls to DST_1002 may cost together, and what one of five minutes costs.
LIMIT = 20
PRICE = 9.125


@pytest.fixture(scope="module")
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as server:
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, receiver: HttpReceiver) -> Iterator[ServerProcess]:
    """A server whose account 1001 has 1000 and the trigger."""
    server = ServerProcess(tmp_path_factory.mktemp("fraud"))
    server.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(PLAN))
    server.call("APIerSv1.AddBalance", Tenant=TENANT, Account="9001", BalanceType="*monetary", Value=1000)
    actions = [
        {"Identifier": "*disable_account", "Weight": 30},
        {
            "Identifier": "*force_disconnect_sessions",
            "Weight": 20,
            "ExtraParameters": f"{TENANT};*string:~*req.Account:9001;;;",
        },
        {"Identifier": "*http_post_async", "Weight": 10, "ExtraParameters": receiver.url},
    ]
    server.call("APIerSv1.SetActions", ActionsId="ACT_FRAUD", Actions=actions)
    trigger = {
        "ThresholdType": "*max_event_counter",
        "ThresholdValue": LIMIT,
        "BalanceType": "*monetary",
        "BalanceDestinationIds": "DST_1002",
        "ActionsID": "ACT_FRAUD",
        "Weight": 10,
    }
    server.call("APIerSv1.SetActionTrigger", GroupID="FRAUD", UniqueID="burst", ActionTrigger=trigger)
    server.call("APIerSv1.AddAccountActionTriggers", Tenant=TENANT, Account="9001", ActionTriggerIDs=["FRAUD"])
    yield server
    server.kill()


def call(number: int) -> dict[str, Any]:
    return {
        "Account": "9001",
        "Subject": "1001",
        "Destination": "1002",
        "OriginID": f"burst-{number}",
        "RequestType": "*prepaid",
        "AnswerTime": "2023-01-07T17:00:10Z",
        "Usage": "5m",
    }


def test_a_burst_of_expensive_calls_closes_the_account_and_tells_over_http(
    server: ServerProcess, receiver: HttpReceiver
) -> None:
    begun = 0
    with pytest.raises(CallRefused, match="ACCOUNT_DISABLED"):
        for number in range(10):
            server.call("SessionSv1.InitiateSession", Tenant=TENANT, InitSession=True, Event=call(number))
            begun += 1
    assert begun == 3, "two calls cost 18.25, the third passes 20"
    until(lambda: receiver.bodies, 30)
    told = receiver.received[0]
    assert (told["ID"], told["Disabled"]) == (f"{TENANT}:9001", True)
    account = server.call("APIerSv2.GetAccount", Tenant=TENANT, Account="9001")
    assert account["Disabled"]
    assert account["ActionTriggers"][0]["Executed"]


def test_the_calls_before_have_ended_and_the_one_that_passed_the_limit_is_not_prolonged(server: ServerProcess) -> None:
    active = server.call("SessionSv1.GetActiveSessions", Tenant=TENANT, Filters=["*string:~*req.Account:9001"])
    assert [session["OriginID"] for session in active] == ["burst-2"]
    with pytest.raises(CallRefused, match="ACCOUNT_DISABLED"):
        server.call("SessionSv1.UpdateSession", Tenant=TENANT, UpdateSession=True, Event=call(2))


def test_the_account_stays_closed_through_a_crash_and_nobody_is_told_twice(
    server: ServerProcess, receiver: HttpReceiver
) -> None:
    until(lambda: _is_empty(server), 30)
    server.kill()
    server.start()
    with pytest.raises(CallRefused, match="ACCOUNT_DISABLED"):
        server.call("SessionSv1.AuthorizeEvent", Tenant=TENANT, GetMaxUsage=True, Event=call(99))
    assert len(receiver.bodies) == 1


def _is_empty(server: ServerProcess) -> bool:
    try:
        return not server.call("OutboxSv1.GetWaiting")
    except CallRefused:
        return True
