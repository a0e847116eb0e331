"""Requests and replies as bytes."""

from decimal import Decimal

import pytest

from cgrcore.codecs import NO_PARAMS, NotJson, encode, failure, read_request, success


def test_a_request_is_read():
    request = read_request(b'{"jsonrpc":"2.0","method":"A.B","params":[{}],"id":1}')
    assert (request.method, bytes(request.params), bytes(request.id)) == ("A.B", b"[{}]", b"1")


def test_keys_match_without_regard_to_case_and_the_last_counts():
    request = read_request(b'{"METHOD":"A","Method":"A.B","Params":[1],"ID":1,"x":{"y":[1]},"id":2}')
    assert (request.method, bytes(request.params), bytes(request.id)) == ("A.B", b"[1]", b"2")


@pytest.mark.parametrize("frame", [b"null", b"{}", b'{"method":null}'])
def test_an_empty_request_has_no_method_no_params_and_a_null_id(frame):
    request = read_request(frame)
    assert (request.method, request.params, bytes(request.id)) == ("", NO_PARAMS, b"null")


@pytest.mark.parametrize(
    "frame", [b'{"method":5}', b'{"method":}', b'{"a":1,}', b'{"id":01}', b'{"method":"A.B","params":[{"a":}],"id":1}']
)
def test_what_is_no_request_is_not_json(frame):
    with pytest.raises(NotJson):
        read_request(frame)


@pytest.mark.parametrize(
    ("written", "returned"),
    [
        ("1.50", "1.50"),
        ("1E3", "1E3"),
        ("184467440737095516160000", "184467440737095516160000"),
        ("[1, 2]", "[1,2]"),
        ('{"b": 1, "a": [ 2 ]}', '{"b":1,"a":[2]}'),
        ('"\\u00e9\\u2028\\/<&>"', '"\\u00e9\\u2028\\/\\u003c\\u0026\\u003e"'),
        ('"\\ud800"', '"\\ud800"'),
        ("true", "true"),
    ],
)
def test_an_id_goes_back_as_it_was_written(written, returned):
    request = read_request(b'{"method":"A.B","params":[],"id":%b}' % written.encode())
    assert success(request.id, b'"Pong"') == b'{"id":%b,"result":"Pong","error":null}\n' % returned.encode()


def test_an_error_text_is_escaped():
    line = failure(read_request(b'{"id":1}').id, 'a "b" <c>&\n\x01')
    assert line == b'{"id":1,"result":null,"error":"a \\"b\\" \\u003cc\\u003e\\u0026\\n\\u0001"}\n'


def test_amounts_are_numbers():
    assert encode({"a": Decimal("9.125"), "b": 10}) == b'{"a":9.125,"b":10}'


def test_integers_of_any_size_are_written():
    assert encode([10**30, -(10**20)]) == b"[1000000000000000000000000000000,-100000000000000000000]"
