"""TrendSv1 and RankingSv1, from a request to its answer."""

from typing import Any

import msgspec
import pytest
from cgrserver.rpc import methods
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher

from cgrcore import rankings, trends
from cgrcore.config import read_settings
from cgrcore.queries import run_due
from cgrcore.timing import SECOND_NS
from cgrcore.world import World

methods.load_all()

START_AT = 1_767_225_600 * SECOND_NS  # 2026-01-01


class Inbox:
    """A channel for methods that answer later; none here does."""

    def deliver(self, reply: bytes) -> None:
        raise AssertionError(reply)


class Node:
    def __init__(self) -> None:
        self.now_at = START_AT
        self.world = World(read_settings([], {}, ()), lambda: "id")
        self.dispatcher = Dispatcher(self.world, MemoryCommitter(), lambda: self.now_at)

    def __call__(self, method: str, **params: Any) -> Any:
        """Return the result of a call for tenant `t`, or the text of its error."""
        self.dispatcher.begin_batch()
        request = msgspec.json.encode({"method": method, "params": [{"Tenant": "t", **params}], "id": 1})
        reply = self.dispatcher.receive(request, Inbox())
        assert reply is not None
        answer = msgspec.json.decode(reply)
        return answer["result"] if answer["error"] is None else answer["error"]

    def wait(self, seconds: int) -> None:
        """Let each of so many seconds pass, with the queries that are due."""
        for _ in range(seconds):
            self.now_at += SECOND_NS
            self.dispatcher.decide("trends", lambda w: run_due(w, "trend_profiles", "scheduled_trends", trends.query))
            self.dispatcher.decide(
                "rankings", lambda w: run_due(w, "ranking_profiles", "scheduled_rankings", rankings.query)
            )


@pytest.fixture
def node() -> Node:
    made = Node()
    for name, cost in (("S1", 1), ("S2", 3)):
        filters = [f"*string:~*req.Q:{name}"]
        metrics = [{"MetricID": "*tcc"}]
        made("APIerSv1.SetStatQueueProfile", ID=name, FilterIDs=filters, TTL=-1, QueueLength=-1, Metrics=metrics)
        assert made("StatSv1.ProcessEvent", ID="e", Event={"Cost": cost, "Q": name}) == [name]
    made("APIerSv1.SetTrendProfile", ID="T", Schedule="@every 1s", StatID="S1", CorrelationType="*last")
    stats = {"StatIDs": ["S1", "S2"], "Sorting": "*desc", "SortingParameters": ["*tcc"]}
    made("APIerSv1.SetRankingProfile", ID="R", Schedule="@every 1s", **stats)
    return made


def test_a_trend_that_is_not_scheduled_has_no_runs(node: Node) -> None:
    node.wait(2)
    assert node("TrendSv1.GetTrend", ID="T") == "NOT_FOUND"
    assert node("TrendSv1.GetTrendSummary", ID="T")["Time"] == "0001-01-01T00:00:00Z"


def test_a_trend_is_read_by_place_and_time(node: Node) -> None:
    assert node("TrendSv1.ScheduleQueries", TrendIDs=["T"]) == 1
    node.wait(3)
    times = [f"2026-01-01T00:00:0{second}Z" for second in (1, 2, 3)]
    trend = node("TrendSv1.GetTrend", ID="T")
    assert trend["RunTimes"] == list(trend["Metrics"]) == times
    assert trend["Metrics"][times[1]] == {
        "*tcc": {"ID": "*tcc", "Value": 1, "TrendGrowth": 0, "TrendLabel": "*constant"}
    }
    assert node("TrendSv1.GetTrend", ID="T", RunIndexStart=1, RunIndexEnd=2)["RunTimes"] == times[1:2]
    assert node("TrendSv1.GetTrend", ID="T", RunTimeStart=times[2])["RunTimes"] == times[2:]
    assert node("TrendSv1.GetTrend", ID="T", RunTimeEnd=times[0]) == "NOT_FOUND"


def test_a_schedule_says_what_was_and_what_will_be(node: Node) -> None:
    node("TrendSv1.ScheduleQueries", TrendIDs=["T"])
    node.wait(1)
    (shown,) = node("TrendSv1.GetScheduledTrends", TrendIDPrefixes=["T"])
    assert shown == {"TrendID": "T", "Next": "2026-01-01T00:00:02Z", "Previous": "2026-01-01T00:00:01Z"}


def test_a_ranking_is_read_whole_and_in_short(node: Node) -> None:
    assert node("RankingSv1.ScheduleQueries", RankingIDs=["R"]) == 1
    node.wait(1)
    whole = node("RankingSv1.GetRanking", ID="R")
    assert whole["Metrics"] == {"S1": {"*tcc": 1}, "S2": {"*tcc": 3}}
    assert node("RankingSv1.GetRankingSummary", ID="R") == {
        "Tenant": "t",
        "ID": "R",
        "LastUpdate": "2026-01-01T00:00:01Z",
        "SortedStatIDs": ["S2", "S1"],
    }


@pytest.mark.parametrize(
    ("method", "ids"), [("TrendSv1.ScheduleQueries", "TrendIDs"), ("RankingSv1.ScheduleQueries", "RankingIDs")]
)
def test_scheduling_what_there_is_not_is_told(node: Node, method: str, ids: str) -> None:
    assert node(method, **{ids: ["NOPE"]}) == "PARTIALLY_EXECUTED"


def test_a_removed_profile_is_gone_from_the_schedule(node: Node) -> None:
    node("RankingSv1.ScheduleQueries", RankingIDs=["R"])
    assert node("APIerSv1.RemoveRankingProfile", ID="R") == "OK"
    assert node("RankingSv1.GetSchedule") == "NOT_FOUND"
