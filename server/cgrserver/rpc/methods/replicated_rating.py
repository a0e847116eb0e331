"""Tariffs as other nodes copy them: destinations, timings, rating plans and profiles, under their wire names."""

from decimal import Decimal
from typing import Any

from cgrcore.errors import BadRequest, NotFound
from cgrcore.money import nano_from_number
from cgrcore.rating import (
    Activation,
    Destination,
    PlanRate,
    Rate,
    Rating,
    RatingPlan,
    RatingProfile,
    Tariff,
    Timing,
    tariff_of,
)
from cgrcore.timing import ZERO_AT, Moment, parse_time
from cgrcore.world import World
from cgrserver.rpc.copies import KeyArgs, declare_copies
from cgrserver.rpc.methods.rating import TimingArgs, destination_as_wire, plan_as_wire, profile_as_wire
from cgrserver.rpc.registry import Args, method

__all__: list[str] = []


class StoredDestination(Args):
    Id: str = ""
    Prefixes: list[str] | None = None
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


class StoredRate(Args):
    GroupIntervalStart: int = 0
    Value: Decimal = Decimal(0)
    RateIncrement: int = 0
    RateUnit: int = 0


class StoredRating(Args):
    ConnectFee: Decimal = Decimal(0)
    RoundingMethod: str = ""
    RoundingDecimals: int = 0
    MaxCost: Decimal = Decimal(0)
    MaxCostStrategy: str = ""
    Rates: list[StoredRate] | None = None

    def record(self) -> Rating:
        rates = tuple(
            Rate(it.GroupIntervalStart, nano_from_number(it.Value), it.RateIncrement, it.RateUnit)
            for it in self.Rates or ()
        )
        fee_nano, cap_nano = nano_from_number(self.ConnectFee), nano_from_number(self.MaxCost)
        return Rating(fee_nano, self.RoundingMethod, self.RoundingDecimals, cap_nano, self.MaxCostStrategy, rates)


class StoredPlanRate(Args):
    Timing: str = ""
    Rating: str = ""
    Weight: Decimal = Decimal(0)


class StoredPlan(Args):
    Id: str = ""
    Timings: dict[str, TimingArgs] | None = None
    Ratings: dict[str, StoredRating] | None = None
    DestinationRates: dict[str, list[StoredPlanRate] | None] | None = None
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None

    def record(self) -> RatingPlan:
        """Return the plan. Raises BadRequest for a rate whose timing or rating is not listed."""
        timings = {name: it.record() for name, it in (self.Timings or {}).items()}
        ratings = {name: it.record() for name, it in (self.Ratings or {}).items()}
        rates = {}
        for destination_id, listed in (self.DestinationRates or {}).items():
            for it in listed or ():
                if it.Timing not in timings or it.Rating not in ratings:
                    raise BadRequest(f"{destination_id}: no timing {it.Timing!r} or no rating {it.Rating!r} is listed")
            rates[destination_id] = tuple(
                PlanRate(timings[it.Timing], ratings[it.Rating], nano_from_number(it.Weight)) for it in listed or ()
            )
        return RatingPlan(self.Id, rates)


class StoredActivation(Args):
    ActivationTime: str = ""
    RatingPlanId: str = ""
    FallbackKeys: list[str] | None = None

    def record(self, world: World) -> Activation:
        given = self.ActivationTime
        start = parse_time(given, world.now_at, "UTC") if given else Moment(ZERO_AT)
        subjects = tuple(key.rpartition(":")[2] for key in self.FallbackKeys or ())
        return Activation(start.at, self.RatingPlanId, subjects, start.offset_s)


class StoredProfile(Args):
    Id: str = ""
    RatingPlanActivations: list[StoredActivation] | None = None
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


declare_copies("Destination", "destinations", "a destination", destination_as_wire)


@method("ReplicatorSv1.SetDestination", mandatory=("Id",))
def keep_destination(world: World, args: StoredDestination) -> str:
    """Keep a destination as another node has it."""
    world.state.table("destinations").put(args.Id, Destination(args.Id, tuple(args.Prefixes or ())))
    return "OK"


@method("ReplicatorSv1.GetReverseDestination")
def replicated_reverse_destination(world: World, args: KeyArgs) -> list[str]:
    """Return the destinations that have a prefix to another node."""
    tariff: Tariff = tariff_of(world)
    owners = tariff.owners(args.Arg)
    if not owners:
        raise NotFound(subject="prefix", subject_id=args.Arg)
    return list(owners)


@method("ReplicatorSv1.SetReverseDestination")
def keep_reverse_destination(world: World, args: StoredDestination) -> str:
    """Do nothing: which prefixes a number may have follows from the destinations."""
    return "OK"


declare_copies("RatingPlan", "rating_plans", "a rating plan", plan_as_wire)


@method("ReplicatorSv1.SetRatingPlan", mandatory=("Id",))
def keep_plan(world: World, args: StoredPlan) -> str:
    """Keep a rating plan as another node has it."""
    world.state.table("rating_plans").put(args.Id, args.record())
    return "OK"


declare_copies(
    "RatingProfile",
    "rating_profiles",
    "a rating profile, by its id such as *out:cgrates.org:call:1001,",
    profile_as_wire,
)


@method("ReplicatorSv1.SetRatingProfile", mandatory=("Id",))
def keep_profile(world: World, args: StoredProfile) -> str:
    """Keep a rating profile as another node has it."""
    activations = tuple(it.record(world) for it in args.RatingPlanActivations or ())
    world.state.table("rating_profiles").put(args.Id, RatingProfile(args.Id, activations))
    return "OK"


declare_copies("Timing", "timings", "a timing", Timing.as_wire)


@method("ReplicatorSv1.SetTiming", mandatory=("ID",))
def keep_timing(world: World, args: TimingArgs) -> str:
    """Keep a timing as another node has it."""
    world.state.table("timings").put(args.ID, args.record())
    return "OK"
