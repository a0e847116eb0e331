"""Accounts as records: encoded and back, copied, compact."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.accounting import Account, Balance, account_as_wire
from cgrcore.actions import ActionTrigger, BalanceFilter, Counter, UnitCounter
from cgrcore.errors import BadRequest
from cgrcore.rating import Timing

sets = st.none() | st.dictionaries(st.text(max_size=4), st.booleans(), max_size=3)
values = st.integers(-(10**36), 10**36)
timings = st.none() | st.just((Timing("PEAK", week_days=(1, 2), start_time="08:00:00"),))
balances = st.builds(
    Balance,
    st.uuids().map(str) | st.text(max_size=40),
    st.text(max_size=5),
    st.just("*monetary"),
    values,
    expires_at=st.integers(-(2**63), 2**63 - 1),
    weight_nano=st.integers(-(10**12), 10**12),
    destination_ids=sets,
    rating_subject=st.text(max_size=5),
    categories=sets,
    shared_groups=sets,
    timings=timings,
    timing_ids=sets,
    is_disabled=st.booleans(),
    factors=st.none() | st.dictionaries(st.text(max_size=3), st.integers(0, 10**12), max_size=2),
    is_blocker=st.booleans(),
)


@given(st.lists(balances, max_size=3), st.booleans())
def test_encode_then_decode_is_the_identity(group: list[Balance], allow_negative: bool) -> None:
    account = Account("t:a", {"*monetary": group, "*voice": None}, allow_negative=allow_negative)
    again = Account.decode(account.encode())
    assert account_as_wire(again) == account_as_wire(account)
    assert again.encode() == account.encode()


def test_the_offset_an_expiry_was_given_in_is_kept() -> None:
    held = Balance("", "x", "*voice")
    held.expires_offset_min = -90
    group = Account.decode(Account("t:a", {"*voice": [held]}).encode()).balances["*voice"]
    assert group is not None
    assert group[0].expires_offset_min == -90


def test_triggers_and_counters_are_encoded_with_the_account() -> None:
    counter = Counter(10**30, BalanceFilter(id="U", type="*voice"))
    trigger = ActionTrigger("G", "U", "*max_event_counter", 5 * 10**9)
    account = Account("t:a", unit_counters={"*voice": (UnitCounter("*event", (counter,)),)}, triggers=(trigger,))
    again = Account.decode(account.encode())
    assert again.triggers == (trigger,)
    assert again.unit_counters == account.unit_counters


@given(balances)
def test_a_copy_is_as_the_original_and_independent(original: Balance) -> None:
    account = Account("t:a", {"*monetary": [original]})
    before = account_as_wire(account)
    twin = account.copy()
    assert account_as_wire(twin) == before
    group = twin.balances["*monetary"]
    assert group is not None
    group[0].value_nano = 7
    group[0].categories = {"changed": True}
    assert account_as_wire(account) == before


def test_a_uuid_that_is_none_is_kept_as_it_is() -> None:
    assert [Balance(text).uuid for text in ("x", "00000297-AAAA-bbbb-cccc-000000000001")] == [
        "x",
        "00000297-AAAA-bbbb-cccc-000000000001",
    ]


def test_equal_terms_are_shared_between_balances() -> None:
    one, other = (Balance("", "x", "*voice", destination_ids={"DST": True}) for _ in range(2))
    assert one.destination_ids is other.destination_ids


@pytest.mark.parametrize("fields", [{"weight_nano": 2**63}, {"factors": {"x": 2**63}}, {"value_nano": 10**36 + 1}])
def test_a_number_out_of_range_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="number out of range"):
        Balance("", "x", "*voice", **fields)
