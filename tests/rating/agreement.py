"""Calls priced three ways: by the model in exact fractions, by themselves, in bulk.

A seed is a random tariff with some random calls; the same seed always makes the same. Run by itself on all cores:
`python -m tests.rating.agreement --calls 10000000`, or one seed again: `python -m tests.rating.agreement --seed 42`.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from functools import partial
from random import Random
from typing import Any, NamedTuple

import numpy

from cgrcore.errors import Refused
from cgrcore.rating import Call, CallColumns, Tariff, quote_by_tariff, rate, rate_columns
from tests.oracle.rating import Model, Refusal, increment_cost, parts, total
from tests.rating.random_tariffs import make_call, make_model, make_tariff
from tests.rating.small_tariffs import span_fields

__all__ = ["CALLS_A_SEED", "Agreement", "compare", "compare_seed"]

NANO = 10**9
CALLS_A_SEED = 100

#: Seeds that one process takes at a time; tasks from one word about how far it is to the next.
SEEDS_A_TASK = 50
TASKS_A_WORD = 50

#: The spans with what was matched, and the cost; or why there is none.
Wanted = tuple[list[Any], Fraction] | str


class Agreement(NamedTuple):
    """How many calls were compared and refused, how many of them in bulk, and where they differ."""

    calls: int
    refused: int
    in_bulk: int
    differences: list[str]


def compare_seed(seed: int) -> Agreement:
    """Price the calls of a seed in all ways."""
    random = Random(seed)
    model = make_model(random)
    tariff = make_tariff(model)
    calls = [make_call(random) for _ in range(CALLS_A_SEED)]
    wanted = [_wanted(model, call) for call in calls]
    told = []
    for number, call in enumerate(calls):
        got = _got(tariff, call)
        if got != wanted[number]:
            told.append(f"seed {seed}, call {number}: {got} instead of {wanted[number]}; {call}")
    whole = [number for number, call in enumerate(calls) if call.is_first and call.duration_index_ns <= call.usage_ns]
    told += _in_bulk(tariff, seed, calls, wanted, whole)
    return Agreement(len(calls), sum(isinstance(it, str) for it in wanted), len(whole), told)


def _wanted(model: Model, call: Call) -> Wanted:
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


def _got(tariff: Tariff, call: Call) -> Wanted:
    try:
        spans = rate(tariff, call)
    except Refused as refusal:
        return str(refusal)
    return [span_fields(span) for span in spans], Fraction(quote_by_tariff(tariff, call).cost_nano, NANO)


def _in_bulk(tariff: Tariff, seed: int, calls: list[Call], wanted: list[Wanted], whole: list[int]) -> Iterator[str]:
    """Yield where whole calls cost something else in bulk, or have another destination, plan or error."""
    chosen = [calls[number] for number in whole]
    rated = rate_columns(
        tariff,
        CallColumns(
            [call.destination for call in chosen],
            numpy.array([call.start_at for call in chosen], dtype=numpy.int64),
            numpy.array([call.usage_ns for call in chosen], dtype=numpy.int64),
            [call.subject for call in chosen],
            "t",
            "call",
            [call.tor for call in chosen],
            numpy.array([call.offset_s for call in chosen], dtype=numpy.int32),
        ),
    )
    for row, number in enumerate(whole):
        expected = wanted[number]
        got: Any = rated.error_texts[rated.errors[row]]
        if not got:
            ids = (rated.destination_ids[rated.destinations[row]], rated.plan_ids[rated.plans[row]])
            got = (Fraction(int(rated.costs_nano[row]), NANO), *ids)
        if not isinstance(expected, str):
            spans, cost = expected
            expected = (cost, *spans[0][-2:])
        if got != expected:
            yield f"seed {seed}, call {number} in bulk: {got} instead of {expected}; {calls[number]}"


def _compare_seeds(first_seed: int, count: int) -> Agreement:
    return _summed(compare_seed(seed) for seed in range(first_seed, first_seed + count))


def _summed(found: Iterator[Agreement], tell: Callable[[str], None] | None = None) -> Agreement:
    calls = refused = in_bulk = 0
    differences: list[str] = []
    for number, one in enumerate(found, 1):
        calls, refused, in_bulk = calls + one.calls, refused + one.refused, in_bulk + one.in_bulk
        differences += one.differences[: 20 - len(differences)]
        if tell is not None and number % TASKS_A_WORD == 0:
            tell(f"{calls:,} calls, {len(differences)} differences")
    return Agreement(calls, refused, in_bulk, differences)


def compare(first_seed: int, calls: int, processes: int = 0, tell: Callable[[str], None] | None = None) -> Agreement:
    """Compare that many calls, from a seed on, on all cores or so many processes. Differences beyond 20 are dropped.

    `tell` is told now and then how far it is.
    """
    seeds = -(-calls // CALLS_A_SEED)
    firsts = range(first_seed, first_seed + seeds, SEEDS_A_TASK)
    counts = [min(SEEDS_A_TASK, first_seed + seeds - first) for first in firsts]
    if processes == 1 or len(firsts) == 1:
        return _summed(map(_compare_seeds, firsts, counts), tell)
    with ProcessPoolExecutor(processes or os.cpu_count()) as pool:
        return _summed(pool.map(_compare_seeds, firsts, counts), tell)


def main() -> int:
    """Compare as the command line says; print what was compared, and every difference with how to see it again."""
    parser = argparse.ArgumentParser(prog="python -m tests.rating.agreement", description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, help="compare the calls of this seed only")
    parser.add_argument("--first-seed", type=int, default=None, help="the first of the seeds; a new one each time")
    parser.add_argument("--processes", type=int, default=0, help="all cores, when not given")
    options = parser.parse_args()
    first_seed = options.first_seed if options.first_seed is not None else Random().randrange(10**6, 10**12)
    began = time.perf_counter()
    if options.seed is not None:
        first_seed = options.seed
        found = compare(options.seed, CALLS_A_SEED)
    else:
        print(f"again: python -m tests.rating.agreement --calls {options.calls} --first-seed {first_seed}", flush=True)
        found = compare(first_seed, options.calls, options.processes, partial(print, flush=True))
    seconds = time.perf_counter() - began
    print(f"{found.calls:,} calls, {found.refused:,} of them refused, {found.in_bulk:,} in bulk too: {seconds:.0f} s")
    for difference in found.differences:
        print(difference)
        print(f"  again: python -m tests.rating.agreement --seed {difference.split()[1].rstrip(',')}")
    return 1 if found.differences else 0


if __name__ == "__main__":
    sys.exit(main())
