"""Which calls have a flat price: one activation, one destination, one rate that holds round the clock.

What is found here is what `split` would find by looking at hours; whatever could depend on them is left to it.
"""

from cgrcore._fast.flatprices import FlatPrice, FlatPrices, Terms
from cgrcore.rating.compile import ANY, CompiledPlan, Interval, Tariff
from cgrcore.rating.records import RatingProfile

__all__ = ["FlatTariff", "flat_prices_of"]

FOREVER_AT = 2**63 - 1

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
        self._found: dict[tuple[str, str, str], FlatPrice | None] = {}

    def prices(self) -> FlatPrices:
        return FlatPrices(self._tariff, self._tariff.profiles, self.windows_of, self.resolve)

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
        """Return the flat price of a number in a plan; None when its rates have hours, or two destinations compete.

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
        found = self._found[key] = self._resolve(profile, plan, longest)
        return found

    def _resolve(self, profile: RatingProfile, plan: CompiledPlan, number: str) -> FlatPrice | None:
        for prefix, ids in self._tariff.destinations_of(number):
            priced = [destination_id for destination_id in ids if plan.intervals(destination_id)]
            if priced:
                return self._price(profile, plan, prefix, priced[0]) if len(priced) == 1 else None
        return self._price(profile, plan, ANY, ANY)

    def _price(self, profile: RatingProfile, plan: CompiledPlan, prefix: str, destination_id: str) -> FlatPrice | None:
        intervals = plan.intervals(destination_id)
        if intervals is None or len(intervals) != 1 or not _is_flat(intervals[0]):
            return None
        interval = intervals[0]
        terms = Terms(interval.record, profile.id, prefix, destination_id, plan.id)
        slots = [(slot.group_start_ns, slot.value_nano, slot.increment_ns, slot.unit_ns) for slot in interval.slots]
        if any(increment_ns <= 0 or unit_ns <= 0 for _, _, increment_ns, unit_ns in slots):
            return None
        try:
            return FlatPrice(terms, slots, 10 ** (9 - min(self._tariff.rounding_decimals, 9)))
        except OverflowError:
            return None


def _is_flat(interval: Interval) -> bool:
    """True when the interval's hours are all hours."""
    timing = interval.record.timing
    return (
        timing is not None
        and not interval.hours.is_never
        and interval.hours.start_s == 0
        and not (timing.years or timing.months or timing.month_days or timing.week_days)
    )
