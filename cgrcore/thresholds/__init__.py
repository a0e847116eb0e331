"""Thresholds: events that cause actions when they come often enough."""

from cgrcore.thresholds.process import process_event, remove_profile, reset, store_profile, threshold_of, thresholds_for
from cgrcore.thresholds.records import WITHOUT_LIMIT, Threshold, ThresholdProfile
from cgrcore.thresholds.updates import install, update_event
from cgrcore.thresholds.watchers import Watcher, stop_watching, watch

__all__ = [
    "TABLES",
    "WITHOUT_LIMIT",
    "Threshold",
    "ThresholdProfile",
    "Watcher",
    "install",
    "process_event",
    "remove_profile",
    "reset",
    "stop_watching",
    "store_profile",
    "threshold_of",
    "thresholds_for",
    "update_event",
    "watch",
]

#: The tables of this subject, with their records; the key is `tenant:id`, of watchers the id alone.
TABLES: dict[str, type] = {
    "threshold_profiles": ThresholdProfile,
    "thresholds": Threshold,
    "threshold_watchers": Watcher,
}
