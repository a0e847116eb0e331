"""Running action sets: order, filters, and all or nothing for each account."""

import pytest

from cgrcore.accounting import Account, account_as_wire
from cgrcore.actions.run import run_actions, run_for_accounts, undone_on_failure
from cgrcore.errors import NotFound, PartiallyExecuted, Refused
from cgrcore.money import NANO
from cgrcore.world import World
from tests.actions.conftest import ACCOUNT_ID, Define, step

SMS = {"type": "*sms", "id": "S"}


def value_of(world: World, account_id: str, kind: str) -> int:
    account: Account = world.state.table("accounts").require(account_id)
    return (account.balances[kind] or [])[0].value_nano


def test_actions_run_by_weight_whatever_their_place(world: World, define: Define) -> None:
    set_id = define(step("*debit_reset", 3, weight=5, **SMS), step("*topup", 9, weight=20, **SMS))
    run_actions(world, set_id, ACCOUNT_ID)
    assert value_of(world, ACCOUNT_ID, "*sms") == -3 * NANO


def test_a_missing_account_is_made(world: World, define: Define) -> None:
    run_actions(world, define(step("*topup", 5, **SMS)), ACCOUNT_ID)
    assert value_of(world, ACCOUNT_ID, "*sms") == 5 * NANO


def test_a_topup_adds_whatever_its_sign(world: World, define: Define) -> None:
    run_actions(world, define(step("*topup", -5, **SMS)), ACCOUNT_ID)
    assert value_of(world, ACCOUNT_ID, "*sms") == 5 * NANO


def test_an_unknown_set_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        run_actions(world, "NONE", ACCOUNT_ID)


def test_a_failing_action_undoes_its_whole_set(world: World, account: Account, define: Define) -> None:
    set_id = define(step("*topup", 5, weight=20, type="*monetary", id="MAIN"), step("*remove_balance", id="NONE"))
    with pytest.raises(PartiallyExecuted):
        run_actions(world, set_id, ACCOUNT_ID)
    assert value_of(world, ACCOUNT_ID, "*monetary") == 10 * NANO


def test_a_failing_set_does_not_make_the_account(world: World, define: Define) -> None:
    with pytest.raises(PartiallyExecuted):
        run_actions(world, define(step("*topup", 5, weight=20, **SMS), step("*no_such_action")), ACCOUNT_ID)
    assert ACCOUNT_ID not in world.state.table("accounts")


def test_other_accounts_keep_what_a_failing_one_loses(world: World, account: Account, define: Define) -> None:
    set_id = define(step("*topup", 5, weight=20, **SMS), step("*remove_balance", type="*monetary"))
    with pytest.raises(PartiallyExecuted):
        run_for_accounts(world, set_id, ["cgrates.org:poor", ACCOUNT_ID])
    assert value_of(world, ACCOUNT_ID, "*sms") == 5 * NANO
    assert "cgrates.org:poor" not in world.state.table("accounts")


def test_an_action_whose_filter_does_not_pass_is_skipped(world: World, define: Define) -> None:
    skipped = step("*topup", 5, weight=20, filters=("*string:~*req.ID:other",), **SMS)
    run_actions(world, define(skipped, step("*topup", 2, **SMS)), ACCOUNT_ID)
    assert value_of(world, ACCOUNT_ID, "*sms") == 2 * NANO


def test_a_filter_that_does_not_exist_stops_the_set_without_an_error(world: World, define: Define) -> None:
    run_actions(world, define(step("*topup", 5, weight=20, **SMS), step("*log", filters=("FLT_NONE",))), ACCOUNT_ID)
    assert ACCOUNT_ID not in world.state.table("accounts")


def test_without_an_account_its_actions_are_skipped(world: World, define: Define) -> None:
    run_actions(world, define(step("*topup", 5, **SMS), step("*log")), None)
    assert not len(world.state.table("accounts"))


def test_an_expiry_is_read_when_the_action_runs(world: World, define: Define) -> None:
    run_actions(world, define(step("*topup", 5, expiration="+1h", **SMS)), ACCOUNT_ID)
    account: Account = world.state.table("accounts").require(ACCOUNT_ID)
    assert (account.balances["*sms"] or [])[0].expires_at == world.now_at + 3600 * 10**9


def test_what_runs_after_the_account_was_removed_is_not_kept(world: World, account: Account, define: Define) -> None:
    run_actions(world, define(step("*remove_account", weight=20), step("*topup", 5, **SMS)), ACCOUNT_ID)
    assert ACCOUNT_ID not in world.state.table("accounts")


def test_an_inner_failure_leaves_what_was_changed_before_it(world: World, account: Account) -> None:
    edited: Account = world.state.table("accounts").edit(ACCOUNT_ID)
    edited.allow_negative = True
    with pytest.raises(Refused), undone_on_failure(world.state):
        world.state.table("accounts").edit(ACCOUNT_ID).is_disabled = True
        raise Refused
    kept: Account = world.state.table("accounts").require(ACCOUNT_ID)
    assert (kept.allow_negative, kept.is_disabled) == (True, False)


def test_rolling_back_after_an_inner_success_undoes_both(world: World, account: Account) -> None:
    world.state.take()
    world.state.begin("outer")
    with undone_on_failure(world.state):
        world.state.table("accounts").edit(ACCOUNT_ID).is_disabled = True
    world.state.rollback()
    assert not world.state.table("accounts").require(ACCOUNT_ID).is_disabled


def test_a_message_for_outside_is_kept_with_the_change_it_tells_of(world: World, define: Define) -> None:
    set_id = define(step("*topup", 5, weight=20, **SMS), step("*http_post", extra_parameters="http://x/"))
    run_actions(world, set_id, ACCOUNT_ID)
    assert [message.target for message in world.state.table("outbox").records.values()] == ["http://x/"]


def test_nothing_is_told_outside_of_what_was_undone(world: World, define: Define) -> None:
    set_id = define(step("*http_post", weight=20, extra_parameters="http://x/"), step("*no_such_action"))
    with pytest.raises(PartiallyExecuted):
        run_actions(world, set_id, ACCOUNT_ID)
    assert not len(world.state.table("outbox"))


def test_an_expiry_is_shown_in_the_offset_it_was_given_in(world: World, define: Define) -> None:
    run_actions(world, define(step("*topup", 5, expiration="2037-06-30T12:00:00+02:00", **SMS)), ACCOUNT_ID)
    account: Account = world.state.table("accounts").require(ACCOUNT_ID)
    again = Account.decode(account.copy().encode())
    assert account_as_wire(again)["BalanceMap"]["*sms"][0]["ExpirationDate"] == "2037-06-30T12:00:00+02:00"


def test_balances_are_given_back_the_values_of_the_last_cdr(world: World, account: Account, define: Define) -> None:
    last = {"BalanceSummaries": [{"UUID": "m-1", "ID": "MAIN", "Type": "*monetary", "Initial": 9, "Value": 7}]}
    run_actions(world, define(step("*reset_account_cdr")), ACCOUNT_ID, last_summary=last)
    assert value_of(world, ACCOUNT_ID, "*monetary") == 7 * NANO


def test_without_a_rated_cdr_there_is_nothing_to_go_back_to(world: World, account: Account, define: Define) -> None:
    with pytest.raises(PartiallyExecuted):
        run_actions(world, define(step("*reset_account_cdr")), ACCOUNT_ID, last_summary={})


def test_when_nobody_has_read_that_cdr_it_is_read_after_the_commit(
    world: World, account: Account, define: Define
) -> None:
    run_actions(world, define(step("*reset_account_cdr")), ACCOUNT_ID)
    messages = world.state.table("outbox").records.values()
    assert [(message.kind, message.target) for message in messages] == [("*reset_account_cdr", ACCOUNT_ID)]
