"""From a plan's shared groups, actions, action plans, triggers and account actions to their records.

Rules: an action set that an action plan names must exist; so must the plan and the triggers that account actions
name. Texts are read as requests are (`cgrcore.actions.build`). Does not know: how actions run, what an account holds.
"""

from typing import Any

import msgspec

from cgrcore.accounting import SharedGroup, Sharing
from cgrcore.actions import ActionSet, ActionTrigger, BalanceFilter, TriggerGroup
from cgrcore.actions.build import ActionText, build_action, parse_bool, parse_set, parse_weight
from cgrcore.errors import BadRequest
from cgrcore.rating import Timing
from cgrcore.scheduling import ActionPlan, ActionTiming
from cgrcore.tariffplan.mistakes import Spot
from cgrcore.tariffplan.records import TpActionPlan, TpActions, TpActionTrigger, TpActionTriggers, TpSharedGroups
from cgrcore.tariffplan.refer import Building
from cgrcore.tariffplan.timings import find_timing
from cgrcore.timing import ZERO_AT, parse_duration, parse_time

__all__ = [
    "build_action_plans",
    "build_action_sets",
    "build_shared_group",
    "build_shared_groups",
    "build_trigger_groups",
    "check_account_actions",
]

ANY = "*any"


def build_shared_group(building: Building, item: TpSharedGroups) -> SharedGroup:
    """Return the shared group an object describes, with the members it has in force."""
    known: SharedGroup | None = building.world.state.table("shared_groups").get(item.ID)
    sharings = {line.Account: Sharing(line.Strategy, line.RatingSubject) for line in item.SharedGroups or ()}
    return SharedGroup(item.ID, sharings, known.member_ids if known is not None else None)


def build_shared_groups(building: Building) -> dict[str, SharedGroup]:
    """Return the plan's shared groups by id."""
    return {key: build_shared_group(building, item) for key, item in building.items("shared_groups").items()}


def build_action_sets(building: Building) -> dict[str, ActionSet]:
    """Return the plan's action sets by id."""
    return {key: _action_set(building, item) for key, item in building.items("actions").items()}


def _action_set(building: Building, item: TpActions) -> ActionSet:
    def timing(timing_id: str) -> Timing | None:
        return find_timing(building, timing_id)

    actions = []
    for index, line in enumerate(item.Actions or ()):
        fields: dict[str, Any] = msgspec.structs.asdict(line)
        fields.update({name: "" for name, value in fields.items() if value == ANY})
        text = ActionText(**fields)
        try:
            actions.append(build_action(item.ID, text, timing, building.world.now_at))
        except BadRequest as error:
            field, came = _field_at_fault(str(error), line)
            building.wrong_as(Spot("actions", item.ID, field, index), error, came)
    return ActionSet(item.ID, tuple(actions))


def _field_at_fault(text: str, line: Any) -> tuple[str, str]:
    """Return the field whose value an error text names."""
    for field in ("Units", "BalanceBlocker", "BalanceDisabled", "BalanceWeight", "TimingTags"):
        value = getattr(line, field)
        if value and value in text:
            return field, value
    return "Identifier", line.Identifier


def build_action_plans(building: Building) -> dict[str, ActionPlan]:
    """Return the plan's action plans by id, with the accounts that are attached to them already."""
    return {key: _action_plan(building, item) for key, item in building.items("action_plans").items()}


def _action_plan(building: Building, item: TpActionPlan) -> ActionPlan:
    timings = []
    known: ActionPlan | None = building.world.state.table("action_plans").get(item.ID)
    for index, line in enumerate(item.ActionPlan or ()):
        if not building.is_known("actions", line.ActionsId):
            message = f'[ActionPlans] Could not load the action for tag: "{line.ActionsId}"'
            spot = Spot("action_plans", item.ID, "ActionsId", index)
            building.wrong(spot, message, "a tag of Actions.csv or a stored action set", line.ActionsId)
        timing = find_timing(building, line.TimingId)
        if timing is None:
            message = f'[ActionPlans] Could not load the timing for tag: "{line.TimingId}"'
            spot = Spot("action_plans", item.ID, "TimingId", index)
            building.wrong(spot, message, "a tag of Timings.csv or a built-in timing", line.TimingId)
        weight_nano = building.amount(line.Weight, Spot("action_plans", item.ID, "Weight", index))
        uuid = _kept_uuid(known, index, timing, line.ActionsId) or building.world.new_id()
        timings.append(ActionTiming(uuid, timing, line.ActionsId, weight_nano))
    accounts = known.account_ids if known is not None else None
    # Clients of a plan without accounts have always seen null after a folder, and an empty map after a stored plan.
    return ActionPlan(item.ID, tuple(timings), accounts or (None if building.plan.is_from_files else {}))


def _kept_uuid(known: ActionPlan | None, index: int, timing: Timing | None, actions_id: str) -> str:
    """Return the id of the timing that is in force at this place, when it is the same: its runs under way go on."""
    if known is None or index >= len(known.timings):
        return ""
    kept = known.timings[index]
    return kept.uuid if kept.timing == timing and kept.actions_id == actions_id else ""


def build_trigger_groups(building: Building, *, are_times_checked: bool = True) -> dict[str, TriggerGroup]:
    """Return the plan's groups of triggers by id.

    Without `are_times_checked` a sleep or a time that cannot be read is none, as when one account's triggers are
    loaded.
    """
    found = {}
    for key, item in building.items("action_triggers").items():
        found[key] = _trigger_group(building, item, are_times_checked)
    return found


def _trigger_group(building: Building, item: TpActionTriggers, are_times_checked: bool) -> TriggerGroup:
    triggers = []
    for index, line in enumerate(item.ActionTriggers or ()):
        reader = _TriggerReader(building, item.ID, index, line, are_times_checked)
        triggers.append(reader.trigger())
    return TriggerGroup(item.ID, tuple(triggers))


class _TriggerReader:
    """The texts of one trigger, each read as the kind it has; what cannot be read is noted."""

    def __init__(
        self, building: Building, group_id: str, index: int, line: TpActionTrigger, are_times_checked: bool
    ) -> None:
        self._building = building
        self._group_id = group_id
        self._index = index
        self._line = line
        self._are_times_checked = are_times_checked

    def trigger(self) -> ActionTrigger:
        line, building = self._line, self._building
        return ActionTrigger(
            id=self._group_id,
            unique_id=line.UniqueID or building.world.new_id(),
            threshold_type=line.ThresholdType,
            threshold_nano=building.amount(line.ThresholdValue, self._spot("ThresholdValue")),
            is_recurrent=line.Recurrent,
            min_sleep_ns=self._duration("MinSleep"),
            expires_at=self._instant("ExpirationDate"),
            activates_at=self._instant("ActivationDate"),
            balance=self._filter(),
            weight_nano=building.amount(line.Weight, self._spot("Weight")),
            actions_id=line.ActionsId,
        )

    def _filter(self) -> BalanceFilter:
        line = self._line
        timing_ids = self._set(line.BalanceTimingTags)
        return BalanceFilter(
            id=self._text(line.BalanceId),
            type=self._text(line.BalanceType),
            expires_at=self._instant("BalanceExpirationDate") if self._text(line.BalanceExpirationDate) else None,
            weight_nano=self._weight(line.BalanceWeight),
            destination_ids=self._set(line.BalanceDestinationIds),
            rating_subject=self._text(line.BalanceRatingSubject),
            categories=self._set(line.BalanceCategories),
            shared_groups=self._set(line.BalanceSharedGroups),
            timing_ids=timing_ids,
            timings=self._timings(timing_ids),
            is_disabled=self._truth("BalanceDisabled"),
            is_blocker=self._truth("BalanceBlocker"),
        )

    def _spot(self, field: str) -> Spot:
        return Spot("action_triggers", self._group_id, field, self._index)

    @staticmethod
    def _text(text: str) -> str | None:
        return None if text in ("", ANY) else text

    @staticmethod
    def _set(text: str) -> dict[str, bool] | None:
        return None if text in ("", ANY) else parse_set(text)

    def _timings(self, timing_ids: dict[str, bool] | None) -> tuple[Timing, ...] | None:
        found = []
        for timing_id in timing_ids or ():
            timing = find_timing(self._building, timing_id)
            if timing is None:
                message = f'could not find timing: "{timing_id}"'
                spot = self._spot("BalanceTimingTags")
                self._building.wrong(spot, message, "a tag of Timings.csv or a stored timing", timing_id)
            else:
                found.append(timing)
        return tuple(found) or None

    def _duration(self, field: str) -> int:
        text = getattr(self._line, field)
        try:
            return parse_duration(text)
        except BadRequest as error:
            if self._are_times_checked:
                self._building.wrong(self._spot(field), str(error), "a duration such as 60s or 1h30m", text)
            return 0

    def _instant(self, field: str) -> int:
        text, world = getattr(self._line, field), self._building.world
        try:
            return parse_time(text, world.now_at, world.settings["general"]["default_timezone"]).at
        except BadRequest as error:
            if self._are_times_checked:
                self._building.wrong(self._spot(field), str(error), "a time such as 2024-01-01T00:00:00Z", text)
            return ZERO_AT

    def _weight(self, text: str) -> int | None:
        if text in ("", ANY):
            return None
        try:
            return parse_weight(text, self._building.world.now_at)
        except BadRequest as error:
            self._building.wrong(self._spot("BalanceWeight"), str(error), "a number", text)
            return None

    def _truth(self, field: str) -> bool | None:
        text = getattr(self._line, field)
        if text in ("", ANY):
            return None
        try:
            return parse_bool(text)
        except BadRequest as error:
            self._building.wrong(self._spot(field), str(error), "true or false", text)
            return None


def check_account_actions(building: Building) -> None:
    """Note each action plan and group of triggers that account actions name and that does not exist."""
    for key, item in building.items("account_actions").items():
        if item.ActionTriggersId and not building.is_known("action_triggers", item.ActionTriggersId):
            message = f'could not get action triggers for tag "{item.ActionTriggersId}"'
            spot = Spot("account_actions", key, "ActionTriggersId")
            building.wrong(spot, message, "a tag of ActionTriggers.csv or a stored group", item.ActionTriggersId)
        if item.ActionPlanId and not building.is_known("action_plans", item.ActionPlanId):
            message = f'could not get action plan for tag "{item.ActionPlanId}"'
            spot = Spot("account_actions", key, "ActionPlanId")
            building.wrong(spot, message, "a tag of ActionPlans.csv or a stored action plan", item.ActionPlanId)
