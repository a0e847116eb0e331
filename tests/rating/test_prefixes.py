"""Numbers find their longest prefix, whatever it is made of and however many there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore._fast.prefixes import PrefixIndex
from cgrcore.rating import Destination
from cgrcore.rating.prefixes import Prefixes

digits = st.text("0123", max_size=6)
anything = st.text("01+x é☎", max_size=5)


def _longest(prefixes: set[str], number: str) -> str:
    """The oracle: every prefix is tried."""
    return max((prefix for prefix in prefixes if number.startswith(prefix)), key=len, default="")


@given(st.sets(digits, max_size=40), st.lists(digits, max_size=20))
def test_the_longest_prefix_of_digits_is_found(prefixes: set[str], numbers: list[str]) -> None:
    index = PrefixIndex(prefixes)
    assert [index.text(index.longest(it)) for it in numbers] == [_longest(prefixes, it) for it in numbers]


@given(st.sets(anything | digits, max_size=40), st.lists(anything | digits, max_size=20))
def test_the_longest_prefix_of_any_text_is_found(prefixes: set[str], numbers: list[str]) -> None:
    index = PrefixIndex(prefixes)
    assert [index.text(index.longest(it)) for it in numbers] == [_longest(prefixes, it) for it in numbers]


def test_no_prefix_has_no_place_and_no_text() -> None:
    index = PrefixIndex([])
    assert (len(index), index.longest("44"), index.text(-1)) == (0, -1, "")


def test_digits_of_other_scripts_are_text() -> None:
    index = PrefixIndex(["٤٤", "4"])
    assert (index.text(index.longest("٤٤7")), index.text(index.longest("447"))) == ("٤٤", "4")


def test_very_long_texts_are_no_trouble() -> None:
    long = "1" * 10_000
    index = PrefixIndex([long, long + "x"])
    assert [len(index.text(index.longest(it))) for it in (long + "2", long + "x2", "1" * 9_999)] == [10_000, 10_001, 0]


def test_a_prefix_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError):
        PrefixIndex([44])  # type: ignore[list-item]


def test_destinations_come_with_the_longest_prefix_first() -> None:
    prefixes = Prefixes([Destination("UK", ("44",)), Destination("EU", ("4", "3")), Destination("MOBILE", ("447",))])
    assert list(prefixes.destinations_of("4479")) == [("447", ("MOBILE",)), ("44", ("UK",)), ("4", ("EU",))]


def test_destinations_that_share_a_prefix_are_in_order_of_their_ids() -> None:
    prefixes = Prefixes([Destination("B", ("44", "44")), Destination("A", ("44",))])
    assert prefixes.owners("44") == ("A", "B")


def test_owners_are_of_the_whole_prefix_only() -> None:
    assert Prefixes([Destination("UK", ("44",))]).owners("447") == ()
