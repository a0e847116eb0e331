"""SessionSv1's flags on a real server: which subsystems an event goes through, and what comes of one that fails."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server_process import CallRefused, ServerProcess

TENANT = "cgrates.org"
NOT_CONNECTED = [f"sessions.{name}_conns=[]" for name in ("attributes", "thresholds", "stats", "resources", "routes")]


def begin(folder: Any, *settings: str) -> ServerProcess:
    server = ServerProcess(folder, ("general.rpc_compat=current", *settings))
    server.call("APIerSv1.SetChargerProfile", Tenant=TENANT, ID="CH", RunID="*default", AttributeIDs=["*none"])
    server.call("APIerSv1.AddBalance", Tenant=TENANT, Account="1001", BalanceType="*sms", Value=10)
    return server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = begin(tmp_path_factory.mktemp("flags"))
    yield running
    running.kill()


def event(origin_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "ToR": "*sms",
        "OriginID": origin_id,
        "RequestType": "*prepaid",
        "Account": "1001",
        "Destination": "4940",
        "SetupTime": "2026-01-01T10:00:00Z",
        "AnswerTime": "2026-01-01T10:00:00Z",
        **fields,
    }


def process(server: ServerProcess, flags: list[str], given: dict[str, Any]) -> Any:
    return server.call("SessionSv1.ProcessEvent", Tenant=TENANT, ID="e", Flags=flags, Event=given)


@pytest.fixture(scope="module")
def broken_threshold(server: ServerProcess) -> None:
    """A threshold whose action set does not exist: it fails for events of category `broken`."""
    profile = {"Tenant": TENANT, "ID": "TH", "FilterIDs": ["*string:~*req.Category:broken"], "MaxHits": -1}
    server.call("APIerSv1.SetThresholdProfile", **profile, ActionIDs=["ACT_NOPE"])


def test_a_threshold_that_fails_does_not_keep_an_event_from_its_other_steps(server, broken_threshold):
    with pytest.raises(CallRefused, match=r"^PARTIALLY_EXECUTED$"):
        process(server, ["*thresholds", "*rals:*initiate"], event("after-threshold", Category="broken"))
    assert server.call("SessionSv1.GetActiveSessionsCount", Filters=["*string:~*req.OriginID:after-threshold"]) == 1


def test_with_a_blocker_it_does(server, broken_threshold):
    with pytest.raises(CallRefused, match=r"^PARTIALLY_EXECUTED$"):
        flags = ["*blocker_error", "*thresholds", "*rals:*initiate"]
        process(server, flags, event("blocked", Category="broken"))
    assert server.call("SessionSv1.GetActiveSessionsCount", Filters=["*string:~*req.OriginID:blocked"]) == 0


@pytest.fixture(scope="module")
def routes(server: ServerProcess) -> None:
    """Two routes for calls, at 0.01 and 0.02 a second, and a third that has no tariff."""
    for name, rate in (("cheap", "0.01"), ("dear", "0.02")):
        tp = {"TPid": "T", "ID": name}
        rates = [{"ConnectFee": 0, "Rate": float(rate), "RateUnit": "1s", "RateIncrement": "1s"}]
        server.call("APIerSv1.SetTPDestination", TPid="T", ID="DE", Prefixes=["49"])
        server.call("APIerSv1.SetTPRate", **tp, RateSlots=[{**it, "GroupIntervalStart": "0s"} for it in rates])
        rounding = {"RoundingMethod": "*up", "RoundingDecimals": 4, "MaxCost": 0, "MaxCostStrategy": ""}
        binding = [{"DestinationId": "DE", "RateId": name, **rounding}]
        server.call("APIerSv1.SetTPDestinationRate", **tp, DestinationRates=binding)
        bound = [{"DestinationRatesId": name, "TimingId": "*any", "Weight": 10}]
        server.call("APIerSv1.SetTPRatingPlan", **tp, RatingPlanBindings=bound)
    server.call("APIerSv1.LoadTariffPlanFromStorDb", TPid="T")
    found = [{"ID": name, "RatingPlanIDs": [name], "Weight": 10} for name in ("cheap", "dear")]
    profile = {"Tenant": TENANT, "ID": "R", "FilterIDs": ["*string:~*req.Category:call"], "Weight": 10}
    server.call("APIerSv1.SetRouteProfile", **profile, Sorting="*lc", Routes=found)


def ids_of(reply: Any) -> list[str]:
    return [route["RouteID"] for route in reply["RouteProfiles"]["*raw"][0]["Routes"]]


def call(**fields: Any) -> dict[str, Any]:
    return event("routed", ToR="*voice", Category="call", Usage="60s", **fields)


def test_a_flag_limits_what_routes_may_cost(server, routes):
    assert ids_of(process(server, ["*routes"], call())) == ["cheap", "dear"]
    assert ids_of(process(server, ["*routes:*maxcost:0.8"], call())) == ["cheap"]


def test_routes_are_asked_for_the_average_duration_that_the_event_tells(server, routes):
    assert ids_of(process(server, ["*routes:*maxcost:0.8"], call(ACD="30s"))) == ["cheap", "dear"]
    asked = {"GetRoutes": True, "RoutesMaxCost": "0.8", "Tenant": TENANT, "ID": "a", "Event": call(ACD="30s")}
    (found,) = server.call("SessionSv1.AuthorizeEvent", **asked)["RouteProfiles"]
    assert [route["RouteID"] for route in found["Routes"]] == ["cheap", "dear"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose sessions are not to ask any other subsystem."""
    running = begin(tmp_path_factory.mktemp("alone"), *NOT_CONNECTED)
    yield running
    running.kill()


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        ("GetAttributes", "AttributeS"),
        ("AuthorizeResources", "ResourceS"),
        ("AuthorizeIP", "IPs"),
        ("GetRoutes", "RouteS"),
    ],
)
def test_a_subsystem_that_is_not_connected_is_named(alone, flag, name):
    with pytest.raises(CallRefused, match=f"^NOT_CONNECTED: {name}$"):
        alone.call("SessionSv1.AuthorizeEvent", **{flag: True}, Tenant=TENANT, ID="e", Event=event("alone"))


@pytest.mark.parametrize("flag", ["ProcessThresholds", "ProcessStats"])
def test_what_only_watches_and_is_not_connected_is_a_partial_failure(alone, flag):
    given = {"GetMaxUsage": True, flag: True, "Tenant": TENANT, "ID": "e", "Event": event("alone")}
    with pytest.raises(CallRefused, match=r"^PARTIALLY_EXECUTED$|^NOT_CONNECTED: "):
        alone.call("SessionSv1.AuthorizeEvent", **given)


def test_without_chargers_there_are_no_sessions(tmp_path):
    server = ServerProcess(tmp_path, ("sessions.chargers_conns=[]",))
    for method, flag in (("AuthorizeEvent", "GetMaxUsage"), ("InitiateSession", "InitSession")):
        with pytest.raises(CallRefused, match=r"^ChargerS is disabled$"):
            server.call(f"SessionSv1.{method}", **{flag: True}, Tenant=TENANT, ID="e", Event=event("no"))
    server.kill()
