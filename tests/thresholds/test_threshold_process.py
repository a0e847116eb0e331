"""Events against thresholds."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from cgrcore.accounting import Account
from cgrcore.config import read_settings
from cgrcore.errors import NotFound, PartiallyExecuted
from cgrcore.event import CgrEvent
from cgrcore.thresholds import (
    TABLES,
    Threshold,
    ThresholdProfile,
    Watcher,
    install,
    process_event,
    remove_profile,
    reset,
    store_profile,
    threshold_of,
    thresholds_for,
)
from cgrcore.timing import SECOND_NS, ZERO_AT
from cgrcore.world import World

NOW = 10**18


@pytest.fixture
def world() -> Iterator[World]:
    made = World(read_settings([], {}, ()), lambda: "id", NOW)
    made.state.begin()
    yield made
    made.state.rollback()


def put(world: World, profile_id: str = "T", **more: Any) -> None:
    more.setdefault("max_hits", -1)
    store_profile(world, ThresholdProfile("t", profile_id, **more))


def hit(world: World, *ids: str, **fields: Any) -> list[str]:
    return process_event(world, CgrEvent("t", "e", None, fields, {}), ids)


def count(world: World, profile_id: str = "T") -> Threshold:
    return threshold_of(world, f"t:{profile_id}")


def test_every_event_is_counted(world: World) -> None:
    put(world)
    assert [hit(world), hit(world)] == [["T"], ["T"]]
    assert count(world).hits == 2


def test_a_threshold_that_is_used_up_counts_no_more(world: World) -> None:
    put(world, max_hits=1)
    assert [hit(world), hit(world)] == [["T"], []]
    assert count(world).hits == 1


def test_a_threshold_with_no_hits_allowed_never_counts(world: World) -> None:
    put(world, max_hits=0)
    assert hit(world) == []


def test_the_first_hits_are_counted_and_cause_nothing(world: World) -> None:
    put(world, min_hits=2, action_ids=("NOPE",))
    assert hit(world) == ["T"]
    assert count(world).snooze_at == ZERO_AT
    with pytest.raises(PartiallyExecuted):
        hit(world)
    assert count(world).snooze_at == NOW


def test_a_threshold_sleeps_after_it_caused_something(world: World) -> None:
    put(world, min_sleep_ns=SECOND_NS, action_ids=("NOPE",), is_async=True)
    hit(world)
    assert count(world).snooze_at == NOW + SECOND_NS
    hit(world)
    assert count(world).snooze_at == NOW + SECOND_NS
    world.now_at += SECOND_NS
    hit(world)
    assert count(world).snooze_at == NOW + 2 * SECOND_NS


def test_a_threshold_that_does_not_sleep_acts_on_every_event_of_an_instant(world: World) -> None:
    put(world, action_ids=("NOPE",))
    for _ in range(2):
        with pytest.raises(PartiallyExecuted):
            hit(world)


def test_a_failing_action_leaves_the_hit_counted_and_the_others_asked(world: World) -> None:
    put(world, "T1", action_ids=("NOPE",), weight_nano=2)
    put(world, "T2", weight_nano=1)
    with pytest.raises(PartiallyExecuted):
        hit(world)
    assert (count(world, "T1").hits, count(world, "T2").hits) == (1, 1)


def test_what_fails_in_the_background_is_not_told(world: World) -> None:
    put(world, action_ids=("NOPE",), is_async=True)
    assert hit(world) == ["T"]


def test_a_blocker_ends_the_list(world: World) -> None:
    put(world, "T1", weight_nano=2, is_blocker=True)
    put(world, "T2", weight_nano=1)
    assert hit(world) == ["T1"]


def test_the_heaviest_comes_first(world: World) -> None:
    put(world, "T1", weight_nano=1)
    put(world, "T2", weight_nano=2)
    event = CgrEvent("t", "e", None, {}, {})
    assert [threshold.id for threshold in thresholds_for(world, event)] == ["T2", "T1"]


def test_only_the_profiles_named_are_asked(world: World) -> None:
    put(world, "T1")
    put(world, "T2")
    assert hit(world, "T2", "NOPE") == ["T2"]


def test_no_profile_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        hit(world)


def test_a_profile_that_counts_otherwise_starts_again(world: World) -> None:
    put(world)
    hit(world)
    put(world, weight_nano=5)
    assert count(world).hits == 1
    put(world, min_hits=2)
    assert count(world).hits == 0


def test_a_count_can_be_reset_and_goes_with_its_profile(world: World) -> None:
    put(world)
    hit(world)
    reset(world, "t:T")
    assert count(world) == Threshold("t", "T")
    remove_profile(world, "t:T")
    with pytest.raises(NotFound):
        count(world)


def test_exporters_that_are_not_there_are_a_failure(world: World) -> None:
    put(world, ee_ids=("exp",))
    with pytest.raises(PartiallyExecuted):
        hit(world)
    put(world, ee_ids=("*none",))
    assert hit(world) == ["T"]


def test_a_change_of_an_account_is_counted_once_it_is_durable(world: World) -> None:
    install(world)
    put(world, filter_ids=("*string:~*opts.*eventType:AccountUpdate", "*string:~*req.AccountID:1001"))
    later: list[Callable[[World], None]] = []
    world.parts["decide"] = lambda reason, decide: later.append(decide)
    world.parts["account_updates"](world, Account("t:1001"))
    assert count(world).hits == 0
    for call in world.state.effects.after:
        call()
    for decide in later:
        decide(world)
    assert count(world).hits == 1


def test_records_survive_their_encoding() -> None:
    records = (ThresholdProfile("t", "P", ("*gt:~*req.A:1",)), Threshold("t", "P", 3, NOW), Watcher("P", "cgrid", "1"))
    assert {type(record) for record in records} == set(TABLES.values())
    for record in records:
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=type(record)) == record
