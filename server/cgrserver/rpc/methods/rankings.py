"""RankingSv1, and the ranking profiles of APIerSv1."""

from typing import Any

from cgrcore.queries import schedule, scheduled_of
from cgrcore.rankings import RankingProfile, ranking_of, remove_profile, store_profile
from cgrcore.timing import format_time
from cgrcore.world import World
from cgrserver.rpc.profiles import TenantIdArgs, change_cache, declare_profiles, texts
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []

TABLE = "ranking_profiles"
SCHEDULE = "scheduled_rankings"


class ProfileArgs(Args):
    Tenant: str = ""
    ID: str = ""
    Schedule: str = ""
    StatIDs: list[str] | None = None
    MetricIDs: list[str] | None = None
    Sorting: str = ""
    SortingParameters: list[str] | None = None
    Stored: bool = False
    ThresholdIDs: list[str] | None = None


class ScheduleArgs(Args):
    Tenant: str = ""
    ID: str = ""
    RankingIDs: list[str] | None = None


class ScheduledArgs(Args):
    Tenant: str = ""
    ID: str = ""
    RankingIDPrefixes: list[str] | None = None


@method("APIerSv1.SetRankingProfile", mandatory=("ID",), aliases=apier_names("SetRankingProfile"))
def set_ranking_profile(world: World, args: ProfileArgs) -> str:
    """Keep a ranking profile, in place of one with the same id; it is queried once it is scheduled."""
    change_cache(world, TABLE, args)
    store_profile(
        world,
        RankingProfile(
            tenant=world.tenant(args.Tenant),
            id=args.ID,
            schedule=args.Schedule,
            stat_ids=texts(args.StatIDs),
            metric_ids=texts(args.MetricIDs),
            sorting=args.Sorting,
            sorting_parameters=texts(args.SortingParameters),
            is_stored=args.Stored,
            threshold_ids=texts(args.ThresholdIDs),
        ),
    )
    return "OK"


declare_profiles(
    "RankingProfile",
    TABLE,
    "ranking profile",
    drop=remove_profile,
    removed="Remove a ranking profile and what it found; it is queried no more.",
)


@method("RankingSv1.ScheduleQueries")
def schedule_queries(world: World, args: ScheduleArgs) -> int:
    """Query the rankings named by their schedules from now on; return how many."""
    return schedule(world, TABLE, SCHEDULE, world.tenant(args.Tenant), args.RankingIDs or ())


@method("RankingSv1.GetRanking", mandatory=("ID",))
def get_ranking(world: World, args: TenantIdArgs) -> dict[str, Any]:
    """Return what a ranking's last query read, and the order it found."""
    return ranking_of(world, f"{world.tenant(args.Tenant)}:{args.ID}").as_wire()


@method("RankingSv1.GetRankingSummary", mandatory=("ID",))
def get_ranking_summary(world: World, args: TenantIdArgs) -> dict[str, Any]:
    """Return the order that a ranking's last query found."""
    return ranking_of(world, f"{world.tenant(args.Tenant)}:{args.ID}").summary()


@method("RankingSv1.GetSchedule")
def get_schedule(world: World, args: ScheduledArgs) -> list[dict[str, str]]:
    """Return when a tenant's rankings are queried next, and were last."""
    found = scheduled_of(world, SCHEDULE, world.tenant(args.Tenant), args.RankingIDPrefixes or ())
    return [
        {"RankingID": run.id, "Next": format_time(run.next_at), "Previous": format_time(run.previous_at)}
        for run in found
    ]
