"""The five calls of a prepaid session, as a switch sends them, in both shapes of replies."""

import os
import subprocess
import sys

import pytest

from tests.server_process import ROOT
from tests.slides.conftest import SET_UP, balance, cdrs, event

FLAGS = {
    "GetAttributes": False,
    "AuthorizeResources": False,
    "GetMaxUsage": True,
    "ProcessThresholds": False,
    "ProcessStats": False,
    "GetSuppliers": False,
    "SuppliersMaxCost": "",
    "SuppliersIgnoreErrors": False,
}


def test_replies_have_every_key_by_default_and_the_balance_follows(start):
    server = start()
    assert server.call("SessionSv1.AuthorizeEvent", **FLAGS, Event=SET_UP) == {
        "Attributes": None,
        "ResourceAllocation": None,
        "MaxUsage": 10800000000000,
        "Suppliers": None,
        "ThresholdIDs": None,
        "StatQueueIDs": None,
    }
    assert balance(server) == 10
    assert server.call("SessionSv1.InitiateSession", InitSession=True, Event=event("5m")) == {
        "Attributes": None,
        "ResourceAllocation": None,
        "MaxUsage": 300000000000,
        "ThresholdIDs": None,
        "StatQueueIDs": None,
    }
    assert str(balance(server)) == "0.875"
    assert server.call("SessionSv1.UpdateSession", UpdateSession=True, Event=event("5m")) == {
        "Attributes": None,
        "MaxUsage": 30000000000,
    }
    assert balance(server) == 0
    assert server.call("SessionSv1.TerminateSession", TerminateSession=True, Event=event("12m")) == "OK"
    assert str(balance(server)) == "-11.375"
    assert server.call("SessionSv1.ProcessCDR", Event=event("12m")) == "OK"
    assert str(balance(server)) == "-11.375"
    assert [(cdr["RunID"], cdr["Cost"], cdr["Usage"]) for cdr in cdrs(server)] == [("*default", 21.375, 720000000000)]


def test_replies_have_only_what_was_asked_for_when_so_configured(start):
    server = start("general.rpc_compat=current")
    assert server.call("SessionSv1.AuthorizeEvent", GetMaxUsage=True, Event=SET_UP) == {"MaxUsage": 10800000000000}
    initiated = server.call("SessionSv1.InitiateSession", InitSession=True, Event=event("5m"))
    assert initiated == {"MaxUsage": 300000000000}
    updated = server.call("SessionSv1.UpdateSession", UpdateSession=True, Event=event("5m"))
    assert updated == {"MaxUsage": 30000000000}
    assert server.call("SessionSv1.TerminateSession", TerminateSession=True, Event=event("12m")) == "OK"
    assert server.call("SessionSv1.ProcessCDR", Event=event("12m")) == "OK"
    assert str(balance(server)) == "-11.375"


@pytest.mark.slow
def test_the_demonstration_shows_the_call_and_leaves_nothing(tmp_path):
    paths = os.pathsep.join((str(ROOT), str(ROOT / "server")))
    environ = {**os.environ, "PYTHONPATH": paths, "TERM": "dumb", "COLUMNS": "80", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "cgrserver.cli", "demo"]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("10.00 in the account", "changed by -9.125", "30 s, in nanoseconds", "-11.375", "1,000,000 generated"):
        assert said in done.stdout
    assert "21.375" in done.stdout[done.stdout.index("together") :].splitlines()[0]
    assert list(tmp_path.iterdir()) == []
