"""The ledger lines of one decision: what it did to the balances of an account, by comparing before and after.

Rules: one line for each balance whose value changed, that came to be (from 0) or went away (to 0); so the amounts of a
balance's lines always add up to its value, whatever code changed it. Does not know: why a balance changed, beyond the
decision's reason.
"""

from typing import Any

from cgrcore.ports import LedgerLine

__all__ = ["ledger_lines"]


def ledger_lines(account_id: str, before: Any, after: Any, mark: tuple[str, int, str], into: list[LedgerLine]) -> None:
    """Append the lines of one account. `before` and `after` are Accounts, None where it is absent.

    `mark` is what all lines of a decision share: its reason, its instant (ns UTC), its idempotency key.
    """
    old = before.balances if before is not None else {}
    new = after.balances if after is not None else {}
    for kind, balances in new.items():
        held = old.get(kind) or ()
        if balances and not _is_same_row(held, balances):
            _compare(account_id, kind, held, balances, mark, into)
        elif balances:
            for was, balance in zip(held, balances, strict=True):
                if was.value_nano != balance.value_nano:
                    line = LedgerLine(
                        account_id, balance.uuid, balance.id, kind, was.value_nano, balance.value_nano, *mark
                    )
                    into.append(line)
        elif held:
            _compare(account_id, kind, held, (), mark, into)
    for kind, held in old.items():
        if held and kind not in new:
            _compare(account_id, kind, held, (), mark, into)


def _is_same_row(held: Any, balances: Any) -> bool:
    """Tell whether both lists name the same balances in the same order, as they nearly always do."""
    if len(held) != len(balances):
        return False
    for was, balance in zip(held, balances, strict=True):  # noqa: SIM110 (a generator costs more than the loop)
        if was.uuid != balance.uuid:
            return False
    return True


def _compare(
    account_id: str, kind: str, held: Any, balances: Any, mark: tuple[str, int, str], into: list[LedgerLine]
) -> None:
    missing = {balance.uuid: balance for balance in held}
    for balance in balances:
        was = missing.pop(balance.uuid, None)
        if was is None:
            into.append(LedgerLine(account_id, balance.uuid, balance.id, kind, 0, balance.value_nano, *mark))
        elif was.value_nano != balance.value_nano:
            line = LedgerLine(account_id, balance.uuid, balance.id, kind, was.value_nano, balance.value_nano, *mark)
            into.append(line)
    for was in missing.values():
        into.append(LedgerLine(account_id, was.uuid, was.id, kind, was.value_nano, 0, *mark))
