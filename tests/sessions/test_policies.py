"""Sy sessions: they charge nothing, and stand for a threshold on what their account holds."""

from typing import Any

import pytest

from cgrcore.actions.run import run_actions
from cgrcore.errors import BadRequest, CgrError, Conflict, NotFound, PartiallyExecuted, Refused
from cgrcore.event import CgrEvent
from cgrcore.sessions import active_sessions, begin_policy, closed_sessions, disconnect, end_policy, renew_policy
from cgrcore.thresholds import process_event, remove_profile
from cgrcore.world import World
from tests.accounting.small_world import START_AT, balance, make_account
from tests.sessions.calls import Phone, decide, held

POLICY = "*lte:~*asm.BalanceSummaries.m.Value:2"
PROFILE = "cgrates.org:*sy_sy-1"
THIRTY_DAYS_NS = 30 * 24 * 3600 * 10**9


class Subscriber(Phone):
    """A policy server's session. `told` are the CGRIDs of sessions whose client was told."""

    def __init__(self, world: World, **fields: Any) -> None:
        super().__init__(world, {"*syPolicyFilters": [POLICY]}, RequestType="*sy", OriginID="sy-1", **fields)
        self.told: list[str] = []
        for section in ("apiers_conns", "thresholds_conns"):
            world.settings["sessions"][section] = ["*internal"]
        world.parts["call_method"] = self._call

    def _call(self, world: World, name: str, params: Any) -> str:
        assert name == "SessionSv1.ThresholdNotify"
        world.state.effects.after.append(lambda: self.told.append(params))
        return "OK"

    def begin(self, **fields: Any) -> None:
        decide(self.world, lambda world: begin_policy(world, self.event(**fields)))

    def renew(self, **fields: Any) -> None:
        decide(self.world, lambda world: renew_policy(world, self.event(**fields)))

    def end(self, **fields: Any) -> None:
        decide(self.world, lambda world: end_policy(world, self.event(**fields)))

    def account_holds(self, value: int, account: str = "1001") -> None:
        """Tell thresholds of an account, as it is told when it was changed."""
        self.world.now_at += 1
        fields = {"AccountID": account, "BalanceSummaries": [{"ID": "m", "Value": value}]}
        update = CgrEvent("cgrates.org", "update", None, fields, {"*eventType": "AccountUpdate"})
        try:
            decide(self.world, lambda world: process_event(world, update))
        except NotFound:
            return


@pytest.fixture
def subscriber(world: World) -> Subscriber:
    make_account(world, balance(world, "*monetary", "m", "10"))
    return Subscriber(world)


def test_it_is_active_and_charges_nothing(subscriber):
    subscriber.begin()
    assert subscriber.is_active
    assert held(subscriber.world) == {"m": "10"}


def test_it_stands_for_a_threshold_on_its_account_of_thirty_days(subscriber):
    subscriber.begin()
    profile = subscriber.world.state.table("threshold_profiles").require(PROFILE)
    assert profile.filter_ids == ("*string:~*req.AccountID:1001", POLICY)
    assert (profile.max_hits, profile.min_hits, profile.is_async) == (1, 1, True)
    assert profile.action_ids == ("*sy_publish",)
    assert profile.activation.start.at < START_AT
    assert START_AT + THIRTY_DAYS_NS - 10**9 <= profile.activation.end.at <= START_AT + THIRTY_DAYS_NS


def test_its_client_is_told_once_the_account_meets_its_filters(subscriber):
    subscriber.begin()
    subscriber.account_holds(3)
    assert subscriber.told == []
    subscriber.account_holds(2)
    assert subscriber.told == [subscriber.cgrid]


def test_other_accounts_do_not_matter(subscriber):
    subscriber.begin()
    subscriber.account_holds(1, "1002")
    assert subscriber.told == []


def test_it_is_told_once_until_an_update_asks_for_more(subscriber):
    subscriber.begin()
    for value in (2, 1):
        subscriber.account_holds(value)
    assert len(subscriber.told) == 1
    subscriber.renew()
    subscriber.account_holds(0)
    assert len(subscriber.told) == 2


def test_an_update_without_filters_keeps_them(subscriber):
    subscriber.begin()
    subscriber.options = {}
    subscriber.renew()
    subscriber.account_holds(2)
    assert subscriber.told == [subscriber.cgrid]


def test_an_update_may_ask_for_other_filters(subscriber):
    subscriber.begin()
    subscriber.options = {"*syPolicyFilters": ["*lte:~*asm.BalanceSummaries.m.Value:5"]}
    subscriber.renew()
    subscriber.account_holds(5)
    assert subscriber.told == [subscriber.cgrid]


def test_an_update_of_no_session_is_refused(subscriber):
    with pytest.raises(NotFound, match=r"^SESSION_NOT_FOUND$"):
        subscriber.renew()


def test_a_call_is_no_session_of_this_kind(subscriber, phone):
    phone.initiate("10s")
    with pytest.raises(NotFound, match=r"^SESSION_NOT_FOUND$"):
        subscriber.renew(OriginID="call-1")
    assert phone.is_active


def test_an_update_under_a_new_name_moves_it_and_its_threshold(subscriber):
    subscriber.begin()
    subscriber.renew(OriginID="sy-2", InitialOriginID="sy-1")
    assert list(subscriber.world.state.table("threshold_profiles")) == ["cgrates.org:*sy_sy-2"]
    subscriber.account_holds(2)
    (moved,) = active_sessions(subscriber.world)
    assert subscriber.told == [moved]


def test_its_end_leaves_nothing(subscriber):
    subscriber.begin()
    subscriber.end()
    state = subscriber.world.state
    tables = ("sessions", "closed_sessions", "threshold_profiles", "thresholds", "threshold_watchers")
    assert [len(state.table(name)) for name in tables] == [0] * len(tables)


def test_an_end_of_no_session_is_refused_and_creates_none(subscriber):
    with pytest.raises(NotFound, match=r"^SESSION_NOT_FOUND$"):
        subscriber.end()
    assert not len(closed_sessions(subscriber.world))


def test_it_may_begin_again_after_its_end(subscriber):
    subscriber.begin()
    subscriber.end()
    subscriber.begin()
    assert subscriber.is_active


def test_an_end_without_its_threshold_says_so_and_is_one(subscriber):
    subscriber.begin()
    decide(subscriber.world, lambda world: remove_profile(world, PROFILE))
    with pytest.raises(CgrError, match=r"^THRESHOLDS_ERROR:NOT_FOUND$"):
        subscriber.end()
    assert not subscriber.is_active
    assert not len(subscriber.world.state.table("threshold_watchers"))


def test_a_forced_end_takes_the_threshold_with_it(subscriber):
    subscriber.begin()
    decide(subscriber.world, lambda world: disconnect(world, "cgrates.org", [], None))
    assert not len(subscriber.world.state.table("threshold_profiles"))
    assert not len(closed_sessions(subscriber.world))


def test_it_begins_once(subscriber):
    subscriber.begin()
    with pytest.raises(Conflict, match="EXISTS"):
        subscriber.begin()


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"OriginID": ""}, "OriginID"),
        ({"Account": None}, "Account"),
        ({"OriginID": "", "Account": ""}, "OriginID Account"),
    ],
)
def test_it_needs_a_name_and_an_account(subscriber, fields, missing):
    with pytest.raises(BadRequest, match=rf"^MANDATORY_IE_MISSING: \[{missing}\]$"):
        subscriber.begin(**fields)


@pytest.mark.parametrize("filters", [None, POLICY, [1]])
def test_its_filters_are_a_list_of_texts(subscriber, filters):
    subscriber.options = {"*syPolicyFilters": filters}
    with pytest.raises(BadRequest, match=r"^CAST_FAILED$"):
        subscriber.begin()


def test_filters_that_cannot_be_read_leave_no_session(subscriber):
    subscriber.options = {"*syPolicyFilters": ["FLT_NOPE"]}
    with pytest.raises(CgrError, match="SERVER_ERROR: broken reference to filter"):
        subscriber.begin()
    assert not subscriber.is_active
    assert not len(subscriber.world.state.table("threshold_profiles"))


@pytest.mark.parametrize("decision", ["begin", "renew", "end"])
def test_without_a_way_to_set_thresholds_there_are_none(subscriber, decision):
    subscriber.world.settings["sessions"]["apiers_conns"] = []
    with pytest.raises(Refused, match=r"^ApierS is disabled$"):
        getattr(subscriber, decision)()


def test_silence_ends_it_only_when_its_options_say_so(subscriber):
    subscriber.world.settings["sessions"]["session_ttl"] = 10**9
    subscriber.begin()
    assert subscriber.session.expires_at < 0
    subscriber.options["*sessionsTTL"] = "5s"
    subscriber.renew()
    assert subscriber.session.expires_at == START_AT + 5 * 10**9


def test_publishing_without_a_threshold_fails(subscriber):
    with pytest.raises(PartiallyExecuted):
        decide(subscriber.world, lambda world: run_actions(world, "*sy_publish", "cgrates.org:1001"))
    assert not list(subscriber.world.state.table("thresholds"))
