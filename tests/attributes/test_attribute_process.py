"""Altering events by attribute profiles."""

from collections.abc import Iterator
from typing import Any

import pytest

from cgrcore.attributes import Altered, Attribute, AttributeProfile, find_profile, process
from cgrcore.errors import BadRequest, CgrError, NotFound
from cgrcore.event import CgrEvent
from cgrcore.world import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World({"general": {"default_tenant": "t"}}, lambda: "id", 0)
    made.state.begin()
    yield made
    made.state.rollback()


def put(world: World, profile_id: str, *attributes: Attribute, **more: Any) -> None:
    more.setdefault("contexts", ("*any",))
    record = AttributeProfile("t", profile_id, attributes=attributes, **more)
    world.state.table("attributes").put(f"t:{profile_id}", record)


def run(world: World, fields: dict[str, Any], **options: Any) -> Altered:
    return process(world, CgrEvent("t", "e", None, fields, {f"*{name}": value for name, value in options.items()}))


def one(world: World, kind: str, *values: str, **fields: Any) -> Any:
    put(world, "P", Attribute("*req.Out", kind, values))
    return run(world, fields).event.event.get("Out")


@pytest.mark.parametrize(
    ("kind", "values", "result"),
    [
        ("*constant", ("a", "~*req.A", "1"), "a1"),
        ("*variable", ("~*req.A", "@", "~*tenant"), "7@t"),
        ("", ("~*req.A",), "7"),
        ("*composed", ("_", "~*req.A"), "old_7"),
        ("*prefix", ("00",), "00old"),
        ("*suffix", ("#",), "old#"),
        ("*none", ("x",), ""),
        ("*sum", ("5", "3"), "8"),
        ("*sum", ("1m", "30"), "1m0.00000003s"),
        ("*sum", ("0.5", "10s"), "10000000000.5"),
        ("*sum", ("x", "2"), ""),
        ("*difference", ("1h", "90s", "0.5"), "58m30s"),
        ("*multiply", ("0.5", "10s"), "5000000000"),
        ("*divide", ("5", "3"), "1"),
        ("*divide", ("-5", "3"), "-1"),
        ("*value_exponent", ("143", "-7"), "0.00001"),
        ("*usage_difference", ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00+02:00"), "2h0m0s"),
        ("*unix_timestamp", ("2026-03-01T10:00:00+04:00",), "1772344800"),
        ("*datetime", ("2026-03-01T10:00:00.5Z",), "2026-03-01T10:00:00Z"),
        ("*cc_usage", ("3", "10s", "1m"), "2m10s"),
        ("*sipcid", ("call", "b", "~*req.Nope", "a"), "call;a;b"),
    ],
)
def test_an_attribute_of_each_type_gives_its_text(
    world: World, kind: str, values: tuple[str, ...], result: str
) -> None:
    assert one(world, kind, *values, A=7, Out="old") == result


@pytest.mark.parametrize(
    ("kind", "values", "error"),
    [
        ("*sum", ("1",), "NotEnoughParameters"),
        ("*sum", ("7", "2.5"), "cannot convert field: 2.5 to int"),
        ("*difference", ("x", "2"), "unsupported type"),
        ("*divide", ("10", "0"), "division by zero"),
        ("*usage_difference", ("~*req.A",), r'invalid arguments <\[{"Rules":"~\*req.A"}\]> to \*usage_difference'),
        ("*cc_usage", ("x", "1s", "1s"), r"invalid requestNumber <x> to \*cc_usage"),
        ("*group", ("x",), r"unsupported type: <\*group>"),
    ],
)
def test_what_cannot_be_computed_is_an_error(world: World, kind: str, values: tuple[str, ...], error: str) -> None:
    with pytest.raises(CgrError, match=f"SERVER_ERROR: {error}"):
        one(world, kind, *values, A=1)


def test_the_event_given_stays_as_it_was(world: World) -> None:
    put(world, "P", Attribute("*req.A.b", "*constant", ("2",)), Attribute("*opts.*o", "*constant", ("2",)))
    event = CgrEvent("t", "e", None, {"A": {"b": "1"}}, {"*o": "1"})
    altered = process(world, event).event
    assert (event.event, event.options) == ({"A": {"b": "1"}}, {"*o": "1"})
    assert (altered.event, altered.options) == ({"A": {"b": "2"}}, {"*o": "2"})


def test_an_attribute_sees_what_those_before_it_wrote(world: World) -> None:
    put(
        world,
        "P",
        Attribute("*req.A", "*constant", ("2",), ("*string:~*req.A:1",)),
        Attribute("*req.B", "*constant", ("after",), ("*string:~*req.A:2",)),
    )
    altered = run(world, {"A": "1"})
    assert altered.event.event == {"A": "2", "B": "after"}
    assert altered.altered_fields == ["*req.A", "*req.B"]


def test_the_value_remove_takes_a_field_away(world: World) -> None:
    put(world, "P", Attribute("*req.A", "*constant", ("*remove",)), Attribute("*req.B", "*constant", ("*remove",)))
    altered = run(world, {"A": 1})
    assert altered.event.event == {}
    assert altered.altered_fields == ["*req.A", "*req.B"]


def test_a_profile_may_change_the_tenant(world: World) -> None:
    put(world, "P", Attribute("*tenant", "*constant", ("other",)))
    assert run(world, {}).event.tenant == "other"


def test_a_profile_is_used_in_its_contexts_only(world: World) -> None:
    put(world, "P1", Attribute("*req.M", "*constant", ("1",)), contexts=("*cdrs",), weight_nano=9)
    put(world, "P2", Attribute("*req.M", "*constant", ("2",)))
    assert run(world, {}, context="*cdrs").event.event["M"] == "1"
    assert run(world, {}, context="*other").event.event["M"] == "2"
    assert run(world, {}, context="*any").event.event["M"] == "2"


def test_runs_alternate_between_profiles_and_see_each_others_work(world: World) -> None:
    for name, weight in (("P0", 1), ("P1", 2), ("P2", 3)):
        put(world, name, Attribute("*req.Last", "*variable", ("~*vars.*processRuns",)), weight_nano=weight)
    assert run(world, {}, attrProcessRuns=4).profile_ids == ["t:P2", "t:P1", "t:P2", "t:P1"]
    assert run(world, {}, attrProcessRuns=5, attrProfileRuns=1).profile_ids == ["t:P2", "t:P1", "t:P0"]
    assert run(world, {}, attrProcessRuns=3).event.event["Last"] == "3"
    assert run(world, {}, attrProcessRuns=0).profile_ids == []


def test_a_blocker_ends_the_runs(world: World) -> None:
    put(world, "P1", Attribute("*req.A", "*constant", ("1",)), weight_nano=2, is_blocker=True)
    put(world, "P2", Attribute("*req.B", "*constant", ("1",)), weight_nano=1)
    assert run(world, {}, attrProcessRuns=3).profile_ids == ["t:P1"]


def test_what_is_missing_in_a_later_run_ends_the_work(world: World) -> None:
    put(world, "P1", Attribute("*req.A", "*constant", ("1",)), weight_nano=2)
    put(world, "P2", Attribute("*req.B", "*variable", ("~*req.Nope",)), weight_nano=1)
    assert run(world, {}, attrProcessRuns=2).profile_ids == ["t:P1"]
    with pytest.raises(NotFound):
        run(world, {}, attrProfileIDs=["P2"])


def test_a_field_left_for_attributes_to_fill_is_missing(world: World) -> None:
    put(world, "P", Attribute("*req.A", "*constant", ("1",)))
    assert run(world, {"A": "*attributes"}).event.event["A"] == "1"
    with pytest.raises(BadRequest, match=r"MANDATORY_IE_MISSING: \[B\]"):
        run(world, {"B": "*attributes"})


def test_a_profile_may_be_written_where_its_id_is_expected(world: World) -> None:
    text = "*constant:*req.RequestType:*rated;*composed:*req.C:~*req.A&-&~*req.A"
    altered = run(world, {"A": "1"}, attrProfileIDs=[text])
    assert altered.event.event == {"A": "1", "RequestType": "*rated", "C": "1-1"}
    assert altered.profile_ids == [text]


@pytest.mark.parametrize("text", ["*attr", "*constant:*req.A", "*constant::1"])
def test_an_inline_profile_that_is_not_whole_is_an_error(world: World, text: str) -> None:
    with pytest.raises(BadRequest, match="SERVER_ERROR: "):
        run(world, {}, attrProfileIDs=[text])


def test_the_profile_for_an_event_can_be_asked_for(world: World) -> None:
    put(world, "P", Attribute("*req.A", "*constant", ("1",)), filter_ids=("*string:~*req.B:1",))
    assert find_profile(world, CgrEvent("t", "e", None, {"B": "1"}, {})).id == "P"
    with pytest.raises(NotFound):
        find_profile(world, CgrEvent("t", "e", None, {}, {}))
