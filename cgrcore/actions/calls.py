"""The actions that ask another subject of this server: sessions, thresholds, statistics, any RPC method.

Rules: what is asked is decided at once, in the same decision, and its error is the action's error. A method of another
server is called after the commit (`outside`).
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cgrcore.accounting import Account, set_balance
from cgrcore.actions.balance_filter import BalanceFilter, ValueFormula
from cgrcore.actions.context import Run, call_method, require_account
from cgrcore.actions.outside import later
from cgrcore.actions.records import Action
from cgrcore.actions.template import fill_template
from cgrcore.errors import BadRequest, NotFound
from cgrcore.filters import check_filters
from cgrcore.money import nano_from_number
from cgrcore.world import World

__all__ = [
    "alter_sessions",
    "call_rpc",
    "disconnect_sessions",
    "publish_account",
    "publish_policy",
    "remove_session_costs",
    "reset_account_cdr",
    "reset_stat_queue",
    "reset_threshold",
    "reset_to_summary",
    "set_dynamic_destinations",
]


def call_rpc(run: Run, action: Action) -> None:
    """Call the RPC method that the extra parameters name: of this server at once, of another after the commit.

    Raises BadRequest for parameters that are no JSON, or lack address or method.
    """
    try:
        request = json.loads(fill_template(run, action), parse_float=Decimal)
        address, method = request["Address"], request["Method"]
    except (ValueError, TypeError, KeyError) as error:
        raise BadRequest(f"cannot read the call: {error}") from None
    if address == "*internal":
        call_method(run, method, request.get("Params"))
    else:
        later(run.world, "*cgr_rpc", request, str(address))


def publish_account(run: Run, action: Action) -> None:
    """Tell thresholds and statistics what the account holds."""
    publish = run.world.parts.get("publish_account")
    if publish is not None:
        publish(run.world, require_account(run))


def publish_policy(run: Run, action: Action) -> None:
    """Tell the client that watches the threshold. Raises NotFound when none does, or no threshold is the cause."""
    watcher = run.world.state.table("threshold_watchers").get(run.threshold_id) if run.threshold_id else None
    if watcher is None:
        raise NotFound(subject="threshold watcher", subject_id=run.threshold_id)
    call_method(run, "SessionSv1.ThresholdNotify", watcher.cgrid)


def reset_threshold(run: Run, action: Action) -> None:
    call_method(run, "ThresholdSv1.ResetThreshold", _tenant_id(action))


def reset_stat_queue(run: Run, action: Action) -> None:
    call_method(run, "StatSv1.ResetStatQueue", _tenant_id(action))


def _tenant_id(action: Action) -> dict[str, Any]:
    tenant, _, item_id = action.extra_parameters.partition(":")
    return {"Tenant": tenant, "ID": item_id}


def alter_sessions(run: Run, action: Action) -> None:
    """Change the sessions that the extra parameters mean: `tenant;filters;limit;options;fields`."""
    call_method(run, "SessionSv1.AlterSessions", _session_request(action))


def disconnect_sessions(run: Run, action: Action) -> None:
    """End the sessions that the extra parameters mean, given as for `alter_sessions`."""
    call_method(run, "SessionSv1.ForceDisconnect", _session_request(action))


def _session_request(action: Action) -> dict[str, Any]:
    parts = action.extra_parameters.split(";")
    if len(parts) != 5:
        raise BadRequest(f"invalid number of parameters <{len(parts)}> expected 5")
    tenant, filters, limit, options, event = parts
    if limit and not limit.lstrip("+-").isdecimal():
        raise BadRequest(f'strconv.Atoi: parsing "{limit}": invalid syntax')
    return {
        "Tenant": tenant,
        "Filters": filters.split("&") if filters else [],
        "Limit": int(limit) if limit else None,
        "APIOpts": _pairs(options),
        "Event": _pairs(event),
    }


def _pairs(text: str) -> dict[str, Any]:
    pairs = {}
    for part in text.split("&") if text else ():
        key, colon, value = part.partition(":")
        if not colon:
            raise BadRequest(f"invalid key-value pair: {part}")
        pairs[key] = value
    return pairs


def remove_session_costs(run: Run, action: Action) -> None:
    """Remove the stored costs of sessions that pass the filters, after the commit: they are in the store alone.

    Filters read `~*sc.CGRID`, `RunID`, `OriginHost`, `OriginID`, `CostSource`, `Usage`, `CreatedAt`.
    Raises NotFound when none are named, BadRequest for one that cannot be read.
    """
    filter_ids = [filter_id for filter_id in action.extra_parameters.split(";") if filter_id]
    if not filter_ids:
        raise NotFound(subject="session_costs")
    world = run.world
    check_filters(world, world.tenant(""), tuple(filter_ids), action.id)
    later(world, action.type, filter_ids)


def reset_account_cdr(run: Run, action: Action) -> None:
    """Give the balances the values that the account's last rated CDR says they had.

    When nobody has read that CDR it is read after the commit, and the balances follow. Raises NotFound without one.
    """
    account = require_account(run)
    if run.last_summary is None:
        later(run.world, action.type, None, account.id)
    elif not run.last_summary:
        raise NotFound(subject="cdrs", subject_id=account.id)
    else:
        reset_to_summary(run.world, account, run.last_summary)


def reset_to_summary(world: World, account: Account, summary: Mapping[str, Any]) -> None:
    """Give the balances of an account, which is being edited, the values of a CDR's AccountSummary."""
    for line in summary.get("BalanceSummaries") or ():
        value = ValueFormula(nano_from_number(line["Value"]))
        set_balance(world, account, BalanceFilter(uuid=line["UUID"], type=line["Type"], value=value))


def set_dynamic_destinations(run: Run, action: Action) -> None:
    """Fill the account's `*ddc` destination from the metrics of the statistics named. Raises NotFound without one."""
    account = run.account
    if account is None:
        raise NotFound("nil account", subject="accounts")
    destination_id = next(
        (
            destination_id
            for group in account.balances.values()
            for balance in group or ()
            for destination_id in balance.destination_ids or ()
            if destination_id.startswith("*ddc")
        ),
        None,
    )
    if destination_id is None:
        raise NotFound(subject="destinations", subject_id="*ddc")
    prefixes: set[str] = set()
    for queue_id in filter(None, action.extra_parameters.split(";")):
        request = {"Tenant": account.tenant, "ID": queue_id}
        metric = call_method(run, "StatSv1.GetStatQueue", request)["SQMetrics"].get("*ddc")
        if metric is not None:
            prefixes.update(metric["FieldValues"])
    definition = {"Id": destination_id, "Prefixes": sorted(prefixes), "Overwrite": True}
    call_method(run, "APIerSv1.SetDestination", definition)
