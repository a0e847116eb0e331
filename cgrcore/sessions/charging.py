"""Charging a session slice by slice: what a run may use next, and what it owes in the end.

A slice is what one update asks for. Usage that was paid and not used goes to the run's reserve and is spent first;
what is used beyond a grant is charged with the next slice. Does not know: how sessions are found, stored or listed.
"""

from typing import Any

from cgrcore.accounting import (
    account_id_of,
    account_state,
    charge_rest,
    charge_slice,
    max_usage,
    refund_increments,
    refund_rounding,
)
from cgrcore.errors import BadRequest
from cgrcore.event import usage_of
from cgrcore.rating import Call, EventCost, pause_cost
from cgrcore.scheduling.dynaprepaid import make_dynaprepaid_account
from cgrcore.sessions.records import Session, SessionRun
from cgrcore.world import World

__all__ = ["UNLIMITED", "default_usage", "ensure_account", "grant", "reserve_slice", "run_call", "settle", "told_usage"]

#: What a debit loop answers for the usage it will pay for: without limit.
UNLIMITED = -1

#: Whose credit decides how long a call may be; what is debited while it runs. Words without a star: by their CDR only.
AUTHORISED = frozenset(("*prepaid", "*dynaprepaid", "*pseudoprepaid"))
DEBITED = frozenset(("*prepaid", "*dynaprepaid"))


def told_usage(event: dict[str, Any], name: str) -> int | None:
    """Return what an event says of usage (ns), None when it says nothing.

    Raises BadRequest for what cannot be read and for less than nothing, which would be credit for whoever says it.
    """
    told_ns = usage_of(event.get(name))
    if told_ns is not None and told_ns < 0:
        raise BadRequest(f"negative {name}: {told_ns} ns")
    return told_ns


def default_usage(world: World, tor: str) -> int:
    """Return the usage a request without one stands for, by type of record (ns or units)."""
    by_tor: dict[str, int] = world.settings["sessions"]["default_usage"]
    return by_tor.get(tor or "*voice", by_tor["*any"])


def run_call(
    world: World,
    session: Session,
    run: SessionRun,
    usage_ns: int,
    *,
    start_at: int | None = None,
    index_ns: int | None = None,
) -> Call:
    """Return the run's next `usage_ns` as a call to rate."""
    event = run.event
    account = _text(event, "Account")
    return Call(
        tenant=session.tenant,
        category=_text(event, "Category") or world.settings["general"]["default_category"],
        subject=_text(event, "Subject") or account,
        account=account,
        destination=_text(event, "Destination"),
        tor=_text(event, "ToR"),
        start_at=run.start.at if start_at is None else start_at,
        offset_s=run.start.offset_s,
        usage_ns=usage_ns,
        duration_index_ns=usage_ns if index_ns is None else index_ns,
        is_first=run.slices == 0,
        max_cost_so_far_nano=run.max_cost_so_far_nano,
        extra_fields=run.extra_fields,
    )


def _text(event: dict[str, Any], name: str) -> str:
    value = event.get(name)
    if type(value) is str:
        return value
    return "" if value is None else str(value)


def reserve_slice(
    world: World, session: Session, run: SessionRun, usage_ns: int, last_used_ns: int | None, *, is_forced: bool
) -> int:
    """Reserve `usage_ns` more for a run and return how much is granted (ns).

    `last_used_ns` is what was used of the grant before. With `is_forced`, less than all is an error.
    Raises Refused as `max_debit` does; then nothing is reserved.
    """
    if last_used_ns is not None and last_used_ns != run.last_usage_ns:
        run.reserve_ns += run.last_usage_ns - last_used_ns
        run.total_usage_ns += last_used_ns - run.last_usage_ns
        run.last_usage_ns = last_used_ns
    if not session.is_chargeable:
        _pause(world, session, run, usage_ns)
        return usage_ns
    if run.reserve_ns >= usage_ns:
        run.reserve_ns -= usage_ns
        run.last_usage_ns = usage_ns
        run.total_usage_ns += usage_ns
        return usage_ns
    ensure_account(world, session, run)
    wanted_ns = usage_ns - run.reserve_ns
    start_at = run.end_at if run.slices else run.start.at
    call = run_call(world, session, run, wanted_ns, start_at=start_at, index_ns=run.usage_index_ns + wanted_ns)
    charged = charge_slice(world, call, session.cgrid, run.run_id, is_forced=is_forced)
    paid_ns = charged.usage_ns
    if paid_ns >= wanted_ns:
        run.reserve_ns = paid_ns - wanted_ns
        granted_ns = usage_ns
    else:
        granted_ns = paid_ns + run.reserve_ns
        run.reserve_ns = min(granted_ns, 0)
        granted_ns = max(granted_ns, 0)
    run.end_at = start_at + paid_ns
    run.usage_index_ns += paid_ns
    run.max_cost_so_far_nano += charged.cost_nano
    run.slices += 1
    run.last_usage_ns = granted_ns
    run.total_usage_ns += granted_ns
    if charged.cost is not None:
        _merge(run, charged.cost)
    return granted_ns


def ensure_account(world: World, session: Session, run: SessionRun) -> None:
    """Make the account of a `*dynaprepaid` run if there is none. Raises BadRequest when that is not set up."""
    if run.request_type == "*dynaprepaid":
        account_id = account_id_of(session.tenant, _text(run.event, "Account"))
        make_dynaprepaid_account(world, account_id, "sessions")


def _pause(world: World, session: Session, run: SessionRun, usage_ns: int) -> None:
    """Note usage that is not charged."""
    start_at = run.end_at if run.slices else run.start.at
    _merge(run, pause_cost(session.cgrid, run.run_id, start_at, run.start.offset_s, usage_ns))
    run.last_usage_ns = usage_ns
    run.total_usage_ns += usage_ns
    run.usage_index_ns += usage_ns
    run.end_at = start_at + usage_ns
    run.slices += 1


def _merge(run: SessionRun, cost: EventCost) -> None:
    run.cost = cost if run.cost is None else run.cost.merge(cost)


def grant(world: World, session: Session, event: dict[str, Any], *, is_forced: bool = False) -> dict[str, int]:
    """Reserve for every run what the event asks for; return what each may use (ns)."""
    tor = _text(event, "ToR")
    wanted = told_usage(event, "Usage")
    usage_ns = default_usage(world, tor) if wanted is None else wanted
    last_used_ns = told_usage(event, "LastUsed")
    total_ns = told_usage(event, "TotalUsage")
    granted = {}
    for run in session.runs:
        run_usage_ns, run_last_ns = usage_ns, last_used_ns
        if total_ns is not None:
            run_usage_ns = max(total_ns - run.total_usage_ns, 0)
            if total_ns < run.total_usage_ns:
                run_last_ns = run.last_usage_ns + run.total_usage_ns - total_ns
        granted[run.run_id] = _grant_run(world, session, run, run_usage_ns, run_last_ns, is_forced)
    return granted


def _grant_run(
    world: World, session: Session, run: SessionRun, usage_ns: int, last_used_ns: int | None, is_forced: bool
) -> int:
    if run.request_type in DEBITED:
        if session.debit_interval_ns > 0:
            return usage_ns
        return reserve_slice(world, session, run, usage_ns, last_used_ns, is_forced=is_forced)
    if run.request_type == "*pseudoprepaid":
        usage_ns = run.usage_index_ns = run.usage_index_ns or usage_ns
        affordable_ns = max_usage(world, run_call(world, session, run, usage_ns))
        return usage_ns if affordable_ns == UNLIMITED else min(affordable_ns, usage_ns)
    return usage_ns


def settle(world: World, session: Session, run: SessionRun, usage_ns: int | None, last_used_ns: int | None) -> int:
    """Make the run's cost that of its final usage and return that usage (ns).

    What was used beyond the reservation is charged, into debt if need be; what was reserved and not used is refunded in
    whole increments. `usage_ns` is the call's whole usage; without it, the grants corrected by `last_used_ns` count.
    """
    if usage_ns is not None:
        run.total_usage_ns = usage_ns
    elif last_used_ns is not None and last_used_ns != run.last_usage_ns:
        run.total_usage_ns += last_used_ns - run.last_usage_ns
        run.last_usage_ns = last_used_ns
    final_ns = run.total_usage_ns
    cost = run.cost
    if cost is None:
        return final_ns
    missing_ns = final_ns - cost.usage_ns
    if missing_ns > 0:
        _charge_rest(world, session, run, missing_ns)
    elif missing_ns < 0:
        cost, rest = cost.trim(final_ns)
        if rest is not None:
            refund_increments(world, rest, _text(run.event, "ToR"))
        run.cost = cost
    assert run.cost is not None
    run.cost = _with_account(world, session, run, refund_rounding(world, run.cost))
    return final_ns


def _with_account(world: World, session: Session, run: SessionRun, cost: EventCost) -> EventCost:
    """Return the cost with the account as it is after the refund."""
    account = world.state.table("accounts").get(account_id_of(session.tenant, _text(run.event, "Account")))
    return cost if account is None else cost.with_account(account_state(account))


def _charge_rest(world: World, session: Session, run: SessionRun, usage_ns: int) -> None:
    if not session.is_chargeable:
        _pause(world, session, run, usage_ns)
        return
    start_at = run.end_at if run.slices else run.start.at
    call = run_call(world, session, run, usage_ns, start_at=start_at, index_ns=run.usage_index_ns + usage_ns)
    charged = charge_rest(world, call, session.cgrid, run.run_id)
    run.end_at = start_at + charged.usage_ns
    run.usage_index_ns += charged.usage_ns
    run.slices += 1
    run.max_cost_so_far_nano += charged.cost_nano
    if charged.cost is not None:
        _merge(run, charged.cost)
