"""CDRs made from events, and their forms on the wire."""

from decimal import Decimal
from hashlib import sha1
from typing import Any

import pytest

from cgrcore.cdrs.records import Cdr, cdr_from_event
from cgrcore.errors import BadRequest
from cgrcore.timing import Moment
from cgrcore.world import World

WORLD = World(
    {
        "general": {
            "default_tenant": "cgrates.org",
            "default_request_type": "*rated",
            "default_category": "call",
            "default_timezone": "UTC",
        }
    },
    new_id=lambda: "id",
)


def made(**event: Any) -> Cdr:
    return cdr_from_event(WORLD, "", event)


def test_a_call_is_named_by_its_origin() -> None:
    assert made(OriginID="call", OriginHost="host").cgrid == sha1(b"callhost").hexdigest()


def test_gaps_are_filled_by_the_configuration() -> None:
    cdr = made(Account="1001")
    assert (cdr.tenant, cdr.category, cdr.request_type, cdr.tor) == ("cgrates.org", "call", "*rated", "*voice")
    assert (cdr.subject, cdr.run_id, cdr.cost_nano) == ("1001", "*default", None)


def test_other_keys_become_extra_fields_as_text() -> None:
    cdr = made(Zone="north", Count=3, Rate=Decimal("1.50"), On=True, Off=None, List=["a", 1])
    assert cdr.extra_fields == {
        "Zone": "north",
        "Count": "3",
        "Rate": "1.50",
        "On": "true",
        "Off": "",
        "List": '["a",1]',
    }


@pytest.mark.parametrize(("usage", "usage_ns"), [("70s", 70 * 10**9), ("3", 3), (5, 5), (Decimal("7"), 7), ("", 0)])
def test_usage_is_read_in_every_form(usage: Any, usage_ns: int) -> None:
    assert made(Usage=usage).usage_ns == usage_ns


@pytest.mark.parametrize(("cost", "cost_nano"), [(Decimal("0.3"), 3 * 10**8), ("2", 2 * 10**9), (-1, None), (0, 0)])
def test_a_cost_of_minus_one_is_none(cost: Any, cost_nano: int | None) -> None:
    assert made(Cost=cost).cost_nano == cost_nano


def test_an_instant_keeps_its_offset() -> None:
    assert made(SetupTime="2024-01-01T02:00:00+02:00").setup_time == Moment(1_704_067_200_000_000_000, 7200)


@pytest.mark.parametrize(
    "event",
    [
        {"Usage": "x"},
        {"Usage": 2**63},
        {"Usage": [1]},
        {"SetupTime": "x"},
        {"Cost": "x"},
        {"Cost": [1]},
        {"CostDetails": "{"},
        {"CostDetails": "[1]"},
        {"CostDetails": 5},
        {"OrderID": "x"},
        {"Account": "x" * 601},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        made(**event)


def test_the_wire_shows_no_cost_as_minus_one() -> None:
    assert Cdr(cgrid="c").as_wire(WORLD.new_id)["Cost"] == -1
    assert Cdr(cgrid="c", cost_nano=0).as_wire(WORLD.new_id)["Cost"] == 0


def test_the_external_form_is_made_of_texts() -> None:
    shown = Cdr(cgrid="c", usage_ns=90 * 10**9).as_external(WORLD.new_id)
    assert (shown["Usage"], shown["SetupTime"], shown["CostDetails"]) == ("1m30s", "0001-01-01T00:00:00Z", "null")


def test_the_external_form_counts_units_of_other_types() -> None:
    assert Cdr(cgrid="c", tor="*sms", usage_ns=3).as_external(WORLD.new_id)["Usage"] == "3"
