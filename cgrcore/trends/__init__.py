"""Trends: how metrics of stat queues grow from one query to the next."""

from cgrcore.queries import Scheduled
from cgrcore.trends.follow import growth_of, install, query, remove_profile, runs_between, store_profile, trend_of
from cgrcore.trends.records import Point, Run, Trend, TrendProfile

__all__ = [
    "TABLES",
    "Point",
    "Run",
    "Trend",
    "TrendProfile",
    "growth_of",
    "install",
    "query",
    "remove_profile",
    "runs_between",
    "store_profile",
    "trend_of",
]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"trend_profiles": TrendProfile, "trends": Trend, "scheduled_trends": Scheduled}
