"""How records become bytes and come back."""

from typing import Any

import msgspec
import pytest
from cgrserver.storage.tables import Codecs, declared_tables

from cgrcore.errors import Corrupt


class Price(msgspec.Struct, frozen=True):
    value_nano: int
    parts: tuple[int, ...] = ()


class Counter:
    """A record that encodes itself."""

    def __init__(self, value: int) -> None:
        self.value = value

    def encode(self) -> bytes:
        return str(self.value).encode()

    @classmethod
    def decode(cls, body: bytes) -> "Counter":
        return cls(int(body))


CODECS = Codecs({"prices": Price, "counters": Counter, "caches": None})


@pytest.mark.parametrize("record", [Price(5), Price(10**30, (-(10**25),)), Price(2**64), Price(-(2**63))])
def test_amounts_of_any_size_come_back(record: Price) -> None:
    assert CODECS.decode("prices", "k", CODECS.encoder("prices")(record)) == record


def test_a_record_may_encode_itself() -> None:
    body = CODECS.encoder("counters")(Counter(7))
    assert (body, CODECS.decode("counters", "k", body).value) == (b"7", 7)


@pytest.mark.parametrize(("table", "body"), [("prices", b"\x93\x01"), ("counters", b"x"), ("unknown", b"\xc0")])
def test_bytes_that_are_no_record_are_reported_with_their_place(table: str, body: Any) -> None:
    with pytest.raises(Corrupt) as caught:
        CODECS.decode(table, "the key", body)
    assert (caught.value.subject, caught.value.subject_id) == (table, "the key")


def test_every_declared_table_can_be_encoded() -> None:
    Codecs(declared_tables())
