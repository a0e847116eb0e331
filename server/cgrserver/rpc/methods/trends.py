"""TrendSv1, and the trend profiles of APIerSv1."""

from decimal import Decimal
from typing import Any

from cgrcore.money import nano_from_number
from cgrcore.queries import schedule, scheduled_of
from cgrcore.timing import ZERO_AT, format_time, parse_time
from cgrcore.trends import TrendProfile, remove_profile, runs_between, store_profile, trend_of
from cgrcore.world import World
from cgrserver.rpc.profiles import TenantIdArgs, change_cache, declare_profiles, texts
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []

TABLE = "trend_profiles"
SCHEDULE = "scheduled_trends"


class ProfileArgs(Args):
    Tenant: str = ""
    ID: str = ""
    Schedule: str = ""
    StatID: str = ""
    Metrics: list[str] | None = None
    TTL: int = 0
    QueueLength: int = 0
    MinItems: int = 0
    CorrelationType: str = ""
    Tolerance: Decimal = Decimal(0)
    Stored: bool = False
    ThresholdIDs: list[str] | None = None


class TrendArgs(Args):
    Tenant: str = ""
    ID: str = ""
    RunIndexStart: int = 0
    RunIndexEnd: int = 0
    RunTimeStart: str = ""
    RunTimeEnd: str = ""


class ScheduleArgs(Args):
    Tenant: str = ""
    ID: str = ""
    TrendIDs: list[str] | None = None


class ScheduledArgs(Args):
    Tenant: str = ""
    ID: str = ""
    TrendIDPrefixes: list[str] | None = None


@method("APIerSv1.SetTrendProfile", mandatory=("ID",), aliases=apier_names("SetTrendProfile"))
def set_trend_profile(world: World, args: ProfileArgs) -> str:
    """Keep a trend profile, in place of one with the same id; it is queried once it is scheduled."""
    change_cache(world, TABLE, args)
    store_profile(
        world,
        TrendProfile(
            tenant=world.tenant(args.Tenant),
            id=args.ID,
            schedule=args.Schedule,
            stat_id=args.StatID,
            metrics=texts(args.Metrics),
            ttl_ns=args.TTL,
            queue_length=args.QueueLength,
            min_items=args.MinItems,
            correlation=args.CorrelationType,
            tolerance_nano=nano_from_number(args.Tolerance),
            is_stored=args.Stored,
            threshold_ids=texts(args.ThresholdIDs),
        ),
    )
    return "OK"


declare_profiles(
    "TrendProfile",
    TABLE,
    "trend profile",
    drop=remove_profile,
    removed="Remove a trend profile and its runs; it is queried no more.",
    is_listed=False,
)


@method("TrendSv1.ScheduleQueries")
def schedule_queries(world: World, args: ScheduleArgs) -> int:
    """Query the trends named by their schedules from now on; return how many."""
    return schedule(world, TABLE, SCHEDULE, world.tenant(args.Tenant), args.TrendIDs or ())


@method("TrendSv1.GetTrend", mandatory=("ID",))
def get_trend(world: World, args: TrendArgs) -> dict[str, Any]:
    """Return a trend's runs, by their places or times if any are given."""
    trend = trend_of(world, f"{world.tenant(args.Tenant)}:{args.ID}")
    bounds = [_instant(world, text) for text in (args.RunTimeStart, args.RunTimeEnd)]
    return runs_between(trend, args.RunIndexStart, args.RunIndexEnd, *bounds).as_wire()


def _instant(world: World, text: str) -> int | None:
    at = parse_time(text, world.now_at).at if text else ZERO_AT
    return None if at == ZERO_AT else at


@method("TrendSv1.GetTrendSummary", mandatory=("ID",))
def get_trend_summary(world: World, args: TenantIdArgs) -> dict[str, Any]:
    """Return a trend's last run."""
    return trend_of(world, f"{world.tenant(args.Tenant)}:{args.ID}").summary()


@method("TrendSv1.GetScheduledTrends")
def get_scheduled_trends(world: World, args: ScheduledArgs) -> list[dict[str, str]]:
    """Return when a tenant's trends are queried next, and were last."""
    found = scheduled_of(world, SCHEDULE, world.tenant(args.Tenant), args.TrendIDPrefixes or ())
    return [
        {"TrendID": run.id, "Next": format_time(run.next_at), "Previous": format_time(run.previous_at)} for run in found
    ]
