"""What CDR methods answer where CGRateS loses money, makes it or dies: against a process with the fosdem plan."""

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha1
from typing import Any

import pytest

from tests.server_process import CallRefused, ServerProcess, until
from tests.slides.conftest import balance, event, load_plan


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    settings = ("general.rpc_compat=current", "caches.partitions.*closed_sessions.ttl=2s")
    running = ServerProcess(tmp_path_factory.mktemp("cdrs"), settings)
    load_plan(running)
    yield running
    running.kill()


class Call:
    """One call of an account of its own, with 100 of credit."""

    def __init__(self, server: ServerProcess, name: str, request_type: str = "*postpaid") -> None:
        self.server = server
        self.fields = {
            **event("5m"),
            "OriginID": name,
            "Account": name,
            "Subject": "1001",
            "Tenant": "cgrates.org",
            "RequestType": request_type,
        }
        server.call(
            "APIerSv1.AddBalance",
            Tenant="cgrates.org",
            Account=name,
            BalanceType="*monetary",
            Value=100,
            Balance={"ID": "m"},
        )

    def process(self, *flags: str, method: str = "CDRsV1.ProcessEvent", **fields: Any) -> Any:
        return self.server.call(method, Flags=list(flags), Event={**self.fields, **fields})

    def again(self, *flags: str, method: str = "CDRsV1.RateCDRs") -> Any:
        return self.server.call(method, Flags=list(flags), OriginIDs=[self.fields["OriginID"]])

    @property
    def credit(self) -> Decimal:
        return balance(self.server, self.fields["Account"])

    @property
    def cdrs(self) -> list[dict[str, Any]]:
        return list(self.server.call("CDRsV1.GetCDRs", OriginIDs=[self.fields["OriginID"]], OrderBy="OrderID"))

    @property
    def cdr(self) -> dict[str, Any]:
        (found,) = self.cdrs
        return found


@pytest.fixture
def call(server: ServerProcess, request: pytest.FixtureRequest) -> Call:
    return Call(server, request.node.name)


PAID = Decimal("90.875")


# --- refunds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["CDRsV1.ProcessEvent", "CDRsV2.ProcessEvent"])
def test_a_refund_gives_back_once_and_the_record_says_so(call: Call, method: str) -> None:
    call.process()
    call.process("*refund", method=method)
    with pytest.raises(CallRefused, match="EXISTS"):
        call.process("*refund", method=method)
    assert (call.credit, call.cdr["Cost"], call.cdr["CostDetails"]) == (100, -1, None)


def test_a_refund_of_stored_cdrs_gives_back_once(call: Call) -> None:
    call.process()
    assert call.again("*refund") == "OK"
    with pytest.raises(CallRefused, match="EXISTS"):
        call.again("*refund")
    assert (call.credit, call.cdr["Cost"]) == (100, -1)


@pytest.mark.parametrize(("method", "flags"), [("RateCDRs", ()), ("ReprocessCDRs", ("*rals", "*store"))])
def test_what_is_refused_credits_nothing(call: Call, method: str, flags: tuple[str, ...]) -> None:
    call.process()
    with pytest.raises(CallRefused, match="SERVER_ERROR: EXISTS"):
        call.again(*flags, method=f"CDRsV1.{method}")
    assert (call.credit, call.cdr["Cost"]) == (PAID, 9.125)


def test_what_was_refunded_can_be_charged_again(call: Call) -> None:
    call.process()
    call.process("*refund")
    assert call.again("*rerate") == "OK"
    assert (call.credit, call.cdr["Cost"]) == (PAID, 9.125)


def test_many_stored_cdrs_are_taken_again_in_steps_each_of_them_once(call: Call, server: ServerProcess) -> None:
    events = [
        {"Tenant": "cgrates.org", "ID": str(number), "Event": {**call.fields, "RunID": f"run{number}"}}
        for number in range(250)
    ]
    assert server.call("CDRsV1.ProcessEvents", Flags=["*chargers:false"], CGREvents=events) == "OK"
    assert call.credit == 100 - 250 * Decimal("9.125")
    assert call.again("*rerate") == "OK"
    assert call.credit == 100 - 250 * Decimal("9.125")
    assert call.again("*refund") == "OK"
    assert (call.credit, {it["Cost"] for it in call.cdrs}, len(call.cdrs)) == (100, {-1}, 250)


def test_rerating_keeps_every_run_to_itself(call: Call, server: ServerProcess) -> None:
    call.process("*chargers:false", RunID="retail")
    call.process("*chargers:false", RunID="raw", RequestType="*none")
    assert call.again("*rerate") == "OK"
    assert [(it["RunID"], it["Cost"]) for it in call.cdrs] == [("retail", 9.125), ("raw", -1)]
    assert call.credit == PAID


# --- sessions --------------------------------------------------------------------------------------------------------


@pytest.fixture
def session(server: ServerProcess, request: pytest.FixtureRequest) -> Call:
    return Call(server, request.node.name, "*prepaid")


def ask(call: Call, method: str, **fields: Any) -> Any:
    flags = {"InitiateSession": "InitSession", "AuthorizeEvent": "GetMaxUsage"}
    flag = flags.get(method, method)
    return call.server.call(f"SessionSv1.{method}", **{flag: True}, Event={**call.fields, **fields})


def test_a_second_end_charges_nothing(session: Call) -> None:
    ask(session, "InitiateSession")
    assert ask(session, "TerminateSession") == "OK"
    assert ask(session, "TerminateSession", Usage="1h") == "OK"
    assert session.credit == PAID


def test_a_cdr_while_the_session_is_active_charges_the_difference(session: Call) -> None:
    ask(session, "InitiateSession", Usage="1m")
    session.server.call("SessionSv1.ProcessCDR", Event=session.fields)
    whole = session.server.call(
        "APIerSv1.GetCost",
        Tenant="cgrates.org",
        Category="call",
        Subject="1001",
        Destination="1002",
        AnswerTime=session.fields["AnswerTime"],
        Usage="5m",
    )
    assert (session.cdr["Cost"], session.credit) == (whole["Cost"], 100 - Decimal(str(whole["Cost"])))


def test_a_cdr_after_its_session_charges_nothing(session: Call) -> None:
    ask(session, "InitiateSession")
    ask(session, "TerminateSession")
    session.process()
    assert (session.cdr["CostSource"], session.credit) == ("*sessions", PAID)


def test_the_end_of_a_call_whose_cdr_is_stored_charges_nothing_also_after_a_crash(session: Call) -> None:
    session.process()
    session.server.kill()
    session.server.start()
    assert ask(session, "TerminateSession") == "OK"
    assert session.credit == PAID


def test_the_end_of_a_session_that_is_forgotten_charges_nothing(session: Call) -> None:
    ask(session, "InitiateSession")
    ask(session, "TerminateSession")
    until(lambda: is_forgotten(session), 20)
    assert ask(session, "TerminateSession") == "OK"
    session.server.call("SessionSv1.ProcessCDR", Event=session.fields)
    assert (session.cdr["Cost"], session.credit) == (9.125, PAID)


def is_forgotten(session: Call) -> bool:
    """Whether the cost of the session is kept for its CDR, which it is once the session is forgotten."""
    cgrid = sha1(session.fields["OriginID"].encode()).hexdigest()
    try:
        session.server.call("APIerSv1.GetEventCost", CgrId=cgrid)
    except CallRefused:
        return False
    return True


def test_a_start_that_comes_after_the_end_is_refused(session: Call) -> None:
    ask(session, "InitiateSession")
    ask(session, "TerminateSession")
    with pytest.raises(CallRefused, match="EXISTS"):
        ask(session, "InitiateSession")
    session.server.call("SessionSv1.ProcessCDR", Event=session.fields)
    assert (session.cdr["Cost"], session.credit) == (9.125, PAID)


def test_usage_beyond_what_was_granted_grants_nothing_and_no_less(session: Call) -> None:
    session.server.call("APIerSv1.SetBalance", Tenant="cgrates.org", Account=session.fields["Account"], **EMPTY)
    assert ask(session, "InitiateSession", Usage="1m") == {"MaxUsage": 0}
    assert ask(session, "UpdateSession", Usage="2m", LastUsed="30s") == {"MaxUsage": 0}


EMPTY = {"BalanceType": "*monetary", "Balance": {"ID": "m", "Disabled": True}}


@pytest.mark.parametrize("method", ["AuthorizeEvent", "InitiateSession", "UpdateSession", "TerminateSession"])
def test_negative_usage_is_an_error(session: Call, method: str) -> None:
    with pytest.raises(CallRefused, match="negative Usage"):
        ask(session, method, Usage="-5s")
    assert session.credit == 100


@pytest.mark.parametrize("method", ["GetActiveSessions", "ForceDisconnect"])
def test_a_filter_that_does_not_exist_is_not_found_and_ends_nothing(session: Call, method: str) -> None:
    ask(session, "InitiateSession")
    with pytest.raises(CallRefused, match="NOT_FOUND"):
        session.server.call(f"SessionSv1.{method}", Filters=["FLT_UNKNOWN"])
    assert session.server.call("SessionSv1.GetActiveSessionsCount") >= 1
    ask(session, "TerminateSession")


# --- costs of sessions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["CDRsV1", "CDRsV2"])
def test_a_cost_that_is_missing_is_told(server: ServerProcess, version: str) -> None:
    with pytest.raises(CallRefused, match=r"MANDATORY_IE_MISSING: \[Cost\]"):
        server.call(f"{version}.StoreSessionCost")


def test_a_cost_that_no_account_paid_is_kept(server: ServerProcess) -> None:
    quote = server.call(
        "APIerSv1.GetCost",
        Tenant="cgrates.org",
        Category="call",
        Subject="1001",
        Destination="1002",
        AnswerTime="2023-01-07T17:00:10Z",
        Usage="1m",
    )
    kept = {"CGRID": "quoted", "RunID": "*default", "CostDetails": quote, "Usage": 60_000_000_000}
    assert server.call("CDRsV2.StoreSessionCost", Cost=kept) == "OK"
    assert server.call("APIerSv1.GetEventCost", CgrId="quoted")["Cost"] == quote["Cost"]


def test_a_cost_is_kept_once_when_so_asked(server: ServerProcess) -> None:
    kept = {"CGRID": "once", "RunID": "*default"}
    assert server.call("CDRsV1.StoreSessionCost", Cost=kept, CheckDuplicate=True) == "OK"
    with pytest.raises(CallRefused, match="SERVER_ERROR: EXISTS"):
        server.call("CDRsV1.StoreSessionCost", Cost=kept, CheckDuplicate=True)


def test_a_direct_debit_takes_its_cost(server: ServerProcess, call: Call) -> None:
    call.process(RequestType="*directdebit", Cost=2.5)
    assert (call.credit, call.cdr["Cost"]) == (Decimal("97.5"), 2.5)


# --- lists -----------------------------------------------------------------------------------------------------------


def test_pages_without_an_order_are_by_order_id_and_never_overlap(call: Call, server: ServerProcess) -> None:
    for number in range(5):
        call.process("*chargers:false", RunID=f"run{4 - number}", RequestType="*none")
    pages = [
        server.call("CDRsV1.GetCDRs", OriginIDs=[call.fields["OriginID"]], Limit=2, Offset=offset)
        for offset in (0, 2, 4)
    ]
    runs = [it["RunID"] for page in pages for it in page]
    assert runs == ["run4", "run3", "run2", "run1", "run0"]


def test_removed_cdrs_are_gone_and_no_others(call: Call, server: ServerProcess) -> None:
    for run_id in ("gone", "kept"):
        call.process("*chargers:false", RunID=run_id)
    assert server.call("APIerSv1.RemoveCDRs", OriginIDs=[call.fields["OriginID"]], RunIDs=["gone"]) == "OK"
    assert [it["RunID"] for it in call.cdrs] == ["kept"]
