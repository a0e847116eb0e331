"""Events: their options and fields as exact values."""

from decimal import Decimal

import pytest

from cgrcore.errors import BadRequest
from cgrcore.event import (
    boolean_option,
    copy_of,
    duration_option,
    integer_option,
    new_event,
    number_of,
    text_of,
    texts_option,
    time_of,
    usage_of,
)
from cgrcore.timing import Moment
from cgrcore.world import World

SECOND = 1_000_000_000


def world() -> World:
    return World({"general": {"default_tenant": "cgrates.org"}}, lambda: "fresh", 5 * SECOND)


def test_an_event_gets_the_default_tenant_and_a_fresh_id() -> None:
    event = new_event(world(), "", "", None, {"A": 1}, None)
    assert (event.tenant, event.id, event.at, event.options) == ("cgrates.org", "fresh", None, {})


def test_the_time_of_an_event_keeps_its_offset() -> None:
    event = new_event(world(), "t", "x", "2026-03-01T10:00:00+02:00", {}, None)
    assert event.as_wire()["Time"] == "2026-03-01T10:00:00+02:00"


def test_a_copy_shares_no_fields_with_its_original() -> None:
    event = new_event(world(), "t", "x", None, {"A": 1}, {"*o": 1})
    twin = copy_of(event)
    twin.event["A"], twin.options["*o"] = 2, 2
    assert (event.event["A"], event.options["*o"]) == (1, 1)


@pytest.mark.parametrize("value", ["10s", 10 * SECOND, "10000000000", Decimal("10000000000.7")])
def test_a_usage_is_the_same_however_it_is_written(value: object) -> None:
    assert usage_of(value) == 10 * SECOND


def test_an_absent_usage_is_none_and_an_empty_one_is_zero() -> None:
    assert (usage_of(None), usage_of("")) == (None, 0)


def test_a_usage_that_is_no_duration_is_refused_in_gos_words() -> None:
    with pytest.raises(BadRequest, match='time: invalid duration "x"'):
        usage_of("x")


@pytest.mark.parametrize("value", [None, "", "0", "soon", "0001-01-01T00:00:00Z"])
def test_no_time_is_read_from_what_is_none(value: object) -> None:
    assert time_of(value, 0) is None


def test_a_time_may_be_a_unix_number() -> None:
    assert time_of(1767225600, 0) == Moment(1767225600 * SECOND, 0)


def test_an_amount_is_exact() -> None:
    assert number_of("0.1") == number_of(Decimal("0.1")) == 100_000_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (Decimal("2440.0"), "2440"),
        (Decimal("83.50"), "83.5"),
        (7, "7"),
        ({"k": 1}, '{"k":1}'),
        ([1, "a"], '[1,"a"]'),
    ],
)
def test_fields_become_text_as_json_readers_expect(value: object, text: str) -> None:
    assert text_of(value) == text


def test_options_are_read_from_texts_too() -> None:
    options = {"*b": "true", "*d": "30s", "*i": "5"}
    assert boolean_option(options, "*b")
    assert duration_option(options, "*d") == 30 * SECOND
    assert integer_option(options, "*i", 1) == 5


def test_an_absent_option_is_its_default() -> None:
    assert (boolean_option({}, "*b", True), integer_option({}, "*i", 3), texts_option({}, "*t", ["x"])) == (
        True,
        3,
        ["x"],
    )


def test_an_option_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(BadRequest, match="cannot convert field: string"):
        texts_option({"*t": "P1"}, "*t", [])
    with pytest.raises(BadRequest, match="cannot convert field<bool>: true to int"):
        integer_option({"*i": True}, "*i", 1)
    with pytest.raises(BadRequest, match=r"strconv\.ParseBool"):
        boolean_option({"*b": "x"}, "*b")
