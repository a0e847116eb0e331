"""Rankings: stat queues in order of what they measure."""

from cgrcore.queries import Scheduled
from cgrcore.rankings.order import in_order, install, query, ranking_of, remove_profile, store_profile
from cgrcore.rankings.records import Ranking, RankingProfile

__all__ = [
    "TABLES",
    "Ranking",
    "RankingProfile",
    "in_order",
    "install",
    "query",
    "ranking_of",
    "remove_profile",
    "store_profile",
]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"ranking_profiles": RankingProfile, "rankings": Ranking, "scheduled_rankings": Scheduled}
