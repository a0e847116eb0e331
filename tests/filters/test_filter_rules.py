"""Filters: which events pass."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from cgrcore.errors import BadRequest, CgrError, NotFound
from cgrcore.event import CgrEvent
from cgrcore.filters import ActivationInterval, Filter, FilterRule, check_filters, compile_filter, inline_rule, passes
from cgrcore.rating.records import Destination, Timing
from cgrcore.timing import Moment, parse_time
from cgrcore.world import World

TENANT = "cgrates.org"


@pytest.fixture
def world() -> Iterator[World]:
    made = World({"general": {"default_tenant": TENANT}}, lambda: "id", parse_time("2026-06-01T00:00:00Z", 0).at)
    made.state.begin()
    yield made
    made.state.rollback()


def passed(world: World, text: str, **fields: Any) -> bool:
    return passes(world, TENANT, [text], CgrEvent(TENANT, "e", None, fields, {"*opt": "o"}))


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("*string:~*req.A:1001|1002", {"A": "1002"}),
        ("*string:~*req.A:1208", {"A": 1208}),
        ("*string:~*req.A:~*req.B", {"A": "7", "B": 7}),
        ("*string:~*opts.*opt:o", {}),
        ("*string:~*tenant:cgrates.org", {}),
        ("*prefix:~*req.A:+49|+33", {"A": "+3361"}),
        ("*suffix:~*req.A:10", {"A": "+4910"}),
        ("*contains:~*req.A:91", {"A": "+4910"}),
        ("*exists:~*req.A:", {"A": None}),
        ("*empty:~*req.A:", {}),
        ("*empty:~*req.A:", {"A": []}),
        ("*exists:~*req.A.b.c:", {"A": {"b": {"c": ""}}}),
        ("*string:~*req.A[1]:x", {"A": [1, "x"]}),
        ("*gt:~*req.A:10s", {"A": "1m"}),
        ("*gte:~*req.A:10s", {"A": 10_000_000_000}),
        ("*lt:~*req.A:1.25", {"A": Decimal("1.2")}),
        ("*eq:~*req.A:60000000000", {"A": "60s"}),
        ("*eq:~*req.A:100", {"A": "1e2"}),
        ("*lte:~*req.A:2026-03-01T10:00:00Z", {"A": "2026-03-01 09:00:00"}),
        ("*rsr:~*req.A:^10", {"A": "1007"}),
        ("*rsr:~*req.A:>=100", {"A": "90s"}),
        ("*rsr:~*req.A:~^\\d{4}$", {"A": "1007"}),
        ("*rsr:~*req.A:!^10", {"A": "2007"}),
        ("*rsr:~*req.A:^$", {}),
        ("*regex:~*req.A:0{2}", {"A": "1007"}),
        ("*ipnet:~*req.A:10.0.0.0/8", {"A": "::ffff:10.1.1.1"}),
        ("*ai:~*req.A:2026-01-01T00:00:00Z|2027-01-01T00:00:00Z", {"A": "2026-06-01T00:00:00Z"}),
        ("*ai:~*req.A:|2027-01-01T00:00:00Z", {"A": "2026-06-01T00:00:00Z"}),
        ("*string:~*req.A{*len}:3", {"A": "abc"}),
        ("*string:~*req.<~*req.B>:1", {"A": "1", "B": "A"}),
    ],
)
def test_a_rule_passes_and_its_opposite_does_not(world: World, text: str, fields: dict[str, Any]) -> None:
    assert passed(world, text, **fields)
    opposite = text.replace("*", "*not", 1)
    if not text.startswith(("*gt", "*lt")):
        assert not passed(world, opposite, **fields)


@pytest.mark.parametrize("kind", ["*string", "*prefix", "*rsr", "*gt", "*eq", "*ipnet", "*ai", "*regex", "*timings"])
def test_a_missing_element_passes_no_rule(world: World, kind: str) -> None:
    assert not passed(world, f"{kind}:~*req.Nope:1")


def test_times_at_the_borders_of_an_interval_are_outside(world: World) -> None:
    text = "*ai:~*req.A:2026-01-01T00:00:00Z|2027-01-01T00:00:00Z"
    assert not passed(world, text, A="2026-01-01T00:00:00Z")
    assert not passed(world, text, A="2027-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("text", "value", "error"),
    [
        ("*gt:~*req.A:5", "abc", "incomparable: <<nil>> with <5>"),
        ("*lt:~*req.A:abc", "1", "incomparable: <1> with <<nil>>"),
        ("*lte:~*req.A:2026-03-01T10:00:00Z", "10s", r"incomparable: <1e\+10> with <2026-03-01 10:00:00 \+0000 UTC>"),
        ("*eq:~*req.A:true", "t", "unsupported comparison type: bool, kind: bool"),
        ("*notgt:~*req.A:1", "5", r"NOT_IMPLEMENTED:\*notgt"),
        ("*bogus:~*req.A:1", "5", r"NOT_IMPLEMENTED:\*bogus"),
        ("*empty:~*req.A.b:", "scalar", "WRONG_PATH"),
        ("*string:~A:b", "scalar", r"invalid fieldname <\[A\]>"),
    ],
)
def test_what_cannot_be_asked_is_an_error(world: World, text: str, value: str, error: str) -> None:
    with pytest.raises(CgrError, match=error):
        passed(world, text, A=value)


@pytest.mark.parametrize("text", ["*string", "*string:~*req.A", "*any"])
def test_an_inline_filter_has_three_parts(text: str) -> None:
    with pytest.raises(BadRequest, match="inline parse error for string"):
        inline_rule(text)


def test_a_colon_inside_brackets_does_not_part_an_inline_filter() -> None:
    assert inline_rule("*string:~*stats.<~*req.A:s/a/b/>.*acd:1").element == "~*stats.<~*req.A:s/a/b/>.*acd"


def test_all_rules_of_a_stored_filter_must_pass(world: World) -> None:
    rules = (FilterRule("*string", "~*req.A", ("1",)), FilterRule("*prefix", "~*req.B", ("+49",)))
    world.state.table("filters").put(f"{TENANT}:F", Filter(TENANT, "F", rules))
    assert passed(world, "F", A="1", B="+4930")
    assert not passed(world, "F", A="1", B="+33")


def test_a_filter_that_does_not_exist_is_named(world: World) -> None:
    with pytest.raises(NotFound, match="NOT_FOUND:F"):
        passed(world, "F")


def test_a_filter_outside_its_interval_is_passed_over_and_nothing_else_means_no(world: World) -> None:
    past = ActivationInterval(Moment(1, 0), Moment(2, 0))
    rules = (FilterRule("*string", "~*req.A", ("1",)),)
    world.state.table("filters").put(f"{TENANT}:OLD", Filter(TENANT, "OLD", rules, past))
    event = CgrEvent(TENANT, "e", None, {"A": "2", "B": "1"}, {})
    assert not passes(world, TENANT, ["OLD"], event)
    assert passes(world, TENANT, ["OLD", "*string:~*req.B:1"], event)


def test_destinations_are_matched_by_their_prefixes(world: World) -> None:
    world.state.table("destinations").put("DE", Destination("DE", ("+49", "+43")))
    assert passed(world, "*destinations:~*req.D:DE", D="+4930")
    assert not passed(world, "*destinations:~*req.D:DE|NOPE", D="+33")


def test_timings_are_matched_by_the_clock_of_the_time(world: World) -> None:
    office = Timing("OFFICE", (), (), (), (1, 2, 3, 4, 5), "08:00:00", "18:00:00")
    world.state.table("timings").put("OFFICE", office)
    assert passed(world, "*timings:~*req.T:OFFICE", T="2026-03-02T08:00:00+05:00")
    assert not passed(world, "*timings:~*req.T:OFFICE", T="2026-03-01T10:00:00Z")


def test_a_reference_to_a_filter_that_is_none_is_broken(world: World) -> None:
    with pytest.raises(BadRequest, match=r"broken reference to filter: <NOPE> for item with ID: cgrates.org:P"):
        check_filters(world, TENANT, ["*string:~*req.A:1", "NOPE"], "P")


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        (FilterRule("*string", "", ("1",)), "empty RSRParser in rule: <>"),
        (FilterRule("*string", "~*req.A", ("",)), "emtpy RSRParser in rule: <>"),
        (FilterRule("*empty", "~*req.A", ("x",)), "value of filter <F> is not empty <x>"),
        (FilterRule("*regex", "~*req.A", ("[",)), r"error parsing regexp: missing closing \]: `\[`"),
        (FilterRule("*string", "~*req.A{*bogus}", ("1",)), "unsupported converter definition"),
        (FilterRule("*rsr", "~*req.A", (">=10;<=20",)), "invalid RSRFilter"),
    ],
)
def test_a_rule_that_cannot_be_parsed_is_refused_when_it_is_set(rule: FilterRule, error: str) -> None:
    with pytest.raises(BadRequest, match=error):
        compile_filter(Filter(TENANT, "F", (rule,)))
