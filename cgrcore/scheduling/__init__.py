"""Scheduling: when the actions of plans are due, on a clock that is handed in."""

from cgrcore.scheduling.records import (
    AccountPlans,
    ActionPlan,
    ActionTiming,
    DueTasks,
    ScheduledAccounts,
    ScheduledRun,
    Task,
)

__all__ = ["TABLES", "AccountPlans", "ActionPlan", "ActionTiming", "ScheduledAccounts", "ScheduledRun", "Task"]

#: The tables of this subject, and the type of their records.
TABLES: dict[str, type] = {
    "action_plans": ActionPlan,
    "account_action_plans": AccountPlans,
    "tasks": Task,
    "due_tasks": DueTasks,
    "scheduled_runs": ScheduledRun,
    "scheduled_accounts": ScheduledAccounts,
}
