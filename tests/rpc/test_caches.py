"""CacheSv1, from a request to its answer."""

from typing import Any

import msgspec
import pytest
from cgrserver.rpc import methods
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher

from cgrcore.config import read_settings
from cgrcore.world import World

methods.load_all()


class Inbox:
    """A channel for methods that answer later; none here does."""

    def deliver(self, reply: bytes) -> None:
        raise AssertionError(reply)


class Node:
    def __init__(self) -> None:
        self.world = World(read_settings([], {}, ()), lambda: "id")
        self.dispatcher = Dispatcher(self.world, MemoryCommitter(), lambda: 10**18)

    def __call__(self, method: str, **params: Any) -> Any:
        """Return the result of a call, or the text of its error."""
        self.dispatcher.begin_batch()
        reply = self.dispatcher.receive(msgspec.json.encode({"method": method, "params": [params], "id": 1}), Inbox())
        assert reply is not None
        answer = msgspec.json.decode(reply)
        return answer["result"] if answer["error"] is None else answer["error"]


@pytest.fixture
def node() -> Node:
    made = Node()
    assert made("APIerSv1.SetThresholdProfile", Tenant="t", ID="T", MaxHits=-1) == "OK"
    return made


ITEM = {"CacheID": "*threshold_profiles", "ItemID": "t:T"}


def test_a_profile_that_a_client_reads_is_shown(node: Node) -> None:
    assert node("CacheSv1.HasItem", **ITEM) is False
    node("APIerSv1.GetThresholdProfile", Tenant="t", ID="T")
    assert node("CacheSv1.HasItem", **ITEM) is True
    assert node("CacheSv1.GetItemExpiryTime", **ITEM) == "0001-01-01T00:00:00Z"
    assert node("CacheSv1.GetItem", **ITEM)["MaxHits"] == -1


def test_a_profile_that_was_asked_for_in_vain_is_shown_as_null(node: Node) -> None:
    node("APIerSv1.GetThresholdProfile", Tenant="t", ID="NOPE")
    assert node("CacheSv1.GetItem", CacheID="*threshold_profiles", ItemID="t:NOPE") is None


def test_a_profile_is_read_as_it_is_now_whatever_the_cache_was_told(node: Node) -> None:
    node("APIerSv1.GetThresholdProfile", Tenant="t", ID="T")
    node("APIerSv1.SetThresholdProfile", Tenant="t", ID="T", MaxHits=3, APIOpts={"*cache": "*none"})
    assert node("APIerSv1.GetThresholdProfile", Tenant="t", ID="T")["MaxHits"] == 3
    assert node("CacheSv1.GetItem", **ITEM)["MaxHits"] == 3


def test_items_are_loaded_and_removed_by_their_kind(node: Node) -> None:
    assert node("CacheSv1.LoadCache", ThresholdProfileIDs=["t:T"]) == "OK"
    assert node("CacheSv1.GetItemIDs", CacheID="*threshold_profiles", ItemIDPrefix="t") == ["t:T"]
    assert node("CacheSv1.RemoveItems", ThresholdProfileIDs=["t:T"]) == "OK"
    assert node("CacheSv1.GetItemIDs", CacheID="*threshold_profiles") == "NOT_FOUND"


def test_reloading_takes_nothing_in(node: Node) -> None:
    assert node("CacheSv1.ReloadCache", ThresholdProfileIDs=["t:T"]) == "OK"
    assert node("CacheSv1.HasItem", **ITEM) is False


def test_the_index_of_a_tenant_is_a_group(node: Node) -> None:
    group = {"CacheID": "*threshold_filter_indexes", "GroupID": "t"}
    assert node("CacheSv1.GetGroupItemIDs", **group) == "NOT_FOUND"
    node("ThresholdSv1.GetThresholdsForEvent", Tenant="t", ID="e", Event={"Account": "1"})
    assert node("CacheSv1.HasGroup", **group) is True
    assert node("CacheSv1.GetGroupItemIDs", **group) == ["t:*none:*any:*any"]
    stats = node("CacheSv1.GetCacheStats", CacheIDs=["*threshold_filter_indexes"])
    assert stats == {"*threshold_filter_indexes": {"Items": 1, "Groups": 1}}
    assert node("CacheSv1.RemoveGroup", **group) == "OK"
    assert node("CacheSv1.HasGroup", **group) is False


def test_clearing_without_names_clears_all(node: Node) -> None:
    node("CacheSv1.LoadCache", ThresholdProfileIDs=["t:T"], FilterIDs=["t:F"])
    assert node("CacheSv1.Clear") == "OK"
    assert {(found["Items"], found["Groups"]) for found in node("CacheSv1.GetCacheStats").values()} == {(0, 0)}


def test_every_partition_that_is_configured_is_ready_and_no_other(node: Node) -> None:
    assert set(node("CacheSv1.PrecacheStatus").values()) == {"*ready"}
    assert node("CacheSv1.PrecacheStatus", CacheIDs=["*bogus"]) == "unknown cacheID: *bogus"
