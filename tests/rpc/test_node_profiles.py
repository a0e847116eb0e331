"""The profiles of dispatchers, hosts and addresses, from a request to its answer."""

import pytest

from tests.rpc.test_trends_rankings import Node

HOST = {
    "ID": "H",
    "Address": "127.0.0.1:2012",
    "Transport": "*json",
    "ConnectAttempts": 1,
    "Reconnects": 2,
    "MaxReconnectInterval": 3,
    "ConnectTimeout": 4,
    "ReplyTimeout": 5,
    "TLS": True,
    "ClientKey": "k",
    "ClientCertificate": "c",
    "CaCertificate": "a",
}
DISPATCHER = {
    "ID": "D",
    "Subsystems": ["*any"],
    "FilterIDs": ["*string:~*req.A:1"],
    "ActivationInterval": None,
    "Strategy": "*weight",
    "StrategyParams": {"*defaultRatio": "1"},
    "Weight": 10,
    "Hosts": [{"ID": "H", "FilterIDs": [], "Weight": 1.5, "Params": {"*ratio": 2}, "Blocker": True}],
}
POOL = {
    "ID": "P",
    "FilterIDs": [],
    "Type": "*ipv4",
    "Range": "10.0.0.1/32",
    "Strategy": "*ascending",
    "Message": "m",
    "Weight": 1,
    "Blocker": False,
}
IPS = {
    "ID": "I",
    "FilterIDs": None,
    "ActivationInterval": None,
    "Weight": 10,
    "TTL": 7,
    "Stored": True,
    "Pools": [POOL],
}


@pytest.mark.parametrize(
    ("kind", "profile"), [("DispatcherHost", HOST), ("DispatcherProfile", DISPATCHER), ("IPProfile", IPS)]
)
def test_what_was_set_is_shown_listed_and_removed(kind: str, profile: dict[str, object]) -> None:
    node = Node()
    assert node(f"APIerSv1.Get{kind}IDs") == "NOT_FOUND"
    assert node(f"APIerSv1.Set{kind}", **profile) == "OK"
    assert node(f"APIerSv1.Get{kind}", ID=profile["ID"]) == {"Tenant": "t", **profile}
    assert node(f"APIerSv1.Get{kind}IDs") == [profile["ID"]]
    assert node(f"APIerSv1.Remove{kind}", ID=profile["ID"]) == "OK"
    assert node(f"APIerSv1.Get{kind}", ID=profile["ID"]) == "NOT_FOUND"
    assert node(f"APIerSv1.Remove{kind}", ID=profile["ID"]) == "NOT_FOUND"


def test_a_dispatcher_profile_with_a_filter_that_is_none_is_refused() -> None:
    answer = Node()("APIerSv1.SetDispatcherProfile", ID="D", FilterIDs=["FLT_NONE"])
    assert answer == "SERVER_ERROR: broken reference to filter: <FLT_NONE> for item with ID: t:D"


def test_an_account_listed_with_a_plan_that_is_gone_is_named() -> None:
    node = Node()
    health = node("APIerSv1.GetAccountActionPlansIndexHealth")
    assert health == {"MissingAccountActionPlans": {}, "BrokenReferences": {}}
    from cgrcore.scheduling import AccountPlans

    node.world.state.table("account_action_plans").put("t:1", AccountPlans("t:1", ("P",)))
    node.world.state.take()
    assert node("APIerSv1.GetAccountActionPlansIndexHealth")["BrokenReferences"] == {"t:1": ["P"]}
