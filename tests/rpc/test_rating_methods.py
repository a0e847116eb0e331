"""The methods on prices, plans, profiles, destinations and timings, from a request to its answer."""

from typing import Any

import msgspec
import pytest
from cgrserver.rpc import methods
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher

from cgrcore.rating import Activation
from cgrcore.timing import ZERO_AT
from tests.rating.small_tariffs import at, hours, profile, rating, slot, world_of

methods.load_all()

NOW_AT = at("2024-06-01T00:00:00Z")


class Inbox:
    """A channel for methods that answer later; none here does."""

    def deliver(self, reply: bytes) -> None:
        raise AssertionError(reply)


class Node:
    def __init__(self) -> None:
        self.world = world_of(
            {"44": (hours(rating(slot("0.6"), fee="0.1")),)}, profile("s", Activation(ZERO_AT, "P")), Q={"33": "0.3"}
        )
        self.dispatcher = Dispatcher(self.world, MemoryCommitter(), lambda: NOW_AT)

    def __call__(self, method: str, params: Any) -> Any:
        """Return the result of a call, or the text of its error."""
        self.dispatcher.begin_batch()
        request = msgspec.json.encode({"method": method, "params": [params], "id": 1})
        reply = self.dispatcher.receive(request, Inbox())
        assert reply is not None
        answer = msgspec.json.decode(reply)
        return answer["result"] if answer["error"] is None else answer["error"]


@pytest.fixture
def node() -> Node:
    return Node()


QUOTE = {
    "Category": "call",
    "Subject": "s",
    "AnswerTime": "2024-03-04T10:00:00Z",
    "Destination": "4420",
    "Usage": "61s",
}


def test_a_quote_is_a_cost_with_its_parts(node: Node) -> None:
    cost = node("APIerSv1.GetCost", QUOTE)
    assert (cost["Cost"], cost["Usage"], cost["StartTime"]) == (1.3, 120 * 10**9, "2024-03-04T10:00:00Z")
    assert list(cost["RatingFilters"].values()) == [
        {"DestinationID": "D44", "DestinationPrefix": "44", "RatingPlanID": "P", "Subject": "*out:cgrates.org:call:s"}
    ]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"Destination": "33"}, "SERVER_ERROR: UNAUTHORIZED_DESTINATION"),
        ({"Subject": "x"}, "SERVER_ERROR: RATING_PLAN_NOT_FOUND"),
        ({"Usage": "200h"}, "SERVER_ERROR: MAX_USAGE_EXCEEDED"),
        ({"Usage": "1d"}, 'time: unknown unit "d" in duration "1d"'),
        ({"AnswerTime": "yesterday"}, "Unsupported time format"),
    ],
)
def test_a_quote_that_cannot_be_made_says_why(node: Node, changed: dict[str, str], text: str) -> None:
    assert node("APIerSv1.GetCost", QUOTE | changed) == text


def test_a_call_without_fields_costs_nothing(node: Node) -> None:
    assert node("Responder.GetCost", {})["Cost"] == 0


def test_the_first_plan_that_covers_a_call_prices_it(node: Node) -> None:
    ask = {
        "RatingPlanIDs": ["GONE", "P", "Q"],
        "Destination": "33",
        "SetupTime": "2024-03-04T10:00:00Z",
        "Usage": "60s",
    }
    found = node("RALsV1.GetRatingPlansCost", ask)
    assert (found["RatingPlanID"], found["EventCost"]["Cost"]) == ("Q", 0.3)
    none = node("RALsV1.GetRatingPlansCost", ask | {"Destination": "1"})
    assert (none["RatingPlanID"], none["EventCost"]) == ("", None)


def test_usage_beyond_the_limit_is_told_whatever_the_plans(node: Node) -> None:
    ask = {"RatingPlanIDs": ["P", "Q"], "Destination": "44", "SetupTime": "2024-03-04T10:00:00Z", "Usage": "73h"}
    assert node("RALsV1.GetRatingPlansCost", ask) == "MAX_USAGE_EXCEEDED"


def test_costs_on_plans_stop_at_the_first_that_refuses(node: Node) -> None:
    ask = {"Destination": "33", "SetupTime": "2024-03-04T10:00:00Z", "Usage": 60 * 10**9}
    assert node("Responder.GetCostOnRatingPlans", ask | {"RatingPlanIDs": ["Q"]}) == {"Cost": 0.3, "RatingPlanID": "Q"}
    assert node("Responder.GetCostOnRatingPlans", ask | {"RatingPlanIDs": ["P", "Q"]}) == "UNAUTHORIZED_DESTINATION"


def test_a_profile_is_added_to_unless_it_is_overwritten(node: Node) -> None:
    later = {"ActivationTime": "2024-05-01T02:00:00+02:00", "RatingPlanId": "Q", "FallbackSubjects": "a;b"}
    key = {"Category": "call", "Subject": "s"}
    assert node("APIerSv1.SetRatingProfile", {**key, "RatingPlanActivations": [later]}) == "OK"
    shown = node("APIerSv1.GetRatingProfile", key)["RatingPlanActivations"]
    assert [it["RatingPlanId"] for it in shown] == ["P", "Q"]
    assert shown[1]["ActivationTime"] == "2024-05-01T02:00:00+02:00"
    assert shown[1]["FallbackKeys"] == ["*out:cgrates.org:call:a", "*out:cgrates.org:call:b"]
    assert node("APIerSv1.SetRatingProfile", {**key, "Overwrite": True, "RatingPlanActivations": [later]}) == "OK"
    assert len(node("APIerSv1.GetRatingProfile", key)["RatingPlanActivations"]) == 1


@pytest.mark.parametrize(
    ("activation", "text"),
    [
        (None, "MANDATORY_IE_MISSING:RatingPlanActivation:[ActivationTime RatingPlanId]"),
        ({"ActivationTime": "2024-05-01T00:00:00Z"}, "MANDATORY_IE_MISSING:RatingPlanActivation:[RatingPlanId]"),
        ({"ActivationTime": "2024-05-01T00:00:00Z", "RatingPlanId": "GONE"}, "NOT_FOUND:RatingPlanId:GONE"),
        ({"ActivationTime": "soon", "RatingPlanId": "P"}, "SERVER_ERROR:Cannot parse activation time from soon"),
    ],
)
def test_a_wrong_activation_changes_nothing(node: Node, activation: Any, text: str) -> None:
    good = {"ActivationTime": "2024-05-01T00:00:00Z", "RatingPlanId": "Q"}
    key = {"Category": "call", "Subject": "s"}
    assert node("APIerSv1.SetRatingProfile", {**key, "RatingPlanActivations": [good, activation]}) == text
    assert len(node("APIerSv1.GetRatingProfile", key)["RatingPlanActivations"]) == 1


def test_a_removed_profile_prices_nothing_any_more(node: Node) -> None:
    assert node("APIerSv1.RemoveRatingProfile", {"Category": "call", "Subject": "s"}) == "OK"
    assert node("APIerSv1.GetRatingProfile", {"Category": "call", "Subject": "s"}) == "NOT_FOUND"
    assert node("APIerSv1.GetCost", QUOTE) == "SERVER_ERROR: RATING_PLAN_NOT_FOUND"


def test_a_destination_is_priced_as_soon_as_it_is_set(node: Node) -> None:
    assert node("APIerSv1.SetDestination", {"Id": "D44", "Prefixes": ["44", "999"], "Overwrite": True}) == "OK"
    assert node("APIerSv1.GetReverseDestination", "999") == ["D44"]
    assert node("APIerSv1.GetCost", QUOTE | {"Destination": "9991"})["Cost"] == 1.3


def test_a_destination_that_exists_is_not_overwritten_unasked(node: Node) -> None:
    assert node("APIerSv1.SetDestination", {"Id": "D44", "Prefixes": ["1"]}) == "EXISTS"


def test_removing_prefixes_keeps_a_destination_that_has_others(node: Node) -> None:
    node("APIerSv1.SetDestination", {"Id": "D44", "Prefixes": ["44", "999"], "Overwrite": True})
    assert node("APIerSv1.RemoveDestination", {"DestinationIDs": ["D44"], "Prefixes": ["44"]}) == "OK"
    assert node("APIerSv1.GetDestination", "D44") == {"Id": "D44", "Prefixes": ["999"]}
    assert node("APIerSv1.RemoveDestination", {"DestinationIDs": ["D44"], "Prefixes": ["999"]}) == "OK"
    assert node("APIerSv1.GetDestination", "D44") == "NOT_FOUND"


def test_an_unknown_destination_is_not_removed(node: Node) -> None:
    assert node("APIerSv1.RemoveDestination", {"DestinationIDs": ["GONE"], "Prefixes": ["1"]}) == "NOT_FOUND"


def test_ids_are_listed_in_order(node: Node) -> None:
    assert node("APIerSv1.GetRatingPlanIDs", {}) == ["P", "Q"]
    assert node("APIerSv1.GetRatingProfileIDs", {}) == ["call:s"]


def test_a_plan_shows_rates_by_reference(node: Node) -> None:
    plan = node("APIerSv1.GetRatingPlan", "P")
    entry = plan["DestinationRates"]["D44"][0]
    assert (plan["Id"], plan["Ratings"][entry["Rating"]]["ConnectFee"], entry["Weight"]) == ("P", 0.1, 10)


def test_a_timing_is_kept_as_given(node: Node) -> None:
    timing = {"ID": "NIGHT", "WeekDays": [1, 2], "StartTime": "22:00:00", "EndTime": "06:00:00"}
    assert node("APIerSv1.SetTiming", timing) == "OK"
    shown = node("APIerSv1.GetTiming", {"ID": "NIGHT"})
    assert {key: shown[key] for key in timing} == timing
    assert node("APIerSv1.RemoveTiming", {"ID": "NIGHT"}) == "OK"
    assert node("APIerSv1.GetTiming", {"ID": "NIGHT"}) == "NOT_FOUND"
