"""What is rated in bulk costs what it costs by itself."""

import threading
from random import Random
from typing import Any

import msgspec
import numpy
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.errors import CgrError
from cgrcore.rating import (
    Activation,
    Call,
    CallColumns,
    Coded,
    Destination,
    PlanRate,
    Rate,
    RatedColumns,
    Rating,
    RatingPlan,
    RatingProfile,
    Tariff,
    Texts,
    Timing,
    call_at,
    quote,
    quote_by_tariff,
    rate,
    rate_columns,
    tariff_of,
)
from cgrcore.timing import DAY_NS, SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import START_AT, make_world, money
from tests.rating.random_tariffs import make_call, make_model, make_tariff
from tests.rating.small_tariffs import at, hours, rating, slot, world_of

rates = st.builds(
    Rate,
    st.integers(0, 6).map(lambda n: n * 10 * SECOND_NS),
    st.integers(-(10**6), 10**10),
    st.sampled_from([0, 1, SECOND_NS, 7 * SECOND_NS, 60 * SECOND_NS]),
    st.sampled_from([0, SECOND_NS, 60 * SECOND_NS, 3600 * SECOND_NS]),
)
ratings = st.builds(
    Rating,
    st.integers(0, 10**9),
    st.sampled_from(["*up", "*down", "*middle", "", "*other"]),
    st.integers(0, 10),
    st.sampled_from([0, 10**8, 10**10]),
    st.sampled_from(["", "*free", "*disconnect"]),
    st.lists(rates, min_size=1, max_size=4, unique_by=lambda it: it.group_start_ns).map(tuple),
)
timings = st.sampled_from([Timing("*any"), Timing("EVENING", start_time="19:00:00")])
plan_rates = st.lists(st.builds(PlanRate, timings, ratings, st.sampled_from([0, 10**10])), min_size=1, max_size=2)
calls = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["7", "71", "712", "7129", "8", "9", "", "*any", "1"]),
    st.integers(-200, 4 * 86_400),
    st.sampled_from([-1, 0, 1, 30, 59, 60, 3600, 7200, 86_400, 200_000]),
)
SUBJECTS = ["flat", "other", "nobody"]


def _world(first: list[PlanRate], second: list[PlanRate], any_rate: list[PlanRate]) -> World:
    world = make_world()
    table = world.state.table
    table("destinations").put("D7", Destination("D7", ("7", "8")))
    table("destinations").put("D71", Destination("D71", ("71",)))
    for plan_id, rated in (("A", first), ("B", second)):
        plan = RatingPlan(plan_id, {"D7": tuple(rated), "D71": tuple(any_rate)})
        table("rating_plans").put(plan_id, plan)
    activations = (Activation(START_AT, "A"), Activation(START_AT + DAY_NS, "B"))
    table("rating_profiles").put("*out:cgrates.org:bulk:flat", RatingProfile("*out:cgrates.org:bulk:flat", activations))
    anyone = RatingProfile("*out:cgrates.org:bulk:*any", (Activation(START_AT, "B"),))
    table("rating_profiles").put(anyone.id, anyone)
    world.state.take()
    return world


def _columns(rows: list[tuple[int, str, int, int]], tor: str, offset_s: int) -> CallColumns:
    subjects, numbers, starts, usages = zip(*rows, strict=True)
    return CallColumns(
        destinations=numpy.array([number.encode() for number in numbers]),
        starts_at=START_AT + numpy.array(starts, dtype=numpy.int64) * SECOND_NS,
        usages_ns=numpy.array(usages, dtype=numpy.int64) * SECOND_NS,
        subjects=Coded(numpy.array(subjects, dtype=numpy.int32), SUBJECTS),
        tenants="cgrates.org",
        categories="bulk",
        tors=tor,
        offsets_s=offset_s,
    )


def _alone(world: World, call: Call) -> Any:
    try:
        return quote(world, call).cost_nano
    except CgrError:
        return None


@given(
    plan_rates,
    plan_rates,
    plan_rates,
    st.lists(calls, min_size=1, max_size=12),
    st.sampled_from(["*voice", "", "*sms"]),
    st.sampled_from([0, 3600, -7200]),
)
@settings(max_examples=100, deadline=None)
def test_every_row_costs_what_the_call_costs_by_itself(
    first: Any, second: Any, any_rate: Any, rows: Any, tor: str, offset_s: int
) -> None:
    world = _world(first, second, any_rate)
    columns = _columns(rows, tor, offset_s)
    costs = rate_columns(tariff_of(world), columns)
    found = [None if costs.errors[row] else int(costs.costs_nano[row]) for row in range(len(rows))]
    assert found == [_alone(world, call_at(columns, row)) for row in range(len(rows))]
    assert costs.total_nano == sum(cost or 0 for cost in found)


def test_flat_rows_are_not_quoted_one_by_one() -> None:
    flat = [PlanRate(Timing("*any"), Rating(0, "*up", 4, 0, "", (Rate(0, 10**9, SECOND_NS, SECOND_NS),)), money(10))]
    costs = rate_columns(
        tariff_of(_world(flat, flat, flat)), _columns([(0, "712", 60, 60), (1, "8", 0, 30)], "*voice", 0)
    )
    assert costs.quoted_count == 0
    assert costs.costs_nano.tolist() == [60 * 10**9, 30 * 10**9]


def test_an_unknown_subject_index_is_refused() -> None:
    with pytest.raises(IndexError, match="a code without a name"):
        rate_columns(tariff_of(_world([], [], [])), _columns([(3, "712", 60, 60)], "*voice", 0))


def test_columns_of_different_lengths_are_refused() -> None:
    columns = _columns([(0, "712", 60, 60)], "*voice", 0)
    with pytest.raises(ValueError, match="differ in length"):
        rate_columns(tariff_of(_world([], [], [])), columns._replace(usages_ns=numpy.array([], dtype=numpy.int64)))


def test_no_rows_cost_nothing() -> None:
    columns = _columns([(0, "712", 60, 60)], "*voice", 0)
    none = columns._replace(
        destinations=columns.destinations[:0],
        starts_at=columns.starts_at[:0],
        usages_ns=columns.usages_ns[:0],
        subjects=Coded(numpy.zeros(0, dtype=numpy.int32), SUBJECTS),
    )
    assert rate_columns(tariff_of(_world([], [], [])), none).total_nano == 0


# --- tariffs and calls of every kind ---------------------------------------------------------------------------------


def _coded(names: list[str]) -> Coded:
    kinds = sorted(set(names))
    return Coded(numpy.array([kinds.index(name) for name in names], dtype=numpy.int32), kinds)


def _random_call(random: Random) -> Call:
    it = make_call(random)
    return msgspec.structs.replace(
        it,
        subject=random.choice((it.subject, "nobody")),
        category=random.choice(("call", "call", "other")),
        destination=random.choice(("", "", "", "+")) + it.destination,
        usage_ns=random.choice((it.usage_ns,) * 9 + (0, -1)),
        duration_index_ns=0,
        is_first=True,
    )


def _columns_of(calls: list[Call]) -> CallColumns:
    return CallColumns(
        [it.destination for it in calls],
        numpy.array([it.start_at for it in calls]),
        numpy.array([it.usage_ns for it in calls]),
        _coded([it.subject for it in calls]),
        "t",
        _coded([it.category for it in calls]),
        _coded([it.tor for it in calls]),
        numpy.array([it.offset_s for it in calls], dtype=numpy.int32),
    )


def _row(rated: RatedColumns, row: int) -> tuple[Any, ...]:
    error = rated.error_texts[rated.errors[row]]
    destination, plan = int(rated.destinations[row]), int(rated.plans[row])
    matched = (rated.destination_ids[destination], rated.plan_ids[plan]) if plan >= 0 else None
    return error, int(rated.costs_nano[row]), matched


def _quoted(tariff: Tariff, it: Call) -> tuple[Any, ...]:
    try:
        cost = quote_by_tariff(tariff, it)
    except CgrError as error:
        return "NEGATIVE_USAGE" if it.usage_ns < 0 else str(error), 0, None
    first = cost.spans[0] if cost.spans else None
    matched = None if first is None else (first.matched_destination_id, first.rating_plan_id)
    return "", cost.cost_nano, matched


def _spans(rated: RatedColumns, row: int) -> list[tuple[int, ...]]:
    assert rated.breakdown is not None
    first, *columns = rated.breakdown
    return list(zip(*(column[first[row] : first[row + 1]].tolist() for column in columns), strict=True))


def _compare(first_seed: int, count: int) -> None:
    for seed in range(first_seed, first_seed + count // 100):
        random = Random(seed)
        tariff = make_tariff(make_model(random))
        if seed % 3 == 0:
            tariff.max_usage_ns = {"*any": 30 * 3600 * SECOND_NS, "*sms": 1000 * SECOND_NS}
        calls = [_random_call(random) for _ in range(100)]
        rated = rate_columns(tariff, _columns_of(calls), with_breakdown=True)
        for row, it in enumerate(calls):
            assert _row(rated, row) == _quoted(tariff, it), (seed, row, it)
            wanted = rate(tariff, it) if not rated.errors[row] and it.usage_ns else []
            assert _spans(rated, row) == [
                (s.start_at, s.usage_ns, s.increment_ns, s.increment_count, s.increment_cost_nano) for s in wanted
            ], (seed, row, it)
        assert rated.total_nano == sum(rated.costs_nano.tolist())
        assert rated.quoted_count == 0


def test_bulk_says_what_quotes_and_spans_say() -> None:
    _compare(0, 3_000)


@pytest.mark.nightly
def test_bulk_says_what_quotes_and_spans_say_of_half_a_million_calls() -> None:
    _compare(1_000, 500_000)


def test_calls_a_few_increments_long_cost_what_their_rounding_says() -> None:
    """Rounding a span moves the price of an increment, the more so the fewer there are."""
    usages_ns = numpy.arange(0, 80) * SECOND_NS
    for number in range(1, 60):
        price = f"0.{number:04}"
        minute = slot(price, step_s=60)
        for slots in ((minute, slot(price, step_s=1, start_s=60)), (slot(price, step_s=1),)):
            tariff = tariff_of(world_of({"44": (hours(rating(*slots)),)}))
            starts_at = numpy.full(len(usages_ns), MORNING_AT)
            columns = CallColumns(["4420"] * len(usages_ns), starts_at, usages_ns, "s", "cgrates.org")
            alone = [quote_by_tariff(tariff, call_at(columns, row)).cost_nano for row in range(len(usages_ns))]
            assert rate_columns(tariff, columns).costs_nano.tolist() == alone, (price, len(slots))


# --- forms of columns ------------------------------------------------------------------------------------------------

PEAK = hours(rating(slot("1.2", step_s=1)), "08:00:00", week_days=(1, 2, 3, 4, 5))
NIGHT = hours(rating(slot("0.6", step_s=1)))
MORNING_AT = at("2024-03-04T07:59:30Z")
NUMBERS = ["4420", "44", "1", "4477123456789"]


def _tariff() -> Tariff:
    return tariff_of(world_of({"44": (NIGHT, PEAK)}))


def _of_numbers(numbers: Any, **more: Any) -> CallColumns:
    count = len(NUMBERS)
    given: dict[str, Any] = {
        "destinations": numbers,
        "starts_at": numpy.full(count, MORNING_AT),
        "usages_ns": numpy.full(count, 60 * SECOND_NS),
        "subjects": "s",
        "tenants": "cgrates.org",
    }
    return CallColumns(**{**given, **more})


WANTED = [("", 900_000_000, ("D44", "P"))] * 2 + [("UNAUTHORIZED_DESTINATION", 0, None)]
WANTED.append(WANTED[0])


def _rows(columns: CallColumns) -> list[tuple[Any, ...]]:
    rated = rate_columns(_tariff(), columns)
    return [_row(rated, row) for row in range(len(rated.errors))]


@pytest.mark.parametrize(
    "numbers",
    [
        NUMBERS,
        numpy.array([number.encode() for number in NUMBERS]),
        pa.array(NUMBERS),
        pa.array(NUMBERS, pa.large_string()),
        pa.array(["9", *NUMBERS, "8"]).slice(1, 4),
        Texts(numpy.array([0, 4, 6, 7, 20], dtype=numpy.int64), numpy.frombuffer(b"44204414477123456789", numpy.uint8)),
    ],
)
def test_numbers_come_as_lists_numpy_or_arrow(numbers: Any) -> None:
    assert _rows(_of_numbers(numbers)) == WANTED


def test_instants_and_lengths_come_as_times_of_numpy_and_arrow() -> None:
    starts, usages = numpy.full(4, MORNING_AT), numpy.full(4, 60 * SECOND_NS)
    for starts_at, usages_ns in (
        (starts.view("M8[ns]"), usages.view("m8[ns]")),
        (pa.array(starts, pa.timestamp("ns", "UTC")), pa.array(usages, pa.duration("ns"))),
        (pa.array(starts), pa.array(usages)),
    ):
        assert _rows(_of_numbers(NUMBERS, starts_at=starts_at, usages_ns=usages_ns)) == WANTED


def test_names_come_as_codes_dictionaries_or_texts() -> None:
    for subjects in (
        Coded(numpy.zeros(4, dtype=numpy.int32), ["s"]),
        pa.array(["s", "t", "s", "u"]).dictionary_encode(),
        pa.array(["s", "t", "s", "u"]),
        numpy.array([b"s", b"t", b"s", b"u"]),
    ):
        assert _rows(_of_numbers(NUMBERS, subjects=subjects)) == WANTED


def test_a_row_without_a_value_is_refused_for_it() -> None:
    columns = _of_numbers(
        pa.array([None, "44", "44", "44"]),
        usages_ns=pa.array([1, None, 60 * SECOND_NS, 60 * SECOND_NS]),
        subjects=pa.array(["s", "s", None, "s"]).dictionary_encode(),
    )
    assert [error for error, _, _ in _rows(columns)] == ["MISSING_VALUE"] * 3 + [""]


def test_rows_that_are_left_out_are_not_rated() -> None:
    columns = _of_numbers(NUMBERS, is_left_out=numpy.array([False, True, True, False]))
    assert [error for error, _, _ in _rows(columns)] == ["", "NOT_RATED", "NOT_RATED", ""]


def test_columns_of_other_kinds_are_refused() -> None:
    for more in ({"starts_at": [1, 2, 3, 4]}, {"usages_ns": numpy.zeros(4)}, {"destinations": numpy.zeros(4)}):
        with pytest.raises(ValueError, match="a column of"):
            rate_columns(_tariff(), _of_numbers(NUMBERS)._replace(**more))


def test_texts_that_point_beyond_their_data_are_refused() -> None:
    for ends in ([0, 4, 6, 7, 99], [0, 6, 4, 7, 20], [-1, 4, 6, 7, 20]):
        texts = Texts(numpy.array(ends, dtype=numpy.int32), numpy.zeros(20, dtype=numpy.uint8))
        with pytest.raises(ValueError, match="stay within the data"):
            rate_columns(_tariff(), _of_numbers(texts))


def test_a_call_that_costs_more_than_a_column_holds_is_refused() -> None:
    dear = tariff_of(world_of({"44": (hours(rating(slot("1000000000", unit_s=1, step_s=1))),)}))
    rated = rate_columns(dear, _of_numbers(NUMBERS))
    assert rated.error_texts[rated.errors[0]] == "COST_TOO_LARGE"
    assert rated.total_nano == 0


def test_what_is_beyond_the_kernel_is_quoted() -> None:
    many = tuple(hours(rating(slot("1")), f"{hour:02}:00:00", weight=hour) for hour in range(17))
    rated = rate_columns(tariff_of(world_of({"44": many})), _of_numbers(NUMBERS), with_breakdown=True)
    assert [_row(rated, row) for row in (0, 2)] == [("", 10**9, ("D44", "P")), ("UNAUTHORIZED_DESTINATION", 0, None)]
    assert rated.quoted_count == 3
    assert _spans(rated, 0) == [(MORNING_AT, 60 * SECOND_NS, 60 * SECOND_NS, 1, 10**9)]


def test_several_threads_rate_by_one_tariff() -> None:
    random = Random(11)
    tariff = make_tariff(make_model(random))
    calls = [_random_call(random) for _ in range(3_000)]
    alone = rate_columns(make_tariff(make_model(Random(11))), _columns_of(calls))
    found: dict[int, RatedColumns] = {}

    def work(number: int) -> None:
        found[number] = rate_columns(tariff, _columns_of(calls))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        assert found[number].costs_nano.tolist() == alone.costs_nano.tolist()
        assert found[number].errors.tolist() == alone.errors.tolist()
