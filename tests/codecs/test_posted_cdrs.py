"""CDRs as switches post them, read as the arguments of a call."""

import base64
import json
from decimal import Decimal
from urllib.parse import quote, urlencode

import pytest

from cgrcore.codecs import cdr_from_form, cdr_from_freeswitch
from cgrcore.errors import BadRequest

RECORD = {
    "core-uuid": "x",
    "variables": {
        "uuid": "abc",
        "sip_local_network_addr": "10.0.0.1",
        "user_name": "1001",
        "sip_req_user": "1002",
        "cgr_reqtype": "*postpaid",
        "start_epoch": "1772443800",
        "answer_epoch": "1772443805",
        "billsec": "62",
        "hangup_cause": "NORMAL_CLEARING",
        "read_codec": "PCMA",
    },
}


def freeswitch(**variables: str | None) -> bytes:
    merged = {**RECORD["variables"], **variables}
    return json.dumps({**RECORD, "variables": {k: v for k, v in merged.items() if v is not None}}).encode()


# --- forms -----------------------------------------------------------------------------------------------------------


def test_a_form_names_the_fields_of_a_cdr():
    assert cdr_from_form("", b"OriginID=abc&Usage=1m5s&Account=1001") == {
        "OriginID": "abc",
        "Usage": "1m5s",
        "Account": "1001",
        "ExtraFields": {},
    }


def test_parameters_of_the_query_count_too():
    assert cdr_from_form("OriginID=abc", b"")["OriginID"] == "abc"


def test_the_first_value_of_a_field_counts_and_the_body_stands_above_the_query():
    assert cdr_from_form("OriginID=query", b"OriginID=body&OriginID=second")["OriginID"] == "body"


def test_other_names_are_extra_fields():
    assert cdr_from_form("", b"OriginID=abc&Codec=PCMA&OrderID=7")["ExtraFields"] == {"Codec": "PCMA"}


def test_a_rated_cdr_tells_its_cost_exactly():
    form = cdr_from_form("", b"OriginID=abc&PreRated=true&Cost=0.123456789")
    assert (form["PreRated"], form["Cost"]) == (True, Decimal("0.123456789"))


@pytest.mark.parametrize("body", [b"", b"Account=1001", b"OriginID=a&Cost=x", b"\xff", b"a=1&" * 2000 + b"OriginID=x"])
def test_what_is_no_cdr_is_refused(body):
    with pytest.raises(BadRequest):
        cdr_from_form("", body)


# --- FreeSWITCH ------------------------------------------------------------------------------------------------------


def test_the_record_of_a_call_is_a_cdr():
    assert cdr_from_freeswitch(freeswitch()) == {
        "OriginID": "abc",
        "OriginHost": "10.0.0.1",
        "RequestType": "*postpaid",
        "Account": "1001",
        "Subject": "1001",
        "Destination": "1002",
        "SetupTime": "1772443800",
        "AnswerTime": "1772443805",
        "ExtraInfo": "NORMAL_CLEARING",
        "ToR": "*voice",
        "Source": "freeswitch_json",
        "Usage": "62s",
        "ExtraFields": {},
    }


def test_variables_for_charging_stand_above_those_of_the_switch():
    cdr = cdr_from_freeswitch(freeswitch(cgr_account="rich", cgr_destination="49", cgr_tenant="t"))
    assert (cdr["Account"], cdr["Subject"], cdr["Destination"], cdr["Tenant"]) == ("rich", "rich", "49", "t")


def test_a_call_that_was_not_answered_has_no_answer_time():
    assert "AnswerTime" not in cdr_from_freeswitch(freeswitch(answer_epoch="0", billsec="0"))


def test_configured_variables_are_kept():
    assert cdr_from_freeswitch(freeswitch(), ["read_codec", "absent"])["ExtraFields"] == {"read_codec": "PCMA"}


def test_values_may_be_url_encoded():
    assert cdr_from_freeswitch(freeswitch(cgr_destination="%2B4930"))["Destination"] == "+4930"


@pytest.mark.parametrize("wrap", [base64.b64encode, lambda it: urlencode({"cdr": it}).encode(), lambda it: b" " + it])
def test_the_record_may_be_wrapped(wrap):
    assert cdr_from_freeswitch(wrap(freeswitch()))["OriginID"] == "abc"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"variables":[]}',
        b"\xff\xfe",
        freeswitch(uuid=None),
        freeswitch(billsec="-5"),
        freeswitch(billsec="x"),
        quote(freeswitch().decode()).encode(),
    ],
)
def test_what_is_no_record_of_a_call_is_refused(body):
    with pytest.raises(BadRequest):
        cdr_from_freeswitch(body)
