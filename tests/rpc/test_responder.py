"""What methods of Responder and of chargers answer where CGRateS charges for nothing, dies or finds nothing."""

from collections.abc import Iterator

import pytest

from tests.server_process import CallRefused, ServerProcess
from tests.slides.conftest import balance, load_plan

#: A call that ends a minute before it begins.
BACKWARDS = {
    "Tenant": "cgrates.org",
    "Category": "call",
    "ToR": "*voice",
    "Account": "1001",
    "Subject": "1001",
    "Destination": "1002",
    "TimeStart": "2023-06-01T10:01:00Z",
    "TimeEnd": "2023-06-01T10:00:00Z",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path_factory.mktemp("responder"))
    load_plan(running)
    yield running
    running.kill()


@pytest.mark.parametrize("method", ["Responder.Debit", "Responder.MaxDebit", "Responder.GetMaxSessionTime"])
def test_a_call_that_ends_before_it_begins_is_refused_and_charges_nothing(server: ServerProcess, method: str) -> None:
    before = balance(server, "1001")
    with pytest.raises(CallRefused, match="negative usage"):
        server.call(method, **BACKWARDS)
    assert balance(server, "1001") == before


def test_a_rounding_that_no_balance_took_is_not_given_back(server: ServerProcess) -> None:
    before = balance(server, "1001")
    call = {**BACKWARDS, "TimeEnd": "2023-06-01T10:02:00Z"}
    server.call("Responder.RefundRounding", **call, Increments=[{"Cost": 1}])
    assert balance(server, "1001") == before


@pytest.mark.parametrize("rule", ["*notstring:~*req.Account:1002", "*notexists:~*req.Nope:", "*exists:~*req.Account:"])
def test_a_charger_whose_filters_no_index_holds_is_found(server: ServerProcess, rule: str) -> None:
    server.call("APIerSv1.SetChargerProfile", ID="Bare", RunID="bare", FilterIDs=[rule], AttributeIDs=["*none"])
    found = server.call("ChargerSv1.GetChargersForEvent", ID="e", Event={"Account": "1001"})
    server.call("APIerSv1.RemoveChargerProfile", ID="Bare")
    assert "bare" in {charger["RunID"] for charger in found}
    left = server.call("ChargerSv1.GetChargersForEvent", ID="e", Event={"Account": "1001"})
    assert "bare" not in {charger["RunID"] for charger in left}


def test_timings_of_a_balance_come_in_the_order_they_were_given(server: ServerProcess) -> None:
    for name, time in (("NIGHT", "20:00:00"), ("DAY", "08:00:00")):
        server.call("APIerSv1.SetTiming", ID=name, StartTime=time)
    server.call(
        "APIerSv1.AddBalance",
        Tenant="cgrates.org",
        Account="timed",
        BalanceType="*voice",
        Value=1,
        Balance={"ID": "b", "TimingIDs": "NIGHT;DAY"},
    )
    account = server.call("APIerSv2.GetAccount", Tenant="cgrates.org", Account="timed")
    (held,) = account["BalanceMap"]["*voice"]
    assert [timing["ID"] for timing in held["Timings"]] == ["NIGHT", "DAY"]
