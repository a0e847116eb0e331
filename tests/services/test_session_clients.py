"""A server and its clients on the bidirectional port, as processes: who is asked and told what, and when."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server_process import CallRefused, Connection, ServerProcess, free_port
from tests.slides.conftest import load_plan

SETTINGS = ("general.reply_timeout=300ms", "sessions.terminate_attempts=2", "general.rpc_compat=current")


class Switch(Connection):
    """A client on the bidirectional port."""

    def asked(self, result: Any = "OK", error: str | None = None) -> tuple[str, Any]:
        """Answer the server's next call and return it: method and argument."""
        call = self.reply()
        assert call is not None and "method" in call, call
        self.send(json.dumps({"id": call["id"], "result": result, "error": error}).encode())
        return call["method"], call["params"][0]

    def begin(self, origin_id: str, account: str = "1001", **options: Any) -> Any:
        event = {**self.event(origin_id, account), "Usage": "30s"}
        return self.call("SessionSv1.InitiateSession", InitSession=True, Event=event, APIOpts=options)

    def end(self, origin_id: str, account: str = "1001", usage: str = "30s") -> Any:
        event = {**self.event(origin_id, account), "Usage": usage}
        return self.call("SessionSv1.TerminateSession", TerminateSession=True, Event=event)

    def event(self, origin_id: str, account: str = "1001") -> dict[str, str]:
        return {
            "Account": account,
            "AnswerTime": "2023-01-07T17:00:10Z",
            "Destination": "1002",
            "OriginID": origin_id,
            "OriginHost": "switch",
            "RequestType": "*prepaid",
            "Tenant": "cgrates.org",
        }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    port = free_port()
    folder = tmp_path_factory.mktemp("clients")
    running = ServerProcess(folder, (*SETTINGS, f"listen.birpc_json=127.0.0.1:{port}"))
    running.birpc_port = port  # type: ignore[attr-defined]
    load_plan(running)
    running.call("APIerSv2.SetAccount", Tenant="cgrates.org", Account="poor")
    yield running
    running.kill()


@pytest.fixture
def switches(server: ServerProcess) -> Iterator[tuple[Switch, Switch]]:
    """Two clients that are connected."""
    pair = Switch(server.birpc_port), Switch(server.birpc_port)  # type: ignore[attr-defined]
    for it in pair:
        assert it.call("SessionSv1.Ping") == "Pong"
    yield pair
    for it in pair:
        it.close()


def active(server: ServerProcess) -> int:
    return int(server.call("SessionSv1.GetActiveSessionsCount"))


def ask(server: ServerProcess, method: str, **params: Any) -> None:
    """Ask the server, which will ask its clients before it answers."""
    server.client.send(json.dumps({"method": method, "params": [params], "id": 1}).encode())


OF = "*string:~*req.OriginID:"


def test_the_client_whose_connection_began_a_session_is_told_of_its_end(server, switches):
    first, second = switches
    first.begin("mine")
    second.begin("other")
    assert server.call("SessionSv1.ForceDisconnect", Filters=[OF + "mine"], Event={"Why": "test"}) == "OK"
    method, told = first.asked()
    assert (method, told["Event"]["OriginID"], told["Event"]["Why"]) == ("AgentV1.DisconnectSession", "mine", "test")
    assert second.call("SessionSv1.Ping") == "Pong"  # and nothing before that
    second.end("other")


def test_the_reply_to_who_forces_an_end_comes_before_the_call(server, switches):
    first, _ = switches
    first.begin("reply-first")
    assert first.call("SessionSv1.ForceDisconnect", Filters=[OF + "reply-first"]) == "OK"
    assert first.asked()[0] == "AgentV1.DisconnectSession"


def test_a_forced_end_writes_the_cdr(server, switches):
    first, _ = switches
    first.begin("with-cdr")
    first.call("SessionSv1.ForceDisconnect", Filters=[OF + "with-cdr"])
    first.asked()
    found = server.call("CDRsV1.GetCDRs", OriginIDs=["with-cdr"])
    assert [(it["RunID"], it["Usage"]) for it in found] == [("*default", 30_000_000_000)]


def test_a_client_ends_a_call_without_credit_when_it_is_asked(server, switches):
    first, _ = switches
    assert first.begin("no-credit", "poor", **{"*sessionsDebitInterval": "10s"}) == {"MaxUsage": -1}
    method, told = first.asked()
    assert (method, told["Event"]["DisconnectCause"]) == ("AgentV1.DisconnectSession", "INSUFFICIENT_CREDIT")
    assert active(server) == 1
    assert first.end("no-credit", "poor", "0s") == "OK"
    assert active(server) == 0


def test_a_client_that_refuses_is_asked_again_and_then_the_call_is_ended(server, switches):
    first, _ = switches
    first.begin("refused", "poor", **{"*sessionsDebitInterval": "10s"})
    assert [first.asked(None, "no such channel")[1]["Event"]["DisconnectCause"] for _ in range(3)] == [
        "INSUFFICIENT_CREDIT",
        "INSUFFICIENT_CREDIT",
        "FORCED_DISCONNECT",
    ]
    assert active(server) == 0


def test_a_client_that_never_answers_holds_up_nobody_and_its_call_is_ended(server, switches):
    first, second = switches
    first.begin("deaf", "poor", **{"*sessionsDebitInterval": "10s"})
    causes = []
    while len(causes) < 3:
        causes.append(first.reply()["params"][0]["Event"]["DisconnectCause"])
        assert second.call("SessionSv1.Ping") == "Pong"
    assert (causes[-1], active(server)) == ("FORCED_DISCONNECT", 0)


def test_a_client_that_is_gone_is_not_asked_and_its_call_is_ended(server, switches):
    first, second = switches
    first.begin("gone")
    first.close()
    assert second.call("SessionSv1.ForceDisconnect", Filters=[OF + "gone"]) == "OK"
    assert active(server) == 0


def test_a_client_that_came_back_is_told(server, switches):
    first, second = switches
    first.begin("moved")
    event = {**first.event("moved"), "Usage": "1s"}
    second.call("SessionSv1.UpdateSession", UpdateSession=True, Event=event)
    server.call("SessionSv1.ForceDisconnect", Filters=[OF + "moved"])
    assert second.asked()[1]["Event"]["OriginID"] == "moved"


def test_what_no_client_knows_is_ended(server, switches):
    first, second = switches
    first.begin("alive")
    second.begin("lost")
    ask(server, "SessionSv1.SyncSessions")
    assert first.asked([{"OriginHost": "switch", "OriginID": "alive"}]) == ("AgentV1.GetActiveSessionIDs", "")
    assert second.asked(None, "NO_ACTIVE_SESSION")[0] == "AgentV1.GetActiveSessionIDs"
    assert server.client.reply()["result"] == "OK"
    assert second.asked()[1]["Event"]["OriginID"] == "lost"
    assert active(server) == 1
    first.end("alive")


def test_a_client_that_fails_to_tell_its_calls_keeps_them(server, switches):
    first, second = switches
    first.begin("kept")
    ask(server, "SessionSv1.SyncSessions")
    first.asked(None, "busy")
    second.asked([])
    assert server.client.reply()["result"] == "OK"
    assert active(server) == 1
    first.end("kept")


def test_a_client_is_asked_to_alter_its_call(server, switches):
    first, _ = switches
    first.begin("altered")
    ask(server, "SessionSv1.AlterSessions", Filters=[OF + "altered"], Event={"Lane": "left"})
    method, told = first.asked()
    assert (method, told["Event"]["Lane"]) == ("AgentV1.AlterSession", "left")
    assert server.client.reply()["result"] == "OK"
    first.end("altered")


def test_an_alteration_that_a_client_refuses_is_told(server, switches):
    first, _ = switches
    first.begin("unaltered")
    ask(server, "SessionSv1.AlterSessions", Filters=[OF + "unaltered"])
    first.asked(None, "no")
    assert server.client.reply()["error"] == "PARTIALLY_EXECUTED"
    first.end("unaltered")


def test_a_client_is_told_that_a_policy_counter_has_changed(server, switches):
    first, _ = switches
    first.begin("policy")
    (session,) = server.call("SessionSv1.GetActiveSessions", Filters=[OF + "policy"])
    server.client.call_raw("SessionSv1.ThresholdNotify", json.dumps(session["CGRID"]))
    method, told = first.asked()
    assert (method, told["Event"]["OriginID"]) == ("AgentV1.SpendingStatusNotification", "policy")
    first.end("policy")


def test_every_client_is_told_to_disconnect_a_peer(server, switches):
    first, second = switches
    ask(server, "SessionSv1.DisconnectPeer", OriginHost="h", OriginRealm="r", DisconnectCause=1)
    told = {"OriginHost": "h", "OriginRealm": "r", "RemoteAddr": "", "DisconnectCause": 1}
    assert [it.asked() for it in (first, second)] == [("AgentV1.DisconnectPeer", told)] * 2
    assert server.client.reply()["result"] == "OK"


class PolicyServer(Switch):
    """A client that asks to be told when what account `rich` holds falls."""

    def event(self, origin_id: str, account: str = "rich") -> dict[str, str]:
        return {"OriginID": origin_id, "OriginHost": "pcrf", "Account": account, "RequestType": "*sy"}

    def ask(self, method: str, origin_id: str, **params: Any) -> Any:
        return self.call(f"SessionSv1.{method}", Tenant="cgrates.org", ID="sy", Event=self.event(origin_id), **params)


@pytest.fixture
def pcrf(server: ServerProcess) -> Iterator[PolicyServer]:
    client = PolicyServer(server.birpc_port)  # type: ignore[attr-defined]
    yield client
    client.close()


def test_a_policy_server_is_told_when_an_account_meets_its_filters(server, pcrf):
    put = {"Tenant": "cgrates.org", "Account": "rich", "BalanceType": "*monetary", "Balance": {"ID": "data"}}
    server.call("APIerSv1.SetBalance", Value=9, **put)
    options = {"*syPolicyFilters": ["*lte:~*asm.BalanceSummaries.data.Value:5"]}
    assert pcrf.ask("InitiateSession", "sy-1", APIOpts=options) == {}
    server.call("APIerSv1.SetBalance", Value=6, **put)
    server.call("APIerSv1.SetBalance", Value=5, **put)
    method, told = pcrf.asked()
    assert (method, told["Event"]["OriginID"]) == ("AgentV1.SpendingStatusNotification", "sy-1")
    server.call("APIerSv1.SetBalance", Value=4, **put)
    assert pcrf.ask("UpdateSession", "sy-1") == {}  # and nothing was told before that
    server.call("APIerSv1.SetBalance", Value=3, **put)
    assert pcrf.asked()[0] == "AgentV1.SpendingStatusNotification"
    assert pcrf.ask("TerminateSession", "sy-1") == "OK"
    with pytest.raises(CallRefused, match="SESSION_NOT_FOUND"):
        pcrf.ask("TerminateSession", "sy-1")


def test_who_is_told_of_a_threshold_can_be_set_by_hand(server):
    given = {"CGRID": "abc", "ClientConnID": "", "ThresholdProfileID": "TH_1"}
    assert server.call("ThresholdSv1.StoreClientConnID", **given) == "OK"
    assert server.client.call_raw("ThresholdSv1.RemoveClientConnID", '"TH_1"') == "OK"
    with pytest.raises(CallRefused, match="NOT_FOUND"):
        server.client.call_raw("ThresholdSv1.RemoveClientConnID", '"TH_1"')
