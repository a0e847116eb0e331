"""Which calls have a flat price: one activation, one destination, one rate that holds round the clock.

What is found here is what `split` would find by looking at hours; whatever could depend on them is left to it.
"""

from cgrcore._fast.flatprices import FlatPrice, FlatPrices, Terms, TimedPrice
from cgrcore._fast.hours import DayHours
from cgrcore.rating.compile import ANY, CompiledPlan, Interval, Tariff
from cgrcore.rating.records import RatingProfile

__all__ = ["FlatTariff", "flat_prices_of"]

FOREVER_AT = 2**63 - 1

#: What a number costs: the same round the clock, or by the hours of its rates.
Price = FlatPrice | TimedPrice

#: Prices kept, about a kilobyte each. Beyond it all are forgotten, which costs one look-up each.
MOST_PRICES = 200_000


def flat_prices_of(tariff: Tariff) -> FlatPrices | None:
    """Return the flat prices of a tariff, made when first asked for; None when subjects are matched by prefix."""
    if tariff.matches_subject_prefixes:
        return None
    found: FlatPrices | None = tariff.flat_prices
    if found is None or found.tariff is not tariff:
        found = tariff.flat_prices = FlatTariff(tariff).prices()
    return found


class FlatTariff:
    """The flat prices of a tariff: where to look, and what is found there."""

    def __init__(self, tariff: Tariff) -> None:
        self._tariff = tariff
        self._found: dict[tuple[str, str, str], Price | None] = {}

    def prices(self) -> FlatPrices:
        return FlatPrices(self._tariff, self._tariff.profiles, self.windows_of, self.price_of)

    def windows_of(self, profile: RatingProfile) -> tuple[tuple[int, int, CompiledPlan], ...]:
        """Return the activations whose plan exists, each with the instant of the next."""
        activations = sorted(profile.activations, key=lambda activation: activation.at)
        windows = []
        for index, activation in enumerate(activations):
            plan = self._tariff.plan(activation.plan_id)
            until_at = activations[index + 1].at if index + 1 < len(activations) else FOREVER_AT
            if plan is not None:
                windows.append((activation.at, until_at, plan))
        return tuple(windows)

    def resolve(self, profile: RatingProfile, plan: CompiledPlan, destination: str) -> FlatPrice | None:
        """Return the flat price of a number in a plan; None when its rates have hours, or two destinations compete."""
        found = self.price_of(profile, plan, destination)
        return found if isinstance(found, FlatPrice) else None

    def price_of(self, profile: RatingProfile, plan: CompiledPlan, destination: str) -> Price | None:
        """Return the price of a number in a plan, by hours where it has them; None when two destinations compete.

        Numbers with the same longest prefix have the same.
        """
        longest = self._tariff.numbers.longest_of(destination)
        key = (profile.id, plan.id, longest)
        try:
            return self._found[key]
        except KeyError:
            pass
        if len(self._found) >= MOST_PRICES:
            self._found.clear()
        found = self._found[key] = self._of_prefix(profile, plan, longest)
        return found

    def _of_prefix(self, profile: RatingProfile, plan: CompiledPlan, number: str) -> Price | None:
        for prefix, ids in self._tariff.destinations_of(number):
            priced = [destination_id for destination_id in ids if plan.intervals(destination_id)]
            if priced:
                return self._of_destination(profile, plan, prefix, priced[0]) if len(priced) == 1 else None
        return self._of_destination(profile, plan, ANY, ANY)

    def _of_destination(
        self, profile: RatingProfile, plan: CompiledPlan, prefix: str, destination_id: str
    ) -> Price | None:
        intervals = plan.intervals(destination_id)
        if intervals is None:
            return None
        matched = (profile.id, prefix, destination_id, plan.id)
        try:
            prices = [self._price(interval, matched) for interval in intervals]
            if len(intervals) == 1 and _is_flat(intervals[0]):
                return prices[0]
            return TimedPrice(DayHours([(it.hours, it.weight_nano) for it in intervals]), prices)
        except OverflowError:
            return None

    def _price(self, interval: Interval, matched: tuple[str, str, str, str]) -> FlatPrice:
        """Return the price of one rate. Raises OverflowError for what is beyond the kernel."""
        slots = [(slot.group_start_ns, slot.value_nano, slot.increment_ns, slot.unit_ns) for slot in interval.slots]
        if any(increment_ns <= 0 or unit_ns <= 0 for _, _, increment_ns, unit_ns in slots):
            raise OverflowError("steps and units are positive")
        step_nano: int = 10 ** (9 - min(self._tariff.rounding_decimals, 9))
        return FlatPrice(Terms(interval.record, *matched), slots, step_nano)


def _is_flat(interval: Interval) -> bool:
    """True when the interval's hours are all hours."""
    timing = interval.record.timing
    return (
        timing is not None
        and not interval.hours.is_never
        and interval.hours.start_s == 0
        and not (timing.years or timing.months or timing.month_days or timing.week_days)
    )
