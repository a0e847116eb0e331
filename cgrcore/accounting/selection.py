"""Which balances a call may use, and in which order.

Rules: the longer the prefix a balance was chosen by, the sooner it pays; then the heavier; then the older. One of a
shared group stands for the balances of all members, in the order of the group's strategy. Timings are not looked at
here: a balance may become active during the call. Does not know: what the balances pay.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from cgrcore._fast.payments import Source
from cgrcore.accounting.records import Account, Balance, SharedGroup
from cgrcore.rating import Tariff
from cgrcore.world import World

__all__ = ["Wanted", "matching_prefix", "precision_of", "reason_against", "select"]

#: A balance of this type pays for every type of record but money and itself.
GENERIC = "*generic"
ANY = "*any"


Members = Callable[[str], Account | None]


class Wanted(NamedTuple):
    """What a call asks of a balance. `kind` is the balance type; `group_id` limits it to members of a shared group."""

    kind: str
    destination: str
    category: str
    at: int
    group_id: str = ""


def select(world: World, tariff: Tariff, account: Account, wanted: Wanted, member_of: Members) -> list[Source]:
    """Return the balances of a type that may pay, in order. `member_of` finds the accounts of shared groups by id."""
    chosen = _own(tariff, account, wanted)
    if not any(source.balance.shared_groups for source in chosen):
        return chosen
    found: list[Source] = []
    for source in chosen:
        groups = source.balance.shared_groups
        if not groups:
            found.append(source)
        for group_id in groups or ():
            found += _shared(world, tariff, source, wanted._replace(group_id=group_id), member_of)
    return found


def _own(tariff: Tariff, account: Account, wanted: Wanted) -> list[Source]:
    kinds = (wanted.kind,) if wanted.kind in ("*monetary", GENERIC) else (wanted.kind, GENERIC)
    found = []
    for kind in kinds:
        for balance in account.balances.get(kind) or ():
            if reason_against(balance, wanted):
                continue
            precision = precision_of(tariff, balance.destination_ids, wanted.destination)
            if precision is not None:
                found.append(Source(balance, account, precision))
    if len(found) > 1:
        found.sort(key=lambda source: (-source.precision, -source.balance.weight_nano))
    return found


def reason_against(balance: Balance, wanted: Wanted) -> str:
    """Return why a balance may not pay, apart from its destinations; empty when it may."""
    if balance.is_disabled:
        return "disabled"
    if balance.is_expired_at(wanted.at):
        return "expired"
    groups = balance.shared_groups
    if not groups and balance.value_nano <= 0 and not balance.is_blocker:
        return "empty"
    if wanted.group_id and not (groups or {}).get(wanted.group_id):
        return "not in the shared group"
    if balance.categories and not balance.categories.get(wanted.category):
        return "other category"
    return ""


def precision_of(tariff: Tariff, chosen: dict[str, bool] | None, destination: str) -> int | None:
    """Return the length of the prefix that a balance's destinations match a number by; None when they do not.

    0 when all destinations will do. The longest known prefix that a chosen destination has decides; when all chosen
    are excluded, the longest known prefix does, and excludes only if it is one of them.
    """
    if not chosen or chosen.get(ANY):
        return 0
    are_all_excluded = not any(chosen.values())
    for prefix, ids in tariff.destinations_of(destination):
        given = [chosen[known] for known in ids if known in chosen]
        if given or are_all_excluded:
            return len(prefix) if all(given) else None
    return None


def matching_prefix(tariff: Tariff, chosen: dict[str, bool] | None, destination: str) -> tuple[str, str]:
    """Return the prefix and destination id that units show as matched; the number and `*any` when none is included."""
    if chosen and not chosen.get(ANY):
        for prefix, ids in tariff.destinations_of(destination):
            for known in ids:
                if chosen.get(known):
                    return prefix, known
    return destination, ANY


def _shared(world: World, tariff: Tariff, mine: Source, wanted: Wanted, member_of: Members) -> Iterable[Source]:
    group: SharedGroup | None = world.state.table("shared_groups").get(wanted.group_id)
    if group is None:
        return ()
    world.state.table("accounts").need(group.member_ids or ())
    found: list[Source] = []
    for member_id in group.member_ids or ():
        account = member_of(member_id)
        if account is not None and not account.is_disabled:
            found += _own(tariff, account, wanted)
    return _in_order(world, group, mine, found)


def _in_order(world: World, group: SharedGroup, mine: Source, found: list[Source]) -> list[Source]:
    sharings = group.sharings or {}
    sharing = sharings.get(mine.account.id) or sharings.get(ANY)
    strategy = sharing.strategy if sharing else ""
    if strategy in ("*lowest", "*mine_lowest"):
        found.sort(key=lambda source: source.balance.value_nano)
    elif strategy in ("*highest", "*mine_highest"):
        found.sort(key=lambda source: -source.balance.value_nano)
    else:
        _shuffle(world, found)
    if strategy not in ("*lowest", "*highest", "*random"):
        for index, source in enumerate(found):
            if source.balance is mine.balance:
                found[0], found[index] = source, found[0]
                break
    return found


def _shuffle(world: World, found: list[Source]) -> None:
    """Put sources in random order. The randomness is that of a fresh id, since this package draws no random numbers."""
    seed = int(world.new_id().replace("-", ""), 16)
    for index in range(len(found) - 1, 0, -1):
        seed, other = divmod(seed, index + 1)
        found[index], found[other] = found[other], found[index]
