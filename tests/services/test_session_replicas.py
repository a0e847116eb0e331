"""Two nodes, one charging and one standing by, as processes: what the other knows, takes over and gives up."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import CallRefused, ServerProcess, free_port, until
from tests.slides.conftest import balance, event, load_plan

ORIGIN = "*string:~*req.OriginID:abcd123"


class Nodes:
    """Nodes `first` and `second`; each sends its sessions to the other."""

    def __init__(self, folder: Path) -> None:
        for name in ("first", "second"):
            (folder / name).mkdir()
        ports = free_port(), free_port()
        self.first = ServerProcess(folder / "first", self._settings(ports[1]), port=ports[0])
        self.second = ServerProcess(folder / "second", self._settings(ports[0]), port=ports[1])
        for node in (self.first, self.second):
            load_plan(node)

    def _settings(self, port: int) -> tuple[str, ...]:
        other = {"strategy": "*first", "conns": [{"address": f"127.0.0.1:{port}", "transport": "*json"}]}
        return (
            "general.rpc_compat=current",
            f"rpc_conns.other={json.dumps(other)}",
            'sessions.replication_conns=["other"]',
        )


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    pair = Nodes(tmp_path)
    yield pair
    pair.first.kill()
    pair.second.kill()


def passive(node: ServerProcess) -> list[dict[str, Any]]:
    try:
        return list(node.call("SessionSv1.GetPassiveSessions"))
    except CallRefused:
        return []


def active(node: ServerProcess) -> int:
    return int(node.call("SessionSv1.GetActiveSessionsCount"))


def test_the_other_node_charges_on_when_the_first_dies(nodes):
    nodes.first.call("SessionSv1.InitiateSession", InitSession=True, Event=event("1m"))
    until(lambda: len(passive(nodes.second)) == 1, 20)
    nodes.first.kill()
    (known,) = passive(nodes.second)
    assert (known["Usage"], known["LoopIndex"], known["Account"]) == (60_000_000_000, 1, "1001")
    updated = nodes.second.call("SessionSv1.UpdateSession", UpdateSession=True, Event=event("1m"))
    assert (updated, active(nodes.second), passive(nodes.second)) == ({"MaxUsage": 60_000_000_000}, 1, [])
    nodes.second.call("SessionSv1.TerminateSession", TerminateSession=True, Event=event("2m"))
    nodes.second.call("SessionSv1.ProcessCDR", Event=event("2m"))
    (cdr,) = nodes.second.call("CDRsV1.GetCDRs", OriginIDs=["abcd123"])
    whole = nodes.second.call("APIerSv1.GetCost", Tenant="cgrates.org", Subject="1001", Destination="1002", **AT)
    assert (cdr["Usage"], cdr["Cost"]) == (120_000_000_000, whole["Cost"])


AT = {"Category": "call", "AnswerTime": "2023-01-07T17:00:10Z", "Usage": "2m"}


def test_a_session_that_has_ended_is_forgotten_by_the_other_node(nodes):
    nodes.first.call("SessionSv1.InitiateSession", InitSession=True, Event=event("1m"))
    until(lambda: len(passive(nodes.second)) == 1, 20)
    nodes.first.call("SessionSv1.TerminateSession", TerminateSession=True, Event=event("1m"))
    until(lambda: passive(nodes.second) == [], 20)
    assert active(nodes.second) == 0


def test_a_node_that_was_away_learns_what_it_missed(nodes):
    nodes.second.kill()
    nodes.first.call("SessionSv1.InitiateSession", InitSession=True, Event=event("1m"))
    nodes.first.call("SessionSv1.UpdateSession", UpdateSession=True, Event=event("1m"))
    nodes.second.start()
    until(lambda: [it["Usage"] for it in passive(nodes.second)] == [120_000_000_000], 20)


def test_a_node_that_comes_back_gives_up_what_the_other_took_over(nodes):
    nodes.first.call("SessionSv1.InitiateSession", InitSession=True, Event=event("1m"))
    until(lambda: len(passive(nodes.second)) == 1, 20)
    nodes.first.kill()
    nodes.second.call("SessionSv1.UpdateSession", UpdateSession=True, Event=event("1m"))
    nodes.first.start()
    until(lambda: active(nodes.first) == 0, 20)
    assert len(passive(nodes.first)) == 1


def test_a_node_that_comes_back_does_not_charge_what_ended_on_the_other(nodes):
    nodes.first.call("SessionSv1.InitiateSession", InitSession=True, Event=event("1m"))
    until(lambda: len(passive(nodes.second)) == 1, 20)
    nodes.first.kill()
    nodes.second.call("SessionSv1.TerminateSession", TerminateSession=True, Event=event("1m"))
    nodes.first.start()
    before = balance(nodes.first)
    until(lambda: active(nodes.first) == 0, 20)
    assert (passive(nodes.first), balance(nodes.first)) == ([], before)


def test_sessions_are_sent_when_asked_for(nodes):
    nodes.second.kill()
    nodes.first.call("SessionSv1.InitiateSession", InitSession=True, Event=event("1m"))
    with pytest.raises(CallRefused, match="PARTIALLY_EXECUTED"):
        nodes.first.call("SessionSv1.ReplicateSessions", ConnIDs=["other"])
    nodes.second.start()
    assert nodes.first.call("SessionSv1.ReplicateSessions", ConnIDs=["other"]) == "OK"
    assert len(passive(nodes.second)) == 1


def test_a_connection_that_is_not_defined_is_told(nodes):
    nodes.first.call("SessionSv1.InitiateSession", InitSession=True, Event=event("1m"))
    with pytest.raises(CallRefused, match="connection with id: nowhere not defined"):
        nodes.first.call("SessionSv1.ReplicateSessions", ConnIDs=["nowhere"])


def test_deactivated_sessions_stand_by_and_come_back(nodes):
    nodes.first.call("SessionSv1.InitiateSession", InitSession=True, Event=event("1m"))
    assert nodes.first.call("SessionSv1.DeactivateSessions") == "OK"
    assert (active(nodes.first), len(passive(nodes.first))) == (0, 1)
    assert nodes.first.call("SessionSv1.ActivateSessions") == "OK"
    assert (active(nodes.first), passive(nodes.first)) == (1, [])
