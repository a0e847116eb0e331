"""Methods on prices: quotes, rating plans, rating profiles, destinations, timings."""

import hashlib
from typing import Any

import msgspec

from cgrcore.errors import BadRequest, CgrError, Conflict, NotFound, Refused, mandatory_missing, server_error
from cgrcore.money import number_from_nano
from cgrcore.rating import (
    Activation,
    Call,
    CallCost,
    Destination,
    EventCost,
    PlanRate,
    Rating,
    RatingPlan,
    RatingProfile,
    Tariff,
    Timing,
    quote,
    quote_on_plan,
    tariff_of,
)
from cgrcore.rating.callcost import rating_as_wire
from cgrcore.timing import Moment, format_time, parse_duration, parse_time
from cgrcore.world import World
from cgrserver.rpc.registry import Args, apier_names, method

__all__ = ["destination_as_wire", "plan_as_wire", "profile_as_wire"]


def _moment(world: World, text: str) -> Moment:
    zone = str(world.settings["general"]["default_timezone"])
    return parse_time(text, world.now_at, zone)


class GetCostArgs(Args):
    Tenant: str = ""
    Category: str = ""
    Subject: str = ""
    AnswerTime: str = ""
    Destination: str = ""
    Usage: str = ""
    APIOpts: dict[str, Any] | None = None


@method("APIerSv1.GetCost", aliases=apier_names("GetCost"))
def get_cost(world: World, args: GetCostArgs) -> dict[str, Any]:
    """Say what a call would cost."""
    usage_ns = parse_duration(args.Usage)
    start = _moment(world, args.AnswerTime)
    category = args.Category or str(world.settings["general"]["default_category"])
    call = Call(
        tenant=world.tenant(args.Tenant),
        category=category,
        subject=args.Subject,
        account="",
        destination=args.Destination,
        tor="",
        start_at=start.at,
        offset_s=start.offset_s,
        usage_ns=usage_ns,
    )
    try:
        return EventCost.from_call_cost(quote(world, call)).as_wire(is_fresh=True)
    except CgrError as error:
        raise server_error(error) from None


class GetDataCostArgs(Args):
    Tenant: str = ""
    Category: str = ""
    Subject: str = ""
    AnswerTime: str = ""
    Usage: int = 0
    Opts: dict[str, Any] | None = None


@method("APIerSv1.GetDataCost", aliases=apier_names("GetDataCost"))
def get_data_cost(world: World, args: GetDataCostArgs) -> dict[str, Any]:
    """Say what data would cost, by amount."""
    start = _moment(world, args.AnswerTime)
    call = Call(
        tenant=world.tenant(args.Tenant),
        category=args.Category or str(world.settings["general"]["default_category"]),
        subject=args.Subject,
        account="",
        destination="",
        tor="*data",
        start_at=start.at,
        offset_s=start.offset_s,
        usage_ns=args.Usage,
    )
    try:
        return _data_cost(quote(world, call))
    except CgrError as error:
        raise server_error(error) from None


def _data_cost(cost: CallCost) -> dict[str, Any]:
    wire = cost.as_wire()
    spans = []
    for span in wire["Timespans"] or ():
        index = span["DurationIndex"]
        length = next(s.usage_ns for s in cost.spans or () if s.duration_index_ns == index)
        increments = [
            {
                "Amount": increment["Duration"],
                "Cost": increment["Cost"],
                "BalanceInfo": increment["BalanceInfo"],
                "CompressFactor": increment["CompressFactor"],
            }
            for increment in span["Increments"] or ()
        ]
        spans.append(
            {
                "DataStart": index - length,
                "DataEnd": index,
                "Cost": span["Cost"],
                "RateInterval": span["RateInterval"],
                "DataIndex": index,
                "Increments": increments,
                "MatchedSubject": span["MatchedSubject"],
                "MatchedPrefix": span["MatchedPrefix"],
                "MatchedDestId": span["MatchedDestId"],
                "RatingPlanId": span["RatingPlanId"],
            }
        )
    keys = ("Category", "Tenant", "Subject", "Account", "Destination", "ToR", "Cost")
    return {**{key: wire[key] for key in keys}, "DataSpans": spans}


class PlansCostArgs(Args):
    RatingPlanIDs: list[str] | None = None
    Destination: str = ""
    SetupTime: str = ""
    Usage: str = ""
    APIOpts: dict[str, Any] | None = None


@method("RALsV1.GetRatingPlansCost", mandatory=("RatingPlanIDs", "Destination", "SetupTime", "Usage"))
def get_rating_plans_cost(world: World, args: PlansCostArgs) -> dict[str, Any]:
    """Say what a call would cost on the first of some plans that covers it."""
    usage_ns = parse_duration(args.Usage)
    call = _plain_call(world, "", "", args.Destination, _moment(world, args.SetupTime), usage_ns)
    for plan_id in args.RatingPlanIDs or ():
        try:
            cost = quote_on_plan(world, call, plan_id)
        except Refused as refusal:
            if str(refusal) != "UNAUTHORIZED_DESTINATION":
                raise
            continue
        return {"EventCost": EventCost.from_call_cost(cost).as_wire(is_fresh=True), "RatingPlanID": plan_id}
    return {"EventCost": None, "RatingPlanID": ""}


class CostOnPlansArgs(Args):
    Account: str = ""
    Subject: str = ""
    Destination: str = ""
    Tenant: str = ""
    SetupTime: str = ""
    Usage: int = 0
    RatingPlanIDs: list[str] | None = None
    APIOpts: dict[str, Any] | None = None


@method("Responder.GetCostOnRatingPlans")
def get_cost_on_rating_plans(world: World, args: CostOnPlansArgs) -> dict[str, Any]:
    """Say what a call costs on the first of some plans; when it does not cover the call, the others are not asked."""
    call = _plain_call(world, args.Tenant, args.Subject, args.Destination, _moment(world, args.SetupTime), args.Usage)
    if not args.RatingPlanIDs:
        return {}
    plan_id = args.RatingPlanIDs[0]
    return {"Cost": number_from_nano(quote_on_plan(world, call, plan_id).cost_nano), "RatingPlanID": plan_id}


def _plain_call(world: World, tenant: str, subject: str, destination: str, start: Moment, usage_ns: int) -> Call:
    return Call(
        tenant=world.tenant(tenant),
        category="*rating_plan_cost",
        subject=subject or "*any",
        account="",
        destination=destination,
        tor="*voice",
        start_at=start.at,
        offset_s=start.offset_s,
        usage_ns=usage_ns,
    )


# --- plans and profiles ----------------------------------------------------------------------------------------------


@method("APIerSv1.GetRatingPlan", aliases=apier_names("GetRatingPlan"))
def get_rating_plan(world: World, args: str) -> dict[str, Any]:
    """Show a rating plan."""
    plan = world.state.table("rating_plans").get(args)
    if plan is None:
        raise NotFound(subject="rating plan", subject_id=args)
    return plan_as_wire(plan)


def _rates_as_written(rating: Rating) -> list[dict[str, Any]]:
    """Return the slots as the tariff plan has them: a step or unit of 0 is not the second that it stands for."""
    return [
        {
            "GroupIntervalStart": rate.group_start_ns,
            "Value": number_from_nano(rate.value_nano),
            "RateIncrement": rate.increment_ns,
            "RateUnit": rate.unit_ns,
        }
        for rate in rating.rates
    ]


def plan_as_wire(plan: RatingPlan) -> dict[str, Any]:
    """Return a rating plan under its wire names."""
    timings: dict[str, Any] = {}
    ratings: dict[str, Any] = {}

    def entry(rate: PlanRate) -> dict[str, Any]:
        timing = {**(rate.timing or Timing()).as_wire(), "EndTime": ""}
        return {
            "Timing": _listed(timings, timing),
            "Rating": _listed(ratings, {**rating_as_wire(rate.rating), "Rates": _rates_as_written(rate.rating)}),
            "Weight": number_from_nano(rate.weight_nano),
        }

    rates = {key: [entry(rate) for rate in listed] for key, listed in plan.destination_rates.items()}
    return {"Id": plan.id, "Timings": timings, "Ratings": ratings, "DestinationRates": rates}


def _listed(parts: dict[str, Any], part: dict[str, Any]) -> str:
    """List the part under a name made of its content, and return that."""
    name = hashlib.sha1(msgspec.json.encode(part), usedforsecurity=False).hexdigest()[:8]
    parts[name] = part
    return name


class PageArgs(Args):
    Tenant: str = ""
    Search: str = ""
    Limit: int | None = None
    Offset: int | None = None


def _page(ids: list[str], args: PageArgs) -> list[str]:
    """Return the page of ids asked for, in order. Raises NotFound when there are none at all."""
    if not ids:
        raise NotFound
    ids = sorted(ids)[args.Offset or 0 :]
    return ids[: args.Limit] if args.Limit else ids


@method("APIerSv1.GetRatingPlanIDs", aliases=apier_names("GetRatingPlanIDs"))
def get_rating_plan_ids(world: World, args: PageArgs) -> list[str]:
    """List the ids of rating plans."""
    return _page([key for key in world.state.table("rating_plans") if key.startswith(args.Search)], args)


@method("APIerSv1.RemoveRatingPlan", aliases=apier_names("RemoveRatingPlan"))
def remove_rating_plan(world: World, args: str) -> str:
    """Remove a rating plan."""
    if not args:
        raise mandatory_missing(("ID",))
    world.state.table("rating_plans").remove(args)
    return "OK"


class ProfileArgs(Args):
    Tenant: str = ""
    Category: str = ""
    Subject: str = ""

    def key(self, world: World) -> str:
        return f"*out:{world.tenant(self.Tenant)}:{self.Category}:{self.Subject}"


@method("APIerSv1.GetRatingProfile", mandatory=("Category", "Subject"), aliases=apier_names("GetRatingProfile"))
def get_rating_profile(world: World, args: ProfileArgs) -> dict[str, Any]:
    """Show a rating profile."""
    profile = world.state.table("rating_profiles").get(args.key(world))
    if profile is None:
        raise NotFound(subject="rating profile", subject_id=args.key(world))
    return profile_as_wire(profile)


def profile_as_wire(profile: RatingProfile) -> dict[str, Any]:
    """Return a rating profile under its wire names."""
    head = profile.id.rpartition(":")[0]
    return {
        "Id": profile.id,
        "RatingPlanActivations": [
            {
                "ActivationTime": format_time(activation.at, activation.offset_s),
                "RatingPlanId": activation.plan_id,
                "FallbackKeys": [f"{head}:{subject}" for subject in activation.fallback_subjects] or None,
            }
            for activation in profile.activations
        ],
    }


@method("APIerSv1.GetRatingProfileIDs", aliases=apier_names("GetRatingProfileIDs"))
def get_rating_profile_ids(world: World, args: PageArgs) -> list[str]:
    """List rating profiles of a tenant as category:subject."""
    head = f"*out:{world.tenant(args.Tenant)}:"
    names = [key.removeprefix(head) for key in world.state.table("rating_profiles") if key.startswith(head)]
    return _page([name for name in names if args.Search in name], args)


class ActivationArgs(Args):
    ActivationTime: str = ""
    RatingPlanId: str = ""
    FallbackSubjects: str = ""


class SetProfileArgs(ProfileArgs):
    Overwrite: bool = False
    RatingPlanActivations: list[ActivationArgs | None] | None = None
    APIOpts: dict[str, Any] | None = None


@method(
    "APIerSv1.SetRatingProfile", mandatory=("Subject", "RatingPlanActivations"), aliases=apier_names("SetRatingProfile")
)
def set_rating_profile(world: World, args: SetProfileArgs) -> str:
    """Say which plans price a subject, from when on."""
    profiles = world.state.table("rating_profiles")
    key = args.key(world)
    before = None if args.Overwrite else profiles.get(key)
    activations = list(before.activations) if before is not None else []
    for given in args.RatingPlanActivations or ():
        activations.append(_activation(world, given or ActivationArgs()))
    profiles.put(key, RatingProfile(key, tuple(activations)))
    return "OK"


def _activation(world: World, given: ActivationArgs) -> Activation:
    missing = [name for name in ("ActivationTime", "RatingPlanId") if not getattr(given, name)]
    if missing:
        raise BadRequest(f"MANDATORY_IE_MISSING:RatingPlanActivation:[{' '.join(missing)}]")
    try:
        start = _moment(world, given.ActivationTime)
    except BadRequest:
        raise BadRequest(f"SERVER_ERROR:Cannot parse activation time from {given.ActivationTime}") from None
    if given.RatingPlanId not in world.state.table("rating_plans"):
        raise NotFound(f"NOT_FOUND:RatingPlanId:{given.RatingPlanId}")
    fallbacks = tuple(given.FallbackSubjects.split(";")) if given.FallbackSubjects else ()
    return Activation(start.at, given.RatingPlanId, fallbacks, start.offset_s)


@method("APIerSv1.RemoveRatingProfile", aliases=apier_names("RemoveRatingProfile"))
def remove_rating_profile(world: World, args: ProfileArgs) -> str:
    """Remove a rating profile."""
    if (not args.Category and args.Subject) or (not args.Subject and args.Category):
        raise BadRequest("MANDATORY_IE_MISSING")
    world.state.table("rating_profiles").remove(args.key(world))
    return "OK"


# --- destinations ----------------------------------------------------------------------------------------------------


def destination_as_wire(destination: Destination) -> dict[str, Any]:
    """Return a destination under its wire names."""
    return {"Id": destination.id, "Prefixes": list(destination.prefixes)}


@method("APIerSv1.GetDestination", aliases=apier_names("GetDestination"))
def get_destination(world: World, args: str) -> dict[str, Any]:
    """Show a destination."""
    found = world.state.table("destinations").get(args)
    if found is None:
        raise NotFound(subject="destination", subject_id=args)
    return destination_as_wire(found)


class DestinationsArgs(Args):
    DestinationIDs: list[str] | None = None


@method("APIerSv2.GetDestinations", aliases=("ApierV2.GetDestinations",))
def get_destinations(world: World, args: DestinationsArgs) -> list[dict[str, Any]]:
    """Show destinations, all without ids."""
    table = world.state.table("destinations")
    found = []
    for key in args.DestinationIDs or sorted(table):
        destination = table.get(key)
        if destination is None:
            raise NotFound(subject="destination", subject_id=key)
        found.append(destination_as_wire(destination))
    return found


@method("APIerSv1.GetReverseDestination", aliases=apier_names("GetReverseDestination"))
def get_reverse_destination(world: World, args: str) -> list[str]:
    """List the destinations that have a prefix."""
    if not args:
        raise mandatory_missing(("prefix",))
    tariff: Tariff = tariff_of(world)
    owners = tariff.owners(args)
    if not owners:
        raise NotFound(subject="prefix", subject_id=args)
    return list(owners)


class SetDestinationArgs(Args):
    Id: str = ""
    Prefixes: list[str] | None = None
    Overwrite: bool = False


@method("APIerSv1.SetDestination", mandatory=("Id", "Prefixes"), aliases=apier_names("SetDestination"))
def set_destination(world: World, args: SetDestinationArgs) -> str:
    """Define a destination."""
    table = world.state.table("destinations")
    if not args.Overwrite and args.Id in table:
        raise Conflict("EXISTS", subject="destination", subject_id=args.Id)
    table.put(args.Id, Destination(args.Id, tuple(args.Prefixes or ())))
    return "OK"


class RemoveDestinationArgs(Args):
    DestinationIDs: list[str] | None = None
    Prefixes: list[str] | None = None


@method("APIerSv1.RemoveDestination", aliases=apier_names("RemoveDestination"))
def remove_destination(world: World, args: RemoveDestinationArgs) -> str:
    """Remove destinations, or only some prefixes of theirs."""
    table = world.state.table("destinations")
    gone = set(args.Prefixes or ())
    for key in args.DestinationIDs or ():
        destination = table.get(key)
        if destination is None:
            raise NotFound(subject="destination", subject_id=key)
        left = tuple(prefix for prefix in destination.prefixes if prefix not in gone) if gone else ()
        if left:
            table.put(key, Destination(key, left))
        else:
            table.remove(key)
    return "OK"


@method("APIerSv1.ComputeReverseDestinations", aliases=apier_names("ComputeReverseDestinations"))
def compute_reverse_destinations(world: World, args: str) -> str:
    """Compile the prefixes anew. They follow every change by themselves, so this is never needed."""
    world.parts.pop("tariff", None)
    tariff_of(world)
    return "OK"


# --- timings ---------------------------------------------------------------------------------------------------------


class IdArgs(Args):
    ID: str = ""
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


class TimingArgs(Args):
    ID: str = ""
    Years: list[int] | None = None
    Months: list[int] | None = None
    MonthDays: list[int] | None = None
    WeekDays: list[int] | None = None
    StartTime: str = ""
    EndTime: str = ""
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None

    def record(self) -> Timing:
        years, months, month_days, week_days = (
            None if values is None else tuple(values)
            for values in (self.Years, self.Months, self.MonthDays, self.WeekDays)
        )
        return Timing(self.ID, years, months, month_days, week_days, self.StartTime, self.EndTime)


@method("APIerSv1.GetTiming", mandatory=("ID",), aliases=apier_names("GetTiming"))
def get_timing(world: World, args: IdArgs) -> dict[str, Any]:
    """Show a timing."""
    timing = world.state.table("timings").get(args.ID)
    if timing is None:
        raise NotFound(subject="timing", subject_id=args.ID)
    wire: dict[str, Any] = timing.as_wire()
    return wire


@method("APIerSv1.SetTiming", mandatory=("ID",), aliases=apier_names("SetTiming"))
def set_timing(world: World, args: TimingArgs) -> str:
    """Define a timing."""
    for text in (args.StartTime, args.EndTime):
        if text and not _is_clock(text):
            raise BadRequest(f"SERVER_ERROR: INVALID_TIME:{text}")
    world.state.table("timings").put(args.ID, args.record())
    return "OK"


def _is_clock(text: str) -> bool:
    parts = text.split(":")
    return len(parts) == 3 and all(part.isdigit() for part in parts)


@method("APIerSv1.RemoveTiming", mandatory=("ID",), aliases=apier_names("RemoveTiming"))
def remove_timing(world: World, args: IdArgs) -> str:
    """Remove a timing."""
    world.state.table("timings").remove(args.ID)
    return "OK"
