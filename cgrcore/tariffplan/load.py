"""Loading a tariff plan: its records replace those of the same names, in one decision.

Does not know: where the plan came from.
"""

from collections.abc import Mapping


from cgrcore.accounting import Account
from cgrcore.actions.attach import set_triggers
from cgrcore.errors import BadRequest
from cgrcore.scheduling import ActionPlan
from cgrcore.scheduling.plans import attach_plans, replace_plan
from cgrcore.tariffplan.files import Mistake
from cgrcore.tariffplan.plan import AccountRow, Plan, assemble
from cgrcore.world import World

__all__ = ["PlanRefused", "load_plan"]


class PlanRefused(BadRequest):
    """A plan that is wrong. Its text is that of the first mistake as CGRateS words it; `mistakes` are all of them."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        first = next((m.text for m in mistakes if m.text), str(mistakes[0]))
        super().__init__(f"SERVER_ERROR: {first}", subject="tariff plan")
        self.mistakes = mistakes


def load_plan(world: World, contents: Mapping[str, bytes]) -> Plan:
    """Load the plan that the files (name to content) describe, whole. Raises PlanRefused; then nothing has changed."""
    plan, mistakes = assemble(world, contents)
    if mistakes:
        raise PlanRefused(mistakes)
    for name, records in plan.tables.items():
        table = world.state.table(name)
        for key, record in records.items():
            table.put(key, record)
    for plan_id, timings in plan.action_timings.items():
        before: ActionPlan | None = world.state.table("action_plans").get(plan_id)
        replace_plan(world, ActionPlan(plan_id, tuple(timings), before.account_ids if before else None))
    for row in plan.accounts:
        _set_up(world, row)
    return plan


def _set_up(world: World, row: AccountRow) -> None:
    """Create or change an account as the plan says. Balances it has are kept."""
    accounts = world.state.table("accounts")
    if row.account_id not in accounts:
        accounts.put(row.account_id, Account(row.account_id))
    account: Account = accounts.edit(row.account_id)
    account.allow_negative = row.allow_negative
    account.is_disabled = row.is_disabled
    set_triggers(world, account, [row.trigger_group] if row.trigger_group else [], overwrite=True)
    if row.plan_id:
        attach_plans(world, row.account_id, [row.plan_id], overwrite=True, with_asap=False)


