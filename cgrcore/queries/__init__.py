"""Queries of statistics on a schedule: what trends and rankings share."""

from cgrcore.queries.cron import Cron, parse_cron
from cgrcore.queries.schedule import (
    Scheduled,
    next_due_at,
    run_due,
    schedule,
    schedule_configured,
    scheduled_of,
    unschedule,
)
from cgrcore.queries.tell import tell_thresholds

__all__ = [
    "Cron",
    "Scheduled",
    "next_due_at",
    "parse_cron",
    "run_due",
    "schedule",
    "schedule_configured",
    "scheduled_of",
    "tell_thresholds",
    "unschedule",
]
