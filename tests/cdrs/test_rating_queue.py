"""The rating queue as decisions: what waits, in which order it is charged, and that nothing is charged twice."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cgrcore.cdrs import (
    StoredCdrs,
    Switches,
    Waiting,
    as_charged,
    keys_in_order,
    process_ended_session,
    rate_waiting,
    take_out,
)
from cgrcore.cdrs import queue as rating_queue
from cgrcore.errors import Conflict, Unavailable
from cgrcore.sessions import closed_sessions
from cgrcore.stats import install as install_stats
from cgrcore.thresholds import ThresholdProfile, install, store_profile
from cgrcore.world import World
from tests.accounting.small_world import money
from tests.cdrs.arriving import RATED, Office
from tests.cdrs.test_process import REFUNDED, RERATED
from tests.sessions.calls import Phone, held

QUEUED = msgspec.structs.replace(RATED, queue=True)


@pytest.fixture
def world(world: World) -> Iterator[World]:
    world.settings["cdrs"]["rating_queue"] = 100
    yield world


def _event(given: dict[str, Any]) -> dict[str, Any]:
    return {("Usage" if name == "usage" else name): value for name, value in given.items()}


class Queue:
    """Takes CDRs that wait, and charges them when told to."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.world = office.world

    def put(self, phone: Phone, origin_id: str, usage: str = "60s", **fields: Any) -> None:
        self.office.take(phone.event(usage, OriginID=origin_id, **fields), switches=QUEUED)

    def charge(self, *keys: str) -> int:
        self.world.state.begin("rating queue")
        count = rate_waiting(self.world, keys or keys_in_order(self.world))
        self.office.keep(self.world.state.take().rows)
        return count

    def costs(self) -> dict[str, int | None]:
        return {cdr.origin_id: cdr.cost_nano for cdr in self.office.stored.cdrs.values()}


@pytest.fixture
def queue(office: Office) -> Queue:
    return Queue(office)


def test_a_queued_cdr_is_stored_without_a_cost_and_nothing_is_charged(queue: Queue, phone: Phone) -> None:
    queue.put(phone, "a", RequestType="*postpaid")
    assert (queue.costs(), held(phone.world)) == ({"a": None}, {"m": "10"})


def test_its_cost_comes_later_and_its_account_pays(queue: Queue, phone: Phone) -> None:
    queue.put(phone, "a", RequestType="*postpaid")
    assert queue.charge() == 1
    assert (queue.costs(), held(phone.world)) == ({"a": money("0.6")}, {"m": "9.4"})


def test_what_was_charged_does_not_wait_any_more(queue: Queue, phone: Phone) -> None:
    queue.put(phone, "a", RequestType="*postpaid")
    queue.charge()
    assert queue.charge() == 0
    assert held(phone.world) == {"m": "9.4"}


@pytest.mark.parametrize("count", [3, 40])
def test_what_no_account_pays_for_costs_the_same_one_by_one_and_as_columns(
    queue: Queue, phone: Phone, count: int
) -> None:
    fields: list[dict[str, Any]] = [
        {"Destination": ("4940", "4930", "1")[number % 3], "usage": f"{7 * number + 1}s", "Account": f"{number}"}
        for number in range(count)
    ]
    for number, given in enumerate(fields):
        queue.put(phone, f"q{number}", RequestType="*rated", **given)
        queue.office.take(phone.event(OriginID=f"now{number}", RequestType="*rated", **_event(given)))
    queue.charge()
    costs = queue.costs()
    assert [costs[f"q{number}"] for number in range(count)] == [costs[f"now{number}"] for number in range(count)]
    reasons = {cdr.origin_id: cdr.extra_info for cdr in queue.office.stored.cdrs.values()}
    assert [reasons[f"q{number}"] for number in range(count)] == [reasons[f"now{number}"] for number in range(count)]


@pytest.mark.parametrize("is_kept", [False, True])
def test_cost_details_of_what_no_account_pays_for_are_kept_when_so_configured(
    queue: Queue, phone: Phone, is_kept: bool
) -> None:
    queue.world.settings["cdrs"]["rating_queue_details"] = is_kept
    for number in range(10):
        queue.put(phone, f"q{number}", RequestType="*rated")
    queue.charge()
    assert {cdr.cost_details is not None for cdr in queue.office.stored.cdrs.values()} == {is_kept}


def test_calls_are_charged_in_the_order_they_came(queue: Queue, phone: Phone) -> None:
    for origin_id in ("z", "a", "m"):
        queue.put(phone, origin_id, "600s", RequestType="*postpaid")
    queue.charge()
    paid = {
        cdr.origin_id: {state.id: state.value for state in cdr.cost_details.account.balances}
        for cdr in queue.office.stored.cdrs.values()
        if cdr.cost_details is not None and cdr.cost_details.account is not None
    }
    assert paid == {"z": {"m": 4}, "a": {"m": 0, "*default": -2}, "m": {"m": 0, "*default": -8}}


def test_the_order_outlives_a_restart(queue: Queue, phone: Phone) -> None:
    for origin_id in ("z", "a", "m"):
        queue.put(phone, origin_id)
    records = queue.world.state.table("rating_queue").records
    again = {key: Waiting.decode(records[key].encode()) for key in sorted(records)}
    before = keys_in_order(queue.world)
    queue.world.state.table("rating_queue").records = again
    del queue.world.parts[rating_queue.NUMBER]
    assert keys_in_order(queue.world) == before
    queue.put(phone, "b")
    assert keys_in_order(queue.world)[:3] == before


def test_a_queued_cdr_comes_once(queue: Queue, phone: Phone) -> None:
    queue.put(phone, "a")
    with pytest.raises(Conflict, match="EXISTS"):
        queue.put(phone, "a")


def test_a_cdr_of_a_session_does_not_wait(queue: Queue, phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("60s")
    queue.office.take(phone.event("60s"), switches=QUEUED)
    assert (queue.office.cdr(phone).cost_nano, len(queue.world.state.table("rating_queue"))) == (money("0.6"), 0)


def test_more_than_may_wait_are_refused_whole(queue: Queue, phone: Phone) -> None:
    queue.world.settings["cdrs"]["rating_queue"] = 2
    events = [phone.event("60s", OriginID=f"q{number}") for number in range(3)]
    with pytest.raises(Unavailable, match="RATING_QUEUE_FULL"):
        queue.office.take(*events, switches=QUEUED)
    assert (queue.costs(), len(queue.world.state.table("rating_queue"))) == ({}, 0)
    queue.office.take(*events[:2], switches=QUEUED)
    with pytest.raises(Unavailable, match="RATING_QUEUE_FULL"):
        queue.office.take(events[2], switches=QUEUED)
    queue.charge()
    queue.office.take(events[2], switches=QUEUED)


@pytest.mark.parametrize("request_type", ["*prepaid", "*postpaid"])
def test_a_call_that_ends_while_the_queue_is_full_has_its_cdr(queue: Queue, phone: Phone, request_type: str) -> None:
    world = queue.world
    world.settings["cdrs"]["rating_queue"] = 1
    queue.put(phone, "other")
    phone.initiate("60s", RequestType=request_type)
    phone.terminate("60s", RequestType=request_type)
    world.state.begin("session ended")
    (session,) = closed_sessions(world).records.values()
    process_ended_session(world, session)
    queue.office.keep(world.state.take().rows)
    assert (queue.office.cdr(phone).cost_nano, held(world)) == (money("0.6"), {"m": "9.4"})


def test_rerating_what_waits_charges_it_once(queue: Queue, phone: Phone) -> None:
    queue.put(phone, "call-1", RequestType="*postpaid")
    queue.office.take(
        phone.event("60s", RequestType="*postpaid"), switches=msgspec.structs.replace(RERATED, queue=True)
    )
    assert queue.charge() == 0
    assert held(phone.world) == {"m": "9.4"}


def test_refunding_what_waits_leaves_it_uncharged(queue: Queue, phone: Phone) -> None:
    queue.put(phone, "call-1", RequestType="*postpaid")
    queue.office.take(phone.event("60s", RequestType="*postpaid"), switches=REFUNDED)
    assert queue.charge() == 0
    assert held(phone.world) == {"m": "10"}


def test_a_cdr_that_was_taken_out_is_passed_over(queue: Queue, phone: Phone) -> None:
    queue.put(phone, "call-1", RequestType="*postpaid")
    keys = keys_in_order(queue.world)
    assert take_out(queue.world, phone.cgrid, "*default")
    queue.world.state.take()
    assert queue.charge(*keys) == 0
    assert held(phone.world) == {"m": "10"}


def test_who_has_read_a_cdr_before_it_was_charged_sees_it_charged(queue: Queue, phone: Phone) -> None:
    queue.put(phone, "call-1", RequestType="*postpaid")
    read = StoredCdrs(dict(queue.office.stored.cdrs))
    queue.charge()
    queue.office.stored = read
    queue.office.take(phone.event("60s", RequestType="*postpaid"), switches=RERATED)
    assert held(phone.world) == {"m": "9.4"}
    assert as_charged(queue.world, read) == read, "and so is what the store has after that"


def test_thresholds_see_a_queued_cdr_with_its_cost(queue: Queue, phone: Phone) -> None:
    install(queue.world)
    install_stats(queue.world)
    profile = ThresholdProfile("cgrates.org", "T", filter_ids=("*gt:~*req.Cost:0",), max_hits=-1, min_hits=1)
    store_profile(queue.world, profile)
    queue.world.state.take()
    queue.office.take(phone.event("60s"), switches=msgspec.structs.replace(QUEUED, thresholds=True))
    assert "cgrates.org:T" not in queue.world.state.table("thresholds")
    queue.charge()
    assert queue.world.state.table("thresholds").require("cgrates.org:T").hits == 1


def test_exporters_get_a_queued_cdr_with_its_cost(queue: Queue, phone: Phone) -> None:
    given: list[Any] = []
    queue.world.parts["export_cdr"] = lambda world, event, exporter_ids: given.append(event.event["Cost"])
    queue.office.take(phone.event("60s"), switches=msgspec.structs.replace(QUEUED, export=True))
    assert given == []
    queue.charge()
    assert given == [Decimal("0.6")]


def test_an_agreed_sum_waits_and_is_taken(queue: Queue, phone: Phone) -> None:
    queue.put(phone, "a", RequestType="*directdebit", Cost=3)
    assert held(phone.world) == {"m": "10"}
    queue.charge()
    assert held(phone.world) == {"m": "7"}


def test_without_a_limit_nothing_waits(queue: Queue, phone: Phone) -> None:
    queue.world.settings["cdrs"]["rating_queue"] = 0
    queue.put(phone, "a", RequestType="*postpaid")
    assert held(phone.world) == {"m": "9.4"}


def test_one_call_may_ask_not_to_wait() -> None:
    from cgrcore.cdrs import switches_for

    assert not switches_for(Switches(queue=True), {}, ["*queue:false"]).queue
