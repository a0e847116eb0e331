"""The methods on tariff plans, from a request to its answer: the store of plans, imports, loads."""

import base64
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from cgrserver.rpc import methods
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.tariffs import write_folder, write_zip

from cgrcore.tariffplan import KINDS
from tests.tariffplan.worlds import NOW_AT, SMALL, empty_world, files_of

methods.load_all()

STORED = [kind for kind in KINDS if kind.wire]


class Inbox:
    """A channel that keeps what it is given."""

    def __init__(self) -> None:
        self.replies: list[bytes] = []

    def deliver(self, reply: bytes) -> None:
        self.replies.append(reply)


class Node:
    def __init__(self) -> None:
        self.world = empty_world()
        self.inbox = Inbox()
        self.dispatcher = Dispatcher(self.world, MemoryCommitter(), lambda: NOW_AT)

    def call(self, method: str, params: Any) -> Any:
        """Return the result of a call that needs no task, or the text of its error."""
        self.dispatcher.begin_batch()
        request = msgspec.json.encode({"method": method, "params": [params], "id": 1})
        reply = self.dispatcher.receive(request, self.inbox)
        answer = msgspec.json.decode(reply if reply is not None else self.inbox.replies.pop())
        return answer["error"] or answer["result"]

    async def fetch(self, method: str, params: Any) -> Any:
        """As `call`, for a method that reads or writes files in a task."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.dispatcher.run)
            request = msgspec.json.encode({"method": method, "params": [params], "id": 1})
            reply = self.dispatcher.receive(request, self.inbox)
            while reply is None and not self.inbox.replies:
                await trio.testing.wait_all_tasks_blocked(0.001)
            nursery.cancel_scope.cancel()
        answer = msgspec.json.decode(reply if reply is not None else self.inbox.replies.pop())
        return answer["error"] or answer["result"]


@pytest.fixture
def node() -> Iterator[Node]:
    yield Node()


def archive(rows: dict[str, tuple[str, ...]]) -> str:
    return base64.b64encode(write_zip(files_of(rows))).decode()


def address(kind: Any, item_id: str) -> dict[str, str]:
    if kind.name == "rating_profiles":
        return {"TPid": "TP", "RatingProfileID": item_id}
    if kind.name == "account_actions":
        return {"TPid": "TP", "AccountActionsId": item_id}
    return {"TPid": "TP", "ID": item_id.rpartition(":")[2]}


def sample(kind: Any) -> dict[str, Any]:
    """Return the least that SetTP* takes."""
    listed = kind.inner.field if kind.inner is not None else ""
    values: dict[str, Any] = {name: "x" for name in kind.mandatory if name != listed}
    if listed in kind.mandatory:
        values[listed] = [{}]
    if kind.name == "destinations":
        values["Prefixes"] = ["1"]
    if kind.name == "action_plans":
        values["ActionPlan"] = [{"ActionsId": "A", "TimingId": "*asap", "Weight": 1}]
    return {**values, "TPid": "TP"}


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.name)
def test_an_object_is_kept_shown_listed_and_removed(node: Node, kind: Any) -> None:
    assert node.call(f"APIerSv1.SetTP{kind.wire}", sample(kind)) == "OK"
    ids = node.call(f"APIerSv1.{kind.ids_method}", {"TPid": "TP"})
    assert len(ids) == 1
    shown = node.call(f"APIerSv1.GetTP{kind.wire}", address(kind, ids[0]))
    assert list(shown) == list(kind.record.__struct_fields__)
    assert shown["TPid"] == "TP"
    assert node.call(f"APIerSv1.RemoveTP{kind.wire}", address(kind, ids[0])) == "OK"
    assert node.call(f"APIerSv1.GetTP{kind.wire}", address(kind, ids[0])) == "NOT_FOUND"
    assert node.call(f"APIerSv1.{kind.ids_method}", {"TPid": "TP"}) == []
    assert node.call(f"APIerSv1.RemoveTP{kind.wire}", address(kind, ids[0])) == "OK"


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.name)
def test_what_is_mandatory_is_asked_for(node: Node, kind: Any) -> None:
    assert node.call(f"APIerSv1.SetTP{kind.wire}", {}) == f"MANDATORY_IE_MISSING: [{' '.join(kind.mandatory)}]"


def test_an_action_plan_needs_actions_timing_and_weight_in_each_line(node: Node) -> None:
    params = {"TPid": "TP", "ID": "AP", "ActionPlan": [{"ActionsId": "A"}]}
    assert node.call("APIerSv1.SetTPActionPlan", params) == "MANDATORY_IE_MISSING:Action:A:[TimingId Weight]"


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("GetTPRatingProfile", {"TPid": "TP", "RatingProfileID": "a:b"}, "Wrong TPRatingProfileId: a:b"),
        ("GetTPAccountActions", {"TPid": "TP", "AccountActionsId": "a"}, "Wrong TP Account Action Id: a"),
        ("LoadTariffPlanFromStorDb", {}, "MANDATORY_IE_MISSING: [TPid]"),
        ("LoadDestination", {"TPid": "TP", "ID": "D"}, "SERVER_ERROR: NOT_FOUND"),
        ("ExportTPToZipString", {"TPid": "TP"}, "SERVER_ERROR: NOT_FOUND"),
        ("ImportTPZipFile", {}, "zip: not a valid zip file"),
        ("ImportTPZipFile", {"TPid": "TP", "File": "a#"}, "illegal base64 data at input byte 1"),
        ("ImportTPZipFile", {"TPid": "TP", "File": "AAA"}, "illegal base64 data at input byte 3"),
        ("ImportTPZipFile", {"TPid": "TP", "File": "AAAA"}, "zip: not a valid zip file"),
        ("ImportTPZipFile", {"TPid": "TP", "File": archive({})}, "ERROR: finding csv files!"),
        ("ImportTPZipFile", {"File": archive(SMALL)}, "ERROR: finding csv files!"),
    ],
)
async def test_texts_of_refusals(node: Node, method: str, params: dict[str, Any], text: str) -> None:
    assert await node.fetch(f"APIerSv1.{method}", params) == text


async def test_an_archive_is_imported_loaded_and_exported_again(node: Node) -> None:
    assert await node.fetch("APIerSv1.ImportTPZipFile", {"TPid": "TP", "File": archive(SMALL)}) == "OK"
    assert node.call("APIerSv1.LoadTariffPlanFromStorDb", {"TPid": "TP", "Validate": True}) == "OK"
    assert "RP_DE" in node.world.state.table("rating_plans")
    exported = base64.b64decode(node.call("APIerSv1.ExportTPToZipString", {"TPid": "TP"}))
    with zipfile.ZipFile(io.BytesIO(exported)) as opened:
        assert set(opened.namelist()) == set(SMALL)


async def test_of_an_archive_a_file_with_a_mistake_is_left_out(node: Node) -> None:
    rows = {**SMALL, "Rates.csv": ("RT_DE,0,cheap,60s,60s,0s",)}
    assert await node.fetch("APIerSv1.ImportTPZipFile", {"TPid": "TP", "File": archive(rows)}) == "PARTIALLY_EXECUTED"
    assert node.call("APIerSv1.GetTPRateIds", {"TPid": "TP"}) == []
    assert node.call("APIerSv1.GetTPDestinationIDs", {"TPid": "TP"}) == ["DST_DE"]
    load = node.call("APIerSv1.LoadTariffPlanFromStorDb", {"TPid": "TP"})
    assert load == 'SERVER_ERROR: could not find rate for tag "RT_DE"'
    assert list(node.world.state.table("destinations")) == []


async def test_a_dry_run_changes_nothing(node: Node) -> None:
    await node.fetch("APIerSv1.ImportTPZipFile", {"TPid": "TP", "File": archive(SMALL)})
    assert node.call("APIerSv1.LoadTariffPlanFromStorDb", {"TPid": "TP", "DryRun": True}) == "OK"
    assert list(node.world.state.table("rating_plans")) == []


async def test_a_folder_is_loaded(node: Node, tmp_path: Path) -> None:
    write_folder(tmp_path, files_of(SMALL))
    assert await node.fetch("APIerSv1.LoadTariffPlanFromFolder", {"FolderPath": str(tmp_path)}) == "OK"
    assert "RP_DE" in node.world.state.table("rating_plans")
    assert await node.fetch("APIerSv1.RemoveTPFromFolder", {"FolderPath": str(tmp_path)}) == "OK"
    assert list(node.world.state.table("rating_plans")) == []


async def test_a_bad_folder_is_refused_whole(node: Node, tmp_path: Path) -> None:
    write_folder(tmp_path, files_of({**SMALL, "RatingPlans.csv": ("RP_DE,DR_DE,NOPE,10",)}))
    reply = await node.fetch("APIerSv1.LoadTariffPlanFromFolder", {"FolderPath": str(tmp_path)})
    assert reply == 'SERVER_ERROR: could not get timing for tag "NOPE"'
    assert list(node.world.state.table("destinations")) == []


@pytest.mark.parametrize(
    ("path", "text"), [("", "MANDATORY_IE_MISSING:FolderPath"), ("/no/such/folder", "INVALID_PATH")]
)
async def test_a_folder_must_be_there(node: Node, path: str, text: str) -> None:
    assert await node.fetch("APIerSv1.LoadTariffPlanFromFolder", {"FolderPath": path}) == text


async def test_a_stored_plan_goes_to_a_folder_and_comes_back(node: Node, tmp_path: Path) -> None:
    await node.fetch("APIerSv1.ImportTPZipFile", {"TPid": "TP", "File": archive(SMALL)})
    out = str(tmp_path / "out")
    reply = await node.fetch("APIerSv1.ExportTPToFolder", {"TPid": "TP", "ExportPath": out})
    assert reply == {"ExportPath": out, "ExportedFiles": sorted(SMALL), "Compressed": False}
    assert await node.fetch("APIerSv1.ImportTariffPlanFromFolder", {"TPid": "T2", "FolderPath": out}) == "OK"
    rates = [node.call("APIerSv1.GetTPRate", {"TPid": tpid, "ID": "RT_DE"})["RateSlots"] for tpid in ("TP", "T2")]
    assert rates[0] == rates[1]
    assert node.call("APIerSv1.GetTPIds", {}) == ["T2", "TP"]
    assert node.call("APIerSv1.RemTP", {"TPid": "T2"}) == "OK"
    assert node.call("APIerSv1.GetTPIds", {}) == ["TP"]
