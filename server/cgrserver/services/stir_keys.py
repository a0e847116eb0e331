"""The keys of signed caller identities: read from files and https addresses, kept a while, used to sign and to check.

Rules: ECDSA over P-256 with SHA-256 (ES256), signatures as 64 bytes. An address in an identity is its sender's word:
what lies there is read with a deadline, up to a size, and never anything but a public key; plain http is not asked, and
no other place that an answer points to. Needs the extra `stir`. Does not know: what is signed.
"""

import urllib.request
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from cgrcore.errors import Refused, Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

__all__ = ["StirKeys", "is_signed", "sign"]

#: A file of more bytes is no key.
KEY_BYTES = 64 << 10

#: Keys that are kept.
MAX_KEPT = 1000


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *asked: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


class StirKeys:
    """Keys by their path."""

    def __init__(self, deadline_s: float, keep_s: float) -> None:
        self._deadline_s = deadline_s
        self._keep_s = keep_s
        self._kept: OrderedDict[str, tuple[float, Any]] = OrderedDict()

    async def public_key(self, path: str) -> "EllipticCurvePublicKey":
        """Return a public key, or that of a certificate. Raises Refused for what is none, Unavailable."""
        known = self._kept.get(path)
        if known is not None and trio.current_time() - known[0] < self._keep_s:
            found: EllipticCurvePublicKey = known[1]
            return found
        key = _public(await self._read(path))
        self._kept[path] = (trio.current_time(), key)
        self._kept.move_to_end(path)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return key

    async def private_key(self, path: str) -> "EllipticCurvePrivateKey":
        """Return a private key of a file of this machine. Raises Refused for what is none."""
        if "://" in path:
            raise Refused("a private key is a file")
        return _private(await self._read(path))

    async def _read(self, path: str) -> bytes:
        try:
            with trio.fail_after(self._deadline_s):
                return await trio.to_thread.run_sync(self._read_now, path, abandon_on_cancel=True)
        except (OSError, ValueError) as error:
            raise Unavailable(f"the key cannot be read: {error}") from None
        except trio.TooSlowError:
            raise Unavailable("the key cannot be read: deadline passed") from None

    def _read_now(self, path: str) -> bytes:
        if "://" not in path:
            if not Path(path).is_file():
                raise ValueError("no such file")
            with Path(path).open("rb") as file:
                return file.read(KEY_BYTES)
        if not path.startswith("https://"):
            raise ValueError("only https is asked for keys")
        with _opener.open(path, timeout=self._deadline_s) as answer:
            return bytes(answer.read(KEY_BYTES))


def _public(text: bytes) -> "EllipticCurvePublicKey":
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = x509.load_pem_x509_certificate(text).public_key() if b"CERTIFICATE" in text else load_pem_public_key(text)
    except ValueError:
        raise Refused("not a public key") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Refused("not a key of P-256")
    return key


def _private(text: bytes) -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(text, None)
    except (ValueError, TypeError):
        raise Refused("not a private key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Refused("not a key of P-256")
    return key


def sign(key: "EllipticCurvePrivateKey", data: bytes) -> bytes:
    """Return the signature of data: two numbers of 32 bytes."""
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    first, second = utils.decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
    return first.to_bytes(32, "big") + second.to_bytes(32, "big")


def is_signed(key: "EllipticCurvePublicKey", signature: bytes, data: bytes) -> bool:
    """Tell whether a signature is that of the data."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    if len(signature) != 64:
        return False
    numbers = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(utils.encode_dss_signature(*numbers), data, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
