"""Signed caller identities as texts: what is signed, what is read, what is believed."""

from typing import Any

import pytest

from cgrcore.codecs import Claims, check_claims, identity_text, read_identity, text_to_sign
from cgrcore.errors import Refused
from cgrcore.timing import SECOND_NS

PAYLOAD: dict[str, Any] = {
    "attest": "A",
    "dest": {"tn": ["1002"]},
    "iat": 1_000,
    "orig": {"tn": "1001"},
    "origid": "abc",
}
PATH = "https://keys.example/k.pem"


def identity() -> str:
    return identity_text(text_to_sign(PAYLOAD, PATH), b"s" * 64, PATH)


def test_what_is_signed_is_canonical():
    assert text_to_sign({"b": 1, "a": 2}, "k") == (
        b"eyJhbGciOiJFUzI1NiIsInBwdCI6InNoYWtlbiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiayJ9.eyJhIjoyLCJiIjoxfQ"
    )


def test_an_identity_is_read_as_it_was_written():
    read = read_identity(identity())
    assert (read.signed, read.signature, read.key_path, read.payload) == (
        text_to_sign(PAYLOAD, PATH),
        b"s" * 64,
        PATH,
        PAYLOAD,
    )


@pytest.mark.parametrize(
    "change",
    [("alg=ES256", 'alg="ES256"'), ("ppt=shaken", 'ppt="shaken"'), ("<" + PATH + ">", PATH), (";", " ; ")],
)
def test_other_spellings_are_read_too(change):
    assert read_identity(identity().replace(*change)).payload == PAYLOAD


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "missing parts of the message header"),
        ("a.b.c", "missing parts of the message header"),
        ("a.b;info=<k>;alg=ES256;ppt=shaken", "wrong header format"),
        ("a.b.c;info=<k>;alg=ES256;ppt=shaken", "wrong header format"),
        ("*.*.*;info=<k>;alg=ES256;ppt=shaken", "wrong header format"),
        (identity().replace("ES256", "none"), "wrong header"),
        (identity().replace("shaken", "div"), "wrong header"),
        (identity().replace(PATH, "https://other.example/k.pem"), "wrong header"),
        (identity().replace("info=", "inf="), "wrong header"),
    ],
)
def test_what_is_wrong_with_the_form_is_told(text, why):
    with pytest.raises(Refused, match=why):
        read_identity(text)


NOW_AT = 1_000 * SECOND_NS


def test_what_is_said_is_believed():
    claims = Claims(["A"], 10 * SECOND_NS, originator_tn="1001", destination_tn="1002")
    check_claims(PAYLOAD, claims, NOW_AT + 10 * SECOND_NS)


def test_any_attestation_of_any_age_may_be_believed():
    check_claims({**PAYLOAD, "attest": "C"}, Claims(["*any"], -1), NOW_AT * 100)


@pytest.mark.parametrize(
    ("claims", "now_at", "why"),
    [
        (Claims(["B", "C"], -1), NOW_AT, "wrong attest level"),
        (Claims(["A"], 10 * SECOND_NS), NOW_AT + 11 * SECOND_NS, "expired payload"),
        (Claims(["A"], 10 * SECOND_NS), NOW_AT - 11 * SECOND_NS, "expired payload"),
        (Claims(["A"], -1, originator_tn="1003"), NOW_AT, "wrong originatorTn"),
        (Claims(["A"], -1, originator_uri="x"), NOW_AT, "wrong originatorURI"),
        (Claims(["A"], -1, destination_tn="1003"), NOW_AT, "wrong destinationTn"),
        (Claims(["A"], -1, destination_uri="x"), NOW_AT, "wrong destinationURI"),
    ],
)
def test_what_is_not_believed_is_told(claims, now_at, why):
    with pytest.raises(Refused, match=why):
        check_claims(PAYLOAD, claims, now_at)


@pytest.mark.parametrize("payload", [{}, {"iat": "x", "orig": 5, "dest": [], "attest": None}])
def test_a_payload_of_another_form_is_not_believed(payload):
    with pytest.raises(Refused):
        check_claims(payload, Claims(["A"], 0, destination_tn="1"), NOW_AT)
