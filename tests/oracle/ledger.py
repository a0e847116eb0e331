"""The ledger lines of a decision, in the plainest way: all balances before and after, compared by name."""

from typing import Any

Values = dict[tuple[str, str], int]


def values(account: Any) -> Values:
    """Return what an account holds by (balance type, balance uuid)."""
    if account is None:
        return {}
    return {
        (kind, balance.uuid): balance.value_nano
        for kind, balances in account.balances.items()
        for balance in balances or ()
    }


def changes(before: Any, after: Any) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (before, after) of every balance that changed, came to be or went away."""
    old, new = values(before), values(after)
    return {
        name: (old.get(name, 0), new.get(name, 0))
        for name in old.keys() | new.keys()
        if name not in old or name not in new or old[name] != new[name]
    }
