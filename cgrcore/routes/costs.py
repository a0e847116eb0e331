"""What a call costs on a route: first what the route's accounts can pay for, then the rest by its rating plans."""

from decimal import Decimal
from typing import Any

from cgrcore.accounting import max_usage
from cgrcore.errors import CgrError, NotFound, Refused, mandatory_missing
from cgrcore.event import CgrEvent, text_of, usage_of
from cgrcore.money import number_from_nano
from cgrcore.rating import Call, quote, quote_on_plan
from cgrcore.routes.records import Route
from cgrcore.timing import MINUTE_NS, Moment, parse_time
from cgrcore.world import World

__all__ = ["cost_of_event", "cost_of_route"]

#: A call whose length is not told is priced as this long.
DEFAULT_USAGE_NS = MINUTE_NS


def _text(event: CgrEvent, name: str) -> str:
    value = text_of(event.event.get(name))
    if not value:
        raise mandatory_missing((name,))
    return value


def _start(world: World, event: CgrEvent) -> Moment:
    return parse_time(_text(event, "SetupTime"), world.now_at)


def _usage(event: CgrEvent) -> int:
    usage_ns = usage_of(event.event.get("Usage"))
    return DEFAULT_USAGE_NS if usage_ns is None else usage_ns


def _call(world: World, event: CgrEvent, category: str, subject: str, account: str, usage_ns: int) -> Call:
    destination = _text(event, "Destination")
    start = _start(world, event)
    return Call(
        tenant=event.tenant,
        category=category,
        subject=subject,
        account=account,
        destination=destination,
        tor="*voice",
        start_at=start.at,
        offset_s=start.offset_s,
        usage_ns=usage_ns,
        duration_index_ns=usage_ns,
    )


def cost_of_route(world: World, event: CgrEvent, route: Route) -> dict[str, Any]:
    """Return the cost of an event on a route, with the account and the plan that price it.

    Raises BadRequest MANDATORY_IE_MISSING for what the event lacks, Refused UNAUTHORIZED_DESTINATION.
    """
    usage_ns = _usage(event)
    _call(world, event, "", "", "", usage_ns)
    data: dict[str, Any] = {}
    if route.account_ids:
        account, covered_ns = _on_accounts(world, event, route, usage_ns)
        data |= {"Account": account, "MaxUsage": covered_ns}
        usage_ns -= covered_ns
    data["Cost"] = 0
    if usage_ns > 0:
        plan_id, cost = _on_plans(world, event, route, usage_ns)
        data |= {"Cost": cost, "RatingPlanID": plan_id}
    return data


def _on_accounts(world: World, event: CgrEvent, route: Route, usage_ns: int) -> tuple[str, int]:
    """Return the first account that can pay for some of the call, and for how much of it (ns)."""
    subject = text_of(event.event.get("Subject"))
    failure: CgrError = NotFound("ACCOUNT_NOT_FOUND")
    without_credit = ""
    for account in route.account_ids or ():
        try:
            affordable_ns = max_usage(world, _call(world, event, "*routes", subject or account, account, usage_ns))
        except CgrError as error:
            failure = error
            continue
        if affordable_ns:
            return account, usage_ns if affordable_ns < 0 else min(affordable_ns, usage_ns)
        without_credit = account
    if not without_credit:
        raise failure
    return without_credit, 0


def _on_plans(world: World, event: CgrEvent, route: Route, usage_ns: int) -> tuple[str, int | Decimal]:
    """Return the first plan and what the event costs by it; no other is asked."""
    call = _call(world, event, "*rating_plan_cost", "*any", "", usage_ns)
    if not route.rating_plan_ids:
        raise Refused("UNAUTHORIZED_DESTINATION")
    plan_id = route.rating_plan_ids[0]
    return plan_id, number_from_nano(quote_on_plan(world, call, plan_id).cost_nano)


def cost_of_event(world: World, event: CgrEvent) -> int:
    """Return what the event costs by the tariff (amount scaled by 10^-9): what it may cost at most on a route."""
    account = _text(event, "Account")
    subject = text_of(event.event.get("Subject")) or account
    return quote(world, _call(world, event, _text(event, "Category"), subject, account, _usage(event))).cost_nano
