"""What costs and events tell of an account: its balances before and after.

Does not know: accounts as they are kept.
"""

from decimal import Decimal
from typing import Any

import msgspec

__all__ = ["AccountState", "BalanceState", "Number"]

Number = int | Decimal


class BalanceState(msgspec.Struct, array_like=True, gc=False):
    """A balance before and after the event, in the wire's numbers."""

    uuid: str
    id: str
    type: str
    initial: Number
    value: Number
    weight: Number = 0
    is_disabled: bool = False
    factors: dict[str, Number] | None = None


class AccountState(msgspec.Struct, array_like=True, gc=False):
    """The account that was charged, before and after the event."""

    tenant: str
    account: str
    balances: list[BalanceState]
    allow_negative: bool = False
    is_disabled: bool = False

    @classmethod
    def from_wire(cls, summary: dict[str, Any]) -> "AccountState":
        balances = [
            BalanceState(
                line.get("UUID", ""),
                line.get("ID", ""),
                line.get("Type", ""),
                line.get("Initial", 0),
                line.get("Value", 0),
                line.get("Weight", 0),
                line.get("Disabled", False),
                line.get("Factors"),
            )
            for line in summary.get("BalanceSummaries") or ()
        ]
        return cls(
            summary.get("Tenant", ""),
            summary.get("AccountID", ""),
            balances,
            summary.get("AllowNegative", False),
            summary.get("Disabled", False),
        )

    def as_wire(self) -> dict[str, Any]:
        lines = []
        for state in self.balances:
            line: dict[str, Any] = {
                "UUID": state.uuid,
                "ID": state.id,
                "Type": state.type,
                "Initial": state.initial,
                "Value": state.value,
            }
            if state.weight:
                line["Weight"] = state.weight
            line["Disabled"] = state.is_disabled
            if state.factors:
                line["Factors"] = state.factors
            lines.append(line)
        return {
            "Tenant": self.tenant,
            "AccountID": self.account,
            "BalanceSummaries": lines or None,
            "AllowNegative": self.allow_negative,
            "Disabled": self.is_disabled,
        }

    def after(self, earlier: "AccountState | None") -> "AccountState":
        """Return this state with the first values of an earlier one; balances that are gone since are listed with 0."""
        if earlier is None:
            return self
        before = earlier.balances
        if [state.uuid for state in self.balances] == [state.uuid for state in before]:
            balances = [
                state if state.initial == known.initial else msgspec.structs.replace(state, initial=known.initial)
                for state, known in zip(self.balances, before, strict=True)
            ]
            return AccountState(self.tenant, self.account, balances, self.allow_negative, self.is_disabled)
        first = {state.uuid: state for state in before}
        balances = []
        for state in self.balances:
            known = first.pop(state.uuid, None)
            balances.append(state if known is None else msgspec.structs.replace(state, initial=known.initial))
        balances += [msgspec.structs.replace(state, initial=0, value=0) for state in first.values()]
        return msgspec.structs.replace(self, balances=balances)
