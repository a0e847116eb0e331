"""When actions are due: action plans, their timings, the tasks that run as soon as possible, and the runs ahead.

Rules: records are frozen; a plan names the accounts it is for; an account's plans stand in their own table as well, so
that either is found from the other. Does not know: clocks, how an action runs.
"""

from typing import Any

import msgspec

from cgrcore.money import number_from_nano
from cgrcore.rating.records import Timing

__all__ = ["AccountPlans", "ActionPlan", "ActionTiming", "DueTasks", "ScheduledAccounts", "ScheduledRun", "Task"]


class ActionTiming(msgspec.Struct, frozen=True):
    """Run the action set `actions_id` at the times of `timing`. Runs of one instant go by weight, the highest first."""

    uuid: str
    timing: Timing | None
    actions_id: str
    weight_nano: int = 0
    extra_data: Any = None

    def as_wire(self) -> dict[str, Any]:
        timing = None if self.timing is None else {"Timing": self.timing.as_wire(), "Rating": None, "Weight": 0}
        return {
            "Uuid": self.uuid,
            "Timing": timing,
            "ActionsID": self.actions_id,
            "ExtraData": self.extra_data,
            "Weight": number_from_nano(self.weight_nano),
        }


class ActionPlan(msgspec.Struct, frozen=True):
    """What runs when, and for which accounts (None or none: for no account). Table "action_plans", key: id."""

    id: str
    timings: tuple[ActionTiming, ...]
    account_ids: dict[str, bool] | None = None

    def as_wire(self) -> dict[str, Any]:
        return {
            "Id": self.id,
            "AccountIDs": self.account_ids,
            "ActionTimings": [timing.as_wire() for timing in self.timings],
        }


class AccountPlans(msgspec.Struct, frozen=True):
    """The plans an account is attached to. Table "account_action_plans", key: account id (`tenant:account`)."""

    account_id: str
    plan_ids: tuple[str, ...]


class Task(msgspec.Struct, frozen=True):
    """An action set to run for one account at the next reload of the scheduler. Table "tasks", key: uuid.

    Tasks run in the order of `queued_at`, then of `place`: all that one decision queued have the same instant.
    """

    uuid: str
    account_id: str
    actions_id: str
    queued_at: int = 0
    place: int = 0

    def as_wire(self) -> dict[str, Any]:
        return {"Uuid": self.uuid, "AccountID": self.account_id, "ActionsID": self.actions_id}


class DueTasks(msgspec.Struct, frozen=True):
    """The tasks queued until an instant are due: a reload had more of them than are run at once. Table "due_tasks"."""

    until_at: int


class ScheduledRun(msgspec.Struct, frozen=True):
    """The next run of one timing of a plan, as the scheduler loaded it. Table "scheduled_runs", key: the timing's uuid.

    `done_count` of its accounts have had this run already. A run that comes once only stays with `due_at` at `ZERO_AT`
    when it is over.
    """

    uuid: str
    plan_id: str
    actions_id: str
    due_at: int
    weight_nano: int = 0
    done_count: int = 0


class ScheduledAccounts(msgspec.Struct, frozen=True):
    """The accounts of a plan when the scheduler was loaded. Table "scheduled_accounts", key: the timing's uuid.

    They stand apart from the runs, which change with every run and every part of one.
    """

    account_ids: tuple[str, ...] = ()
