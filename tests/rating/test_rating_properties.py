"""Rating agrees with the model in exact fractions, and keeps the promises that hold for every tariff."""

from fractions import Fraction
from random import Random
from typing import Any

import pytest

from cgrcore.errors import Refused
from cgrcore.rating import Call, quote, rate
from cgrcore.world import World
from tests.oracle.rating import Model, Refusal, increment_cost, parts, total
from tests.rating.random_tariffs import make_call, make_model, make_tariff, make_world

NANO = 10**9
CALLS_A_TARIFF = 100


def _wanted(model: Model, call: Call) -> Any:
    try:
        found = parts(model, call)
    except Refusal as refusal:
        return str(refusal)
    spans = []
    for part in found:
        increment_ns, count, price = increment_cost(part, model.decimals)
        matched = (part.info.subject, part.info.prefix, part.info.destination_id, part.info.plan_id)
        spans.append((part.start, part.end, part.index, part.rate, increment_ns, count, price * NANO, *matched))
    return spans, total(model, call)


def _got(world: World, tariff: Any, call: Call) -> Any:
    try:
        spans = rate(tariff, call)
    except Refused as refusal:
        return str(refusal)
    found = [
        (
            span.start_at,
            span.end_at,
            span.duration_index_ns,
            span.interval,
            span.increment_ns,
            span.increment_count,
            span.increment_cost_nano,
            span.matched_subject,
            span.matched_prefix,
            span.matched_destination_id,
            span.rating_plan_id,
        )
        for span in spans
    ]
    return found, Fraction(quote(world, call).cost_nano, NANO)


def _compare(first_seed: int, count: int) -> None:
    for seed in range(first_seed, first_seed + count // CALLS_A_TARIFF):
        random = Random(seed)
        model = make_model(random)
        world, tariff = make_world(model), make_tariff(model)
        for number in range(CALLS_A_TARIFF):
            call = make_call(random)
            assert _got(world, tariff, call) == _wanted(model, call), (seed, number, call)


@pytest.mark.slow
def test_twenty_thousand_calls_cost_what_the_model_says() -> None:
    _compare(0, 20_000)


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(10))
def test_a_million_calls_cost_what_the_model_says(part: int) -> None:
    _compare(1_000_000 + part * 1_000, 100_000)
