"""Definitions made from the event that triggered them."""

from typing import Any

import pytest

from cgrcore.actions.run import run_actions
from cgrcore.errors import PartiallyExecuted
from cgrcore.event import CgrEvent
from cgrcore.world import World
from tests.actions.conftest import Define, step

EVENT = CgrEvent("t.org", "e1", None, {"Name": "D1", "Num": 7}, {"Opt": "O1"})


@pytest.fixture
def called(world: World) -> list[tuple[str, Any]]:
    calls: list[tuple[str, Any]] = []
    world.parts["call_method"] = lambda _, name, params: calls.append((name, params))
    return calls


def define_from(world: World, define: Define, kind: str, text: str, event: CgrEvent | None = EVENT) -> None:
    run_actions(world, define(step(kind, extra_parameters=text)), None, event)


@pytest.mark.parametrize(
    ("text", "wanted"), [("~*req.Name", "D1"), ("~*opts.Opt", "O1"), ("<~*req.Name+_x>", "D1_x"), ("*tenant", "t.org")]
)
def test_parameters_are_read_from_the_event(
    world: World, define: Define, called: list[tuple[str, Any]], text: str, wanted: str
) -> None:
    define_from(world, define, "*dynamic_destination", f"{text};49&33")
    assert called == [("APIerSv1.SetDestination", {"Id": wanted, "Prefixes": ["49", "33"], "Overwrite": True})]


def test_rules_on_events_to_come_stay_as_they_are(world: World, define: Define, called: list[tuple[str, Any]]) -> None:
    define_from(world, define, "*dynamic_filter", "t;F;*string;~*req.Name;a&b;;")
    assert called[0][1]["Rules"] == [{"Type": "*string", "Element": "~*req.Name", "Values": ["a", "b"]}]


def test_a_semicolon_between_form_feeds_is_part_of_its_parameter(
    world: World, define: Define, called: list[tuple[str, Any]]
) -> None:
    define_from(world, define, "*dynamic_action", "A;*log;\fx;y\f;;;;;;;;;;;;;;10;true")
    assert called[0][1]["Actions"][0]["ExtraParameters"] == "x;y"


@pytest.mark.parametrize(
    "text", ["D", "D;49;more", "~*req.Absent;49"], ids=["too few", "too many", "a field the event lacks"]
)
def test_what_cannot_be_defined_fails(world: World, define: Define, called: list[tuple[str, Any]], text: str) -> None:
    with pytest.raises(PartiallyExecuted):
        define_from(world, define, "*dynamic_destination", text)
    assert called == []


def test_without_an_event_nothing_is_defined(world: World, define: Define, called: list[tuple[str, Any]]) -> None:
    with pytest.raises(PartiallyExecuted):
        define_from(world, define, "*dynamic_destination", "D;49", None)
