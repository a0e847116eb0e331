"""SMGenericV1, on a real server: the five calls of an old client, whose argument is the event."""

from pathlib import Path

import pytest

from tests.server_process import ROOT, CallRefused, ServerProcess

EVENT = {
    "Account": "9001",
    "Subject": "1001",
    "Destination": "1002",
    "OriginID": "old-1",
    "RequestType": "*prepaid",
    "SetupTime": "2023-01-07T17:00:00Z",
    "AnswerTime": "2023-01-07T17:00:10Z",
}


def test_a_call_of_an_old_client_is_charged_as_any_other(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    server.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(ROOT / "tariffplans" / "fosdem"))
    server.call("APIerSv1.AddBalance", Tenant="cgrates.org", Account="9001", BalanceType="*monetary", Value=10)
    assert server.call("SMGenericV1.GetMaxUsage", **EVENT, Usage="1m") == 60
    assert server.call("SMGenericV1.InitiateSession", **EVENT, Usage="5m") == 300
    assert server.call("SMGenericV1.UpdateSession", **EVENT, Usage="5m") == 30, "what is left of the money"
    assert server.call("SMGenericV1.TerminateSession", **EVENT, Usage="330s") == "OK"
    assert server.call("SMGenericV1.ProcessCDR", **EVENT, Usage="330s") == "OK"
    assert [cdr["Cost"] for cdr in server.call("CDRsV1.GetCDRs", OriginIDs=["old-1"])] == [10]
    with pytest.raises(CallRefused, match="ACCOUNT_NOT_FOUND"):
        server.call("SMGenericV1.GetMaxUsage", **{**EVENT, "Account": "nobody"})
    server.kill()
