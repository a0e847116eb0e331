"""Changing balances from outside a call: top up, debit, set, remove, transfer what a balance filter means.

Rules: the account given is being edited (`Table.edit`); amounts are rounded to the system's decimals, but a value that
is set is taken as it is; every function leaves the account settled: triggers evaluated, expired balances gone.
Does not know: actions, who asks for the change.
"""

from enum import Enum

import msgspec

from cgrcore.accounting.records import DEFAULT_ID, Account, Balance, SharedGroup
from cgrcore.actions import BalanceFilter
from cgrcore.errors import BadRequest, NotFound, Refused
from cgrcore.money import Rounding, format_nano, round_nano
from cgrcore.timing import ZERO_AT
from cgrcore.world import World

__all__ = [
    "Reset",
    "Transfer",
    "change_balances",
    "drop_expired",
    "edit_account",
    "matches",
    "new_balance",
    "remove_balances",
    "round_system",
    "set_balance",
    "settle",
    "transfer_balance",
]


class Reset(Enum):
    """Which matching balances are set to zero before the amount is subtracted."""

    NEVER = "never"
    ALWAYS = "always"
    NEGATIVE = "negative"


def edit_account(world: World, account_id: str) -> Account:
    """Return the account to be changed, made when it is missing."""
    table = world.state.table("accounts")
    if account_id not in table:
        table.put(account_id, Account(account_id))
    account: Account = table.edit(account_id)
    return account


def round_system(world: World, amount_nano: int) -> int:
    """Round an amount to the decimals that all amounts of the system have (`general.rounding_decimals`)."""
    return round_nano(amount_nano, world.settings["general"]["rounding_decimals"], Rounding.MIDDLE)


def includes(owned: dict[str, bool] | None, wanted: dict[str, bool]) -> bool:
    """True when a balance's set has every key of the filter's as an inclusion."""
    owned = owned or {}
    return len(owned) >= len(wanted) and all(owned.get(key, False) for key in wanted)


def matches(
    wanted: BalanceFilter, balance: Balance, *, ignores_ids: bool = False, ignores_expiry: bool = False
) -> bool:
    """True when the filter means the balance. A UUID decides alone, then an id; else every field given counts."""
    if wanted.type and wanted.type != balance.type:
        return False
    if not ignores_ids:
        if wanted.uuid:
            return balance.uuid == wanted.uuid
        if wanted.id:
            return balance.id == wanted.id
    if not ignores_expiry and wanted.expires_at is not None and wanted.expires_at != balance.expires_at:
        return False
    return (
        (wanted.weight_nano is None or wanted.weight_nano == balance.weight_nano)
        and (wanted.is_blocker is None or wanted.is_blocker == balance.is_blocker)
        and (wanted.is_disabled is None or wanted.is_disabled == balance.is_disabled)
        and (wanted.destination_ids is None or includes(balance.destination_ids, wanted.destination_ids))
        and (wanted.categories is None or includes(balance.categories, wanted.categories))
        and (wanted.timing_ids is None or includes(balance.timing_ids, wanted.timing_ids))
        and (wanted.shared_groups is None or includes(balance.shared_groups, wanted.shared_groups))
        and (wanted.rating_subject is None or wanted.rating_subject == balance.rating_subject)
    )


def new_balance(world: World, wanted: BalanceFilter, value_nano: int) -> Balance:
    """Return a fresh balance with what the filter gives; its sets are there even when not given. `*default` is bare."""
    kind = wanted.type or ""
    if wanted.id == DEFAULT_ID:
        return Balance(world.new_id(), DEFAULT_ID, kind, value_nano)
    balance = Balance(
        world.new_id(),
        wanted.id or "",
        kind,
        value_nano,
        expires_at=ZERO_AT if wanted.expires_at is None else wanted.expires_at,
        weight_nano=wanted.weight_nano or 0,
        destination_ids=wanted.destination_ids or {},
        rating_subject=wanted.rating_subject or "",
        categories=wanted.categories or {},
        shared_groups=wanted.shared_groups or {},
        timings=wanted.timings,
        timing_ids=wanted.timing_ids or {},
        is_disabled=bool(wanted.is_disabled),
        factors=wanted.factors,
        is_blocker=bool(wanted.is_blocker),
    )
    balance.expires_offset_min = wanted.expires_offset_s // 60
    return balance


def change_balances(
    world: World, account: Account, wanted: BalanceFilter, amount_nano: int, *, reset: Reset = Reset.NEVER
) -> list[Balance]:
    """Subtract an amount from every balance that the filter means; none: make one with minus the amount. Return them.

    `amount_nano` is negative for a topup. Balances that are expired are left alone.
    """
    kind = wanted.type or ""
    changed = []
    for balance in account.balances.get(kind) or ():
        if balance.is_expired_at(world.now_at) or not matches(wanted, balance):
            continue
        start_nano = balance.value_nano
        if reset is Reset.ALWAYS or (reset is Reset.NEGATIVE and start_nano < 0):
            start_nano = 0
        balance.value_nano = round_system(world, start_nano - amount_nano)
        changed.append(balance)
    if not changed:
        changed = [_add(world, account, new_balance(world, wanted, round_system(world, -amount_nano)))]
    settle(world, account)
    return changed


def _add(world: World, account: Account, balance: Balance) -> Balance:
    balance.is_dirty = True
    account.balances[balance.type] = [*(account.balances.get(balance.type) or ()), balance]
    _join_groups(world, account, balance.shared_groups)
    return balance


def _join_groups(world: World, account: Account, group_ids: dict[str, bool] | None) -> None:
    """Make the account a member of the groups, those that exist."""
    table = world.state.table("shared_groups")
    for group_id in group_ids or ():
        group: SharedGroup | None = table.get(group_id)
        if group is not None and account.id not in (group.member_ids or {}):
            members = {**(group.member_ids or {}), account.id: True}
            table.put(group_id, msgspec.structs.replace(group, member_ids=members))


def set_balance(world: World, account: Account, wanted: BalanceFilter) -> Balance:
    """Give one balance the fields that the filter has, and return it; it is made when there is none with that id.

    Raises NotFound for an unknown UUID, BadRequest when a balance is to be made without a type.
    """
    found = _find(world, account, wanted)
    if found is None:
        if wanted.uuid:
            raise NotFound(f"cannot find balance with uuid: <{wanted.uuid}>")
        if wanted.type is None:
            raise BadRequest("missing balance type")
        found = _add(world, account, Balance(world.new_id(), wanted.id or "", wanted.type))
    _assign(found, wanted)
    if found.id != DEFAULT_ID:
        _join_groups(world, account, wanted.shared_groups)
    settle(world, account)
    return found


def _find(world: World, account: Account, wanted: BalanceFilter) -> Balance | None:
    for kind, group in account.balances.items():
        if wanted.type and kind != wanted.type:
            continue
        for balance in group or ():
            if balance.is_expired_at(world.now_at):
                continue
            if balance.uuid == wanted.uuid if wanted.uuid else balance.id == (wanted.id or ""):
                return balance
    return None


def _assign(balance: Balance, wanted: BalanceFilter) -> None:
    if wanted.value is not None:
        balance.value_nano = wanted.value.static_nano
    if balance.id == DEFAULT_ID:
        return
    if wanted.id:
        balance.id = wanted.id
    if wanted.expires_at is not None:
        balance.expires_at = wanted.expires_at
        balance.expires_offset_min = wanted.expires_offset_s // 60
    if wanted.weight_nano is not None:
        balance.weight_nano = wanted.weight_nano
    if wanted.is_disabled is not None:
        balance.is_disabled = wanted.is_disabled
    if wanted.is_blocker is not None:
        balance.is_blocker = wanted.is_blocker
    for field in (
        "destination_ids",
        "rating_subject",
        "categories",
        "shared_groups",
        "timings",
        "timing_ids",
        "factors",
    ):
        given = getattr(wanted, field)
        if given is not None:
            setattr(balance, field, given)
    balance.is_dirty = True


def remove_balances(
    world: World, account: Account, wanted: BalanceFilter, *, only_expired: bool = False
) -> list[Balance]:
    """Remove the balances that the filter means and return them. Raises NotFound when there are none.

    The last balance of a type takes the place of a removed one; a type whose last balance goes stays with None.
    """
    removed: list[Balance] = []
    for kind, group in account.balances.items():
        if group is None or (wanted.type and kind != wanted.type):
            continue
        kept, place, count = list(group), 0, len(removed)
        while place < len(kept):
            balance = kept[place]
            if balance.is_expired_at(world.now_at) != only_expired or not matches(wanted, balance):
                place += 1
                continue
            removed.append(balance)
            last = kept.pop()
            if last is not balance:
                kept[place] = last
        if len(removed) > count:
            account.balances[kind] = kept or None
    if not removed:
        raise NotFound()
    settle(world, account)
    return removed


class Transfer(msgspec.Struct, frozen=True):
    """What a transfer moves: `units_nano`, or with `reference_nano` as many as bring the destination to that value."""

    source_id: str
    destination_id: str
    units_nano: int = 0
    reference_nano: int | None = None


def transfer_balance(
    world: World, source: Account, destination: Account, order: Transfer
) -> tuple[Balance, Balance, int]:
    """Move units from one balance to another of the same type; return both and the units moved (negative: backwards).

    The destination balance is made when missing. Raises Refused with the reason (expired, missing, not enough).
    """
    if not order.source_id:
        raise Refused("source balance ID is missing")
    giver = _by_id(source, order.source_id)
    if giver is None or giver.is_expired_at(world.now_at):
        raise Refused("source balance not found or expired")
    taker = next((it for it in destination.balances.get(giver.type) or () if it.id == order.destination_id), None)
    if taker is not None and taker.is_expired_at(world.now_at):
        raise Refused("destination balance expired")
    units_nano = order.units_nano
    if order.reference_nano is not None:
        units_nano = order.reference_nano - (0 if taker is None else taker.value_nano)
    if units_nano == 0:
        raise Refused("transfer amount is missing or 0")
    taker_value_nano = 0 if taker is None else taker.value_nano
    if units_nano > giver.value_nano and giver.id != DEFAULT_ID:
        raise _insufficient("source", giver.id, source.id, units_nano)
    if -units_nano > taker_value_nano and order.destination_id != DEFAULT_ID:
        raise _insufficient("destination", order.destination_id, destination.id, units_nano)
    if taker is None:
        taker = _add(world, destination, Balance(world.new_id(), order.destination_id, giver.type))
    giver.value_nano = round_system(world, giver.value_nano - units_nano)
    taker.value_nano = round_system(world, taker.value_nano + units_nano)
    # A transfer triggers nothing: the next change does.
    if world.settings["rals"]["remove_expired"]:
        drop_expired(source, world.now_at)
        drop_expired(destination, world.now_at)
    return giver, taker, units_nano


def _by_id(account: Account, balance_id: str) -> Balance | None:
    return next((it for group in account.balances.values() for it in group or () if it.id == balance_id), None)


def _insufficient(side: str, balance_id: str, account_id: str, units_nano: int) -> Refused:
    return Refused(
        f'insufficient credits in {side} balance "{balance_id}" (account "{account_id}") '
        f"for transfer of {format_nano(units_nano)} units"
    )


def settle(world: World, account: Account) -> None:
    """Do what follows every change: evaluate the account's triggers, drop what is expired."""
    evaluate = world.parts.get("triggers")
    if evaluate is not None and account.triggers:
        evaluate(world, account)
    if world.settings["rals"]["remove_expired"]:
        drop_expired(account, world.now_at)


def drop_expired(account: Account, now_at: int) -> None:
    """Remove the balances that expired before an instant. A type whose last balance goes stays with None."""
    if not account.has_expired(now_at):
        return
    for kind, group in account.balances.items():
        if group and any(balance.is_expired_at(now_at) for balance in group):
            account.balances[kind] = [balance for balance in group if not balance.is_expired_at(now_at)] or None
