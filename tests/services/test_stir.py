"""Signed caller identities through a server process: given, checked, refused with a reason."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import CallRefused, ServerProcess

pytest.importorskip("cryptography", reason="SIGNED IDENTITIES ARE NOT TESTED: pip install 'cgrcore[stir]'")


class Stir:
    """A server, and the files of a key pair."""

    def __init__(self, folder: Path) -> None:
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        self.private, self.public = folder / "private.pem", folder / "public.pem"
        self.private.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
        self.public.write_bytes(
            key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
        )
        self.server = ServerProcess(folder)

    def identity(self, **payload: Any) -> str:
        given = {"attest": "A", "dest": {"tn": ["1002"]}, "orig": {"tn": "1001"}, "origid": "o", **payload}
        identity: str = self.server.call(
            "SessionSv1.STIRIdentity",
            Payload=given,
            PublicKeyPath=str(self.public),
            PrivateKeyPath=str(self.private),
            OverwriteIAT="iat" not in payload,
        )
        return identity

    def check(self, identity: str, **claims: Any) -> Any:
        return self.server.call("SessionSv1.STIRAuthenticate", Identity=identity, **claims)


@pytest.fixture(scope="module")
def stir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stir]:
    made = Stir(tmp_path_factory.mktemp("stir"))
    yield made
    made.server.kill()


def test_an_identity_that_was_given_is_believed(stir: Stir) -> None:
    claims = {"Attest": ["A"], "OriginatorTn": "1001", "DestinationTn": "1002", "PayloadMaxDuration": "1m"}
    assert stir.check(stir.identity(), **claims) == "OK"


def test_an_identity_that_was_changed_is_not_believed(stir: Stir) -> None:
    header, payload, rest = stir.identity().split(".", 2)
    other = stir.identity(orig={"tn": "1003"}).split(".")[1]
    assert payload != other
    with pytest.raises(CallRefused, match=r"^\*stir_authenticate: wrong signature$"):
        stir.check(f"{header}.{other}.{rest}")


def test_an_identity_of_another_key_is_not_believed(stir: Stir, tmp_path: Path) -> None:
    foreign = stir.identity()
    kept = stir.public.read_bytes()
    other = tmp_path / "other.pem"
    other.write_bytes(kept)
    with pytest.raises(CallRefused, match=r"^\*stir_authenticate: wrong header$"):
        stir.check(foreign.replace(f"info=<{stir.public}>", f"info=<{other}>"))


def test_an_old_identity_is_not_believed(stir: Stir) -> None:
    with pytest.raises(CallRefused, match=r"^\*stir_authenticate: expired payload$"):
        stir.check(stir.identity(iat=1_000), PayloadMaxDuration="1m")


def test_who_calls_is_checked(stir: Stir) -> None:
    with pytest.raises(CallRefused, match=r"^\*stir_authenticate: wrong originatorTn$"):
        stir.check(stir.identity(), OriginatorTn="1009")


@pytest.mark.parametrize("path", ["/dev/zero", "/no/such/file", "http://127.0.0.1/k", "/etc/hostname"])
def test_keys_are_taken_from_files_and_https_alone(stir: Stir, path: str) -> None:
    with pytest.raises(CallRefused, match=r"the key cannot be read|not a private key|a private key is a file"):
        stir.server.call("SessionSv1.STIRIdentity", Payload={}, PublicKeyPath="k", PrivateKeyPath=path)


def test_keys_of_callers_are_not_asked_for_over_plain_http(stir: Stir) -> None:
    path = "http://127.0.0.1:1/k.pem"
    identity = stir.server.call(
        "SessionSv1.STIRIdentity", Payload={}, PublicKeyPath=path, PrivateKeyPath=str(stir.private)
    )
    with pytest.raises(CallRefused, match=r"the key cannot be read: only https is asked for keys"):
        stir.check(identity)


def test_keys_that_are_not_named_are_missing(stir: Stir) -> None:
    with pytest.raises(CallRefused, match=r"MANDATORY_IE_MISSING: \[PublicKeyPath PrivateKeyPath\]"):
        stir.server.call("SessionSv1.STIRIdentity", Payload={})


def event(stir: Stir, *flags: str, **options: Any) -> Any:
    fields = {"OriginID": "o", "Account": "1001", "Destination": "1002"}
    return stir.server.call("SessionSv1.ProcessEvent", Flags=list(flags), Event=fields, APIOpts=options)


def test_an_event_is_given_an_identity_of_its_numbers(stir: Stir) -> None:
    options = {"*stirPublicKeyPath": str(stir.public), "*stirPrivateKeyPath": str(stir.private)}
    identity = event(stir, "*stir_initiate", **options)["STIRIdentity"]["*raw"]
    assert stir.check(identity, OriginatorTn="1001", DestinationTn="1002") == "OK"


def test_an_event_whose_identity_is_believed_goes_on(stir: Stir) -> None:
    assert event(stir, "*stir_authenticate", **{"*stirIdentity": stir.identity()}) == {}


def test_an_event_whose_identity_is_not_believed_is_refused(stir: Stir) -> None:
    with pytest.raises(CallRefused, match=r"^\*stir_authenticate: wrong attest level$"):
        event(stir, "*stir_authenticate", **{"*stirIdentity": stir.identity(), "*stirATest": ["B"]})
