"""The actions that change an account itself: its switches, triggers and counters, starting over, going away."""

import json

from cgrcore.accounting import Account, Balance, account_id_of, settle
from cgrcore.actions.balance_filter import BalanceFilter
from cgrcore.actions.context import Run, require_account
from cgrcore.actions.counters import init_counters, reset_counters
from cgrcore.actions.records import Action
from cgrcore.actions.trigger_match import change_triggers
from cgrcore.errors import BadRequest
from cgrcore.scheduling.plans import detach_account

__all__ = [
    "allow_negative",
    "deny_negative",
    "disable_account",
    "enable_account",
    "log",
    "remove_account",
    "reset_account",
    "reset_account_counters",
    "reset_triggers",
    "set_recurrent",
    "unset_recurrent",
]


def log(run: Run, action: Action) -> None:
    """Tell the operator of the account, or of the event."""
    note = run.world.parts.get("note")
    if note is not None:
        subject = run.event.as_wire() if run.account is None and run.event is not None else run.account
        note(f"action set {action.id}: {subject if not isinstance(subject, Account) else 'account ' + subject.id}")


def allow_negative(run: Run, action: Action) -> None:
    require_account(run).allow_negative = True


def deny_negative(run: Run, action: Action) -> None:
    require_account(run).allow_negative = False


def enable_account(run: Run, action: Action) -> None:
    require_account(run).is_disabled = False


def disable_account(run: Run, action: Action) -> None:
    require_account(run).is_disabled = True


def reset_triggers(run: Run, action: Action) -> None:
    """Make the triggers that the action means ready again, and let those fire that should."""
    account = require_account(run)
    change_triggers(account, action, is_executed=False)
    evaluate = run.world.parts.get("triggers")
    if evaluate is not None:
        evaluate(run.world, account, action)


def set_recurrent(run: Run, action: Action) -> None:
    change_triggers(require_account(run), action, is_recurrent=True)


def unset_recurrent(run: Run, action: Action) -> None:
    change_triggers(require_account(run), action, is_recurrent=False)


def reset_account_counters(run: Run, action: Action) -> None:
    reset_counters(require_account(run), action.balance or BalanceFilter())


def reset_account(run: Run, action: Action) -> None:
    """Replace the balances of each type by one empty balance without a UUID, and make every trigger ready again."""
    account = require_account(run)
    for kind in account.balances:
        account.balances[kind] = [Balance("", "", kind)]
    init_counters(account)
    change_triggers(account, Action(action.id, action.type), is_executed=False)
    settle(run.world, account)


def remove_account(run: Run, action: Action) -> None:
    """Remove the account of the run, or the one that the extra parameters name, and detach it from its plans.

    What runs after it works on an account that is not kept. Raises BadRequest for parameters that cannot be read.
    """
    account_id = run.account.id if run.account is not None else ""
    if action.extra_parameters:
        try:
            fields = json.loads(action.extra_parameters)
            account_id = account_id_of(run.world.tenant(str(fields["Tenant"])), str(fields["Account"]))
        except (ValueError, TypeError, KeyError):
            raise BadRequest("error unmarshaling ExtraParameters") from None
    if not account_id:
        return
    run.world.state.table("accounts").remove(account_id)
    detach_account(run.world, account_id)
