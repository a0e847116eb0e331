"""Accounts and shared groups as other nodes copy them: whole records, under their wire names."""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.accounting import Account, Balance, BalanceFilter, SharedGroup, Sharing, account_as_wire
from cgrcore.actions import ActionTrigger, Counter, UnitCounter, ValueFormula
from cgrcore.money import nano_from_number
from cgrcore.rating import Timing
from cgrcore.timing import parse_time
from cgrcore.world import World
from cgrserver.rpc.copies import declare_copies
from cgrserver.rpc.registry import Args, method

__all__: list[str] = []


class SharedGroupArgs(Args):
    Id: str = ""
    AccountParameters: dict[str, dict[str, str]] | None = None
    MemberIds: dict[str, bool] | None = None
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


class StoredBalance(Args):
    Uuid: str = ""
    ID: str = ""
    Value: Decimal = Decimal(0)
    ExpirationDate: str | None = None
    Weight: Decimal = Decimal(0)
    DestinationIDs: dict[str, bool] | None = None
    RatingSubject: str = ""
    Categories: dict[str, bool] | None = None
    SharedGroups: dict[str, bool] | None = None
    Timings: list[dict[str, Any]] | None = None
    TimingIDs: dict[str, bool] | None = None
    Disabled: bool = False
    Factors: dict[str, Decimal] | None = None
    Blocker: bool = False


class StoredValue(Args):
    Method: str = ""
    Params: dict[str, Any] | None = None
    Static: Decimal = Decimal(0)


class StoredFilter(Args):
    Uuid: str | None = None
    ID: str | None = None
    Type: str | None = None
    Value: StoredValue | None = None
    ExpirationDate: str | None = None
    Weight: Decimal | None = None
    DestinationIDs: dict[str, bool] | None = None
    RatingSubject: str | None = None
    Categories: dict[str, bool] | None = None
    SharedGroups: dict[str, bool] | None = None
    Timings: list[dict[str, Any]] | None = None
    TimingIDs: dict[str, bool] | None = None
    Disabled: bool | None = None
    Factors: dict[str, Decimal] | None = None
    Blocker: bool | None = None


class StoredTrigger(Args):
    ID: str = ""
    UniqueID: str = ""
    ThresholdType: str = ""
    ThresholdValue: Decimal = Decimal(0)
    Recurrent: bool = False
    MinSleep: int = 0
    ExpirationDate: str = ""
    ActivationDate: str = ""
    Balance: StoredFilter | None = None
    Weight: Decimal = Decimal(0)
    ActionsID: str = ""
    MinQueuedItems: int = 0
    Executed: bool = False
    LastExecutionTime: str = ""


class StoredCounter(Args):
    Value: Decimal = Decimal(0)
    Filter: StoredFilter | None = None


class StoredUnitCounter(Args):
    CounterType: str = ""
    Counters: list[StoredCounter] | None = None


class StoredAccount(Args):
    ID: str = ""
    BalanceMap: dict[str, list[StoredBalance] | None] | None = None
    UnitCounters: dict[str, list[StoredUnitCounter]] | None = None
    ActionTriggers: list[StoredTrigger] | None = None
    AllowNegative: bool = False
    Disabled: bool = False
    UpdateTime: str | None = None
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


declare_copies("SharedGroup", "shared_groups", "a shared group", SharedGroup.as_wire)


@method("ReplicatorSv1.SetSharedGroup", mandatory=("Id",))
def set_shared_group(world: World, args: SharedGroupArgs) -> str:
    """Keep a shared group as another node has it."""
    sharings = args.AccountParameters
    kept = (
        None
        if sharings is None
        else {key: Sharing(it.get("Strategy", ""), it.get("RatingSubject", "")) for key, it in sharings.items()}
    )
    world.state.table("shared_groups").put(args.Id, SharedGroup(args.Id, kept, args.MemberIds))
    return "OK"


declare_copies("Account", "accounts", "an account, by its id with the tenant,", account_as_wire)


@method("ReplicatorSv1.SetAccount", mandatory=("ID",))
def replicate_account(world: World, args: StoredAccount) -> str:
    """Keep an account as another node has it. One without balances leaves those that are here and not expired."""
    table = world.state.table("accounts")
    account = Account(
        args.ID,
        {
            kind: None if group is None else [_balance(world, kind, balance) for balance in group]
            for kind, group in (args.BalanceMap or {}).items()
        },
        allow_negative=args.AllowNegative,
        is_disabled=args.Disabled,
    )
    held: Account | None = table.get(args.ID)
    if not account.balances and held is not None and _has_unexpired(held, world.now_at):
        account.balances = held.copy().balances
    if args.ActionTriggers is not None:
        account.triggers = tuple(_trigger(world, trigger) for trigger in args.ActionTriggers)
    if args.UnitCounters is not None:
        account.unit_counters = {
            kind: tuple(_unit_counter(world, counter) for counter in group) for kind, group in args.UnitCounters.items()
        }
    table.put(args.ID, account)
    return "OK"


def _has_unexpired(account: Account, now_at: int) -> bool:
    return any(not it.is_expired_at(now_at) for group in account.balances.values() for it in group or ())


def _balance(world: World, kind: str, stored: StoredBalance) -> Balance:
    return Balance(
        stored.Uuid,
        stored.ID,
        kind,
        nano_from_number(stored.Value),
        expires_at=parse_time(stored.ExpirationDate or "", world.now_at).at,
        weight_nano=nano_from_number(stored.Weight),
        destination_ids=stored.DestinationIDs,
        rating_subject=stored.RatingSubject,
        categories=stored.Categories,
        shared_groups=stored.SharedGroups,
        timings=_timings(stored.Timings),
        timing_ids=stored.TimingIDs,
        is_disabled=stored.Disabled,
        factors=_factors(stored.Factors),
        is_blocker=stored.Blocker,
    )


def _filter(world: World, stored: StoredFilter | None) -> BalanceFilter:
    if stored is None:
        return BalanceFilter()
    value, expires = stored.Value, stored.ExpirationDate
    return BalanceFilter(
        uuid=stored.Uuid,
        id=stored.ID,
        type=stored.Type,
        value=None if value is None else ValueFormula(nano_from_number(value.Static), value.Method, value.Params),
        expires_at=None if expires is None else parse_time(expires, world.now_at).at,
        weight_nano=None if stored.Weight is None else nano_from_number(stored.Weight),
        destination_ids=stored.DestinationIDs,
        rating_subject=stored.RatingSubject,
        categories=stored.Categories,
        shared_groups=stored.SharedGroups,
        timing_ids=stored.TimingIDs,
        timings=_timings(stored.Timings),
        is_disabled=stored.Disabled,
        factors=_factors(stored.Factors),
        is_blocker=stored.Blocker,
    )


def _trigger(world: World, stored: StoredTrigger) -> ActionTrigger:
    def at(text: str) -> int:
        return parse_time(text, world.now_at).at

    return ActionTrigger(
        id=stored.ID,
        unique_id=stored.UniqueID,
        threshold_type=stored.ThresholdType,
        threshold_nano=nano_from_number(stored.ThresholdValue),
        is_recurrent=stored.Recurrent,
        min_sleep_ns=stored.MinSleep,
        expires_at=at(stored.ExpirationDate),
        activates_at=at(stored.ActivationDate),
        balance=_filter(world, stored.Balance),
        weight_nano=nano_from_number(stored.Weight),
        actions_id=stored.ActionsID,
        min_queued_items=stored.MinQueuedItems,
        is_executed=stored.Executed,
        last_executed_at=at(stored.LastExecutionTime),
    )


def _unit_counter(world: World, stored: StoredUnitCounter) -> UnitCounter:
    counters = (Counter(nano_from_number(it.Value), _filter(world, it.Filter)) for it in stored.Counters or ())
    return UnitCounter(stored.CounterType, tuple(counters))


def _factors(stored: dict[str, Decimal] | None) -> dict[str, int] | None:
    return None if stored is None else {key: nano_from_number(value) for key, value in stored.items()}


def _timings(stored: list[dict[str, Any]] | None) -> tuple[Timing, ...] | None:
    return None if stored is None else tuple(_timing(timing) for timing in stored)


#: What the fields of a timing are called on the wire, in their order.
TIMING_NAMES = ("ID", "Years", "Months", "MonthDays", "WeekDays", "StartTime", "EndTime")


def _timing(stored: dict[str, Any]) -> Timing:
    values = []
    for name, default in zip(TIMING_NAMES, msgspec.structs.astuple(Timing()), strict=True):
        values.append(default if stored.get(name) is None else stored[name])
    return msgspec.convert(values, Timing)
