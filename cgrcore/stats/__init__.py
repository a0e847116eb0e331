"""Statistics over events: queues of the latest, and what they measure."""

from cgrcore.stats.process import install, process_event, profile_of, profiles_for, remove_profile, store_profile
from cgrcore.stats.queues import drop_queue, numbers_of, queue_of, texts_of
from cgrcore.stats.records import Item, Metric, StatProfile, StatQueue, Total
from cgrcore.stats.wire import queue_as_wire

__all__ = [
    "TABLES",
    "Item",
    "Metric",
    "StatProfile",
    "StatQueue",
    "Total",
    "drop_queue",
    "install",
    "numbers_of",
    "process_event",
    "profile_of",
    "profiles_for",
    "queue_as_wire",
    "queue_of",
    "remove_profile",
    "store_profile",
    "texts_of",
]

#: The tables of this subject, with their records; keys are `tenant:id`, of items `tenant:id:number`.
TABLES: dict[str, type] = {"stat_profiles": StatProfile, "stat_queues": StatQueue, "stat_items": Item}
