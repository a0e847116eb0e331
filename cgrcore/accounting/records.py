"""Accounts and shared groups as the tables hold them.

Rules: an account is changed in place only after `Table.edit`; it encodes to one MessagePack array, and back.
Does not know: what a balance pays for, what an account looks like on the wire.
"""

from typing import Any

import msgspec

from cgrcore._fast.accounts import AccountBase, Balance, find_uuid
from cgrcore.actions import ActionTrigger, UnitCounter
from cgrcore.rating.records import Timing

__all__ = ["DEFAULT_ID", "Account", "Balance", "SharedGroup", "Sharing", "account_id_of"]

#: The money balance that takes what no other balance could pay.
DEFAULT_ID = "*default"

#: Where the timings are among the fields of terms.
_TIMINGS = 4

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode

_Counters = dict[str, tuple[UnitCounter, ...]] | None
_Triggers = tuple[ActionTrigger, ...] | None


class Account(AccountBase):
    """An account. Table "accounts", key: its id, `tenant:account`."""

    __slots__ = ()

    def encode(self) -> bytes:
        """Return everything but what is derived, as MessagePack. Numbers beyond 64 bits are texts in it."""
        counters = msgspec.json.encode(self.unit_counters) if self.unit_counters is not None else None
        triggers = msgspec.json.encode(self.triggers) if self.triggers is not None else None
        switches = (self.allow_negative, self.is_disabled, self.updated_at)
        return _pack((self.id, self.pack(_pack), counters, triggers, *switches))

    @classmethod
    def decode(cls, data: bytes) -> "Account":
        """Return the account that was encoded."""
        account_id, balances, counters, triggers, allow_negative, is_disabled, updated_at = _unpack(data)
        for kind, group in balances.items():
            for place, fields in enumerate(group or ()):
                group[place] = Balance.unpack(fields, kind, _unpack_terms)
        return cls(
            account_id,
            balances,
            unit_counters=None if counters is None else msgspec.json.decode(counters, type=_Counters),
            triggers=None if triggers is None else msgspec.json.decode(triggers, type=_Triggers),
            allow_negative=allow_negative,
            is_disabled=is_disabled,
            updated_at=updated_at,
        )

    @property
    def tenant(self) -> str:
        return self.id.partition(":")[0]

    def find(self, kind: str, uuid: str) -> Balance | None:
        """Return the balance of a type with that UUID."""
        group = self.balances.get(kind)
        return None if group is None else find_uuid(group, uuid)


def account_id_of(tenant: str, account: str) -> str:
    """Return the key of an account."""
    return f"{tenant}:{account}"


def _unpack_terms(data: bytes) -> tuple[Any, ...]:
    fields = _unpack(data)
    if fields[_TIMINGS] is not None:
        fields[_TIMINGS] = tuple(msgspec.convert(timing, Timing) for timing in fields[_TIMINGS])
    return tuple(fields)


class Sharing(msgspec.Struct, frozen=True):
    """How a member uses a shared group. `rating_subject` is stored for CGRateS's sake; no debit looks at it."""

    strategy: str = ""
    rating_subject: str = ""


class SharedGroup(msgspec.Struct, frozen=True):
    """Accounts that share balances. Table "shared_groups", key: its id.

    `sharings` has an account id or `*any` as key; `member_ids` are account ids.
    """

    id: str
    sharings: dict[str, Sharing] | None = None
    member_ids: dict[str, bool] | None = None

    def as_wire(self) -> dict[str, Any]:
        sharings = self.sharings
        return {
            "Id": self.id,
            "AccountParameters": None
            if sharings is None
            else {key: {"Strategy": it.strategy, "RatingSubject": it.rating_subject} for key, it in sharings.items()},
            "MemberIds": self.member_ids,
        }
