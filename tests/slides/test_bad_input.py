"""Requests that are wrong are told so, and change nothing; clients that misbehave keep nobody waiting."""

import json
import time

import pytest

from tests.server_process import CallRefused
from tests.slides.conftest import ANSWERED, balance

#: What a reply may take while another client misbehaves; far below every timeout of the server.
PROMPT_S = 5.0

CALL = {"Tenant": "cgrates.org", "Category": "call", "Subject": "1001", "Destination": "1002"}
ARGS = "Go value of type sessions.V1InitSessionArgs"
FIELD = "Go struct field V1InitSessionArgs"
MONEY = '{"Tenant":"cgrates.org","Account":"1001","BalanceType":"*monetary","Value":%s}'


def initiate(**changed):
    return json.dumps({"InitSession": True, "Event": {**ANSWERED, "Usage": "5m", **changed}})


def initiate_for(usage):
    """Write a usage that Python's JSON would not."""
    return initiate(Usage="@").replace('"@"', usage)


REFUSED = [
    ("SessionSv1.Nothing", "{}", "rpc: can't find method SessionSv1.Nothing"),
    ("Nothing", "{}", "rpc: service/method request ill-formed: Nothing"),
    ("SessionSv1.InitiateSession", "5", f"json: cannot unmarshal number into {ARGS}"),
    ("SessionSv1.InitiateSession", "[]", f"json: cannot unmarshal array into {ARGS}"),
    (
        "SessionSv1.InitiateSession",
        '{"InitSession":"yes"}',
        f"json: cannot unmarshal string into {FIELD}.InitSession of",
    ),
    ("SessionSv1.InitiateSession", '{"InitSession":true}', "MANDATORY_IE_MISSING: [CGREvent]"),
    ("SessionSv1.InitiateSession", '{"Event":{"Account":"1001"}}', "MANDATORY_IE_MISSING: [Subsystems]"),
    ("APIerSv1.SetAccount", '{"Tenant":"cgrates.org"}', "MANDATORY_IE_MISSING: [Account]"),
    ("SessionSv1.InitiateSession", initiate(Account="nobody"), "RALS_ERROR:ACCOUNT_NOT_FOUND"),
    ("SessionSv1.InitiateSession", initiate(Destination="9999"), "RALS_ERROR:UNAUTHORIZED_DESTINATION"),
    ("SessionSv1.InitiateSession", initiate(AnswerTime="2013-01-07T17:00:10Z"), "RALS_ERROR:UNAUTHORIZED_DESTINATION"),
    ("SessionSv1.InitiateSession", initiate(Usage="abc"), 'RALS_ERROR:time: invalid duration "abc"'),
    ("SessionSv1.InitiateSession", initiate(Usage=True), "RALS_ERROR:cannot convert field: true to time.Duration"),
    ("SessionSv1.InitiateSession", initiate(Usage=-1), "RALS_ERROR:negative Usage: -1 ns"),
    ("SessionSv1.InitiateSession", initiate(Usage="-1s"), "RALS_ERROR:negative Usage: -1000000000 ns"),
    ("SessionSv1.InitiateSession", initiate_for("1e308"), "RALS_ERROR:MAX_USAGE_EXCEEDED"),
    ("SessionSv1.InitiateSession", initiate_for("1" + "0" * 30), "RALS_ERROR:MAX_USAGE_EXCEEDED"),
    ("SessionSv1.InitiateSession", initiate_for("1e400"), "json: cannot unmarshal number 1e400 into"),
    ("APIerSv1.GetCost", json.dumps({**CALL, "Usage": "-1s"}), "SERVER_ERROR: negative usage: -1000000000"),
    ("APIerSv1.GetCost", json.dumps({**CALL, "Usage": "2562047h"}), "SERVER_ERROR: MAX_USAGE_EXCEEDED"),
    ("APIerSv1.AddBalance", MONEY % "1e308", "number out of range: 1E+308"),
    ("APIerSv1.AddBalance", MONEY % ("1" + "0" * 30), "number out of range: 1" + "0" * 30),
    (
        "APIerSv1.AddBalance",
        MONEY % '"5"',
        "json: cannot unmarshal string into Go struct field AttrAddBalance.Value of",
    ),
]


@pytest.mark.parametrize(("method", "params", "told"), REFUSED, ids=[f"{it[0]} {it[2]}"[:60] for it in REFUSED])
def test_what_is_wrong_is_told_and_changes_nothing(shared, method, params, told):
    with pytest.raises(CallRefused) as refused:
        shared.client.call_raw(method, params)
    assert str(refused.value).startswith(told)
    assert balance(shared) == 10
    assert shared.call("CoreSv1.Ping") == "Pong"


def test_an_account_without_credit_gets_no_time(shared):
    empty = {"Tenant": "cgrates.org", "Account": "empty"}
    assert shared.call("APIerSv1.SetAccount", **empty) == "OK"
    event = {**ANSWERED, "Account": "empty", "OriginID": "empty", "Usage": "5m"}
    assert shared.call("SessionSv1.AuthorizeEvent", GetMaxUsage=True, Event=event)["MaxUsage"] == 0
    assert shared.call("SessionSv1.InitiateSession", InitSession=True, Event=event)["MaxUsage"] == 0


def is_prompt(server):
    began = time.monotonic()
    other = server.connect()
    assert other.call("CoreSv1.Ping") == "Pong"
    other.close()
    return time.monotonic() - began < PROMPT_S


def test_broken_json_ends_its_connection_and_no_other(shared):
    client = shared.connect()
    client.send(b'{"method":}')
    assert client.reply() is None
    client.close()
    assert is_prompt(shared)


def test_a_request_of_a_hundred_megabytes_is_refused_and_others_are_answered(shared):
    client = shared.connect()
    with pytest.raises(OSError):
        client.send(b'{"method":"CoreSv1.Ping","params":[{"ID":"')
        for _ in range(100):
            client.send(b"x" * 1_000_000)
            assert is_prompt(shared)
    client.close()


def test_others_are_answered_while_a_client_stalls_within_a_request(shared):
    client = shared.connect()
    client.send(b'{"method":"SessionSv1.InitiateSession","params":[{"InitSession":true,"Event":{"Acc')
    assert is_prompt(shared)
    client.close()
    assert is_prompt(shared)


def test_others_are_answered_while_a_client_never_reads(shared):
    client = shared.connect()
    client.socket.setblocking(False)
    ask = b'{"method":"APIerSv2.GetAccount","params":[{"Tenant":"cgrates.org","Account":"1001"}],"id":1}\n' * 1000
    for _ in range(40):
        try:
            client.socket.send(ask)
        except BlockingIOError:
            break
    assert is_prompt(shared)
    client.socket.close()
    assert is_prompt(shared)
