"""Triggers of an account: which fire now, and running their actions.

Rules: the heaviest trigger first; one that is executed rests until it is reset, a recurrent one until its sleep is
over. A pass looks at each trigger once and runs it for every balance or counter that it means and that reached its
threshold. While triggers run nothing triggers. What fails stays stopped, and what ran before stays; the cause stays
where it is. Does not know: who changed the account.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from cgrcore.accounting import Account, Balance, drop_expired
from cgrcore.actions.balance_filter import BalanceFilter
from cgrcore.actions.context import Run
from cgrcore.actions.counters import count_units, counter_kind, same_filter
from cgrcore.actions.records import Action, ActionTrigger
from cgrcore.actions.run import run_step, sorted_actions
from cgrcore.actions.trigger_match import means_trigger
from cgrcore.errors import CgrError
from cgrcore.timing import ZERO_AT
from cgrcore.world import World

__all__ = ["evaluate_triggers", "install_triggers"]


def install_triggers(world: World) -> None:
    """Let accounting evaluate triggers after every change, and count what is used."""
    world.parts["triggers"] = evaluate_triggers
    world.parts["count_units"] = count_units
    world.parts["triggers_low"] = evaluate_low_counters
    world.parts["triggers_running"] = set()


def evaluate_triggers(world: World, account: Account, action: Action | None = None) -> None:
    """Run the triggers that fire now, those that `action` means (none given: all); remove what is expired.

    The account is being edited. Nothing happens while the account's triggers run already.
    """
    _evaluate(world, account, action, only_low_counters=False)


def evaluate_low_counters(world: World, account: Account) -> None:
    """Run only the triggers on counters that fall short of their threshold (`*min_..._counter`)."""
    _evaluate(world, account, None, only_low_counters=True)


def _evaluate(world: World, account: Account, action: Action | None, *, only_low_counters: bool) -> None:
    running: set[str] = world.parts["triggers_running"]
    if not account.triggers or account.id in running:
        return
    running.add(account.id)
    try:
        account.triggers = tuple(sorted(account.triggers, key=lambda trigger: -trigger.weight_nano))
        for place, trigger in enumerate(account.triggers):
            is_low_counter = trigger.threshold_type.startswith("*min") and "counter" in trigger.threshold_type
            if is_low_counter or not only_low_counters:
                _evaluate_one(world, account, place, action)
    finally:
        running.discard(account.id)
    if not only_low_counters:
        _clean(world, account)


def _evaluate_one(world: World, account: Account, place: int, action: Action | None) -> None:
    trigger = account.triggers[place]
    if not _is_in_force(trigger, world.now_at) or trigger.is_executed:
        return
    if action is not None and not means_trigger(action, trigger):
        return
    if "counter" in trigger.threshold_type:
        if trigger.balance.id != "" and trigger.unique_id:
            trigger = msgspec.structs.replace(
                trigger, balance=msgspec.structs.replace(trigger.balance, id=trigger.unique_id)
            )
            _put(account, place, trigger)
        hits = sum(_counter_reached(trigger, value_nano) for value_nano in _counts_of(account, trigger))
    elif "balance" in trigger.threshold_type:
        group = account.balances.get(trigger.balance.type or "") or ()
        hits = 0
        for balance in list(group):
            if _balance_reached(trigger, balance, world.now_at):
                _execute(world, account, place)
        return
    else:
        return
    for _ in range(hits):
        _execute(world, account, place)


def _is_in_force(trigger: ActionTrigger, now_at: int) -> bool:
    if trigger.expires_at != ZERO_AT and trigger.expires_at < now_at:
        return False
    return trigger.activates_at == ZERO_AT or trigger.activates_at <= now_at


def _counts_of(account: Account, trigger: ActionTrigger) -> Iterator[int]:
    for unit_counters in list((account.unit_counters or {}).values()):
        for unit_counter in unit_counters:
            if unit_counter.type != counter_kind(trigger):
                continue
            for counter in unit_counter.counters:
                if same_filter(counter.filter, trigger.balance):
                    yield counter.value_nano


def _counter_reached(trigger: ActionTrigger, value_nano: int) -> bool:
    if trigger.threshold_type.startswith("*max"):
        return value_nano >= trigger.threshold_nano
    return value_nano <= trigger.threshold_nano


def _balance_reached(trigger: ActionTrigger, balance: Balance, now_at: int) -> bool:
    if not _means_balance(trigger.balance, balance):
        return False
    if trigger.threshold_type == "*max_balance":
        return balance.value_nano >= trigger.threshold_nano
    if trigger.threshold_type == "*min_balance":
        return balance.value_nano <= trigger.threshold_nano
    return trigger.threshold_type == "*balance_expired" and balance.is_expired_at(now_at)


def _means_balance(wanted: BalanceFilter, balance: Balance) -> bool:
    """Tell whether a trigger's filter means the balance: by UUID, else id, else all fields, sets being equal."""
    if wanted.uuid:
        return balance.uuid == wanted.uuid
    if wanted.id:
        return balance.id == wanted.id
    return (
        (wanted.expires_at is None or wanted.expires_at == balance.expires_at)
        and (wanted.weight_nano is None or wanted.weight_nano == balance.weight_nano)
        and (wanted.is_blocker is None or wanted.is_blocker == balance.is_blocker)
        and (wanted.is_disabled is None or wanted.is_disabled == balance.is_disabled)
        and _equals(wanted.destination_ids, balance.destination_ids)
        and _equals(wanted.categories, balance.categories)
        and _equals(wanted.timing_ids, balance.timing_ids)
        and _equals(wanted.shared_groups, balance.shared_groups)
        and (wanted.rating_subject is None or wanted.rating_subject == balance.rating_subject)
    )


def _equals(wanted: dict[str, bool] | None, owned: dict[str, bool] | None) -> bool:
    """Tell whether the sets are of one size and every key owned is wanted as an inclusion."""
    if wanted is None:
        return True
    owned = owned or {}
    return len(wanted) == len(owned) and all(wanted.get(key, False) for key in owned)


def _put(account: Account, place: int, trigger: ActionTrigger) -> None:
    account.triggers = (*account.triggers[:place], trigger, *account.triggers[place + 1 :])


def _execute(world: World, account: Account, place: int) -> None:
    """Run a trigger's actions. A disabled account and a missing set stop it, but the time of the attempt is kept."""
    trigger = account.triggers[place]
    slept_since = trigger.last_executed_at
    if trigger.is_recurrent and slept_since != ZERO_AT and world.now_at - slept_since < trigger.min_sleep_ns:
        return
    trigger = msgspec.structs.replace(trigger, last_executed_at=world.now_at)
    _put(account, place, trigger)
    if account.is_disabled:
        return
    actions = sorted_actions(world, trigger.actions_id)
    if actions is None:
        return
    _put(account, place, msgspec.structs.replace(trigger, is_executed=True))
    _run(world, account, actions)
    if trigger.is_recurrent:
        _put(account, place, msgspec.structs.replace(account.triggers[place], is_executed=False))


def _run(world: World, account: Account, actions: tuple[Action, ...]) -> None:
    run = Run(world=world, account=account, actions=actions)
    try:
        for place in range(len(actions)):
            run_step(run, place)
    except CgrError as error:
        note: Any = world.parts.get("note")
        if note is not None:
            note(f"a trigger of account {account.id} stopped at action {actions[run.place].type}: {error}")


def _clean(world: World, account: Account) -> None:
    """Remove the balances (as configured) and the triggers that are expired."""
    if world.settings["rals"]["remove_expired"]:
        drop_expired(account, world.now_at)
    kept = tuple(it for it in account.triggers if it.expires_at == ZERO_AT or it.expires_at >= world.now_at)
    if len(kept) != len(account.triggers):
        account.triggers = kept
