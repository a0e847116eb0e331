"""Small tariffs and calls made at random, dense with borders: prefixes inside prefixes, hours, slots, activations."""

import itertools
from random import Random

from cgrcore.config import read_settings
from cgrcore.rating import (
    Activation,
    Call,
    Destination,
    PlanRate,
    Rate,
    Rating,
    RatingPlan,
    RatingProfile,
    Tariff,
    Timing,
)
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.oracle.rating import Model

__all__ = ["make_call", "make_model", "make_tariff", "make_world"]

#: 2024-02-28T12:00:00Z, a Wednesday before a leap day.
NOON_AT = 1_709_121_600 * SECOND_NS
DAY_S = 86_400
SUBJECTS = ("a", "ab", "b", "*any")
STARTS = ("00:00:00", "00:00:00", "08:00:00", "11:59:30", "12:00:00", "19:30:00", "23:59:59", "")
TORS = ("*voice", "*voice", "*voice", "", "*data", "*sms")


def make_model(random: Random) -> Model:
    """Return a tariff of a few destinations, plans and profiles."""
    destinations = {name: Destination(name, _prefixes(random)) for name in ("D1", "D2", "D3", "D4")}
    plans = {name: RatingPlan(name, _rates(random, destinations)) for name in ("P1", "P2", "P3")}
    profiles = {}
    for subject in SUBJECTS:
        if random.random() < 0.9:
            key = f"*out:t:call:{subject}"
            profiles[key] = RatingProfile(key, _activations(random))
    return Model(
        destinations, plans, profiles, random.choice((5, 5, 2, 9)), random.choice((3, 3, 1)), random.random() < 0.2
    )


def make_tariff(model: Model) -> Tariff:
    """Return the model's tariff, compiled."""
    return Tariff(
        dict(model.destinations),
        dict(model.plans),
        dict(model.profiles),
        rounding_decimals=model.decimals,
        fallback_depth=model.fallback_depth,
        matches_subject_prefixes=model.matches_subject_prefixes,
    )


def make_world(model: Model) -> World:
    """Return a world in which the model's tariff is in force."""
    counter = itertools.count(1)
    world = World(read_settings([]), lambda: f"00000000-0000-0000-0000-{next(counter):012d}", NOON_AT)
    world.settings["general"]["rounding_decimals"] = model.decimals
    rals = world.settings["rals"]
    rals["fallback_depth"] = model.fallback_depth
    rals["rp_subject_prefix_matching"] = model.matches_subject_prefixes
    rals["max_computed_usage"] = {}
    for name, records in (
        ("destinations", model.destinations),
        ("rating_plans", model.plans),
        ("rating_profiles", model.profiles),
    ):
        for key, record in records.items():
            world.state.table(name).put(key, record)
    world.state.take()
    return world


def make_call(random: Random) -> Call:
    """Return a call of up to three days near noon of the first day; most are short."""
    usage_ns = (
        random.choice((1, 59, 60, 61, 90, 3600, random.randint(1, 600), random.randint(1, 3 * DAY_S))) * SECOND_NS
    )
    if random.random() < 0.1:
        usage_ns += random.randint(0, SECOND_NS)
    start_s = random.choice(
        (0, random.randint(-600, 600), 12 * 3600 - random.randint(0, 120), random.randint(0, DAY_S))
    )
    return Call(
        tenant="t",
        category="call",
        subject=random.choice(("a", "ab", "abc", "b", "c")),
        account="a",
        destination=_number(random),
        tor=random.choice(TORS),
        start_at=NOON_AT + start_s * SECOND_NS + random.choice((0, 0, 0, 250_000_000)),
        usage_ns=usage_ns,
        offset_s=random.choice((0, 0, 7200, -19_800)),
        duration_index_ns=random.choice((0, 0, usage_ns, usage_ns + random.randint(0, 200) * SECOND_NS)),
        is_first=random.random() < 0.8,
    )


def _number(random: Random) -> str:
    if random.random() < 0.25:
        return random.choice(("", "*any", "5", "x"))
    return "".join(random.choices("12", k=random.randint(1, 7)))


def _prefixes(random: Random) -> tuple[str, ...]:
    found = {"".join(random.choice("12") for _ in range(random.randint(1, 4))) for _ in range(random.randint(1, 5))}
    if random.random() < 0.2:
        found |= {"1x", "x", "é1", "12345678901234567890"}
    return tuple(sorted(found))


def _rates(random: Random, destinations: dict[str, Destination]) -> dict[str, tuple[PlanRate, ...]]:
    names = [name for name in (*destinations, "*any") if random.random() < 0.8]
    return {name: tuple(_plan_rate(random) for _ in range(random.choice((1, 1, 2, 3)))) for name in names}


def _plan_rate(random: Random) -> PlanRate:
    timing = Timing("*any")
    if random.random() < 0.5:
        timing = Timing(
            "T",
            years=random.choice(((), (), (2024,), (2024,), (2023,))),
            months=random.choice(((), (), (2, 3))),
            month_days=random.choice(((), (), (28, 29))),
            week_days=random.choice(((), (), (3, 4), (0, 1, 2, 3, 4, 5, 6))),
            start_time=random.choice(STARTS),
        )
    return PlanRate(timing, _rating(random), random.choice((-10, 0, 10, 10, 10, 20)) * 10**9)


def _rating(random: Random) -> Rating:
    starts = sorted({random.choice((0, 0, 30, 60, 90, 300, 3600)) for _ in range(random.randint(1, 3))})
    slots = [
        Rate(
            start * SECOND_NS,
            random.choice((0, 10**8, 123_456_789, random.randint(-(10**8), 3 * 10**9))),
            random.choice((0, 1, SECOND_NS, 6 * SECOND_NS, 60 * SECOND_NS, 7 * SECOND_NS)),
            random.choice((0, SECOND_NS, 60 * SECOND_NS, 60 * SECOND_NS, 7 * SECOND_NS)),
        )
        for start in starts
    ]
    return Rating(
        random.choice((0, 0, 4 * 10**8, 1)),
        random.choice(("*up", "*middle", "*down", "", "*odd")),
        random.randint(0, 6),
        random.choice((0, 10**9, 5 * 10**9)),
        random.choice(("", "*free", "*disconnect")),
        tuple(slots),
    )


def _activations(random: Random) -> tuple[Activation, ...]:
    return tuple(
        Activation(
            NOON_AT + random.choice((*(-10 * DAY_S,) * 5, -60, 0, 30, 3600, DAY_S)) * SECOND_NS,
            random.choice(("P1", "P2", "P3", "P1", "P2", "P3", "P_GONE")),
            random.choice(((), (), ("b",), ("c", "a"), ("*any",))),
        )
        for _ in range(random.choice((1, 1, 1, 2, 3)))
    )
