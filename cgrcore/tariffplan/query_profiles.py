"""From a plan's profiles of trends and rankings to their records.

Does not know: when they are queried. A schedule that cannot be read is no mistake of a plan: the profile is kept.
"""

from cgrcore.rankings import RankingProfile
from cgrcore.tariffplan.mistakes import Spot
from cgrcore.tariffplan.profile_parts import texts
from cgrcore.tariffplan.records import TpRanking, TpTrend
from cgrcore.tariffplan.refer import Building
from cgrcore.trends import TrendProfile

__all__ = ["build_ranking", "build_trend"]


def build_trend(building: Building, key: str, item: TpTrend) -> TrendProfile:
    """Return the trend profile an object describes."""
    return TrendProfile(
        item.Tenant,
        item.ID,
        item.Schedule,
        item.StatID,
        texts(item.Metrics),
        building.duration(item.TTL, Spot("trends", key, "TTL")),
        item.QueueLength,
        item.MinItems,
        item.CorrelationType,
        building.amount(item.Tolerance, Spot("trends", key, "Tolerance")),
        item.Stored,
        texts(item.ThresholdIDs),
    )


def build_ranking(building: Building, key: str, item: TpRanking) -> RankingProfile:
    """Return the ranking profile an object describes."""
    return RankingProfile(
        item.Tenant,
        item.ID,
        item.Schedule,
        texts(item.StatIDs),
        texts(item.MetricIDs),
        item.Sorting,
        texts(item.SortingParameters),
        item.Stored,
        texts(item.ThresholdIDs),
    )
