"""Giving triggers to accounts: from groups, by hand, and taking them away.

Rules: an account has a trigger of a group at most once (group and unique id); its counters follow its triggers. The
account given is being edited. Does not know: when triggers fire.
"""

from collections.abc import Callable, Iterable

import msgspec

from cgrcore.accounting import Account
from cgrcore.actions.counters import init_counters
from cgrcore.actions.records import ActionTrigger
from cgrcore.errors import NotFound
from cgrcore.timing import ZERO_AT
from cgrcore.world import World

__all__ = ["add_triggers", "group_of", "keep_triggers", "replace_triggers", "set_triggers"]


def group_of(world: World, group_id: str) -> tuple[ActionTrigger, ...]:
    """Return the triggers of a group. Raises NotFound."""
    found = world.state.table("action_triggers").get(group_id)
    if found is None:
        raise NotFound(subject="action_triggers", subject_id=group_id)
    triggers: tuple[ActionTrigger, ...] = found.triggers
    return triggers


def set_triggers(world: World, account: Account, group_ids: Iterable[str], *, overwrite: bool) -> None:
    """Give the account the triggers of groups that it does not have yet; with `overwrite`, in place of all it has.

    Raises NotFound for an unknown group.
    """
    given = [trigger for group_id in group_ids for trigger in group_of(world, group_id)]
    if overwrite:
        account.triggers = None
    add_triggers(account, [msgspec.structs.replace(trigger, is_executed=False) for trigger in given])


def add_triggers(account: Account, triggers: Iterable[ActionTrigger]) -> None:
    """Add the triggers that the account does not have yet, and their counters."""
    kept = list(account.triggers or ())
    known = {(trigger.id, trigger.unique_id) for trigger in kept}
    for trigger in triggers:
        if (trigger.id, trigger.unique_id) not in known:
            known.add((trigger.id, trigger.unique_id))
            kept.append(msgspec.structs.replace(trigger, last_executed_at=ZERO_AT))
    account.triggers = tuple(kept) or None
    init_counters(account)


def keep_triggers(account: Account, is_kept: Callable[[ActionTrigger], bool]) -> None:
    """Keep only the triggers that a predicate is true for, and their counters."""
    account.triggers = tuple(trigger for trigger in account.triggers or () if is_kept(trigger)) or None
    init_counters(account)


def replace_triggers(account: Account, change: Callable[[ActionTrigger], ActionTrigger]) -> None:
    """Replace each trigger by what the function makes of it; counters follow."""
    account.triggers = tuple(change(trigger) for trigger in account.triggers or ()) or None
    init_counters(account)
