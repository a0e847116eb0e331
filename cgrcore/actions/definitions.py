"""What the dynamic actions define: the parameters of each, how each is read, and the request that sets it.

Rules: parameters stand in the order given here; lists and maps in one are `&`-separated. The names are those on the
wire. Does not know: events, how a request is made.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from cgrcore.actions.build import parse_bool
from cgrcore.errors import BadRequest
from cgrcore.money import number_from_nano, parse_nano
from cgrcore.scheduling.texts import ASAP, named_timing
from cgrcore.timing import ZERO_AT, format_time, parse_duration
from cgrcore.world import World

__all__ = ["DEFINITIONS", "UNREAD"]

Fields = dict[str, Any]


# --- readers of one parameter ----------------------------------------------------------------------------------------


def _list(text: str) -> list[str] | None:
    return text.split("&") if text else None


def _accounts(text: str) -> list[str] | None:
    accounts = _list(text)
    for account_id in accounts or ():
        if account_id.startswith("*") or ":" not in account_id:
            raise BadRequest(f"invalid account id: {account_id}")
    return accounts


def _flag(text: str) -> bool:
    return parse_bool(text) if text else False


def _whole(text: str) -> int:
    if not text:
        return 0
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f'strconv.Atoi: parsing "{text}": invalid syntax') from None


def _number(text: str) -> int | Decimal:
    return number_from_nano(parse_nano(text)) if text else 0


def _map(text: str) -> Fields | None:
    if not text:
        return None
    options: Fields = {}
    for part in text.split("&"):
        key, colon, value = part.partition(":")
        if not colon:
            raise BadRequest(f"invalid key-value pair: {part}")
        options[key] = value
    return options


def _interval(text: str) -> Fields:
    times = text.split("&")
    if len(times) > 2:
        raise BadRequest(f"invalid activation interval: {text}")
    given = [time or format_time(ZERO_AT) for time in (*times, "")]
    return {"ActivationTime": given[0], "ExpiryTime": given[1]}


# --- definitions -----------------------------------------------------------------------------------------------------

Reader = Callable[[str], Any]
_Parameter = tuple[str, Reader]
_PROFILE: tuple[_Parameter, ...] = (
    ("Tenant", str),
    ("ID", str),
    ("FilterIDs", _list),
    ("ActivationInterval", _interval),
)
_PLAN: tuple[_Parameter, ...] = (
    ("Id", str),
    ("ActionsId", str),
    ("TimingId", str),
    ("Weight", _number),
    ("Overwrite", _flag),
)

_BALANCE: tuple[str, ...] = (
    *("BalanceId", "BalanceType", "Categories", "DestinationIds", "RatingSubject", "SharedGroups"),
    *("ExpiryTime", "TimingTags", "Units", "BalanceWeight", "BalanceBlocker", "BalanceDisabled"),
)


def _as_is(world: World, fields: Fields) -> Fields:
    return fields


def _stats(world: World, fields: Fields) -> Fields:
    filter_ids = fields.pop("MetricFilterIDs")
    metrics = fields["Metrics"] or []
    fields["Metrics"] = [{"MetricID": metric, "FilterIDs": filter_ids} for metric in metrics]
    return fields


def _attribute(world: World, fields: Fields) -> Fields:
    attribute = {key: fields.pop(key) for key in ("Path", "Type", "Value")}
    attribute["FilterIDs"] = fields.pop("AttributeFilterIDs")
    fields["Attributes"] = [attribute]
    return fields


def _filter(world: World, fields: Fields) -> Fields:
    fields["Rules"] = [{key: fields.pop(key) for key in ("Type", "Element", "Values")}]
    return fields


def _route(world: World, fields: Fields) -> Fields:
    names = ("ID", "FilterIDs", "AccountIDs", "RatingPlanIDs", "ResourceIDs", "StatIDs", "Weight", "Blocker")
    route = {name: fields.pop("Route" + name) for name in names}
    route["RouteParameters"] = fields.pop("RouteParameters")
    fields["Routes"] = [route]
    return fields


def _rating_profile(world: World, fields: Fields) -> Fields:
    names = ("ActivationTime", "RatingPlanId", "FallbackSubjects")
    fields["RatingPlanActivations"] = [{name: fields.pop(name) for name in names}]
    return {**fields, "Overwrite": True}


def _destination(world: World, fields: Fields) -> Fields:
    return {**fields, "Overwrite": True}


def _action(world: World, fields: Fields) -> Fields:
    return {
        "ActionsId": fields.pop("ActionsId"),
        "Overwrite": fields.pop("Overwrite"),
        "Actions": [{**fields, "Identifier": fields.pop("Action")}],
    }


def _plan(world: World, fields: Fields) -> Fields:
    item = {"ActionsId": fields.pop("ActionsId"), "Weight": fields.pop("Weight"), **_timing(world, fields)}
    del fields["TimingId"]
    return {**fields, "ActionPlan": [item]}


def _timing(world: World, fields: Fields) -> Fields:
    """Return the timing that a plan names: a stored one in full, or a word that stands for a time."""
    timing_id = fields["TimingId"]
    if timing_id == ASAP:
        return {"TimingID": ASAP, "Time": ASAP}
    if timing_id not in ("*hourly", "*every_minute") and named_timing(timing_id, world.now_at) is not None:
        return {"TimingID": timing_id, "Time": timing_id}
    timing = world.state.table("timings").require(timing_id)

    def shown(numbers: tuple[int, ...] | None) -> str:
        return ";".join(map(str, numbers or ())) or "*any"

    return {
        "TimingID": timing_id,
        "Years": shown(timing.years),
        "Months": shown(timing.months),
        "MonthDays": shown(timing.month_days),
        "WeekDays": shown(timing.week_days),
        "Time": timing.start_time,
    }


def _trigger(world: World, fields: Fields) -> Fields:
    outer = {"GroupID": fields.pop("GroupID"), "UniqueID": fields.pop("UniqueID")}
    return {**outer, "ActionTrigger": {key: value for key, value in fields.items() if value not in (None, "")}}


def _optional_number(text: str) -> int | Decimal | None:
    return number_from_nano(parse_nano(text)) if text else None


def _optional_flag(text: str) -> bool | None:
    return parse_bool(text) if text else None


def _sets(text: str) -> list[str] | None:
    return text.replace("&", ";").split(";") if text else None


#: By kind of action: the method that sets it, its parameters, and the shape of the request.
DEFINITIONS: dict[str, tuple[str, tuple[_Parameter, ...], Callable[[World, Fields], Fields]]] = {
    "*dynamic_threshold": (
        "APIerSv1.SetThresholdProfile",
        (
            *_PROFILE,
            *(("MaxHits", _whole), ("MinHits", _whole), ("MinSleep", parse_duration), ("Blocker", _flag)),
            *(("Weight", _number), ("ActionIDs", _list), ("Async", _flag), ("EeIDs", _list), ("APIOpts", _map)),
        ),
        _as_is,
    ),
    "*dynamic_stats": (
        "APIerSv1.SetStatQueueProfile",
        (
            *_PROFILE,
            *(("QueueLength", _whole), ("TTL", parse_duration), ("MinItems", _whole), ("Metrics", _list)),
            *(("MetricFilterIDs", _list), ("Stored", _flag), ("Blocker", _flag), ("Weight", _number)),
            *(("ThresholdIDs", _list), ("APIOpts", _map)),
        ),
        _stats,
    ),
    "*dynamic_attribute": (
        "APIerSv2.SetAttributeProfile",
        (
            *(("Tenant", str), ("ID", str), ("Contexts", _list), ("FilterIDs", _list)),
            *(("ActivationInterval", _interval), ("AttributeFilterIDs", _list), ("Path", str), ("Type", str)),
            *(("Value", str), ("Blocker", _flag), ("Weight", _number), ("APIOpts", _map)),
        ),
        _attribute,
    ),
    "*dynamic_action_plan": ("APIerSv1.SetActionPlan", _PLAN, _plan),
    "*dynamic_action_plan_accounts": ("APIerSv1.SetActionPlanAccounts", (*_PLAN, ("AccountIDs", _accounts)), _plan),
    "*dynamic_action": (
        "APIerSv2.SetActions",
        (
            *(("ActionsId", str), ("Action", str), ("ExtraParameters", str), ("Filters", str)),
            *((name, str) for name in _BALANCE),
            *(("Weight", _number), ("Overwrite", _flag)),
        ),
        _action,
    ),
    "*dynamic_destination": ("APIerSv1.SetDestination", (("Id", str), ("Prefixes", _list)), _destination),
    "*dynamic_filter": (
        "APIerSv1.SetFilter",
        (
            *(("Tenant", str), ("ID", str), ("Type", str), ("Element", str), ("Values", _list)),
            *(("ActivationInterval", _interval), ("APIOpts", _map)),
        ),
        _filter,
    ),
    "*dynamic_route": (
        "APIerSv1.SetRouteProfile",
        (
            *_PROFILE,
            *(("Sorting", str), ("SortingParameters", _list), ("RouteID", str), ("RouteFilterIDs", _list)),
            *(("RouteAccountIDs", _list), ("RouteRatingPlanIDs", _list), ("RouteResourceIDs", _list)),
            *(("RouteStatIDs", _list), ("RouteWeight", _number), ("RouteBlocker", _flag), ("RouteParameters", str)),
            *(("Weight", _number), ("APIOpts", _map)),
        ),
        _route,
    ),
    "*dynamic_ranking": (
        "APIerSv1.SetRankingProfile",
        (
            *(("Tenant", str), ("ID", str), ("Schedule", str), ("StatIDs", _list), ("MetricIDs", _list)),
            *(("Sorting", str), ("SortingParameters", _list), ("Stored", _flag), ("ThresholdIDs", _list)),
            ("APIOpts", _map),
        ),
        _as_is,
    ),
    "*dynamic_rating_profile": (
        "APIerSv1.SetRatingProfile",
        (
            *(("Tenant", str), ("Category", str), ("Subject", str), ("ActivationTime", str), ("RatingPlanId", str)),
            *(("FallbackSubjects", str), ("APIOpts", _map)),
        ),
        _rating_profile,
    ),
    "*dynamic_trend": (
        "APIerSv1.SetTrendProfile",
        (
            *(("Tenant", str), ("ID", str), ("Schedule", str), ("StatID", str), ("Metrics", _list)),
            *(("TTL", parse_duration), ("QueueLength", _whole), ("MinItems", _whole), ("CorrelationType", str)),
            *(("Tolerance", _number), ("Stored", _flag), ("ThresholdIDs", _list), ("APIOpts", _map)),
        ),
        _as_is,
    ),
    "*dynamic_resource": (
        "APIerSv1.SetResourceProfile",
        (
            *_PROFILE,
            *(("UsageTTL", parse_duration), ("Limit", _number), ("AllocationMessage", str), ("Blocker", _flag)),
            *(("Stored", _flag), ("Weight", _number), ("ThresholdIDs", _list), ("APIOpts", _map)),
        ),
        _as_is,
    ),
    "*dynamic_action_trigger": (
        "APIerSv1.SetActionTrigger",
        (
            *(("GroupID", str), ("UniqueID", str), ("ThresholdType", str), ("ThresholdValue", _optional_number)),
            *(("Recurrent", _optional_flag), ("MinSleep", str), ("ExpirationDate", str), ("ActivationDate", str)),
            *(("BalanceID", str), ("BalanceType", str), ("BalanceCategories", _sets)),
            *(("BalanceDestinationIds", _sets), ("BalanceRatingSubject", str), ("BalanceSharedGroups", _sets)),
            *(("BalanceExpirationDate", str), ("BalanceTimingTags", _sets), ("BalanceWeight", _optional_number)),
            *(("BalanceBlocker", _optional_flag), ("BalanceDisabled", _optional_flag), ("ActionsID", str)),
            ("Weight", _optional_number),
        ),
        _trigger,
    ),
}

#: Parameters that are rules on events yet to come, so that the present event is not read for them.
UNREAD = frozenset(("Element", "Values", "FilterIDs", "AttributeFilterIDs", "MetricFilterIDs", "RouteFilterIDs"))
