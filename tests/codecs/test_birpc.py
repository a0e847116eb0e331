"""Requests of either side and answers, on one connection."""

import pytest

from cgrcore.codecs import Answer, NotJson, call_text, read_message


def test_an_object_with_a_method_is_a_request():
    message = read_message(b'{"method":"SessionSv1.Ping","params":[{}],"id":7}')
    assert (message.method, bytes(message.id)) == ("SessionSv1.Ping", b"7")


def test_an_object_without_a_method_is_an_answer():
    assert read_message(b'{"id":7,"result":"OK","error":null}') == Answer(7, "OK", "")


def test_an_answer_may_hold_an_error():
    assert read_message(b'{"id":7,"result":null,"error":"NOT_FOUND"}') == Answer(7, None, "NOT_FOUND")


def test_the_keys_of_an_answer_match_without_regard_to_case():
    assert read_message(b'{"ID":7,"Result":[1],"ERROR":null}') == Answer(7, [1], "")


@pytest.mark.parametrize(
    "frame",
    [
        b"{}",
        b"null",
        b'{"params":[{}]}',
        b'{"result":"OK","error":null}',
        b'{"id":5}',
        b'{"id":"x","result":1,"error":null}',
        b'{"id":7,"error":5}',
        b'{"id":7,"result":null,"error":null}',
        b'{"id":7,"result":tru,"error":null}',
        b'{"id":1e3,"result":"OK"}',
    ],
)
def test_what_is_neither_is_no_message(frame):
    with pytest.raises(NotJson):
        read_message(frame)


def test_a_call_is_one_line_with_its_keys_in_order():
    text = call_text(1, "AgentV1.DisconnectSession", {"Tenant": "", "APIOpts": None})
    assert text == b'{"method":"AgentV1.DisconnectSession","params":[{"Tenant":"","APIOpts":null}],"id":1}\n'


def test_a_call_is_a_request_to_the_other_side():
    message = read_message(call_text(3, "AgentV1.GetActiveSessionIDs", ""))
    assert (message.method, bytes(message.params), bytes(message.id)) == ("AgentV1.GetActiveSessionIDs", b'[""]', b"3")
