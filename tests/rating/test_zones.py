"""Hours of a place: the two nights on which its clock is moved, and every other."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import numpy
import pytest

from cgrcore.accounting import Balance, debit, max_usage
from cgrcore.errors import BadRequest
from cgrcore.rating import (
    Activation,
    Call,
    CallColumns,
    Coded,
    PlanRate,
    Tariff,
    call_at,
    quote,
    rate,
    rate_columns,
    tariff_of,
)
from cgrcore.rating.zones import clocks_of, zone_of
from cgrcore.timing import SECOND_NS, ZERO_AT, format_time
from cgrcore.world import World
from tests.accounting.small_world import balance, make_account
from tests.rating.small_tariffs import at, call, hours, profile, rating, slot, world_of

#: 0.6 and 1.2 a minute: 0.01 and 0.02 a second, so that nothing is ever rounded.
DAY = rating(slot("0.6", step_s=1))
NIGHT = rating(slot("1.2", step_s=1))

#: In Rome the clock goes from 02:00 to 03:00 at 01:00 UTC, and from 03:00 to 02:00 at 01:00 UTC.
SPRING_AT, AUTUMN_AT = at("2024-03-31T01:00:00Z"), at("2024-10-27T01:00:00Z")


def _world(*rates: PlanRate, zones: dict[str, str] | None = None) -> World:
    world = world_of({"44": rates}, profile("*any", Activation(ZERO_AT, "P")))
    world.settings["rals"]["tariff_timezones"] = {"*any": "Europe/Rome"} if zones is None else zones
    return world


def _parts(world: World, it: Call) -> list[tuple[int, str]]:
    """Return (seconds, price of a minute) of each part."""
    prices = {DAY: "0.6", NIGHT: "1.2"}
    return [
        (span.usage_ns // SECOND_NS, prices[span.interval.rating] if span.interval else "")
        for span in rate(tariff_of(world), it)
    ]


def test_without_a_zone_hours_are_those_of_the_offset_a_call_came_with() -> None:
    world = _world(hours(DAY), hours(NIGHT, "22:00:00"), zones={})
    assert _parts(world, call(60, "2024-07-01T22:30:00+05:00")) == [(60, "1.2")]
    assert _parts(world, call(60, "2024-07-01T17:30:00Z")) == [(60, "0.6")]


def test_with_a_zone_it_does_not_matter_which_offset_a_call_came_with() -> None:
    world = _world(hours(DAY), hours(NIGHT, "22:00:00"))
    for start in ("2024-07-01T22:30:00+02:00", "2024-07-01T20:30:00Z", "2024-07-02T01:30:00+05:00"):
        assert _parts(world, call(60, start)) == [(60, "1.2")]


def test_a_tenant_has_its_own_zone() -> None:
    world = _world(hours(DAY), hours(NIGHT, "22:00:00"), zones={"cgrates.org": "Asia/Tokyo", "*any": "Europe/Rome"})
    assert _parts(world, call(60, "2024-07-01T13:30:00Z")) == [(60, "1.2")]


def test_midnight_is_that_of_the_zone_in_summer_and_in_winter() -> None:
    world = _world(hours(DAY))
    assert _parts(world, call(60, "2024-07-01T21:59:40Z")) == [(20, "0.6"), (40, "0.6")]
    assert _parts(world, call(60, "2024-01-01T22:59:40Z")) == [(20, "0.6"), (40, "0.6")]


def test_in_spring_an_hour_that_is_skipped_takes_no_time() -> None:
    """From 01:59:30 the clock goes to 03:00:00 after 30 seconds: what begins at 02:30 holds at once."""
    world = _world(hours(DAY), hours(NIGHT, "02:30:00"))
    assert _parts(world, call(60, format_time(SPRING_AT - 30 * SECOND_NS))) == [(30, "0.6"), (30, "1.2")]


def test_in_spring_hours_after_the_change_come_an_hour_sooner() -> None:
    """04:00 is an hour after 01:59:59, not two."""
    world = _world(hours(DAY), hours(NIGHT, "04:00:00"))
    wanted = [(1800, "0.6"), (3600, "0.6"), (1800, "1.2")]
    assert _parts(world, call(7200, format_time(SPRING_AT - 1800 * SECOND_NS))) == wanted


def test_in_autumn_an_hour_that_comes_twice_is_priced_twice_by_the_same_hours() -> None:
    world = _world(hours(DAY), hours(NIGHT, "02:30:00"))
    wanted = [(1800, "0.6"), (1800, "1.2"), (1800, "0.6"), (1800, "1.2")]
    assert _parts(world, call(7200, format_time(AUTUMN_AT - 3600 * SECOND_NS))) == wanted


def test_in_autumn_hours_after_the_change_come_an_hour_later() -> None:
    world = _world(hours(DAY), hours(NIGHT, "04:00:00"))
    wanted = [(1800, "0.6"), (7200, "0.6"), (900, "1.2")]
    assert _parts(world, call(9900, format_time(AUTUMN_AT - 1800 * SECOND_NS))) == wanted


def test_the_midnight_after_a_change_is_that_of_the_new_clock() -> None:
    world = _world(hours(DAY))
    a_day = 86_400
    assert _parts(world, call(a_day, format_time(SPRING_AT))) == [(21 * 3600, "0.6"), (3 * 3600, "0.6")]


def test_a_zone_that_moves_its_clock_at_midnight_has_no_empty_part() -> None:
    """In Cairo 00:00 became 01:00 on 26 April 2024, at 22:00 UTC."""
    world = _world(hours(DAY), hours(NIGHT, "00:30:00"), zones={"*any": "Africa/Cairo"})
    assert _parts(world, call(60, "2024-04-25T21:59:40Z")) == [(20, "1.2"), (40, "1.2")]


def test_what_is_no_voice_has_the_price_of_its_start() -> None:
    world = _world(hours(DAY), hours(NIGHT, "02:30:00"))
    assert _parts(world, call(60, format_time(SPRING_AT - 30 * SECOND_NS), tor="*data")) == [(60, "0.6")]


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(BadRequest, match="unknown time zone Europe/Nowhere"):
        Tariff({}, {}, {}, zones={"*any": "Europe/Nowhere"})


@pytest.mark.parametrize("name", ["Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
def test_a_zone_has_the_offsets_of_its_calendar(name: str) -> None:
    zone, calendar = zone_of(name), ZoneInfo(name)
    random = Random(name)
    for _ in range(2000):
        second = random.randint(0, 4_000_000_000)
        offset = datetime.fromtimestamp(second, calendar).utcoffset()
        assert zone.offset_at(second * SECOND_NS) == (offset or timedelta()).total_seconds()


def test_columns_of_instants_have_the_offsets_of_single_ones() -> None:
    zone, random = zone_of("Europe/Rome"), Random(1)
    near = [change + random.randint(-3, 3) for change in zone.changes_at for _ in range(10)]
    usages = [random.randint(1, 5) for _ in near]
    columns = numpy.array(near, dtype=numpy.int64), numpy.array(usages, dtype=numpy.int64)
    offsets, is_moved = zone.clocks_at(*columns)
    assert offsets.tolist() == [zone.offset_at(it) for it in near]
    wanted = [bool(zone.changes_within(it, it + usage)) for it, usage in zip(near, usages, strict=True)]
    assert is_moved.tolist() == wanted


def _second_by_second(it: Call, rates: list[tuple[int, int]]) -> int:
    """Return the cost of a call in 1e-9 by looking at the clock on the wall at each second of it.

    `rates` are (second of the day, price of a second in 1e-9); the latest that has begun holds.
    """
    total_nano = 0
    rome = ZoneInfo("Europe/Rome")
    first = it.start_at // SECOND_NS
    for second in range(first, first + it.usage_ns // SECOND_NS):
        wall = datetime.fromtimestamp(second, UTC).astimezone(rome)
        clock = wall.hour * 3600 + wall.minute * 60 + wall.second
        total_nano += max(price for price in rates if price[0] <= clock)[1]
    return total_nano


def _from(second: int, second_nano: int) -> PlanRate:
    """Return the rate of a price of a second from a second of the day on."""
    minute = f"{Decimal(second_nano * 60) / 10**9:f}"
    return hours(rating(slot(minute, step_s=1)), f"{second // 3600:02d}:{second // 60 % 60:02d}:00")


@pytest.mark.parametrize("change_at", [SPRING_AT, AUTUMN_AT], ids=["spring", "autumn"])
def test_both_nights_cost_what_the_clock_on_the_wall_says(change_at: int) -> None:
    random = Random(change_at)
    for _ in range(40):
        starts = sorted(random.sample(range(0, 6 * 3600, 900), 3))
        rates = [(0, 10**7), *((start, random.randint(1, 9) * 10**7) for start in starts if start)]
        world = _world(*(_from(start, price) for start, price in rates))
        start_at = change_at + random.randint(-4 * 3600, 1800) * SECOND_NS
        it = call(random.randint(1, 5 * 3600), format_time(start_at))
        assert quote(world, it).cost_nano == _second_by_second(it, rates), (format_time(start_at), rates)


@pytest.mark.parametrize("change_at", [SPRING_AT, AUTUMN_AT], ids=["spring", "autumn"])
def test_both_nights_are_debited_and_granted_as_they_are_quoted(change_at: int) -> None:
    random = Random(change_at)
    world = _world(hours(DAY), hours(NIGHT, "02:30:00"), hours(DAY, "04:00:00"), hours(NIGHT, "22:00:00"))
    for _ in range(150):
        start = format_time(change_at + random.randint(-12 * 3600, 24 * 3600) * SECOND_NS, random.choice((0, 19_800)))
        it = call(random.randint(1, 6 * 3600), start, subject="1001")
        it = msgspec.structs.replace(it, account="1001")
        wanted = quote(world, it).cost_nano
        make_account(world, balance(world, "*monetary", "m", 10**6))
        assert debit(world, it).cost_nano == wanted, start
        world.state.take()
        make_account(world, Balance(world.new_id(), "m", "*monetary", wanted))
        assert max_usage(world, it) == it.usage_ns, start
        make_account(world, Balance(world.new_id(), "m", "*monetary", wanted - 1))
        assert max_usage(world, it) < it.usage_ns, start


@pytest.mark.parametrize("change_at", [SPRING_AT, AUTUMN_AT], ids=["spring", "autumn"])
def test_in_bulk_both_nights_cost_what_single_calls_do(change_at: int) -> None:
    random = Random(change_at)
    world = _world(hours(DAY), hours(NIGHT, "02:30:00"), hours(DAY, "04:00:00"), hours(NIGHT, "22:00:00"))
    starts = [change_at + random.randint(-12 * 3600, 24 * 3600) * SECOND_NS for _ in range(400)]
    columns = CallColumns(
        ["4420"] * 400,
        numpy.array(starts, dtype=numpy.int64),
        numpy.array([random.randint(0, 6 * 3600) * SECOND_NS for _ in range(400)], dtype=numpy.int64),
        "s",
        "cgrates.org",
        offsets_s=numpy.array([random.choice((0, 7200, -18_000)) for _ in range(400)], dtype=numpy.int32),
    )
    wanted = [quote(world, call_at(columns, row)).cost_nano for row in range(400)]
    assert rate_columns(tariff_of(world), columns).costs_nano.tolist() == wanted


def test_columns_of_two_tenants_have_two_clocks() -> None:
    tariff = Tariff({}, {}, {}, zones={"rome": "Europe/Rome", "tokyo": "Asia/Tokyo"})
    tenants = Coded(numpy.array([0, 1, 2, 0], dtype=numpy.int32), ["rome", "tokyo", "elsewhere"])
    starts = numpy.array([SPRING_AT, SPRING_AT, SPRING_AT, SPRING_AT - 1], dtype=numpy.int64)
    offsets, is_moved = clocks_of(tariff, tenants, starts, numpy.full(4, 2, dtype=numpy.int64), -60)
    assert offsets.tolist() == [7200, 32_400, -60, 3600]
    assert is_moved.tolist() == [False, False, False, True]
