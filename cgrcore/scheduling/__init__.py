"""Scheduling: when the actions of plans are due, on a clock that is handed in."""

from cgrcore.scheduling.records import AccountPlans, ActionPlan, ActionTiming, ScheduledRun, Task

__all__ = ["TABLES", "AccountPlans", "ActionPlan", "ActionTiming", "ScheduledRun", "Task"]

#: The tables of this subject, and the type of their records.
TABLES: dict[str, type] = {
    "action_plans": ActionPlan,
    "account_action_plans": AccountPlans,
    "tasks": Task,
    "scheduled_runs": ScheduledRun,
}
