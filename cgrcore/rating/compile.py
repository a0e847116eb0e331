"""From records to what is fast to ask: the compiled tariff.

A compiled tariff is immutable; the tables' records become masks, sorted slots and dictionaries once, and the whole is
replaced when a table has moved. Does not know: how a call is split or priced.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from cgrcore._fast.bulk import BulkRater
from cgrcore._fast.flatprices import FlatPrices
from cgrcore._fast.plans import Plans
from cgrcore.rating.prefixes import Prefixes
from cgrcore.rating.records import Destination, PlanRate, Rating, RatingPlan, RatingProfile, Timing
from cgrcore.rating.zones import Zone, zone_of
from cgrcore.timing import SECOND_NS
from cgrcore.world import World

if TYPE_CHECKING:
    from os import PathLike

    from numpy import bool_, int32
    from numpy.typing import NDArray

    from cgrcore.rating.bulk import RatedColumns
    from cgrcore.rating.columns import Column
    from cgrcore.rating.explain import Quote

__all__ = ["CompiledPlan", "Hours", "Interval", "Slot", "Tariff", "day_of", "tariff_of"]

ANY = "*any"


class Hours:
    """A timing as masks: years, months, days of the month, days of the week, and the second the hours begin.

    `is_never` for a built-in timing without a clock time: it names moments of an action plan, not hours.
    """

    __slots__ = ("is_any_day", "is_never", "month_days", "months", "start_s", "week_days", "years")

    def __init__(self, timing: Timing) -> None:
        self.years = frozenset(timing.years or ())
        self.months = _mask(timing.months or ())
        self.month_days = _mask(timing.month_days or ())
        self.week_days = _mask(timing.week_days or ())
        self.is_any_day = not (self.years or self.months or self.month_days or self.week_days)
        start = _seconds(timing.start_time)
        self.is_never = start is None
        self.start_s = start or 0

    def is_active(self, day: "Day", second: int) -> bool:
        """True when the hours hold at a second of a day: from the start time to midnight of the days that match."""
        if second < self.start_s or self.is_never:
            return False
        return self.is_any_day or (
            (not self.years or day.year in self.years)
            and (not self.months or bool(self.months >> day.month & 1))
            and (not self.month_days or bool(self.month_days >> day.day & 1))
            and (not self.week_days or bool(self.week_days >> day.week_day & 1))
        )


class Day:
    """A day of the civil calendar, from its count since 1970."""

    __slots__ = ("day", "month", "week_day", "year")

    def __init__(self, days: int) -> None:
        # The proleptic Gregorian calendar in closed form: eras of 400 years that begin on 1 March.
        shifted = days + 719468
        era, in_era = divmod(shifted, 146097)
        year_of_era = (in_era - in_era // 1460 + in_era // 36524 - in_era // 146096) // 365
        in_year = in_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
        month_index = (5 * in_year + 2) // 153
        self.day = in_year - (153 * month_index + 2) // 5 + 1
        self.month = month_index + 3 if month_index < 10 else month_index - 9
        self.year = year_of_era + era * 400 + (self.month <= 2)
        self.week_day = (days + 4) % 7


@lru_cache(maxsize=1024)
def day_of(days: int) -> Day:
    """Return a day by its count since 1970. Most calls are of few days, so some are remembered."""
    return Day(days)


def _mask(numbers: tuple[int, ...]) -> int:
    mask = 0
    for number in numbers:
        if 0 <= number < 64:
            mask |= 1 << number
    return mask if mask or not numbers else 1 << 63


def _seconds(clock: str) -> int | None:
    """Return the second of the day of "hh:mm:ss" ("" is midnight), None for anything else."""
    if not clock:
        return 0
    parts = clock.split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return None
    hour, minute, second = map(int, parts)
    return hour * 3600 + minute * 60 + second


class Slot:
    """One slot of a rate, its gaps filled: steps and units of 0 are a second."""

    __slots__ = ("group_start_ns", "increment_ns", "unit_ns", "value_nano")

    def __init__(self, group_start_ns: int, value_nano: int, increment_ns: int, unit_ns: int) -> None:
        self.group_start_ns = group_start_ns
        self.value_nano = value_nano
        self.increment_ns = increment_ns or SECOND_NS
        self.unit_ns = unit_ns or SECOND_NS


class Interval:
    """A rate of a plan with its hours and slots compiled. `record` is what it was made of."""

    __slots__ = ("hours", "record", "slots", "weight_nano")

    def __init__(self, record: PlanRate, hours: Hours, slots: list[Slot]) -> None:
        self.record = record
        self.hours = hours
        self.weight_nano = record.weight_nano
        self.slots = slots

    def slot_at(self, index_ns: int) -> Slot | None:
        """Return the slot that holds at this usage, None before the first."""
        found = None
        for slot in self.slots:
            if slot.group_start_ns > index_ns:
                break
            found = slot
        return found


def _slots_of(rating: Rating) -> list[Slot]:
    return [
        Slot(rate.group_start_ns, rate.value_nano, rate.increment_ns, rate.unit_ns)
        for rate in sorted(rating.rates, key=lambda rate: rate.group_start_ns)
    ]


class CompiledPlan:
    """A rating plan: for each destination id its intervals, heaviest and then earliest first, compiled on being asked.

    Destinations share what they have in common: timings and ratings are compiled once, by identity.
    """

    __slots__ = ("_compiled", "_hours", "_slots", "id", "record")

    def __init__(self, record: RatingPlan) -> None:
        self.id = record.id
        self.record = record
        self._compiled: dict[str, tuple[Interval, ...]] = {}
        self._hours: dict[int, Hours] = {}
        self._slots: dict[int, list[Slot]] = {}

    def intervals(self, destination_id: str) -> tuple[Interval, ...] | None:
        """Return the destination's intervals, None when the plan has none for it."""
        found = self._compiled.get(destination_id)
        if found is None:
            rates = self.record.destination_rates.get(destination_id)
            if not rates:
                return None
            found = self._compiled[destination_id] = tuple(
                sorted(map(self._interval, rates), key=lambda it: (-it.weight_nano, it.hours.start_s))
            )
        return found

    def _interval(self, rate: PlanRate) -> Interval:
        # The plan holds its records for good, so an id stays that of the same record.
        hours = self._hours.get(id(rate.timing))
        if hours is None:
            hours = self._hours[id(rate.timing)] = Hours(rate.timing or Timing())
        slots = self._slots.get(id(rate.rating))
        if slots is None:
            slots = self._slots[id(rate.rating)] = _slots_of(rate.rating)
        return Interval(rate, hours, slots)


class Tariff:
    """Everything a price depends on, compiled: the prefixes, the plans, who uses which.

    `versions` are those of the tables it was compiled from; `numbers` the prefixes of the destinations, where known.
    `zones` names the zone whose clock a tenant's hours are of (`*any`: of all others); without one they are those of
    the offset a call is given with. Raises BadRequest for an unknown zone.
    """

    def __init__(
        self,
        destinations: dict[str, Destination],
        plans: dict[str, RatingPlan],
        profiles: dict[str, RatingProfile],
        *,
        rounding_decimals: int = 5,
        fallback_depth: int = 3,
        matches_subject_prefixes: bool = False,
        max_usage_ns: dict[str, int] | None = None,
        zones: Mapping[str, str] | None = None,
        versions: tuple[int, ...] = (),
        numbers: Prefixes | None = None,
    ) -> None:
        self.rounding_decimals = rounding_decimals
        self.fallback_depth = fallback_depth
        self.matches_subject_prefixes = matches_subject_prefixes
        self.max_usage_ns = max_usage_ns or {}
        self.zones = {tenant: zone_of(name) for tenant, name in (zones or {}).items() if name}
        self.versions = versions
        self.profiles = profiles
        #: What `flat` has found to be priced without hours. Another tariff's when this one is a copy.
        self.flat_prices: FlatPrices | None = None
        #: The plans as the kernel reads them, made by `plans` when first asked for. As above.
        self.kernel_plans: Plans | None = None
        self.bulk_rater: BulkRater | None = None
        self._destinations = destinations
        self._plans = plans
        self._compiled_plans: dict[str, CompiledPlan] = {}
        self.numbers = Prefixes(destinations.values()) if numbers is None else numbers

    @classmethod
    def load(
        cls,
        folder: "str | PathLike[str] | Mapping[str, bytes]",
        *,
        tenant: str = "cgrates.org",
        zone: str | Mapping[str, str] = "",
        matches_subject_prefixes: bool = False,
        now_at: int = 0,
    ) -> "Tariff":
        """Return the tariff of a folder of CSV files, or of their contents by name.

        `tenant` is that of profiles that name none. `zone`: the IANA zone whose clock the rates follow, for all or by
        tenant; "" for the offset each call is given with. `now_at` (ns UTC) is what `*now` in the plan means.
        Raises NotFound without the folder or any file of a plan in it, PlanRefused with all mistakes of the plan,
        BadRequest for an unknown zone, Unavailable for a file that cannot be read.
        """
        from cgrcore.rating.library import load_tariff

        return load_tariff(
            folder, tenant=tenant, zone=zone, matches_subject_prefixes=matches_subject_prefixes, now_at=now_at
        )

    def rate(
        self,
        destination: str,
        usage: str | int,
        at: str | int | datetime,
        *,
        subject: str = ANY,
        tenant: str = "cgrates.org",
        category: str = "call",
        tor: str = "*voice",
    ) -> "Quote":
        """Return what a call costs, and why.

        `usage`: a duration such as "2m10s", or int: ns for *voice, units for all else. `at`: RFC 3339 or another layout
        of tariff plans (without an offset: of the tariff's zone, or UTC), int ns UTC, or a datetime with an offset.
        Raises BadRequest for what cannot be read, Refused RATING_PLAN_NOT_FOUND, UNAUTHORIZED_DESTINATION,
        MAX_USAGE_EXCEEDED.
        """
        from cgrcore.rating.library import rate_given

        return rate_given(self, destination, usage, at, subject=subject, tenant=tenant, category=category, tor=tor)

    def rate_columns(
        self,
        destinations: "Column",
        starts_at: "Column",
        usages_ns: "Column",
        *,
        subjects: "Column" = ANY,
        tenants: "Column" = "cgrates.org",
        categories: "Column" = "call",
        tors: "Column" = "*voice",
        offsets_s: "int | NDArray[int32]" = 0,
        is_left_out: "NDArray[bool_] | None" = None,
        with_breakdown: bool = False,
    ) -> "RatedColumns":
        """Return what n calls cost, a column each; a row that is refused has its error and costs 0.

        `starts_at`: (n,) int64 ns UTC, datetime64, Arrow timestamp, or a list; `usages_ns`: (n,) int64 ns or units,
        timedelta64, Arrow duration, or a list; the others: one text for all, or (n,) texts. `offsets_s`: the clock of
        the rows, seconds east of UTC, where the tariff has no zone. What is int64 ns, 64-bit ns of time, numpy `S` or
        Arrow text is read where it lies. Raises ValueError for columns of different lengths or other kinds.
        """
        from cgrcore.rating.bulk import CallColumns
        from cgrcore.rating.library import rate_given_columns

        columns = CallColumns(
            destinations, starts_at, usages_ns, subjects, tenants, categories, tors, offsets_s, is_left_out
        )
        return rate_given_columns(self, columns, with_breakdown=with_breakdown)

    def zone_of(self, tenant: str) -> Zone | None:
        """Return the zone whose clock the tenant's hours are of, None where calls bring their own."""
        return self.zones.get(tenant) or self.zones.get(ANY)

    def destinations_of(self, number: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Return (prefix, destination ids) for each known prefix of the number, longest first."""
        return self.numbers.destinations_of(number)

    def owners(self, prefix: str) -> tuple[str, ...]:
        """Return the ids of the destinations that have exactly this prefix."""
        return self.numbers.owners(prefix)

    def prefixes(self) -> Iterable[str]:
        """Return every prefix that a destination has."""
        return self.numbers

    def destination_ids(self) -> Iterable[str]:
        """Return the ids of all destinations, in the order of the table."""
        return self._destinations

    def plan_ids(self) -> Iterable[str]:
        """Return the ids of all rating plans, in the order of the table."""
        return self._plans

    def profile_of(self, key: str) -> RatingProfile | None:
        """Return the profile of a key: its own or, where subjects are matched by prefix, the longest shorter one's."""
        found = self.profiles.get(key)
        if found is not None or not self.matches_subject_prefixes or key.endswith(ANY):
            return found
        head, _, subject = key.rpartition(":")
        for length in range(len(subject) - 1, 0, -1):
            found = self.profiles.get(f"{head}:{subject[:length]}")
            if found is not None:
                return found
        return None

    def with_profile(self, profile: RatingProfile) -> "Tariff":
        """Return the same tariff with one more profile."""
        twin = copy.copy(self)
        twin.profiles = {profile.id: profile}
        return twin

    def plan(self, plan_id: str) -> CompiledPlan | None:
        found = self._compiled_plans.get(plan_id)
        if found is None:
            record = self._plans.get(plan_id)
            if record is None:
                return None
            found = self._compiled_plans[plan_id] = CompiledPlan(record)
        return found


TABLES = ("destinations", "rating_plans", "rating_profiles")


def tariff_of(world: World) -> Tariff:
    """Return the tariff in force, compiled anew when a table it depends on has moved."""
    tables = world.parts.get("tariff_tables")
    if tables is None:
        tables = world.parts["tariff_tables"] = tuple(world.state.table(name) for name in TABLES)
    destinations, plans, profiles = tables
    versions = (destinations.version, plans.version, profiles.version)
    tariff: Tariff | None = world.parts.get("tariff")
    if tariff is None or tariff.versions != versions:
        rals = world.settings["rals"]
        is_renumbered = tariff is None or tariff.versions[0] != versions[0]
        tariff = world.parts["tariff"] = Tariff(
            *(dict(table.records) for table in tables),
            rounding_decimals=world.settings["general"]["rounding_decimals"],
            fallback_depth=rals["fallback_depth"],
            matches_subject_prefixes=rals["rp_subject_prefix_matching"],
            max_usage_ns=rals["max_computed_usage"],
            zones=rals["tariff_timezones"],
            versions=versions,
            numbers=None if tariff is None or is_renumbered else tariff.numbers,
        )
    return tariff
