"""How the records of each table become bytes and come back: one registry for all stores.

Every subject lists its tables as `TABLES` (name to record type). A type of None marks a table that is rebuilt after a
restart and never stored. Records with `encode` and `decode` of their own (accounts, sessions) use these; all others are
MessagePack. Does not know: where the bytes go.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

import cgrcore
from cgrcore.errors import Corrupt
from cgrcore.ports import Answer

__all__ = ["Codec", "Codecs", "declared_tables"]

#: Begins a record that MessagePack cannot hold since an amount needs more than 64 bits: JSON follows. MessagePack never
#: uses this byte.
BIG = b"\xc1"

_pack = msgspec.msgpack.Encoder().encode


class Codec:
    """Encodes and decodes the records of one type."""

    __slots__ = ("_kind", "decode", "encode")

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self.encode: Callable[[Any], bytes]
        self.decode: Callable[[bytes], Any]
        if hasattr(kind, "encode") and hasattr(kind, "decode"):
            self.encode, self.decode = kind.encode, kind.decode
        else:
            unpack = msgspec.msgpack.Decoder(kind).decode
            self.encode = _encode
            self.decode = lambda body: self._decode_big(body) if body[:1] == BIG else unpack(body)

    def _decode_big(self, body: bytes) -> Any:
        return msgspec.json.decode(body[1:], type=self._kind)


def _encode(record: Any) -> bytes:
    try:
        return _pack(record)
    except OverflowError:
        return BIG + msgspec.json.encode(record)


class Codecs:
    """The codecs of all tables that are stored. `kept` are their names."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._by_name = {name: None if kind is None else Codec(kind) for name, kind in tables.items()}
        self.kept = frozenset(name for name, codec in self._by_name.items() if codec is not None)

    def check(self, table: str) -> None:
        """Raise Corrupt for a table that nobody declared: what is written to it would be lost."""
        if table not in self._by_name:
            raise Corrupt(f"table {table} is written and is not in any TABLES", subject=table)

    def encoder(self, table: str) -> Callable[[Any], bytes]:
        """Return what encodes the records of a table that is kept."""
        codec = self._by_name[table]
        assert codec is not None, f"{table} is not stored"
        return codec.encode

    def decode(self, table: str, key: str, body: bytes) -> Any:
        """Return the record. Raises Corrupt when the bytes are none of the table's records."""
        codec = self._by_name.get(table)
        if codec is None:
            raise Corrupt(f"the store holds table {table}, which is not in any TABLES", subject=table, subject_id=key)
        try:
            return codec.decode(body)
        except (msgspec.MsgspecError, ValueError, TypeError, LookupError) as error:
            raise Corrupt(f"a stored record cannot be read: {error}", subject=table, subject_id=key) from error

    def decode_account(self, key: str, body: bytes) -> tuple[str, Any]:
        """Return the account with its own text for the key, so that this is in memory once. Raises Corrupt."""
        account = self.decode("accounts", key, body)
        if account.id != key:
            text = f"a stored record cannot be read: it is that of {account.id}"
            raise Corrupt(text, subject="accounts", subject_id=key)
        return account.id, account


def declared_tables() -> dict[str, Any]:
    """Return the tables of all subjects of cgrcore, and those of answers and replies."""
    tables: dict[str, Any] = {"answers": Answer, "rpc_responses": None}
    for found in pkgutil.iter_modules(cgrcore.__path__, "cgrcore."):
        if found.ispkg:
            for name, kind in getattr(importlib.import_module(found.name), "TABLES", {}).items():
                assert name not in tables, f"table {name} is declared twice"
                tables[name] = kind
    return tables
