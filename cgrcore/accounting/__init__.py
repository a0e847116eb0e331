"""Accounts: what they hold, what a call takes from them, and what is given back."""

from cgrcore.accounting.change import (
    Reset,
    Transfer,
    change_balances,
    drop_expired,
    edit_account,
    matches,
    new_balance,
    remove_balances,
    round_system,
    set_balance,
    settle,
    transfer_balance,
)
from cgrcore.accounting.correct import correct_cost, is_paid_otherwise
from cgrcore.accounting.debit import UNLIMITED_NS, debit, max_debit, max_usage
from cgrcore.accounting.explain import BalanceVerdict, Explanation, explain
from cgrcore.accounting.records import DEFAULT_ID, Account, Balance, SharedGroup, Sharing, account_id_of
from cgrcore.accounting.refund import refund_increments, refund_listed, refund_rounding
from cgrcore.accounting.rounding import refund_rounding_increments
from cgrcore.accounting.slices import charge_rated, charge_rest, charge_slice
from cgrcore.accounting.sums import debit_monetary
from cgrcore.accounting.wire import (
    account_as_old_wire,
    account_as_wire,
    account_state,
    account_summary,
    balance_as_wire,
)
from cgrcore.actions import BalanceFilter

__all__ = [
    "DEFAULT_ID",
    "TABLES",
    "UNLIMITED_NS",
    "Account",
    "Balance",
    "BalanceFilter",
    "BalanceVerdict",
    "Explanation",
    "Reset",
    "SharedGroup",
    "Sharing",
    "Transfer",
    "account_as_old_wire",
    "account_as_wire",
    "account_id_of",
    "account_state",
    "account_summary",
    "balance_as_wire",
    "change_balances",
    "charge_rated",
    "charge_rest",
    "charge_slice",
    "correct_cost",
    "debit",
    "debit_monetary",
    "drop_expired",
    "edit_account",
    "explain",
    "is_paid_otherwise",
    "matches",
    "max_debit",
    "max_usage",
    "new_balance",
    "refund_increments",
    "refund_listed",
    "refund_rounding",
    "refund_rounding_increments",
    "remove_balances",
    "round_system",
    "set_balance",
    "settle",
    "transfer_balance",
]

#: The tables of this subject, and the type of their records.
TABLES: dict[str, type] = {"accounts": Account, "shared_groups": SharedGroup}
