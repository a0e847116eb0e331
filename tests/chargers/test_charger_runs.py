"""The charging runs of an event."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from cgrcore.attributes import Attribute, AttributeProfile
from cgrcore.chargers import TABLES, ChargerProfile, Run, runs_of
from cgrcore.errors import BadRequest, NotFound
from cgrcore.event import CgrEvent
from cgrcore.filters import interval_from_text
from cgrcore.world import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World({"general": {"default_tenant": "t"}}, lambda: "id", 0)
    made.state.begin()
    yield made
    made.state.rollback()


def put(world: World, profile_id: str, **more: Any) -> None:
    world.state.table("chargers").put(f"t:{profile_id}", ChargerProfile("t", profile_id, **more))


def runs(world: World, **fields: Any) -> list[Run]:
    return runs_of(world, CgrEvent("t", "e", None, fields, {}))


def test_every_charger_that_matches_makes_a_run_heaviest_first(world: World) -> None:
    put(world, "RAW", run_id="*raw", attribute_ids=("*constant:*req.RequestType:*none",), weight_nano=1)
    put(world, "DEF", run_id="*default", attribute_ids=("*none",), weight_nano=2)
    put(world, "NO", run_id="no", attribute_ids=("*none",), filter_ids=("*string:~*req.A:2",))
    found = runs(world, A="1", RequestType="*prepaid")
    assert [run.run_id for run in found] == ["*default", "*raw"]
    assert [run.event.event["RequestType"] for run in found] == ["*prepaid", "*none"]
    assert [run.event.event["RunID"] for run in found] == ["*default", "*raw"]


def test_the_event_given_stays_as_it_was(world: World) -> None:
    put(world, "DEF", run_id="*default", attribute_ids=("*none",))
    event = CgrEvent("t", "e", None, {"A": "1"}, {})
    runs_of(world, event)
    assert (event.event, event.options) == ({"A": "1"}, {})


def test_a_run_charged_as_it_is_altered_nothing_but_its_id(world: World) -> None:
    put(world, "DEF", run_id="*default", attribute_ids=("*none",))
    assert runs(world)[0].as_wire() == {
        "ChargerSProfile": "DEF",
        "AttributeSProfiles": None,
        "AlteredFields": ["*req.RunID"],
        "CGREvent": {
            "Tenant": "t",
            "ID": "e",
            "Time": None,
            "Event": {"RunID": "*default"},
            "APIOpts": {"*subsys": "*chargers"},
        },
    }


def test_without_attribute_ids_those_of_the_chargers_context_are_looked_for(world: World) -> None:
    attributes = (Attribute("*req.Subject", "*variable", ("~*req.RunID",)),)
    record = AttributeProfile("t", "A", ("*chargers",), attributes=attributes)
    world.state.table("attributes").put("t:A", record)
    put(world, "C", run_id="r1")
    run = runs(world)[0]
    assert run.event.event == {"RunID": "r1", "Subject": "r1"}
    assert run.attribute_ids == ["t:A"]
    assert run.altered_fields == ["*req.RunID", "*req.Subject"]


def test_an_attribute_id_that_is_unknown_is_ignored(world: World) -> None:
    put(world, "C", run_id="r1", attribute_ids=("NOPE",))
    run = runs(world)[0]
    assert (run.attribute_ids, run.event.options) == ([], {"*subsys": "*chargers", "*attrProfileIDs": ["NOPE"]})


def test_no_charger_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        runs(world)


def test_the_word_none_counts_only_alone(world: World) -> None:
    put(world, "C", attribute_ids=("*none", "*constant:*req.A:1"))
    with pytest.raises(BadRequest, match=r"SERVER_ERROR: SERVER_ERROR: inline parse error for string: <\*none>"):
        runs(world)


def test_a_profile_survives_its_encoding() -> None:
    record = ChargerProfile("t", "C", ("*string:~*req.A:1",), interval_from_text("2020-01-01T00:00:00Z", 0), "r", (), 5)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=TABLES["chargers"]) == record
