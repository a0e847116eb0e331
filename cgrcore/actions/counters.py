"""Counting what an account uses, for the triggers that look at counters.

Rules: a counter belongs to one trigger and counts what its filter means: `*event` counters by the call's category and
destination, `*balance` counters by the balance that paid. Counters follow the triggers: rebuilt when triggers change,
the counts of unchanged filters are kept. Does not know: thresholds, what a trigger does.
"""

import msgspec

from cgrcore.accounting import Account, matches
from cgrcore.accounting.counting import Used
from cgrcore.actions.balance_filter import BalanceFilter
from cgrcore.actions.records import ActionTrigger, Counter, UnitCounter
from cgrcore.rating import tariff_of
from cgrcore.world import World

__all__ = ["count_units", "init_counters", "reset_counters", "same_filter"]


def same_filter(one: BalanceFilter, other: BalanceFilter) -> bool:
    """Tell whether two filters mean the same counter: equal ids if both have one, else equal in all fields."""
    if one.id is not None and other.id is not None:
        return one.id == other.id
    return one == other


def counter_kind(trigger: ActionTrigger) -> str:
    """Return the kind of the counter a trigger looks at."""
    return "*balance" if "balance" in trigger.threshold_type else "*event"


def init_counters(account: Account) -> None:
    """Give the account the counters that its triggers need. Counts of filters that stay are kept; none needed: None."""
    wanted: dict[str, dict[str, list[Counter]]] = {}
    for trigger in account.triggers or ():
        if "counter" not in trigger.threshold_type:
            continue
        counted = msgspec.structs.replace(trigger.balance, id=trigger.balance.id or trigger.unique_id)
        value_nano = _count_so_far(account, trigger, counted)
        by_kind = wanted.setdefault(trigger.balance.type or "", {})
        by_kind.setdefault(counter_kind(trigger), []).append(Counter(value_nano, counted))
    account.unit_counters = {
        key: tuple(UnitCounter(kind, tuple(counters)) for kind, counters in by_kind.items())
        for key, by_kind in wanted.items()
    } or None


def _count_so_far(account: Account, trigger: ActionTrigger, counted: BalanceFilter) -> int:
    for unit_counter in (account.unit_counters or {}).get(trigger.balance.type or "", ()):
        if unit_counter.type != counter_kind(trigger):
            continue
        for counter in unit_counter.counters:
            if same_filter(counter.filter, counted):
                return int(counter.value_nano)
    return 0


def count_units(world: World, account: Account, used: list[Used]) -> None:
    """Add to the account's counters what a debit used (a refund: negative amounts).

    The triggers that watch a lower bound see the counter after the first step as well. The caller settles the account.
    """
    if not account.unit_counters:
        return
    watch_low = world.parts.get("triggers_low")
    for count in used:
        if count.kind not in account.unit_counters:
            continue
        first_nano = count.first_nano
        if watch_low is not None and first_nano is not None and first_nano < count.amount_nano:
            _add(world, account, count, first_nano)
            watch_low(world, account)
            _add(world, account, count, count.amount_nano - first_nano)
        else:
            _add(world, account, count, count.amount_nano)


def _add(world: World, account: Account, count: Used, amount_nano: int) -> None:
    assert account.unit_counters is not None
    unit_counters = tuple(
        UnitCounter(
            unit_counter.type,
            tuple(
                Counter(counter.value_nano + amount_nano, counter.filter)
                if _counts(world, unit_counter.type, counter.filter, count)
                else counter
                for counter in unit_counter.counters
            ),
        )
        for unit_counter in account.unit_counters[count.kind]
    )
    account.unit_counters = {**account.unit_counters, count.kind: unit_counters}


def _counts(world: World, kind: str, wanted: BalanceFilter, count: Used) -> bool:
    if kind == "*balance":
        return count.balance is not None and matches(wanted, count.balance, ignores_ids=True)
    if wanted.categories is not None and count.category and not wanted.categories.get(count.category):
        return False
    if wanted.destination_ids is None or not count.destination:
        return True
    found = tariff_of(world).destinations_of(count.destination)
    return any(wanted.destination_ids.get(destination_id) for _, ids in found for destination_id in ids)


def reset_counters(account: Account, wanted: BalanceFilter) -> None:
    """Set to zero the counters under the filter's type (not given: all) that have that very filter."""
    if not account.unit_counters:
        return
    account.unit_counters = {
        key: unit_counters
        if wanted.type is not None and wanted.type != key
        else tuple(
            UnitCounter(
                unit_counter.type,
                tuple(
                    Counter(0, counter.filter) if same_filter(counter.filter, wanted) else counter
                    for counter in unit_counter.counters
                ),
            )
            for unit_counter in unit_counters
        )
        for key, unit_counters in account.unit_counters.items()
    }
