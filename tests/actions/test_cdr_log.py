"""CDRs of changes of balances."""

from decimal import Decimal
from typing import Any

import pytest

from cgrcore.accounting import Account
from cgrcore.actions.run import run_actions
from cgrcore.errors import PartiallyExecuted
from cgrcore.world import World
from tests.actions.conftest import ACCOUNT_ID, Define, step


@pytest.fixture
def logged(world: World) -> list[dict[str, Any]]:
    """The events of the CDRs that are logged."""
    events: list[dict[str, Any]] = []
    world.settings["schedulers"]["cdrs_conns"] = ["*internal"]
    world.parts["log_cdr"] = lambda _, event: events.append(event)
    return events


def test_each_change_of_a_balance_is_logged_once(
    world: World, account: Account, define: Define, logged: list[dict[str, Any]]
) -> None:
    topup = step("*topup", 3, weight=20, type="*sms", id="S")
    run_actions(world, define(topup, step("*debit", 1, weight=5, type="*sms", id="S"), step("*cdrlog")), ACCOUNT_ID)
    assert [(it["RunID"], it["ToR"], it["Cost"]) for it in logged] == [("*topup", "*sms", 3), ("*debit", "*sms", 1)]


def test_the_template_reads_the_account_and_the_action(
    world: World, account: Account, define: Define, logged: list[dict[str, Any]]
) -> None:
    template = '{"Left":"~*acnt.BalanceValue","Kind":"~*act.ActionType","Bad":"~*acnt.Nonsense","Word":"^spring"}'
    log = step("*cdrlog", weight=1, extra_parameters=template)
    run_actions(world, define(step("*topup", 5, type="*monetary", id="MAIN"), log), ACCOUNT_ID)
    found = {key: logged[0][key] for key in ("Left", "Kind", "Bad", "Word")}
    assert found == {"Left": "15", "Kind": "*topup", "Bad": "", "Word": "^spring"}


def test_a_cost_that_is_no_number_counts_as_nothing(
    world: World, account: Account, define: Define, logged: list[dict[str, Any]]
) -> None:
    for text in ("abc", "9.75"):
        log = step("*cdrlog", weight=1, extra_parameters=f'{{"Cost":"{text}"}}')
        run_actions(world, define(step("*topup", 5, type="*monetary", id="MAIN"), log), ACCOUNT_ID)
    assert [it["Cost"] for it in logged] == [0, Decimal("9.75")]


def test_removed_balances_are_logged_with_what_they_held(
    world: World, account: Account, define: Define, logged: list[dict[str, Any]]
) -> None:
    remove = step("*remove_balance", type="*monetary", id="MAIN")
    run_actions(world, define(remove, step("*cdrlog", weight=1)), ACCOUNT_ID)
    assert [(it["BalanceID"], it["Cost"]) for it in logged] == [("MAIN", 10)]


def test_what_was_logged_beside_a_failure_is_undone_with_it(world: World, account: Account, define: Define) -> None:
    world.settings["schedulers"]["cdrs_conns"] = ["*internal"]
    world.parts["log_cdr"] = lambda world, event: world.state.effects.rows.append(("cdrs", "insert", event))
    log = step("*cdrlog", weight=5)
    failing = step("*no_such_action", weight=1)
    with pytest.raises(PartiallyExecuted):
        run_actions(world, define(step("*topup", 5, type="*monetary", id="MAIN"), log, failing), ACCOUNT_ID)
    assert world.state.effects.rows == []


def test_without_a_cdr_service_the_set_fails(world: World, account: Account, define: Define) -> None:
    with pytest.raises(PartiallyExecuted):
        run_actions(world, define(step("*cdrlog")), ACCOUNT_ID)
