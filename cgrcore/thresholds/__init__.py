"""Thresholds: events that cause actions when they come often enough."""

from cgrcore.thresholds.process import process_event, remove_profile, reset, store_profile, threshold_of, thresholds_for
from cgrcore.thresholds.records import WITHOUT_LIMIT, Threshold, ThresholdProfile
from cgrcore.thresholds.updates import install, update_event

__all__ = [
    "TABLES",
    "WITHOUT_LIMIT",
    "Threshold",
    "ThresholdProfile",
    "install",
    "process_event",
    "remove_profile",
    "reset",
    "store_profile",
    "threshold_of",
    "thresholds_for",
    "update_event",
]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"threshold_profiles": ThresholdProfile, "thresholds": Threshold}
