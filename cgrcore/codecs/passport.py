"""Signed caller identities (STIR/SHAKEN): the texts that are signed and carried in SIP's Identity header.

Rules: RFC 8225 (PASSporT), RFC 8588 (shaken), RFC 8224 (Identity): `header.payload.signature;info=<x5u>;alg=ES256;
ppt=shaken`, the first two as base64url of JSON with sorted keys and no blanks. Errors are the texts that clients know.
Does not know: keys, signatures, where keys are kept.
"""

import base64
import binascii
from collections.abc import Collection
from typing import Any

import msgspec

from cgrcore.errors import Refused
from cgrcore.timing import SECOND_NS

__all__ = ["Claims", "Identity", "check_claims", "identity_text", "read_identity", "text_to_sign"]

#: What every header says besides where the key is.
FIXED = {"alg": "ES256", "ppt": "shaken", "typ": "passport"}

ANY = "*any"


class Identity(msgspec.Struct, frozen=True):
    """An Identity as it came: the bytes that were signed, the signature, and what was said."""

    signed: bytes
    signature: bytes
    key_path: str
    payload: dict[str, Any]


class Claims(msgspec.Struct, frozen=True):
    """What a receiver believes: attestations, the greatest age (below 0: any), and who calls whom ("": not checked)."""

    attests: Collection[str]
    max_age_ns: int
    originator_tn: str = ""
    originator_uri: str = ""
    destination_tn: str = ""
    destination_uri: str = ""


def text_to_sign(payload: dict[str, Any], key_path: str) -> bytes:
    """Return what is signed for a payload; `key_path` is where the public key is found."""
    return _encoded({**FIXED, "x5u": key_path}) + b"." + _encoded(payload)


def identity_text(signed: bytes, signature: bytes, key_path: str) -> str:
    """Return the Identity of a signed text."""
    token = (signed + b"." + _base64(signature)).decode()
    return f"{token};info=<{key_path}>;alg=ES256;ppt=shaken"


def read_identity(text: str) -> Identity:
    """Return what an Identity holds. Raises Refused with what is wrong with its form."""
    parts = [part.strip() for part in text.split(";")]
    if len(parts) != 4:
        raise Refused("missing parts of the message header")
    token, info, alg, ppt = parts
    pieces = token.split(".")
    if len(pieces) != 3:
        raise Refused("wrong header format")
    key_path = info.removeprefix("info=").strip("<>")
    try:
        header, payload, signature = _decoded(pieces[0]), _decoded(pieces[1]), _bytes(pieces[2])
    except (ValueError, msgspec.MsgspecError):
        raise Refused("wrong header format") from None
    is_told = info.startswith("info=") and alg.replace('"', "") == "alg=ES256" and ppt.replace('"', "") == "ppt=shaken"
    if not is_told or header != {**FIXED, "x5u": key_path} or not key_path:
        raise Refused("wrong header")
    return Identity(token.rpartition(".")[0].encode(), signature, key_path, payload)


def check_claims(payload: dict[str, Any], claims: Claims, now_at: int) -> None:
    """Raise Refused when a payload does not say what is believed."""
    if ANY not in claims.attests and payload.get("attest") not in claims.attests:
        raise Refused("wrong attest level")
    issued_s = payload.get("iat")
    if claims.max_age_ns >= 0 and not _is_fresh(issued_s, claims.max_age_ns, now_at):
        raise Refused("expired payload")
    origin, target = payload.get("orig"), payload.get("dest")
    origin = origin if isinstance(origin, dict) else {}
    target = target if isinstance(target, dict) else {}
    for name, wanted, told in (
        ("originatorTn", claims.originator_tn, [origin.get("tn")]),
        ("originatorURI", claims.originator_uri, [origin.get("uri")]),
        ("destinationTn", claims.destination_tn, target.get("tn")),
        ("destinationURI", claims.destination_uri, target.get("uri")),
    ):
        if wanted and wanted not in (told if isinstance(told, list) else ()):
            raise Refused(f"wrong {name}")


def _is_fresh(issued_s: Any, max_age_ns: int, now_at: int) -> bool:
    """Tell whether a payload was issued not long ago; nor is one believed that comes from the future."""
    return type(issued_s) is int and abs(now_at - issued_s * SECOND_NS) <= max_age_ns


def _encoded(value: dict[str, Any]) -> bytes:
    return _base64(msgspec.json.encode(value, order="sorted"))


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None


def _decoded(text: str) -> dict[str, Any]:
    return msgspec.json.decode(_bytes(text), type=dict[str, Any])
