"""What actions send outside, from a real server process: to a second node, through crashes of both."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.receivers import http_receiver
from tests.server_process import ROOT, CallRefused, ServerProcess, until

TOP_UP = '{"Address":"127.0.0.1:%d","Transport":"*json","Method":"APIerSv1.AddBalance","Params":%s}'
PARAMS = '{"Tenant":"cgrates.org","Account":"<<.Account.ID>>","BalanceType":"*monetary","Value":10}'

Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start nodes, each with a store of its own: `start("a", "section.key=value", ...)`."""
    started = []

    def begin(name: str, *settings: str) -> ServerProcess:
        folder = tmp_path / name
        folder.mkdir()
        started.append(ServerProcess(folder, settings))
        return started[-1]

    yield begin
    for node in started:
        node.kill()


def act(node: ServerProcess, kind: str, parameters: str) -> None:
    action = {"Identifier": kind, "ExtraParameters": parameters, "Weight": 10}
    node.call("APIerSv1.SetActions", ActionsId="ACT", Overwrite=True, Actions=[action])
    node.call("APIerSv1.ExecuteAction", Tenant="cgrates.org", Account="1001", ActionsId="ACT")


def listed(node: ServerProcess, what: str) -> list[dict[str, Any]]:
    try:
        return list(node.call(f"OutboxSv1.{what}"))
    except CallRefused:
        return []


def money(node: ServerProcess) -> Any:
    try:
        account = node.call("APIerSv2.GetAccount", Tenant="cgrates.org", Account="cgrates.org:1001")
    except CallRefused:
        return None
    return sum(balance["Value"] for balance in account["BalanceMap"]["*monetary"])


def command(*arguments: str) -> str:
    paths = os.pathsep.join((str(ROOT), str(ROOT / "server")))
    done = subprocess.run(
        [sys.executable, "-m", "cgrserver.cli", *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_a_call_of_a_node_that_was_down_is_made_once_after_crashes_of_both(start: Start) -> None:
    far = start("far")
    far.kill()
    near = start("near", "general.poster_attempts=1")
    act(near, "*cgr_rpc", TOP_UP % (far.port, PARAMS))
    letter = until(lambda: listed(near, "GetDeadLetters"), 30)[0]
    near.kill()
    near.start()
    far.start()
    server = f"127.0.0.1:{near.port}"
    assert letter["UUID"] in command("dead-letters", "list", "--server", server)
    assert "1 on their way again" in command("dead-letters", "replay", letter["UUID"], "--server", server)
    assert until(lambda: money(far), 30) == 10
    until(lambda: not listed(near, "GetWaiting"), 30)
    assert listed(near, "GetDeadLetters") == []


def test_a_call_whose_answer_was_lost_charges_the_other_node_once(start: Start) -> None:
    far, near = start("far"), start("near")
    act(near, "*cgr_rpc", TOP_UP % (far.port, PARAMS))
    until(lambda: not listed(near, "GetWaiting"), 30)
    line = far.call("LedgerSv1.GetHistory", Tenant="cgrates.org", Account="cgrates.org:1001")[0]
    _, _, key = line["IdempotencyKey"].partition(":")
    params = {"Tenant": "cgrates.org", "Account": "cgrates.org:1001", "BalanceType": "*monetary", "Value": 10}
    again = far.call("APIerSv1.AddBalance", **params, APIOpts={"*idempotencyKey": key})
    assert (again, money(far)) == ("OK", 10)


def test_a_scheduled_reset_gives_an_account_what_its_last_cdr_says(start: Start) -> None:
    node = start("node")
    node.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(ROOT / "tariffplans" / "fosdem"))
    balance = {"Tenant": "cgrates.org", "Account": "1001", "BalanceType": "*monetary", "Balance": {"ID": "m"}}
    node.call("APIerSv1.SetBalance", **balance, Value=50)
    call = {"Account": "1001", "Destination": "1002", "RequestType": "*postpaid", "Usage": "60s", "OriginID": "last"}
    node.call("CDRsV1.ProcessEvent", Tenant="cgrates.org", Event={**call, "AnswerTime": "2023-01-07T17:00:10Z"})
    after_call = _held(node)
    node.call("APIerSv1.SetBalance", **balance, Value=1)
    action = {"Identifier": "*reset_account_cdr", "Weight": 10}
    node.call("APIerSv1.SetActions", ActionsId="RESET", Actions=[action])
    timing = {"ActionsId": "RESET", "Time": "+10ms", "Weight": 10}
    node.call("APIerSv1.SetActionPlanAccounts", Id="P", ActionPlan=[timing], AccountIDs=["cgrates.org:1001"])
    node.call("SchedulerSv1.Reload")
    until(lambda: _held(node) == after_call, 30)


def _held(node: ServerProcess) -> dict[str, Any]:
    account = node.call("APIerSv2.GetAccount", Tenant="cgrates.org", Account="1001")
    return {it["Uuid"]: it["Value"] for group in account["BalanceMap"].values() for it in group}


def test_costs_of_sessions_that_pass_the_filters_are_removed(start: Start) -> None:
    node = start("node")
    for name in ("one", "two"):
        cost = {"CGRID": name, "RunID": "*default", "OriginHost": f"host-{name}", "OriginID": name, "Usage": 60}
        node.call("CDRsV1.StoreSessionCost", Cost={**cost, "CostDetails": {"CGRID": name, "Cost": 1}})
        assert node.call("APIerSv1.GetEventCost", CgrId=name)["CGRID"] == name
    act(node, "*remove_session_costs", "*string:~*sc.OriginHost:host-one;*prefix:~*sc.CGRID:o")
    until(lambda: not listed(node, "GetWaiting"), 30)
    with pytest.raises(CallRefused, match="NOT_FOUND"):
        node.call("APIerSv1.GetEventCost", CgrId="one")
    assert node.call("APIerSv1.GetEventCost", CgrId="two")["CGRID"] == "two"


def test_what_was_to_be_told_is_told_after_a_crash(start: Start) -> None:
    with http_receiver() as receiver:
        port = receiver.server_port
    node = start("node", "general.poster_attempts=100")
    act(node, "*http_post_async", f"http://127.0.0.1:{port}/")
    node.kill()
    with http_receiver(port) as receiver:
        node.start()
        until(lambda: receiver.bodies, 30)
        assert receiver.received[0]["ID"] == "cgrates.org:1001"
        until(lambda: not listed(node, "GetWaiting"), 30)


def test_cdrs_are_given_to_an_exporter_with_their_costs(start: Start) -> None:
    with http_receiver() as receiver:
        receiver.failures = 1
        exporter = {"id": "OUT", "type": "*http_json_map", "export_path": receiver.url, "attempts": 3}
        node = start(
            "node",
            "ees.enabled=true",
            f"ees.exporters={json.dumps([exporter])}",
            'cdrs.ees_conns=["*internal"]',
            'cdrs.online_cdr_exports=["OUT"]',
        )
        node.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(ROOT / "tariffplans" / "fosdem"))
        call = {"Account": "9001", "Subject": "1001", "Destination": "1002", "RequestType": "*rated", "Usage": "60s"}
        event = {**call, "OriginID": "out", "AnswerTime": "2023-01-07T17:00:10Z"}
        node.call("CDRsV1.ProcessEvent", Tenant="cgrates.org", Event=event)
        until(lambda: receiver.bodies, 30)
        assert [(cdr["OriginID"], cdr["Cost"]) for cdr in receiver.received] == [("out", 2.125)]
        until(lambda: not listed(node, "GetWaiting"), 30)
