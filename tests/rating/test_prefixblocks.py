"""Numbers that are looked up together find what each finds by itself."""

from collections.abc import Iterable

import numpy
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.rating import (
    Activation,
    CallColumns,
    Destination,
    RatingPlan,
    RatingProfile,
    Tariff,
    Texts,
    rate_columns,
)
from cgrcore.timing import SECOND_NS, ZERO_AT
from tests.rating.small_tariffs import hours, rating, slot

START_AT = 1_780_272_000 * SECOND_NS
RATES = (hours(rating(slot("1"))),)

#: Stems of five symbols with few prefixes below, with many, with long ones; numbers near to them.
parts = st.text("012", max_size=5)
prefixes = st.builds(
    "{}{}{}{}".format, st.sampled_from(["", "+"]), st.sampled_from(["", "10101", "2020"]), parts, parts
).filter(lambda text: text not in ("", "+"))
numbers = st.builds("{}{}".format, prefixes | st.just(""), st.text("012+x\0é", max_size=4))


def _found(tariff: Tariff, numbers: list[str], *, spare: int) -> list[str]:
    """Return the destination of each number, "" for none; `spare` bytes come behind the last."""
    texts = [number.encode() for number in numbers]
    offsets = numpy.cumsum([0, *map(len, texts)]).astype(numpy.int32)
    data = numpy.frombuffer(b"".join(texts) + b"1" * spare, dtype=numpy.uint8)
    count = len(numbers)
    usages_ns = numpy.full(count, SECOND_NS)
    starts_at = numpy.full(count, START_AT)
    rated = rate_columns(tariff, CallColumns(Texts(offsets, data), starts_at, usages_ns, "s", "cgrates.org"))
    return [rated.destination_ids[place] if place >= 0 else "" for place in rated.destinations]


def _tariff(prefixes: Iterable[str]) -> Tariff:
    names = {f"D{prefix}": Destination(f"D{prefix}", (prefix,)) for prefix in prefixes}
    profile = RatingProfile("*out:cgrates.org:call:s", (Activation(ZERO_AT, "P"),))
    return Tariff(names, {"P": RatingPlan("P", dict.fromkeys(names, RATES))}, {profile.id: profile})


def _longest(prefixes: set[str], number: str) -> str:
    known = [f"D{prefix}" for prefix in prefixes if number.startswith(prefix)]
    return max(known, key=len, default="")


@given(st.sets(prefixes, max_size=60), st.lists(numbers, min_size=1, max_size=30), st.sampled_from([0, 5, 16, 40]))
def test_each_of_many_numbers_finds_its_longest_prefix(known: set[str], wanted: list[str], spare: int) -> None:
    assert _found(_tariff(known), wanted, spare=spare) == [_longest(known, number) for number in wanted]


def test_more_numbers_than_a_block_has_are_found_across_its_border() -> None:
    known = {f"{prefix:06}" for prefix in range(0, 3000, 7)} | {"0", "+00012"}
    wanted = [f"{'+' * (number % 3 == 0)}{number:06}{'9' * (number % 5)}" for number in range(2000)]
    assert _found(_tariff(known), wanted, spare=0) == [_longest(known, number) for number in wanted]
