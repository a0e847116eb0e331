"""Accounts that come to be with their first call (`*dynaprepaid`): made by running the plans configured for them."""

from cgrcore.errors import mandatory_missing
from cgrcore.scheduling.replay import replay_plans_for
from cgrcore.world import World

__all__ = ["make_dynaprepaid_account"]


def make_dynaprepaid_account(world: World, account_id: str, section: str) -> None:
    """Make the account by `schedulers.dynaprepaid_actionplans`, when it does not exist.

    `section` is the configuration of who asks, which must be connected to the scheduler: else raises BadRequest
    `MANDATORY_IE_MISSING: [connIDs]`. Further errors as `replay_plans_for`.
    """
    if account_id in world.state.table("accounts"):
        return
    if not world.settings[section].get("scheduler_conns"):
        raise mandatory_missing(("connIDs",))
    replay_plans_for(world, list(world.settings["schedulers"]["dynaprepaid_actionplans"]), account_id)
