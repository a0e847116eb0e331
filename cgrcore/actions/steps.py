"""Every kind of action, and the step that does it.

A kind that is not here is unknown: its set fails. Kinds in `NEEDS_ACCOUNT` are skipped when a set runs for no account.
"""

from cgrcore.actions import account_steps, balance_steps, calls, cdr_log, dynamic, exports, outside
from cgrcore.actions.context import Step

__all__ = ["NEEDS_ACCOUNT", "STEPS"]

_ACCOUNT_STEPS: dict[str, Step] = {
    "*reset_triggers": account_steps.reset_triggers,
    "*set_recurrent": account_steps.set_recurrent,
    "*unset_recurrent": account_steps.unset_recurrent,
    "*allow_negative": account_steps.allow_negative,
    "*deny_negative": account_steps.deny_negative,
    "*enable_account": account_steps.enable_account,
    "*disable_account": account_steps.disable_account,
    "*reset_account": account_steps.reset_account,
    "*reset_counters": account_steps.reset_account_counters,
    "*topup": balance_steps.topup,
    "*topup_reset": balance_steps.topup_reset,
    "*topup_zero_negative": balance_steps.topup_zero_negative,
    "*debit": balance_steps.debit,
    "*debit_reset": balance_steps.debit_reset,
    "*set_balance": balance_steps.set_one_balance,
    "*remove_balance": balance_steps.remove_balance,
    "*remove_expired": balance_steps.remove_expired,
    "*set_expiry": balance_steps.set_expiry,
    "*transfer_balance": balance_steps.transfer,
    "*transfer_monetary_default": balance_steps.transfer_monetary_default,
    "*publish_account": calls.publish_account,
    "*reset_account_cdr": calls.reset_account_cdr,
}

#: Every kind of action by its name.
STEPS: dict[str, Step] = {
    **_ACCOUNT_STEPS,
    "*log": account_steps.log,
    "*remove_account": account_steps.remove_account,
    "*cdrlog": cdr_log.log_cdrs,
    "*cgr_rpc": calls.call_rpc,
    "*alter_sessions": calls.alter_sessions,
    "*force_disconnect_sessions": calls.disconnect_sessions,
    "*set_ddestinations": calls.set_dynamic_destinations,
    "*sy_publish": calls.publish_policy,
    "*reset_threshold": calls.reset_threshold,
    "*reset_stat_queue": calls.reset_stat_queue,
    "*remove_session_costs": calls.remove_session_costs,
    "*export": exports.export,
    "*remote_set_account": outside.remote_set_account,
    "*mail_async": outside.mail,
    "*http_post": outside.post,
    "*http_post_async": outside.post,
    **dynamic.STEPS,
}

#: Kinds that do nothing when there is no account.
NEEDS_ACCOUNT = frozenset(_ACCOUNT_STEPS)
