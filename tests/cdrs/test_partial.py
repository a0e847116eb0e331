"""Interim records of a call: kept, merged in the order of their answer times, charged once."""

import pytest

from cgrcore.cdrs import expired_pieces, is_piece, keep_piece, pieces_as_event, whole_event
from cgrcore.errors import BadRequest
from cgrcore.event import CgrEvent
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.cdrs.arriving import Office
from tests.sessions.calls import Phone, decide, held


def piece(phone: Phone, usage: str, **fields: object) -> CgrEvent:
    event = phone.event(usage, **fields)
    event.options["*partial"] = True
    return event


def keep(phone: Phone, usage: str, **fields: object) -> None:
    decide(phone.world, lambda world: keep_piece(world, piece(phone, usage, **fields)))


def whole(phone: Phone, usage: str, **fields: object) -> CgrEvent:
    return decide(phone.world, lambda world: whole_event(world, phone.event(usage, **fields)))


@pytest.mark.parametrize("value", [True, "true", "1", 1])
def test_the_option_makes_an_event_an_interim_record(phone: Phone, value: object) -> None:
    event = phone.event("10s")
    event.options["*partial"] = value
    assert is_piece(event)


@pytest.mark.parametrize("value", [None, "", "false", False])
def test_an_empty_option_does_not(phone: Phone, value: object) -> None:
    event = phone.event("10s")
    event.options["*partial"] = value
    assert not is_piece(event)


def test_an_interim_record_costs_nothing(phone: Phone) -> None:
    keep(phone, "10s")
    assert held(phone.world) == {"m": "10"}


def test_the_last_record_has_what_the_others_said(phone: Phone) -> None:
    keep(phone, "10s", Codec="PCMA")
    assert whole(phone, "30s").event == {**phone.fields, "Codec": "PCMA", "Usage": "30s"}


def test_the_last_record_is_no_interim_one(phone: Phone) -> None:
    keep(phone, "10s")
    assert "*partial" not in whole(phone, "30s").options


def test_the_later_answer_time_stands_whatever_came_first(phone: Phone) -> None:
    keep(phone, "20s", AnswerTime="2026-03-02T09:40:00Z")
    keep(phone, "10s", AnswerTime="2026-03-02T09:30:00Z")
    merged = whole(phone, "15s", AnswerTime="2026-03-02T09:35:00Z")
    assert merged.event["Usage"] == "20s"


def test_of_equal_answer_times_the_one_that_came_later_stands(phone: Phone) -> None:
    keep(phone, "20s")
    keep(phone, "10s")
    assert whole(phone, "30s").event["Usage"] == "30s"


def test_records_of_another_call_are_not_mixed_in(phone: Phone) -> None:
    keep(phone, "10s", OriginID="other", Codec="PCMA")
    assert "Codec" not in whole(phone, "30s").event


def test_a_call_without_interim_records_is_as_it_is(phone: Phone) -> None:
    event = phone.event("30s")
    assert whole_event(phone.world, event) is event


def test_many_interim_records_are_bounded_and_lose_nothing(phone: Phone) -> None:
    for number in range(150):
        keep(phone, f"{number}s", **{f"Leg{number}": "x"})
    kept = phone.world.state.table("partial_cdrs").require(phone.cgrid)
    merged = whole(phone, "200s")
    assert (len(kept.pieces), sum(name.startswith("Leg") for name in merged.event)) == (100, 150)


def test_an_interim_record_names_its_call(phone: Phone) -> None:
    with pytest.raises(BadRequest):
        keep(phone, "10s", OriginID="")


def test_the_merged_call_is_charged_once(phone: Phone, office: Office) -> None:
    keep(phone, "10s")
    keep(phone, "20s")
    office.take(whole(phone, "30s"))
    assert (held(phone.world), office.cdr(phone).usage_ns) == ({"m": "9.7"}, 30 * SECOND_NS)


# --- those whose last record does not come ---------------------------------------------------------------------------


def test_what_has_waited_too_long_is_found(phone: Phone) -> None:
    keep(phone, "10s")
    now_at = phone.world.now_at
    assert (expired_pieces(phone.world, now_at), expired_pieces(phone.world, now_at + 1)) == ([], [phone.cgrid])


def test_every_record_puts_the_end_off(phone: Phone) -> None:
    keep(phone, "10s")
    first_at = phone.world.now_at
    phone.world.now_at += SECOND_NS
    keep(phone, "20s")
    assert expired_pieces(phone.world, first_at + 1) == []


def test_what_has_waited_is_one_event_marked_partial(phone: Phone) -> None:
    keep(phone, "10s", Codec="PCMA")
    keep(phone, "20s")
    event = decide(phone.world, lambda world: pieces_as_event(world, phone.cgrid))
    assert event is not None
    assert (event.event["Usage"], event.event["Codec"], event.event["Partial"]) == ("20s", "PCMA", True)


def test_what_was_taken_waits_no_more(phone: Phone, world: World) -> None:
    keep(phone, "10s")
    decide(phone.world, lambda world: pieces_as_event(world, phone.cgrid))
    assert decide(phone.world, lambda world: pieces_as_event(world, phone.cgrid)) is None
