"""The partitions of the cache, as CGRateS names them: which table each is a view of, which argument names its items.

Rules: `limit` 0 keeps nothing; with data_db *internal that holds for the partitions that CGRateS keeps nothing in.
Does not know: what has been looked up.
"""

import msgspec

from cgrcore.config import KEPT_BY_INTERNAL
from cgrcore.filters import ITEM_TABLES
from cgrcore.world import World

__all__ = ["BY_ARGUMENT", "BY_TABLE", "INDEX_TABLES", "PARTITIONS", "Partition", "limit_of", "names_of", "ttl_ns_of"]


class Partition(msgspec.Struct, frozen=True):
    """One partition: the table that it is a view of, "" for none; the argument that names its items.

    `profiles` is the table of profiles whose index, once it is built, holds the partition's items too; "" for none.
    """

    name: str
    table: str
    argument: str
    profiles: str = ""


#: Partition, table, argument of CacheSv1.LoadCache, and the table of profiles whose index holds the items.
_ROWS = """
*destinations destinations DestinationIDs
*reverse_destinations - ReverseDestinationIDs
*rating_plans rating_plans RatingPlanIDs
*rating_profiles rating_profiles RatingProfileIDs
*actions actions ActionIDs
*action_plans action_plans ActionPlanIDs
*account_action_plans account_action_plans AccountActionPlanIDs
*action_triggers action_triggers ActionTriggerIDs
*shared_groups shared_groups SharedGroupIDs
*timings timings TimingIDs
*resource_profiles resource_profiles ResourceProfileIDs resource_profiles
*resources resources ResourceIDs resource_profiles
*ip_profiles ip_profiles IPProfileIDs ip_profiles
*ip_allocations ip_allocations IPIDs ip_profiles
*statqueue_profiles stat_profiles StatsQueueProfileIDs stat_profiles
*statqueues stat_queues StatsQueueIDs stat_profiles
*ranking_profiles ranking_profiles RankingProfileIDs
*rankings rankings RankingIDs
*trend_profiles trend_profiles TrendProfileIDs
*trends trends TrendIDs
*threshold_profiles threshold_profiles ThresholdProfileIDs threshold_profiles
*thresholds thresholds ThresholdIDs threshold_profiles
*filters filters FilterIDs
*route_profiles route_profiles RouteProfileIDs route_profiles
*attribute_profiles attributes AttributeProfileIDs attributes
*charger_profiles chargers ChargerProfileIDs chargers
*dispatcher_profiles - DispatcherProfileIDs
*dispatcher_hosts - DispatcherHostIDs
*dispatchers - Dispatchers
*attribute_filter_indexes - AttributeFilterIndexIDs
*resource_filter_indexes - ResourceFilterIndexIDs
*ip_filter_indexes - IPFilterIndexIDs
*stat_filter_indexes - StatFilterIndexIDs
*threshold_filter_indexes - ThresholdFilterIndexIDs
*route_filter_indexes - RouteFilterIndexIDs
*charger_filter_indexes - ChargerFilterIndexIDs
*dispatcher_filter_indexes - DispatcherFilterIndexIDs
*reverse_filter_indexes - FilterIndexIDs
"""


def _partition(row: str) -> Partition:
    name, table, argument, *profiles = row.split()
    return Partition(name, "" if table == "-" else table, argument, *profiles)


#: The partitions that show something here, by name.
PARTITIONS = {found.name: found for found in map(_partition, _ROWS.strip().splitlines())}

BY_TABLE = {found.table: found for found in PARTITIONS.values() if found.table}
BY_ARGUMENT = {found.argument: found for found in PARTITIONS.values()}

#: The item type and the table of profiles by the partition of their index.
INDEX_TABLES = {index: (item_type, table) for item_type, (table, index) in ITEM_TABLES.items()}


def names_of(world: World) -> list[str]:
    """Return the names of all partitions that are configured, sorted."""
    return sorted(world.settings.get("caches", {}).get("partitions", {}))


def limit_of(world: World, name: str) -> int:
    """Return how many items a partition keeps: -1 without a limit, 0 none, as for a partition there is none of."""
    kept = world.settings.get("caches", {}).get("partitions", {}).get(name)
    if kept is None or (name in KEPT_BY_INTERNAL and world.settings["data_db"]["db_type"] == "*internal"):
        return 0
    return int(kept["limit"])


def ttl_ns_of(world: World, name: str) -> int:
    """Return how long a partition keeps an item after it was looked up, 0 for ever."""
    return int(world.settings["caches"]["partitions"][name]["ttl"] or 0)
