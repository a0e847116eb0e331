"""A server that is killed or stopped in the middle of a call goes on where it was."""

import pytest

from tests.slides.conftest import balance, cdrs, event

CALL = {"Tenant": "cgrates.org", "Category": "call", "Subject": "1001", "Destination": "1002"}


def _terminate(server):
    assert server.call("SessionSv1.TerminateSession", TerminateSession=True, Event=event("12m")) == "OK"
    assert server.call("SessionSv1.ProcessCDR", Event=event("12m")) == "OK"


@pytest.mark.slow
def test_a_call_goes_on_after_the_process_is_killed(start):
    server = start()
    server.call("SessionSv1.InitiateSession", InitSession=True, Event=event("5m"))
    before = server.call("SessionSv1.GetActiveSessions")
    assert [session["OriginID"] for session in before] == ["abcd123"]
    server.kill()
    server.start()
    after = server.call("SessionSv1.GetActiveSessions")
    assert [session["CGRID"] for session in after] == [session["CGRID"] for session in before]
    assert str(balance(server)) == "0.875"
    updated = server.call("SessionSv1.UpdateSession", UpdateSession=True, Event=event("5m"))
    assert updated["MaxUsage"] == 30000000000
    server.kill()
    server.start()
    assert balance(server) == 0
    _terminate(server)
    server.kill()
    server.start()
    assert str(balance(server)) == "-11.375"
    assert [cdr["Cost"] for cdr in cdrs(server)] == [21.375]


@pytest.mark.slow
def test_a_server_stopped_in_order_finds_everything_as_it_was(start):
    server = start()
    server.call("SessionSv1.InitiateSession", InitSession=True, Event=event("5m"))
    _terminate(server)
    live = {**event("1m"), "Account": "1002", "Destination": "1001", "OriginID": "live"}
    server.call("SessionSv1.InitiateSession", InitSession=True, Event=live)

    def seen():
        accounts = [server.call("APIerSv2.GetAccount", Tenant="cgrates.org", Account=name) for name in ("1001", "1002")]
        cost = server.call("APIerSv1.GetCost", **CALL, AnswerTime="2023-01-07T17:00:10Z", Usage="12m")["Cost"]
        sessions = [session["OriginID"] for session in server.call("SessionSv1.GetActiveSessions")]
        return [account["BalanceMap"] for account in accounts], cost, sessions, cdrs(server)

    before = seen()
    assert before[1:3] == (21.375, ["live"])
    assert server.stop() == 0
    server.start()
    assert seen() == before
