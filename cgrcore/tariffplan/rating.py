"""From a plan's destinations, rates and bindings to the records a price depends on.

Rules: a destination takes each prefix once; a rating plan holds its rates and timings whole; the same rate, hours and
weight count once for a destination. The slots of a rate lie in the order of usage. Does not know: how a call is
priced.
"""

from decimal import Decimal
from operator import attrgetter

import msgspec

from cgrcore.errors import BadRequest
from cgrcore.rating import Activation, Destination, PlanRate, Rate, Rating, RatingPlan, RatingProfile, Timing
from cgrcore.tariffplan.mistakes import Spot
from cgrcore.tariffplan.records import (
    TpDestination,
    TpDestinationRate,
    TpRate,
    TpRateBinding,
    TpRateSlot,
    TpRatingPlan,
    TpRatingPlanBinding,
    TpRatingProfile,
)
from cgrcore.tariffplan.refer import Building
from cgrcore.tariffplan.timings import find_timing, is_clock
from cgrcore.timing import Moment, parse_time
from cgrcore.world import World

__all__ = [
    "RatingTexts",
    "build_destination",
    "build_destinations",
    "build_plans",
    "build_rating_profile",
    "build_rating_profiles",
    "profile_id_of",
]

ANY = "*any"

_ID, _PREFIXES, _WHERE, _RATE, _MAX_COST = map(attrgetter, ("ID", "Prefixes", "DestinationId", "RateId", "MaxCost"))
_PRICED_BY = attrgetter("RateId", "RoundingMethod", "RoundingDecimals", "MaxCostStrategy")


class RatingTexts(msgspec.Struct, frozen=True):
    """How a missing part of a rating plan is told: as a whole plan is loaded, or one object alone."""

    no_rate: str = 'could not find rate for tag "{}"'
    no_timing: str = 'could not get timing for tag "{}"'
    no_destination_rate: str = 'could not find destination rate for tag "{}"'


def build_destination(item: TpDestination) -> Destination:
    """Return the destination an object of the plan describes."""
    prefixes = item.Prefixes or ()
    return Destination(item.ID, tuple(prefixes) if len(prefixes) < 2 else tuple(dict.fromkeys(prefixes)))


def build_destinations(building: Building) -> dict[str, Destination]:
    """Return the plan's destinations by id."""
    items = building.items("destinations")
    prefixes = list(map(_PREFIXES, items.values()))
    if all(prefixes) and max(map(len, prefixes), default=0) == 1:
        return dict(zip(items, map(Destination, map(_ID, items.values()), map(tuple, prefixes)), strict=True))
    return {item_id: build_destination(item) for item_id, item in items.items()}


def build_plans(building: Building, texts: RatingTexts | None = None) -> dict[str, RatingPlan]:
    """Return the plan's rating plans by id. Whatever they refer to and is missing is a mistake."""
    maker = _PlanMaker(building, texts or RatingTexts())
    for item_id in building.items("destination_rates"):
        maker.check_destinations(item_id)
    return {item_id: maker.plan(item) for item_id, item in building.items("rating_plans").items()}


class _PlanMaker:
    """Builds rating plans; equal ratings and hours are one object, so that a big plan is small."""

    def __init__(self, building: Building, texts: RatingTexts) -> None:
        self._building = building
        self._texts = texts
        self._rates: dict[str, tuple[Rate, ...]] = {}
        self._ratings: dict[tuple[str, str, int, Decimal, str], Rating] = {}
        self._bound: dict[str, tuple[list[str], list[Rating]]] = {}
        self._bad_timings: set[str] = set()

    def check_destinations(self, item_id: str) -> None:
        """Note each rate and destination of these destination rates that does not exist."""
        building = self._building
        rates, known = building.items("rates"), building.items("destinations")
        in_force = building.world.state.table("destinations").records
        bindings = building.items("destination_rates")[item_id].DestinationRates or ()
        if all(map(known.__contains__, map(_WHERE, bindings))) and rates.keys() >= set(map(_RATE, bindings)):
            return
        for index, binding in enumerate(bindings):
            if binding.RateId not in rates:
                spot = Spot("destination_rates", item_id, "RateId", index)
                building.wrong(spot, self._texts.no_rate.format(binding.RateId), "a tag of Rates.csv", binding.RateId)
            where = binding.DestinationId
            if where not in known and where != ANY and where not in in_force:
                spot = Spot("destination_rates", item_id, "DestinationId", index)
                message = f'could not get destination for tag "{where}"'
                building.wrong(spot, message, "a tag of Destinations.csv, a stored destination or *any", where)

    def plan(self, item: TpRatingPlan) -> RatingPlan:
        found: dict[str, tuple[PlanRate, ...]] = {}
        for index, binding in enumerate(item.RatingPlanBindings or ()):
            self._bind(item.ID, index, binding, found)
        return RatingPlan(item.ID, found)

    def _bind(
        self, plan_id: str, index: int, binding: TpRatingPlanBinding, found: dict[str, tuple[PlanRate, ...]]
    ) -> None:
        timing = self._timing(plan_id, index, binding.TimingId)
        chosen = self._building.items("destination_rates").get(binding.DestinationRatesId)
        if chosen is None:
            spot = Spot("rating_plans", plan_id, "DestinationRatesId", index)
            message = self._texts.no_destination_rate.format(binding.DestinationRatesId)
            self._building.wrong(spot, message, "a tag of DestinationRates.csv", binding.DestinationRatesId)
        if chosen is None or timing is None:
            return
        weight_nano = self._building.amount(binding.Weight, Spot("rating_plans", plan_id, "Weight", index))
        places, ratings = self._ratings_of(chosen)
        # One tuple for all destinations of one rating: a plan of a million destinations has a few hundred of them.
        different = dict(zip(map(id, ratings), ratings, strict=True))
        alone = {address: (PlanRate(timing, rating, weight_nano),) for address, rating in different.items()}
        rates_of = map(alone.__getitem__, map(id, ratings))
        if not found:
            found.update(zip(places, rates_of, strict=True))
            if len(found) == len(places):
                return
            found.clear()
            rates_of = map(alone.__getitem__, map(id, ratings))
        for where, rates in zip(places, rates_of, strict=True):
            before = found.setdefault(where, rates)
            if before is not rates and rates[0] not in before:
                found[where] = before + rates

    def _ratings_of(self, chosen: TpDestinationRate) -> tuple[list[str], list[Rating]]:
        """Return the destinations in the order of rows, and the rating of each."""
        found = self._bound.get(chosen.ID)
        if found is None:
            bindings = chosen.DestinationRates or ()
            # By the address of MaxCost, which the plan keeps: reckoning a decimal's hash takes its time.
            alike = list(zip(map(_PRICED_BY, bindings), map(id, map(_MAX_COST, bindings)), strict=True))
            ratings = {
                address: self._rating(binding, chosen.ID)
                for address, binding in dict(zip(alike, bindings, strict=True)).items()
            }
            found = list(map(_WHERE, bindings)), list(map(ratings.__getitem__, alike))
            self._bound[chosen.ID] = found
        return found

    def _timing(self, plan_id: str, index: int, timing_id: str) -> Timing | None:
        building = self._building
        spot = Spot("rating_plans", plan_id, "TimingId", index)
        found = find_timing(building, timing_id)
        if found is None:
            message = self._texts.no_timing.format(timing_id)
            building.wrong(spot, message, "a tag of Timings.csv or a built-in timing", timing_id)
        elif not is_clock(found.start_time) and timing_id not in self._bad_timings:
            self._bad_timings.add(timing_id)
            expected = "a timing whose hours begin at hh:mm:ss"
            building.wrong(spot, "invalid data", expected, f"{timing_id} at {found.start_time}")
        return found

    def _rating(self, binding: TpRateBinding, owner_id: str) -> Rating:
        key = (
            binding.RateId,
            binding.RoundingMethod,
            binding.RoundingDecimals,
            binding.MaxCost,
            binding.MaxCostStrategy,
        )
        found = self._ratings.get(key)
        if found is None:
            building = self._building
            item: TpRate | None = building.items("rates").get(binding.RateId)
            fee_nano = 0
            if item is not None and item.RateSlots:
                fee_nano = building.amount(item.RateSlots[0].ConnectFee, Spot("rates", item.ID, "ConnectFee"))
            found = self._ratings[key] = Rating(
                fee_nano,
                binding.RoundingMethod,
                binding.RoundingDecimals,
                building.amount(binding.MaxCost, Spot("destination_rates", owner_id, "MaxCost")),
                binding.MaxCostStrategy,
                self._slots(item),
            )
        return found

    def _slots(self, item: TpRate | None) -> tuple[Rate, ...]:
        if item is None:
            return ()
        found = self._rates.get(item.ID)
        if found is None:
            slots = [self._slot(item.ID, index, slot) for index, slot in enumerate(item.RateSlots or ())]
            slots.sort(key=lambda slot: slot.group_start_ns)
            found = self._rates[item.ID] = tuple(slots)
        return found

    def _slot(self, rate_id: str, index: int, slot: TpRateSlot) -> Rate:
        """Return one slot. Of unit, step and start, what cannot be read counts as 0, and so does all after it."""
        building = self._building
        unit_ns, step_ns, start_ns = building.lax_durations(slot.RateUnit, slot.RateIncrement, slot.GroupIntervalStart)
        for field, length_ns in (("RateUnit", unit_ns), ("RateIncrement", step_ns)):
            if length_ns < 0:
                spot = Spot("rates", rate_id, field, index)
                building.wrong(spot, "invalid data", "a duration that is not negative", getattr(slot, field))
        value_nano = building.amount(slot.Rate, Spot("rates", rate_id, "Rate", index))
        return Rate(start_ns, value_nano, step_ns, unit_ns)


def build_rating_profiles(building: Building) -> dict[str, RatingProfile]:
    """Return the plan's rating profiles by the ids they have in force; profiles of several loads are one."""
    found: dict[str, RatingProfile] = {}
    for item in building.items("rating_profiles").values():
        profile = build_rating_profile(building, item)
        known = found.get(profile.id)
        if known is not None:
            profile = RatingProfile(profile.id, (*known.activations, *profile.activations))
        found[profile.id] = profile
    return found


def profile_id_of(world: World, item: TpRatingProfile) -> str:
    """Return the id that a rating profile has in force."""
    return f"*out:{world.tenant(item.Tenant)}:{item.Category}:{item.Subject}"


def build_rating_profile(building: Building, item: TpRatingProfile) -> RatingProfile:
    """Return the rating profile an object describes."""
    world = building.world
    item_id = f"{item.LoadId}:{item.Tenant}:{item.Category}:{item.Subject}"
    activations = []
    for index, activation in enumerate(item.RatingPlanActivations or ()):
        start = Moment(0, 0)
        try:
            start = parse_time(activation.ActivationTime, world.now_at, world.settings["general"]["default_timezone"])
        except BadRequest:
            spot = Spot("rating_profiles", item_id, "ActivationTime", index)
            message = f"cannot parse activation time from {activation.ActivationTime}"
            building.wrong(spot, message, "a time such as 2024-01-01T00:00:00Z", activation.ActivationTime)
        if not building.is_known("rating_plans", activation.RatingPlanId):
            spot = Spot("rating_profiles", item_id, "RatingPlanId", index)
            message = f'could not load rating plans for tag: "{activation.RatingPlanId}"'
            building.wrong(spot, message, "a tag of RatingPlans.csv or a stored rating plan", activation.RatingPlanId)
        fallbacks = activation.FallbackSubjects
        subjects = tuple(fallbacks.split(";")) if fallbacks else ()
        activations.append(Activation(start.at, activation.RatingPlanId, subjects, start.offset_s))
    return RatingProfile(profile_id_of(world, item), tuple(activations))
