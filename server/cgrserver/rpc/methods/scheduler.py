"""Methods on action plans, and on the scheduler that runs them."""

from decimal import Decimal
from typing import Any

from cgrcore.accounting import account_id_of
from cgrcore.errors import BadRequest, Conflict, NotFound, server_error
from cgrcore.filters.timings import is_timing_active
from cgrcore.money import nano_from_number
from cgrcore.scheduling import ActionPlan, ActionTiming
from cgrcore.scheduling.due import reload_schedule, scheduled_accounts, scheduled_runs, time_zone
from cgrcore.scheduling.next_run import next_run
from cgrcore.scheduling.plans import plans_of, remove_plan, remove_timings, set_plan
from cgrcore.scheduling.replay import replay_plan, replay_plans_for, replay_time
from cgrcore.scheduling.texts import TimingText, build_timing
from cgrcore.timing import ZERO_AT, format_time, parse_time
from cgrcore.world import World
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []


class AttrActionPlan(Args):
    ActionsId: str = ""
    TimingID: str = ""
    Years: str = ""
    Months: str = ""
    MonthDays: str = ""
    WeekDays: str = ""
    Time: str = ""
    Weight: Decimal = Decimal(0)


class SetActionPlanArgs(Args):
    Id: str = ""
    ActionPlan: list[AttrActionPlan] | None = None
    Overwrite: bool = False
    ReloadScheduler: bool = False


class SetActionPlanAccountsArgs(Args):
    Id: str = ""
    ActionPlan: list[AttrActionPlan] | None = None
    AccountIDs: list[str] | None = None
    Overwrite: bool = False
    ReloadScheduler: bool = False


@method("APIerSv1.SetActionPlan", mandatory=("Id", "ActionPlan"), aliases=apier_names("SetActionPlan"))
def set_action_plan(world: World, args: SetActionPlanArgs) -> str:
    """Define an action plan; the accounts of the one it replaces are detached."""
    return _set_plan(world, args.Id, args.ActionPlan or [], None, args)


@method("APIerSv1.SetActionPlanAccounts", mandatory=("Id", "ActionPlan"), aliases=apier_names("SetActionPlanAccounts"))
def set_action_plan_accounts(world: World, args: SetActionPlanAccountsArgs) -> str:
    """Define an action plan together with its accounts, given by their full ids."""
    return _set_plan(world, args.Id, args.ActionPlan or [], args.AccountIDs or [], args)


def _set_plan(
    world: World,
    plan_id: str,
    items: list[AttrActionPlan],
    account_ids: list[str] | None,
    args: SetActionPlanArgs | SetActionPlanAccountsArgs,
) -> str:
    for item in items:
        missing = [name for name in ("ActionsId", "Time") if not getattr(item, name)]
        if missing:
            raise BadRequest(f"MANDATORY_IE_MISSING:Action:{item.ActionsId}:[{' '.join(missing)}]")
    for item in items:
        if item.ActionsId not in world.state.table("actions"):
            raise NotFound(f"BROKEN_REFERENCE:{item.ActionsId}")
    if not args.Overwrite and plan_id in world.state.table("action_plans"):
        raise Conflict(subject="action_plans", subject_id=plan_id)
    set_plan(world, plan_id, [_timing_of(world, item) for item in items], account_ids)
    if args.ReloadScheduler:
        reload_schedule(world)
    return "OK"


def _timing_of(world: World, item: AttrActionPlan) -> ActionTiming:
    names = ("TimingID", "Years", "Months", "MonthDays", "WeekDays", "Time")
    text = TimingText(**{name: getattr(item, name) for name in names})
    stored = None if item.TimingID.startswith("*") else world.state.table("timings").get(item.TimingID)
    timing = build_timing(text, stored, world.now_at, time_zone(world))
    return ActionTiming(world.new_id(), timing, item.ActionsId, nano_from_number(item.Weight))


class PlanArgs(Args):
    ID: str = ""


@method("APIerSv1.GetActionPlan", aliases=apier_names("GetActionPlan"))
def get_action_plan(world: World, args: PlanArgs) -> list[dict[str, Any]]:
    """Show an action plan, all without id."""
    plans = world.state.table("action_plans")
    if not args.ID:
        return [plans.records[plan_id].as_wire() for plan_id in sorted(plans)]
    plan: ActionPlan = plans.require(args.ID)
    return [plan.as_wire()]


class PageArgs(Args):
    Tenant: str = ""
    Search: str = ""
    Limit: int | None = None
    Offset: int | None = None


@method("APIerSv1.GetActionPlanIDs", aliases=apier_names("GetActionPlanIDs"))
def get_action_plan_ids(world: World, args: PageArgs) -> list[str]:
    """List the ids of action plans that begin with a text."""
    ids = sorted(plan_id for plan_id in world.state.table("action_plans") if plan_id.startswith(args.Search))
    if not ids:
        raise NotFound(subject="action_plans")
    return _page(ids, args.Offset, args.Limit)


def _page(items: list[Any], offset: int | None, limit: int | None) -> list[Any]:
    items = items[offset:] if offset is not None and offset > 0 else items
    return items[:limit] if limit is not None and limit > 0 else items


@method("APIerSv1.RemoveActionPlan", mandatory=("ID",), aliases=apier_names("RemoveActionPlan"))
def remove_action_plan(world: World, args: PlanArgs) -> str:
    """Remove an action plan and detach its accounts."""
    remove_plan(world, args.ID)
    return "OK"


class RemoveTimingArgs(Args):
    ActionPlanId: str = ""
    ActionTimingId: str = ""
    Tenant: str = ""
    Account: str = ""
    ReloadScheduler: bool = False


@method("APIerSv1.RemoveActionTiming", mandatory=("ActionPlanId",), aliases=apier_names("RemoveActionTiming"))
def remove_action_timing(world: World, args: RemoveTimingArgs) -> str:
    """Remove a timing from a plan, or an account, or the whole plan."""
    account_id = account_id_of(world.tenant(args.Tenant), args.Account) if args.Account else ""
    try:
        remove_timings(world, args.ActionPlanId, args.ActionTimingId, account_id)
    except NotFound as error:
        raise server_error(error) from None
    if args.ReloadScheduler:
        reload_schedule(world)
    return "OK"


class AccountArgs(Args):
    Tenant: str = ""
    Account: str = ""


@method("APIerSv1.GetAccountActionPlan", aliases=apier_names("GetAccountActionPlan"))
def get_account_action_plan(world: World, args: AccountArgs) -> list[dict[str, Any]]:
    """Show what the plans of an account run next."""
    if not args.Account:
        raise BadRequest("MANDATORY_IE_MISSING: [Account ]")
    return [
        {
            "ActionPlanId": plan.id,
            "Uuid": timing.uuid,
            "ActionsId": timing.actions_id,
            "NextExecTime": format_time(_next_at(world, timing)),
        }
        for plan in plans_of(world, account_id_of(world.tenant(args.Tenant), args.Account))
        for timing in plan.timings
    ]


def _next_at(world: World, timing: ActionTiming) -> int:
    found = None if timing.timing is None else next_run(timing.timing, world.now_at, time_zone(world))
    return ZERO_AT if found is None else found


class ScheduledArgs(Args):
    Tenant: str | None = None
    Account: str | None = None
    TimeStart: str | None = None
    TimeEnd: str | None = None
    Limit: int | None = None
    Offset: int | None = None


@method("APIerSv1.GetScheduledActions", aliases=apier_names("GetScheduledActions"))
def get_scheduled_actions(world: World, args: ScheduledArgs) -> list[dict[str, Any]]:
    """List the runs ahead, as of the scheduler's last reload."""
    if not world.settings.get("schedulers", {}).get("enabled"):
        raise NotFound("SCHEDULER_NOT_RUNNING")
    start_at = _instant(world, args.TimeStart)
    end_at = _instant(world, args.TimeEnd)
    found = [
        {
            "NextRunTime": format_time(run.due_at),
            "Accounts": len(scheduled_accounts(world, run.uuid)),
            "ActionPlanID": run.plan_id,
            "ActionTimingUUID": run.uuid,
            "ActionsID": run.actions_id,
        }
        for run in scheduled_runs(world)
        if (start_at == ZERO_AT or run.due_at >= start_at)
        and (end_at == ZERO_AT or run.due_at < end_at)
        and _is_for(scheduled_accounts(world, run.uuid), args.Tenant, args.Account)
    ]
    # An offset beyond the end is passed over, as it always was.
    if args.Offset is not None and 0 <= args.Offset <= len(found):
        found = found[args.Offset :]
    if args.Limit is not None and 0 <= args.Limit <= len(found):
        found = found[: args.Limit]
    if not found:
        raise NotFound(subject="scheduled_runs")
    return found


def _instant(world: World, text: str | None) -> int:
    return ZERO_AT if text is None else parse_time(text, world.now_at).at


def _is_for(account_ids: tuple[str, ...], tenant: str | None, account: str | None) -> bool:
    if tenant is None and account is None:
        return True
    for account_id in account_ids:
        its_tenant, _, its_account = account_id.partition(":")
        if (tenant is None or tenant == its_tenant) and (account is None or account == its_account):
            return True
    return False


class TenantArgs(Args):
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


@method("APIerSv1.ComputeAccountActionPlans", aliases=apier_names("ComputeAccountActionPlans"))
def compute_account_action_plans(world: World, args: TenantArgs) -> str:
    """Accepted: what plans an account has is written with the attachment and is never stale."""
    return "OK"


@method("APIerSv1.ComputeActionPlanIndexes", args=str, aliases=apier_names("ComputeActionPlanIndexes"))
def compute_action_plan_indexes(world: World, args: str) -> str:
    """Accepted: what plans an account has is written with the attachment and is never stale."""
    return "OK"


class TimingArgs(Args):
    TimingID: str = ""
    Time: str = ""


@method("APIerSv1.TimingIsActiveAt", aliases=apier_names("TimingIsActiveAt"))
def timing_is_active_at(world: World, args: TimingArgs) -> bool:
    """Tell whether a stored timing is active at a time."""
    moment = parse_time(args.Time, world.now_at, time_zone(world))
    timing = world.state.table("timings").require(args.TimingID)
    return is_timing_active(timing, moment)


class OptionsArgs(Args):
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


@method("SchedulerSv1.Reload")
def reload_scheduler(world: World, args: OptionsArgs) -> str:
    """Run the waiting tasks, and schedule every plan anew."""
    reload_schedule(world)
    return "OK"


class ExecuteActionsArgs(Args):
    ActionPlanID: str = ""
    TimeStart: str | None = None
    TimeEnd: str | None = None
    APIOpts: dict[str, Any] | None = None
    Tenant: str = ""


@method("SchedulerSv1.ExecuteActions")
def execute_actions(world: World, args: ExecuteActionsArgs) -> str:
    """Run a plan now, or every plan as it would have run between two times."""
    start_at, end_at = _instant(world, args.TimeStart), _instant(world, args.TimeEnd)
    if args.ActionPlanID:
        replay_plan(world, args.ActionPlanID)
    if start_at != ZERO_AT and end_at != ZERO_AT:
        replay_time(world, start_at, end_at)
    return "OK"


class ExecutePlansArgs(Args):
    ActionPlanIDs: list[str] | None = None
    Tenant: str = ""
    AccountID: str = ""
    APIOpts: dict[str, Any] | None = None


@method("SchedulerSv1.ExecuteActionPlans")
def execute_action_plans(world: World, args: ExecutePlansArgs) -> str:
    """Run plans now for one account, which is made when it is missing."""
    replay_plans_for(world, args.ActionPlanIDs or [], account_id_of(args.Tenant, args.AccountID))
    return "OK"
