"""What operators define to happen: actions in sets, triggers that start them, and the counters triggers look at.

Rules: records are frozen and hold values only; amounts, weights and thresholds are scaled by 10^-9; durations end in
_ns, instants in _at (`ZERO_AT`: not given). Amounts may pass 64 bits, which MessagePack cannot carry, so these records
are encoded as JSON text. Does not know: how an action is run, when a trigger fires.
"""

from typing import Any

import msgspec

from cgrcore.actions.balance_filter import BalanceFilter
from cgrcore.money import number_from_nano
from cgrcore.timing import ZERO_AT, format_time

__all__ = ["Action", "ActionSet", "ActionTrigger", "Counter", "Message", "TriggerGroup", "UnitCounter"]


class Action(msgspec.Struct, frozen=True):
    """One step of an action set. `expiration` is a time expression that is read when the action runs."""

    id: str
    type: str
    extra_parameters: str = ""
    filters: tuple[str, ...] | None = None
    expiration: str = ""
    weight_nano: int = 0
    balance: BalanceFilter | None = None

    def as_wire(self) -> dict[str, Any]:
        return {
            "Id": self.id,
            "ActionType": self.type,
            "ExtraParameters": self.extra_parameters,
            "Filters": None if self.filters is None else list(self.filters),
            "ExpirationString": self.expiration,
            "Weight": number_from_nano(self.weight_nano),
            "Balance": None if self.balance is None else self.balance.as_wire(),
        }


class ActionSet(msgspec.Struct, frozen=True):
    """The actions under one id, in the order given. Table "actions", key: id."""

    id: str
    actions: tuple[Action, ...]

    def encode(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> "ActionSet":
        return msgspec.json.decode(data, type=cls)


class ActionTrigger(msgspec.Struct, frozen=True):
    """Run the action set `actions_id` once a balance or a counter of an account reaches `threshold_nano`.

    A group's trigger has its own copy in each account that it is attached to, with its own state of execution.
    """

    id: str
    unique_id: str
    threshold_type: str = ""
    threshold_nano: int = 0
    is_recurrent: bool = False
    min_sleep_ns: int = 0
    expires_at: int = ZERO_AT
    activates_at: int = ZERO_AT
    balance: BalanceFilter = BalanceFilter()
    weight_nano: int = 0
    actions_id: str = ""
    min_queued_items: int = 0
    is_executed: bool = False
    last_executed_at: int = ZERO_AT

    def as_wire(self) -> dict[str, Any]:
        return {
            "ID": self.id,
            "UniqueID": self.unique_id,
            "ThresholdType": self.threshold_type,
            "ThresholdValue": number_from_nano(self.threshold_nano),
            "Recurrent": self.is_recurrent,
            "MinSleep": self.min_sleep_ns,
            "ExpirationDate": format_time(self.expires_at),
            "ActivationDate": format_time(self.activates_at),
            "Balance": self.balance.as_wire(),
            "Weight": number_from_nano(self.weight_nano),
            "ActionsID": self.actions_id,
            "MinQueuedItems": self.min_queued_items,
            "Executed": self.is_executed,
            "LastExecutionTime": format_time(self.last_executed_at),
        }


class TriggerGroup(msgspec.Struct, frozen=True):
    """The triggers of one group. Table "action_triggers", key: the group's id."""

    id: str
    triggers: tuple[ActionTrigger, ...]

    def encode(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> "TriggerGroup":
        return msgspec.json.decode(data, type=cls)


class Counter(msgspec.Struct, frozen=True):
    """How much was counted of what `filter` describes."""

    value_nano: int
    filter: BalanceFilter

    def as_wire(self) -> dict[str, Any]:
        return {"Value": number_from_nano(self.value_nano), "Filter": self.filter.as_wire()}


class UnitCounter(msgspec.Struct, frozen=True):
    """The counters of an account of one kind (`*event` or `*balance`) for one type of balance.

    `Account.unit_counters` is `dict[balance type, tuple[UnitCounter, ...]] | None`.
    """

    type: str
    counters: tuple[Counter, ...] = ()

    def as_wire(self) -> dict[str, Any]:
        return {"CounterType": self.type, "Counters": [counter.as_wire() for counter in self.counters]}


class Message(msgspec.Struct, frozen=True):
    """What is to be delivered outside of this server. `body` is JSON text, `attempts` how often it was tried so far.

    Table "outbox", key: uuid; a message that could not be delivered moves to table "dead_letters".
    """

    uuid: str
    kind: str
    target: str
    body: str
    queued_at: int
    attempts: int = 0
    last_error: str = ""
