"""What costs and events tell of an account: its balances before and after.

Rules: an amount is an `int` in nano; one that needs more than 64 bits is its digits as text, and so is a number with
more decimals than nano have, which only a client can give: as that gave it. Does not know: accounts as they are kept.
"""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.money import nano_from_number, number_from_nano

__all__ = ["AccountState", "Amount", "BalanceState", "Number"]

Number = int | Decimal
Amount = int | str

#: What 64 bits hold.
INT64 = 2**63


class BalanceState(msgspec.Struct, array_like=True, gc=False):
    """A balance before and after the event."""

    uuid: str
    id: str
    type: str
    initial_nano: Amount
    value_nano: Amount
    weight_nano: Amount = 0
    is_disabled: bool = False
    factors: dict[str, Number] | None = None

    @property
    def initial(self) -> Number:
        return _number(self.initial_nano)

    @property
    def value(self) -> Number:
        return _number(self.value_nano)

    @property
    def weight(self) -> Number:
        return _number(self.weight_nano)


class AccountState(msgspec.Struct, array_like=True, gc=False):
    """The account that was charged, before and after the event."""

    tenant: str
    account: str
    balances: list[BalanceState]
    allow_negative: bool = False
    is_disabled: bool = False

    @classmethod
    def from_wire(cls, summary: dict[str, Any]) -> "AccountState":
        """Return the state that a summary tells. Raises BadRequest for an amount that is none."""
        balances = [
            BalanceState(
                line.get("UUID", ""),
                line.get("ID", ""),
                line.get("Type", ""),
                _amount(line.get("Initial", 0)),
                _amount(line.get("Value", 0)),
                _amount(line.get("Weight", 0)),
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
                "Initial": _number(state.initial_nano),
                "Value": _number(state.value_nano),
            }
            if state.weight_nano:
                line["Weight"] = _number(state.weight_nano)
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
        if len(before) != len(self.balances):
            return self._after_others(before)
        balances = self.balances.copy()
        for place, known in enumerate(before):
            state = balances[place]
            if state.uuid != known.uuid:
                return self._after_others(before)
            if state.initial_nano != known.initial_nano:
                balances[place] = _begun(state, known.initial_nano)
        return AccountState(self.tenant, self.account, balances, self.allow_negative, self.is_disabled)

    def _after_others(self, before: list[BalanceState]) -> "AccountState":
        first = {state.uuid: state for state in before}
        balances = []
        for state in self.balances:
            known = first.pop(state.uuid, None)
            balances.append(state if known is None else _begun(state, known.initial_nano))
        balances += [msgspec.structs.replace(state, initial_nano=0, value_nano=0) for state in first.values()]
        return AccountState(self.tenant, self.account, balances, self.allow_negative, self.is_disabled)


def _begun(state: BalanceState, initial_nano: Amount) -> BalanceState:
    """Return a balance as it is, from another first value."""
    return BalanceState(
        state.uuid,
        state.id,
        state.type,
        initial_nano,
        state.value_nano,
        state.weight_nano,
        state.is_disabled,
        state.factors,
    )


def _number(amount: Amount) -> Number:
    if type(amount) is int:
        return number_from_nano(amount)
    assert type(amount) is str
    return number_from_nano(int(amount)) if amount.lstrip("-").isdigit() else Decimal(amount)


def _amount(number: Any) -> Amount:
    """Return an amount of the wire. Raises BadRequest for what is none; null is 0."""
    if number is None:
        return 0
    amount_nano = nano_from_number(number)
    if number_from_nano(amount_nano) != number:
        return f"{number:f}" if "." in f"{number:f}" else f"{number:f}.0"
    return amount_nano if -INT64 <= amount_nano < INT64 else str(amount_nano)
